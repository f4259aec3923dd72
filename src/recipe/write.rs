//! From a [`Recipe`] to its text, which reads back as the same recipe.
//!
//! Paths, patterns and filters are quoted wherever a parser of some version of YAML might see
//! anything but text in them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Device, Precision, Recipe, RecipeModel, Scope, Setting};
use crate::order;
use crate::tensor::dtype::Dtype;

/// Beyond the deepest indentation.
const SPACES: &str = "                ";

type Settings = BTreeMap<String, Setting>;

/// Writes a recipe, as [`read`](super::read()) makes it, in YAML.
pub fn write(recipe: &Recipe) -> String {
    let mut text = String::new();
    line(&mut text, 0, "merge_method", &quoted(&recipe.method));
    if let Some(base) = &recipe.base {
        line(&mut text, 0, "base_model", &quoted(base));
    }
    let slices = slices(recipe);
    if slices.is_empty() {
        text += "models:\n";
        models(&mut text, recipe, None);
    } else {
        text += "slices:\n";
    }
    for layers in slices {
        let own = recipe.scopes.iter().any(|scope| scope.layers.is_some()).then_some(&layers);
        text += "  - sources:\n";
        sources(&mut text, recipe, &layers, own);
        if own.is_some() {
            parameters(&mut text, 4, scope(&recipe.scopes, None, own));
        }
    }
    parameters(&mut text, 0, scope(&recipe.scopes, None, None));
    options(&mut text, recipe);
    text
}

/// Runs of layers with settings of their own, and what lies between them.
fn slices(recipe: &Recipe) -> Vec<Range<u64>> {
    let mut own: Vec<Range<u64>> =
        recipe.scopes.iter().filter_map(|scope| scope.layers.clone()).collect();
    order::sort_by_key(&mut own, |layers| (layers.start, layers.end));
    let end = own.iter().map(|layers| layers.end).max();
    own.extend(recipe.n_layers.or(end).map(|n| n..n));
    let mut slices: Vec<Range<u64>> = Vec::new();
    for layers in own {
        let end = slices.last().map_or(0, |last| last.end);
        if layers.start > end {
            slices.push(end..layers.start);
        }
        if layers.start >= end && !layers.is_empty() {
            slices.push(layers);
        }
    }
    slices
}

fn scope<'r>(
    scopes: &'r [Scope],
    model: Option<usize>,
    layers: Option<&Range<u64>>,
) -> Option<&'r Settings> {
    let found = scopes.iter().find(|s| s.model == model && s.layers.as_ref() == layers);
    found.map(|scope| &scope.settings)
}

fn models(text: &mut String, recipe: &Recipe, layers: Option<&Range<u64>>) {
    for (index, model) in recipe.models.iter().enumerate() {
        named(text, 2, model, None);
        parameters(text, 4, scope(&recipe.scopes, Some(index), layers));
    }
}

fn sources(text: &mut String, recipe: &Recipe, layers: &Range<u64>, own: Option<&Range<u64>>) {
    for (index, model) in recipe.models.iter().enumerate() {
        let gram = model.gram.clone().filter(|_| layers.start == 0);
        named(text, 6, &RecipeModel { gram, ..model.clone() }, Some(layers));
        parameters(text, 8, scope(&recipe.scopes, Some(index), own));
    }
    if let Some(base) = &recipe.base {
        named(text, 6, &RecipeModel { path: base.clone(), gram: None }, Some(layers));
    }
}

fn named(text: &mut String, indent: usize, model: &RecipeModel, layers: Option<&Range<u64>>) {
    line(text, indent, "- model", &quoted(&model.path));
    if let Some(gram) = &model.gram {
        line(text, indent + 2, "gram", &quoted(gram));
    }
    if let Some(Range { start, end }) = layers {
        line(text, indent + 2, "layer_range", &format!("[{start}, {end}]"));
    }
}

fn parameters(text: &mut String, indent: usize, settings: Option<&Settings>) {
    let Some(settings) = settings.filter(|settings| !settings.is_empty()) else { return };
    open(text, indent, "parameters");
    for (name, setting) in settings {
        let Setting::Filtered(entries) = setting else {
            line(text, indent + 2, name, &value(setting));
            continue;
        };
        open(text, indent + 2, name);
        for entry in entries {
            match &entry.filter {
                Some(filter) => {
                    line(text, indent + 4, "- filter", &quoted(filter));
                    line(text, indent + 6, "value", &value(&entry.value));
                }
                None => line(text, indent + 4, "- value", &value(&entry.value)),
            }
        }
    }
}

fn options(text: &mut String, recipe: &Recipe) {
    if let Some(dtype) = recipe.dtype {
        line(text, 0, "dtype", dtype_name(dtype));
    }
    if !recipe.exclude.is_empty() {
        open(text, 0, "exclude");
        recipe.exclude.iter().for_each(|pattern| item(text, pattern));
    }
    if !recipe.keep.is_empty() {
        open(text, 0, "keep");
        for keep in &recipe.keep {
            item(text, &format!("{}={}", keep.pattern, keep.model.saturating_add(1)));
        }
    }
    match recipe.precision {
        Precision::Auto => {}
        Precision::Fast => line(text, 0, "precision", "fast"),
        Precision::Exact => line(text, 0, "precision", "exact"),
    }
    match recipe.device {
        Device::Auto => {}
        Device::Cpu => line(text, 0, "device", "cpu"),
        Device::Gpu => line(text, 0, "device", "gpu"),
    }
    if let Some(size) = &recipe.shard_size {
        line(text, 0, "shard_size", &quoted(size));
    }
}

#[inline(never)]
fn open(text: &mut String, indent: usize, key: &str) {
    push(text, &[&SPACES[..indent], key, ":\n"]);
}

#[inline(never)]
fn line(text: &mut String, indent: usize, key: &str, value: &str) {
    push(text, &[&SPACES[..indent], key, ": ", value, "\n"]);
}

fn item(text: &mut String, value: &str) {
    push(text, &["  - ", &quoted(value), "\n"]);
}

#[inline(never)]
fn push(text: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| text.push_str(part));
}

/// A value without filters.
fn value(setting: &Setting) -> String {
    let items: Vec<String> = match setting {
        Setting::Value(value) => return number(*value),
        Setting::Switch(is_on) => return word(*is_on),
        Setting::Gradient(values) => values.iter().map(|value| number(*value)).collect(),
        Setting::Switches(values) => values.iter().map(|is_on| word(*is_on)).collect(),
        Setting::Filtered(entries) => entries.iter().map(|entry| value(&entry.value)).collect(),
    };
    format!("[{}]", items.join(", "))
}

fn word(is_on: bool) -> String {
    String::from(if is_on { "true" } else { "false" })
}

/// A number that reads back as itself. Where there is an exponent it has a sign, and a point stands
/// before it: else YAML 1.1 reads a text.
fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-5..1e15).contains(&size) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{digits}{point}e{sign}{exponent}")
}

fn dtype_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F16 => "float16",
        Dtype::BF16 => "bfloat16",
        Dtype::F64 => "float64",
        _ => "float32",
    }
}

/// A text, in quotes unless it can be nothing else.
fn quoted(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte);
    let first = text.bytes().find(|byte| !b"./".contains(byte));
    let is_number = text.starts_with('.') && !text.contains('/');
    if first.is_some_and(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(is_plain)
        && !is_number
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
    {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        let is_unsafe = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
        if is_unsafe {
            push(&mut quoted, &[&format!("\\u{:04x}", u32::from(c))]);
            continue;
        }
        let before = if matches!(c, '"' | '\\') { "\\" } else { "" };
        push(&mut quoted, &[before, c.encode_utf8(&mut [0; 4])]);
    }
    push(&mut quoted, &["\""]);
    quoted
}
