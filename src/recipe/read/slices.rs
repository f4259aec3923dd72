//! `slices`: the same models cut into runs of layers, which must be whole again one after another.

use std::ops::Range;

use super::fields::Fields;
use super::models::{Listed, add, listed, reference};
use super::settings::{Methods, Settings};
use crate::printable;
use crate::recipe::yaml::{Content, Node, Result, wrong, wrong_so};
use crate::recipe::{Filtered, RecipeModel, Setting};

/// A run of layers.
pub(super) struct Slice {
    pub(super) layers: Range<u64>,
    /// Models with their settings, in the order of the first slice.
    pub(super) sources: Vec<Listed>,
    pub(super) settings: Settings,
}

/// Reads the entries of `slices`; `base` is the recipe's base model.
pub(super) fn slices(
    items: &[Node],
    methods: &Methods<'_>,
    base: Option<&str>,
) -> Result<Vec<Slice>> {
    let mut slices: Vec<Slice> = Vec::new();
    for item in items {
        let refused = [("residual_weight", "it has no effect; remove it")];
        let known = ["sources", "parameters", "base_model"];
        let fields = Fields::of(item, "each slice", &known, &refused)?;
        if let Some(node) = fields.get("base_model")
            && base != Some(reference(node)?.as_str())
        {
            return Err(wrong(node.line, "a slice with a base model of its own is not supported"));
        }
        let end = slices.last().map_or(0, |slice| slice.layers.end);
        let mut slice = read(&fields, methods)?;
        follows(&slice.layers, end, item.line)?;
        if let Some(first) = slices.first() {
            slice.sources = in_order(slice.sources, &first.sources, item.line)?;
        }
        slices.push(slice);
    }
    Ok(slices)
}

fn read(fields: &Fields<'_>, methods: &Methods<'_>) -> Result<Slice> {
    let mut sources = Vec::new();
    let mut layers: Option<Range<u64>> = None;
    for item in fields.list("sources")? {
        let (listed, source) = listed(item, methods)?;
        let missing = || wrong(item.line, "a source lacks its `layer_range: [FIRST, END]`");
        let node = source.get("layer_range").ok_or_else(missing)?;
        let own = layer_range(node)?;
        if layers.get_or_insert_with(|| own.clone()) != &own {
            let what = "the sources of a slice differ in their layers, which is not supported";
            return Err(wrong(node.line, what));
        }
        add(&mut sources, listed)?;
    }
    let layers = layers.ok_or_else(|| wrong(fields.line, "a slice lacks its `sources`"))?;
    let settings = methods.settings(fields.get("parameters"), false)?;
    Ok(Slice { layers, sources, settings })
}

/// `[FIRST, END]`: the layers from FIRST on, without END.
fn layer_range(node: &Node) -> Result<Range<u64>> {
    let bound = |node: &Node| node.text("layer_range").ok()?.parse::<u64>().ok();
    if let Content::List(items) = &node.content
        && let [first, end] = &items[..]
        && let (Some(first), Some(end)) = (bound(first), bound(end))
        && first < end
    {
        return Ok(first..end);
    }
    Err(wrong(node.line, "`layer_range` must be [FIRST, END], two layers in order"))
}

fn follows(layers: &Range<u64>, end: u64, line: usize) -> Result<()> {
    if layers.start == end {
        return Ok(());
    }
    let how = if layers.start > end { "leaves out layers" } else { "repeats or reorders layers" };
    let what = format!("a slice begins at layer {}, not at {end}: it {how}", layers.start);
    let advice = "slices must cover whole models, in order";
    Err(wrong_so(line, &what, advice))
}

/// Sources of a slice in the order of the first slice; refuses other models than that has.
fn in_order(mut sources: Vec<Listed>, first: &[Listed], line: usize) -> Result<Vec<Listed>> {
    let mut ordered = Vec::new();
    for Listed { model, .. } in first {
        let place = sources.iter().position(|listed| listed.model.path == model.path);
        let missing =
            || wrong(line, &format!("this slice lacks the model `{}`", printable(&model.path)));
        ordered.push(sources.swap_remove(place.ok_or_else(missing)?));
    }
    match sources.first() {
        None => Ok(ordered),
        Some(other) => {
            let path = printable(&other.model.path);
            Err(wrong(other.line, &format!("the first slice lacks the model `{path}`")))
        }
    }
}

/// Each model once, with the Gram file that one of the slices names.
pub(super) fn models(slices: &[Slice]) -> Result<Vec<RecipeModel>> {
    let mut models: Vec<RecipeModel> = Vec::new();
    for (number, slice) in slices.iter().enumerate() {
        for (index, listed) in slice.sources.iter().enumerate() {
            if number == 0 {
                models.push(listed.model.clone());
            } else if listed.model.gram.is_some() && listed.model.gram != models[index].gram {
                let what = "name a model's Gram file in the first slice, and no other elsewhere";
                return Err(wrong(listed.line, what));
            }
        }
    }
    Ok(models)
}

/// Moves settings of the whole recipe into each slice: what runs along the layers begins anew there,
/// and one slice is the whole recipe. Answers with those that stay.
pub(super) fn spread(slices: &mut [Slice], global: Settings) -> Settings {
    let is_cut = slices.len() > 1;
    let mut rest = Settings::new();
    for (name, outer) in global {
        if is_cut && !outer.has_gradient() {
            rest.push((name, outer));
            continue;
        }
        for slice in &mut *slices {
            match slice.settings.iter_mut().find(|(other, _)| *other == name) {
                Some((_, inner)) => fall_through(inner, &outer),
                None => slice.settings.push((name.clone(), outer.clone())),
            }
        }
    }
    rest
}

/// The inner setting, and the outer one where no filter matches.
fn fall_through(inner: &mut Setting, outer: &Setting) {
    let Setting::Filtered(entries) = inner else { return };
    match outer {
        Setting::Filtered(more) => entries.extend_from_slice(more),
        other => entries.push(Filtered { filter: None, value: Box::new(other.clone()) }),
    }
}
