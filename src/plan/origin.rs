//! Whether every Gram file was made of the model that it is used for.
//!
//! Told from fingerprints of the weights, where files have one and the models were sampled. A merge
//! with swapped Gram files looks fine and is wrong, so it is refused.

use crate::checkpoint::Model;
use crate::io::Source;
use crate::{Error, Result, printable};

/// Refuses a Gram file that was made of one other model; warns of one that fits none.
pub(super) fn check<S: Source>(models: &[Model<S>]) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    for (index, model) in models.iter().enumerate() {
        let fitting = fitting(models, index);
        if fitting.contains(&index) {
            continue;
        }
        match fitting[..] {
            [other] => return Err(of_another(models, index, other)),
            _ => warnings.extend(of_none(model)),
        }
    }
    Ok(warnings)
}

/// The models that the Gram file of model `index` may have been made of.
fn fitting<S: Source>(models: &[Model<S>], index: usize) -> Vec<usize> {
    let Some(gram) = models[index].gram() else { return Vec::new() };
    let fits = |other: &usize| models[*other].fits(gram) == Some(true);
    (0..models.len()).filter(fits).collect()
}

fn of_another<S: Source>(models: &[Model<S>], index: usize, other: usize) -> Error {
    let (name, made_of) = (printable(&models[index].name), printable(&models[other].name));
    let what = format!("its fingerprint says that it was made of `{made_of}`, not of `{name}`");
    let advice = match fitting(models, other)[..] {
        [back] if back == index => {
            let theirs = printable(models[other].gram_name().unwrap_or_default());
            format!("swap it with `{theirs}`")
        }
        _ => format!("use it for `{made_of}`, and give `{name}` its own"),
    };
    Error::input(what).file(models[index].gram_name().unwrap_or_default()).advice(advice)
}

/// Silent where nothing is known.
fn of_none<S: Source>(model: &Model<S>) -> Option<String> {
    (!model.fits(model.gram()?)?).then_some(())?;
    let (path, name) = (printable(model.gram_name()?), printable(&model.name));
    Some(format!(
        "The fingerprint of the Gram file `{path}` is not that of `{name}`: it was made of other \
         weights, or of weights that were loaded in another precision; check it."
    ))
}
