//! Small files that belong to a model beside its tensors, known by their names.

use super::names::base_name;

/// What libraries look for beside a model's tensors.
pub const COMPANIONS: [&str; 18] = [
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "config.json",
    "config_sentence_transformers.json",
    "generation_config.json",
    "merges.txt",
    "modules.json",
    "preprocessor_config.json",
    "sentence_bert_config.json",
    "sentencepiece.bpe.model",
    "special_tokens_map.json",
    "spiece.model",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
];

/// Whether libraries look for a file of this name.
pub(super) fn is_companion(path: &str) -> bool {
    COMPANIONS.contains(&base_name(path))
}
