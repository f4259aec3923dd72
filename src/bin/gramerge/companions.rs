//! Small files that belong to a model beside its tensors: passed through as they are.

use std::path::{Path, PathBuf};

use gramerge::{Error, Result};

use crate::unfinished::Unfinished;

/// What libraries look for beside a model's tensors.
const NAMES: [&str; 18] = [
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

/// Copies what stands beside the model at `path`; how many files.
pub(crate) fn pass_through(path: &Path, output: &Unfinished) -> Result<usize> {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let beside = |name: &str| folder.map_or_else(|| PathBuf::from(name), |dir| dir.join(name));
    let mut n_copied = 0;
    for name in NAMES {
        let path = beside(name);
        if path.is_file() {
            let failed = |error: std::io::Error| {
                Error::io(format!("cannot be read ({error})")).file(path.display().to_string())
            };
            output.add(name, &std::fs::read(&path).map_err(failed)?)?;
            n_copied += 1;
        }
    }
    Ok(n_copied)
}
