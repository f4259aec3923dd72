//! Whether a method has what it needs: models, a base, statistics.

use crate::checkpoint::{Model, Models};
use crate::io::Source;
use crate::methods::{Base, Spec, Statistic};
use crate::{Error, Result, printable};

/// Puts a base model where the method wants it.
///
/// # Errors
/// `Usage` if the method takes none.
pub fn arrange<S: Source>(
    spec: &Spec,
    mut models: Vec<Model<S>>,
    base: Option<Model<S>>,
) -> Result<Models<S>> {
    match (spec.base, base) {
        (_, None) => Models::new(models),
        (Base::Needed, base) => Ok(Models::new(models)?.with_base(base)),
        (Base::FirstModel, Some(base)) => {
            models.insert(0, base);
            Models::new(models)
        }
        (Base::None, Some(base)) => Err(Error::usage(format!(
            "the method {} takes no base model, and `{}` is given as one",
            spec.name,
            printable(&base.name)
        ))
        .advice("leave it out, or choose a method that starts from a base")),
    }
}

/// Refuses a merge that lacks what its method needs.
pub(super) fn check<S: Source>(spec: &Spec, models: &Models<S>) -> Result<()> {
    count(spec, models)?;
    if spec.base == Base::Needed && models.base.is_none() {
        return Err(Error::usage(format!(
            "the method {} needs the model that all were fine-tuned from, and none is given",
            spec.name
        ))
        .advice("give it as the base, or choose another method"));
    }
    match spec.statistics.contains(&Statistic::Gram) {
        true => grams(&models.list),
        false => Ok(()),
    }
}

fn count<S: Source>(spec: &Spec, models: &Models<S>) -> Result<()> {
    let n = models.list.len();
    if n < spec.min_models && n == 1 {
        let name = printable(&models.list[0].name);
        return Err(Error::usage(format!("there is only one model, `{name}`"))
            .advice("give two checkpoints or more"));
    }
    match spec.max_models {
        Some(most) if n > most => {
            Err(Error::usage(format!("the method {} merges {most} models, not {n}", spec.name))
                .advice("give fewer, or choose another method"))
        }
        _ => Ok(()),
    }
}

fn grams<S: Source>(models: &[Model<S>]) -> Result<()> {
    match models.iter().find(|model| model.gram().is_none()) {
        None => Ok(()),
        Some(model) => Err(Error::usage(format!(
            "RegMean needs a Gram file for every model, and `{}` has none",
            printable(&model.name)
        ))
        .advice("give one, or choose the method average")),
    }
}
