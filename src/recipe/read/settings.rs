//! `parameters`: a value for each of some parameters of a method.

use std::collections::BTreeMap;

use super::fields::{Fields, wrong_text};
use crate::recipe::nearest;
use crate::recipe::yaml::{Content, Node, wrong};
use crate::recipe::{Filtered, KnownMethod, KnownParameter, Setting};
use crate::{Result, printable};

/// Settings by their parameter's name.
pub(super) type Settings = BTreeMap<String, Setting>;

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
                return Err(wrong(key.line, what).advice(advice));
            }
            if !value.is_nothing() {
                settings.insert(key.text.clone(), setting(&parameter, value)?);
            }
        }
        Ok(settings)
    }

    fn parameter(&self, name: &str, line: usize) -> Result<KnownParameter<'_>> {
        let is_it = |parameter: &&KnownParameter<'_>| parameter.name == name;
        if let Some(parameter) = self.own.parameters.iter().find(is_it) {
            return Ok(*parameter);
        }
        let known = self.own.parameters.iter().map(|parameter| parameter.name);
        let lacks = format!("`{}` has no parameter", self.own.name);
        if self.all.iter().any(|method| method.parameters.iter().any(|p| is_it(&p))) {
            let known = known.collect::<Vec<_>>().join(", ");
            let what = format!("{lacks} `{}`", printable(name));
            return Err(wrong(line, what).advice(format!("it has {known}")));
        }
        Err(nearest::unknown(line, &lacks, name, known))
    }
}

/// A value, a list of values along the layers, or values with filters.
fn setting(parameter: &KnownParameter<'_>, node: &Node) -> Result<Setting> {
    match &node.content {
        Content::Map(_) => Ok(Setting::Filtered(vec![filtered(parameter, node)?])),
        Content::List(items)
            if items.iter().any(|item| matches!(item.content, Content::Map(_))) =>
        {
            let entries = items.iter().map(|item| filtered(parameter, item));
            Ok(Setting::Filtered(entries.collect::<Result<_>>()?))
        }
        _ => unfiltered(parameter, node),
    }
}

fn unfiltered(parameter: &KnownParameter<'_>, node: &Node) -> Result<Setting> {
    let name = parameter.name;
    match &node.content {
        Content::List(items) if items.is_empty() => {
            Err(wrong(node.line, format!("the list of `{name}` is empty")))
        }
        Content::List(items) if parameter.is_switch => {
            let values = items.iter().map(|item| switch(name, item));
            Ok(Setting::Switches(values.collect::<Result<_>>()?))
        }
        Content::List(items) => {
            let values = items.iter().map(|item| number(name, item));
            Ok(Setting::Gradient(values.collect::<Result<_>>()?))
        }
        Content::Map(_) => {
            Err(wrong(node.line, format!("a filter of `{name}` stands within another")))
        }
        _ if parameter.is_switch => switch(name, node).map(Setting::Switch),
        _ => number(name, node).map(Setting::Value),
    }
}

fn filtered(parameter: &KnownParameter<'_>, node: &Node) -> Result<Filtered> {
    let what = format!("an entry of `{}` beside filters", parameter.name);
    let refused = [("pattern", "filters are called `filter`")];
    let fields = Fields::of(node, &what, &["filter", "value"], &refused)?;
    let missing =
        || wrong(node.line, format!("a filter of `{}` lacks its `value`", parameter.name));
    let value = fields.get("value").ok_or_else(missing)?;
    Ok(Filtered {
        filter: fields.text("filter")?.map(String::from),
        value: Box::new(unfiltered(parameter, value)?),
    })
}

/// A finite decimal number. What YAML's versions read differently (octal, sexagesimal, underscores)
/// is none.
pub(super) fn number(name: &str, node: &Node) -> Result<f64> {
    let Some(text) = node.scalar() else {
        return Err(wrong(node.line, format!("`{name}` must be a number here")));
    };
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_octal =
        digits.len() > 1 && digits.starts_with('0') && !digits[1..].starts_with(['.', 'e', 'E']);
    let is_decimal =
        digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    match text.parse::<f64>() {
        Ok(value) if is_decimal && !is_octal && value.is_finite() => Ok(value),
        _ => Err(wrong_text(node, text, &format!("is not a number for `{name}`"))),
    }
}

fn switch(name: &str, node: &Node) -> Result<bool> {
    let Some(text) = node.scalar() else {
        return Err(wrong(node.line, format!("`{name}` must be true or false here")));
    };
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(wrong_text(node, text, &format!("is neither true nor false, for `{name}`"))),
    }
}
