//! Which files a recipe names: `models`, and what stands for a model anywhere.

use super::fields::Fields;
use super::settings::{Methods, Settings};
use crate::printable;
use crate::recipe::RecipeModel;
use crate::recipe::yaml::{Node, Result, wrong, wrong_so};

/// Keys that mean something to mergekit, and why they are refused.
const REFUSED: [(&str, &str); 4] = [
    ("lora", "adapters within a model are not supported"),
    ("override_architecture", "a checkpoint is read as it is"),
    ("revision", "models are files, which have no revisions"),
    ("fisher", "Fisher files are not supported yet"),
];

/// A model and its own settings.
pub(super) struct Listed {
    pub(super) line: usize,
    pub(super) model: RecipeModel,
    pub(super) settings: Settings,
}

/// Reads an entry of `models`, or of a slice's `sources`, which also has a `layer_range`.
pub(super) fn listed<'n>(node: &'n Node, methods: &Methods<'_>) -> Result<(Listed, Fields<'n>)> {
    const KNOWN: [&str; 4] = ["model", "parameters", "gram", "layer_range"];
    let fields = Fields::of(node, "each model", &KNOWN, &REFUSED)?;
    let missing = || wrong(node.line, "an entry lacks its `model`");
    let path = reference(fields.get("model").ok_or_else(missing)?)?;
    let gram = fields.text("gram")?.map(String::from);
    let settings = methods.settings(fields.get("parameters"), true)?;
    Ok((Listed { line: node.line, model: RecipeModel { path, gram }, settings }, fields))
}

/// Reads the entries of `models`.
pub(super) fn models(items: &[Node], methods: &Methods<'_>) -> Result<Vec<Listed>> {
    let mut models: Vec<Listed> = Vec::new();
    for item in items {
        let (listed, fields) = listed(item, methods)?;
        if fields.get("layer_range").is_some() {
            let line = fields.line_of("layer_range");
            return Err(wrong(line, "`layer_range` belongs into the `sources` of `slices`"));
        }
        add(&mut models, listed)?;
    }
    Ok(models)
}

/// Adds a model that is not there yet.
pub(super) fn add(models: &mut Vec<Listed>, listed: Listed) -> Result<()> {
    if let Some(other) = models.iter().find(|other| other.model.path == listed.model.path) {
        let path = printable(&listed.model.path);
        let what = format!("the model `{path}` stands in line {} already", other.line);
        return Err(wrong(listed.line, &what));
    }
    models.push(listed);
    Ok(())
}

/// The path of a model: a text, or mergekit's mapping with `path`.
pub(super) fn reference(node: &Node) -> Result<String> {
    if node.is_map() {
        let fields = Fields::of(node, "a model", &["path", "model"], &REFUSED)?;
        return match (fields.get("path"), fields.get("model")) {
            (Some(path), None) => reference(path),
            (None, Some(model)) => reference(model),
            _ => Err(wrong(node.line, "a model needs its `path`, once")),
        };
    }
    let text = node.text("model")?;
    if text.contains(['+', '@']) {
        let text = printable(text);
        let what =
            format!("`{text}` names an adapter (`+`) or a revision (`@`), which is not supported");
        let advice = "give a file or a folder, with neither character in its path";
        return Err(wrong_so(node.line, &what, advice));
    }
    Ok(text.to_owned())
}
