//! Models that are no copies of one network: one sentence, instead of one for every tensor.
//!
//! Told from names and shapes alone.

use super::Plan;
use crate::checkpoint::Model;
use crate::io::Source;
use crate::{Error, Result, printable};

/// So many refused tensors can each be looked at.
const FEW: usize = 8;

/// Refuses models that have less than half of their tensors in common, unless the settings say
/// what is to become of the others.
pub(super) fn check<S: Source>(plan: &Plan, models: &[Model<S>]) -> Result<()> {
    let n_refused = plan.counts().refuse;
    if n_refused <= FEW || 2 * n_refused <= plan.tensors.len() {
        return Ok(());
    }
    let pairs = (1..models.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    let common = pairs.map(|(a, b)| Common::of(&models[a], &models[b], (a, b)));
    let Some(least) = common.reduce(|least, other| least.lesser(other)) else { return Ok(()) };
    match 2 * least.n_shared < least.n_all {
        true => Err(least.refusal(models)),
        false => Ok(()),
    }
}

/// What two models have in common.
struct Common {
    models: (usize, usize),
    /// Tensors of the same name and shape.
    n_shared: usize,
    /// Tensors of either.
    n_all: usize,
}

impl Common {
    fn of<S: Source>(one: &Model<S>, other: &Model<S>, models: (usize, usize)) -> Self {
        let has = |name: &&str| match (one.get(name), other.get(name)) {
            (Some((_, a)), Some((_, b))) => a.shape == b.shape,
            _ => false,
        };
        let n_own = other.names().filter(|name| one.get(name).is_none()).count();
        let n_shared = one.names().filter(has).count();
        Self { models, n_shared, n_all: one.names().count() + n_own }
    }

    fn lesser(self, other: Self) -> Self {
        let is_less = self.n_shared * other.n_all <= other.n_shared * self.n_all;
        if is_less { self } else { other }
    }

    fn refusal<S: Source>(&self, models: &[Model<S>]) -> Error {
        let (one, other) = (&models[self.models.0], &models[self.models.1]);
        let (name, others) = (printable(&one.name), printable(&other.name));
        let Self { n_shared, n_all, .. } = self;
        if let Some((longer, prefix)) = prefix(one, other) {
            let prefix = printable(&prefix);
            return Error::input(format!(
                "`{name}` and `{others}` share {n_shared} of {n_all} tensors: the names in \
                 `{}` have `{prefix}` in front",
                printable(longer)
            ))
            .advice("save both models with the same class, so that names agree");
        }
        Error::input(format!(
            "`{name}` and `{others}` share {n_shared} of {n_all} tensors: they are not copies of \
             one network"
        ))
        .advice("give checkpoints that were fine-tuned from the same model")
    }
}

/// What one model has in front of names that are the other's, and which model.
fn prefix<'a, S: Source>(one: &'a Model<S>, other: &'a Model<S>) -> Option<(&'a str, String)> {
    [(one, other), (other, one)].into_iter().find_map(|(longer, shorter)| {
        let first = shorter.names().next()?;
        let prefixes = longer.names().filter_map(|name| name.strip_suffix(first));
        let prefix = prefixes.into_iter().find(|prefix| prefix.ends_with('.'))?;
        let is_found = |name: &&str| longer.get(&format!("{prefix}{name}")).is_some();
        let n_found = shorter.names().filter(is_found).count();
        (2 * n_found > shorter.names().count()).then(|| (longer.name.as_str(), prefix.to_owned()))
    })
}
