//! `parameters`: a value for each of some parameters of a method.

use super::fields::Fields;
use crate::printable;
use crate::recipe::nearest;
use crate::recipe::yaml::{Content, Node, Result, wrong, wrong_so, wrong_text};
use crate::recipe::{Filtered, KnownMethod, KnownParameter, Setting};

/// Settings by their parameter's name.
pub(super) type Settings = Vec<(String, Setting)>;

/// All methods and the one of the recipe.
pub(super) struct Methods<'a> {
    pub(super) own: KnownMethod<'a>,
    pub(super) all: &'a [KnownMethod<'a>],
}

impl Methods<'_> {
    /// Reads `parameters` of the merge or a slice, or of a model.
    pub(super) fn settings(&self, node: Option<&Node>, is_model: bool) -> Result<Settings> {
        let Some(node) = node else { return Ok(Settings::new()) };
        let Content::Map(entries) = &node.content else {
            return Err(wrong(node.line, "`parameters` must be a mapping of `NAME: VALUE`"));
        };
        let mut settings = Settings::new();
        for (key, value) in entries {
            let parameter = self.parameter(&key.text, key.line)?;
            if is_model && !parameter.is_per_model {
                let what = format!("`{}` is for all models alike", parameter.name);
                let advice = "move it to the `parameters` of the whole recipe";
                return Err(wrong_so(key.line, &what, advice));
            }
            if !value.is_nothing() {
                settings.push((key.text.clone(), setting(&parameter, value)?));
            }
        }
        Ok(settings)
    }

    fn parameter(&self, name: &str, line: usize) -> Result<KnownParameter<'_>> {
        let mut known = Vec::new();
        for parameter in self.own.parameters {
            if parameter.name == name {
                return Ok(*parameter);
            }
            known.push(parameter.name);
        }
        let lacks = format!("`{}` has no parameter", self.own.name);
        if self.all.iter().any(|method| method.parameters.iter().any(|p| p.name == name)) {
            let what = format!("{lacks} `{}`", printable(name));
            return Err(wrong_so(line, &what, &format!("it has {}", known.join(", "))));
        }
        Err(nearest::unknown(line, &lacks, name, &known))
    }
}

/// A value, a list of values along the layers, or values with filters.
fn setting(parameter: &KnownParameter<'_>, node: &Node) -> Result<Setting> {
    let entries = match &node.content {
        Content::Map(_) => std::slice::from_ref(node),
        Content::List(items) if items.iter().any(Node::is_map) => items,
        _ => return unfiltered(parameter, node),
    };
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        all.push(filtered(parameter, entry)?);
    }
    Ok(Setting::Filtered(all))
}

fn unfiltered(parameter: &KnownParameter<'_>, node: &Node) -> Result<Setting> {
    let name = parameter.name;
    let (items, is_list) = match &node.content {
        Content::List(items) => (&items[..], true),
        Content::Map(_) => {
            let what = format!("a filter of `{name}` stands within another");
            return Err(wrong(node.line, &what));
        }
        Content::Plain(_) | Content::Quoted(_) => (std::slice::from_ref(node), false),
    };
    let (mut numbers, mut switches) = (Vec::new(), Vec::new());
    for item in items {
        match parameter.is_switch {
            true => switches.push(switch(name, item)?),
            false => numbers.push(number(name, item)?),
        }
    }
    match (&numbers[..], &switches[..]) {
        ([], []) => Err(wrong(node.line, &format!("the list of `{name}` is empty"))),
        (&[value], []) if !is_list => Ok(Setting::Value(value)),
        ([], &[is_on]) if !is_list => Ok(Setting::Switch(is_on)),
        (_, []) => Ok(Setting::Gradient(numbers)),
        _ => Ok(Setting::Switches(switches)),
    }
}

fn filtered(parameter: &KnownParameter<'_>, node: &Node) -> Result<Filtered> {
    let name = parameter.name;
    let what = format!("an entry of `{name}` beside filters");
    let refused = [("pattern", "filters are called `filter`")];
    let fields = Fields::of(node, &what, &["filter", "value"], &refused)?;
    let missing = || wrong(node.line, &format!("a filter of `{name}` lacks its `value`"));
    let value = fields.get("value").ok_or_else(missing)?;
    let value = Box::new(unfiltered(parameter, value)?);
    Ok(Filtered { filter: fields.text("filter")?.map(String::from), value })
}

/// A finite decimal number. What YAML's versions read differently (octal, sexagesimal, underscores)
/// is none.
fn number(name: &str, node: &Node) -> Result<f64> {
    let text = node.scalar(name, "a number")?;
    let digits = text.trim_start_matches(['+', '-']);
    let mut bytes = digits.bytes();
    let is_octal = bytes.next() == Some(b'0') && bytes.next().is_some_and(|b| b.is_ascii_digit());
    let is_decimal = digits.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
    match text.parse::<f64>() {
        Ok(value) if is_decimal && !is_octal && value.is_finite() => Ok(value),
        _ => Err(wrong_text(node.line, text, &format!("is not a number for `{name}`"))),
    }
}

fn switch(name: &str, node: &Node) -> Result<bool> {
    let text = node.scalar(name, "true or false")?;
    for (word, is_on) in [
        ("true", true),
        ("false", false),
        ("yes", true),
        ("no", false),
        ("on", true),
        ("off", false),
        ("1", true),
        ("0", false),
    ] {
        if text.eq_ignore_ascii_case(word) {
            return Ok(is_on);
        }
    }
    Err(wrong_text(node.line, text, &format!("is neither true nor false, for `{name}`")))
}
