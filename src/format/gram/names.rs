//! Names of weights as Gram files spell them, and names of Gram files themselves.
//!
//! Wrappers prefix parameter names (`module.` by parallel training, `model.` by task heads), and
//! tools key Gram matrices by module or by parameter. A key that matches nothing would silently
//! turn RegMean into averaging, so all these spellings count as one.

const WRAPPERS: [&str; 2] = ["module.", "model."];
const WEIGHT_SUFFIX: &str = ".weight";

/// The spelling that all spellings of a weight's name share: without leading `module.` and
/// `model.`, however often, and without `.weight`.
///
/// ```
/// use gramerge::format::canonical_weight_name;
/// assert_eq!(canonical_weight_name("module.model.layers.0.q.weight"), "layers.0.q");
/// assert_eq!(canonical_weight_name("layers.0.q"), "layers.0.q");
/// ```
pub fn canonical_weight_name(name: &str) -> &str {
    let mut name = name.strip_suffix(WEIGHT_SUFFIX).unwrap_or(name);
    while let Some(rest) = WRAPPERS.iter().find_map(|wrapper| name.strip_prefix(wrapper)) {
        if rest.is_empty() {
            break;
        }
        name = rest;
    }
    name
}

/// Whether a file's name says that it is a Gram file: one of its words is `gram` or `grams`,
/// perhaps with a number or letter (`gramA`, `gram_v2`), unlike `program` or `grammar`.
pub fn has_gram_name(path: &str) -> bool {
    let base = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
    base.split(|c: char| !c.is_ascii_alphanumeric()).any(is_gram_word)
}

fn is_gram_word(word: &str) -> bool {
    let Some(rest) = word.strip_prefix("gram") else {
        return false;
    };
    let rest = rest.strip_prefix('s').unwrap_or(rest);
    rest.len() <= 1 || rest.bytes().all(|b| b.is_ascii_digit())
}
