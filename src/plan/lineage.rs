//! How models are related, from samples of their values: copies, fine-tunes of one another or of
//! something that is not there, or strangers of the same shape.
//!
//! Must not know: how merging is done. What was not sampled is not judged.
//! Every tensor counts alike, whatever its size: distances are relative to the models' mean square.

use serde::{Deserialize, Serialize};

use crate::checkpoint::Model;
use crate::checkpoint::pattern::natural;
use crate::checkpoint::samples::shared_floats;
use crate::io::Source;
use crate::order::sort_by;
use crate::printable;

/// How the models of a merge are related.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// Tensors of floats that were compared: all models have them in one shape.
    pub n_tensors: usize,
    /// Every two models.
    pub pairs: Vec<Kinship>,
    /// Index of the model that the others seem to come from, if there are at least three.
    pub base: Option<usize>,
    /// Every layer, in natural order.
    pub layers: Vec<MovedLayer>,
}

/// How two models are related.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kinship {
    /// Their indices.
    pub models: [usize; 2],
    /// Root mean square over matrices (over all tensors, if there are none) of ‖A − B‖ relative to the models' size; 0 for copies, about
    /// √2 for strangers.
    pub distance: f64,
    /// Median over matrices of the cosine between A and B; 1 for copies, 0 for strangers. Nothing
    /// where too few values were compared to tell.
    pub cosine: Option<f64>,
}

/// How far a layer moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MovedLayer {
    /// What its tensors' names begin with, up to the first number.
    pub name: String,
    /// Distance between those two models that are furthest apart in it, as [`Kinship::distance`].
    pub distance: f64,
}

/// Matrices of strangers have cosines of 0, but for 1 / √n of n values.
const STRANGERS_COSINE: f64 = 0.1;
/// So many values bring chance down to a third of that.
const MIN_VALUES: usize = 1024;
/// Fine-tunes move from their base at right angles, but for what their data have in common; from a
/// mean of them they lie in opposite directions, from a fine-tune like themselves at 60°.
const BASE_COSINES: std::ops::Range<f64> = -0.3..0.2;

/// Judges what was sampled of the models. `None` if nothing was.
pub(super) fn of<S: Source>(models: &[Model<S>]) -> Option<Lineage> {
    let tensors: Vec<Compared> =
        shared_floats(models).into_iter().filter_map(|name| Compared::of(models, name)).collect();
    (!tensors.is_empty()).then_some(())?;
    let pairs: Vec<Kinship> =
        pairs(models.len()).enumerate().map(|(at, models)| kinship(at, models, &tensors)).collect();
    let base = base(models.len(), &pairs);
    Some(Lineage { n_tensors: tensors.len(), base, layers: layers(&tensors, &pairs), pairs })
}

/// Indices of every two models: (0, 1), (0, 2), (1, 2), …
fn pairs(n_models: usize) -> impl Iterator<Item = [usize; 2]> {
    (1..n_models).flat_map(|b| (0..b).map(move |a| [a, b]))
}

/// One tensor in all models.
struct Compared {
    layer: String,
    n_values: usize,
    is_matrix: bool,
    /// ‖A − B‖² relative to the mean of all ‖A‖², per pair.
    squares: Vec<f64>,
    /// Cosine, per pair.
    cosines: Vec<f64>,
}

impl Compared {
    /// `None` if it was not sampled, is not finite, or is zero throughout.
    fn of<S: Source>(models: &[Model<S>], name: &str) -> Option<Self> {
        let values: Vec<Vec<f64>> =
            models.iter().map(|model| model.middle(name)).collect::<Option<_>>()?;
        let sizes: Vec<f64> = values.iter().map(|own| dot(own, own)).collect();
        let size = sizes.iter().sum::<f64>() / sizes.len() as f64;
        (size.is_finite() && size > 0.0).then_some(())?;
        let cosine = |[a, b]: [usize; 2]| match sizes[a] * sizes[b] {
            0.0 => 0.0,
            both => dot(&values[a], &values[b]) / both.sqrt(),
        };
        let n_models = models.len();
        Some(Self {
            layer: layer(name).to_owned(),
            n_values: values[0].len(),
            is_matrix: models[0].get(name)?.1.shape.len() > 1,
            squares: pairs(n_models).map(|[a, b]| apart(&values[a], &values[b]) / size).collect(),
            cosines: pairs(n_models).map(cosine).collect(),
        })
    }
}

// Neither is inlined, which would take a kilobyte each time.

#[inline(never)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// ‖A − B‖².
#[inline(never)]
fn apart(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The part of a name up to its first number, or the name without its last part.
fn layer(name: &str) -> &str {
    let mut end = 0;
    for part in name.split('.') {
        end += part.len();
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            return &name[..end];
        }
        end += 1;
    }
    name.rsplit_once('.').map_or(name, |(layer, _)| layer)
}

fn kinship(at: usize, models: [usize; 2], tensors: &[Compared]) -> Kinship {
    let distance = distance(at, tensors.iter());
    let matrices = || tensors.iter().filter(|tensor| tensor.is_matrix);
    let n_values: usize = matrices().map(|tensor| tensor.n_values).sum();
    let cosine = median(matrices().map(|tensor| tensor.cosines[at]).collect());
    Kinship { models, distance, cosine: cosine.filter(|_| n_values >= MIN_VALUES) }
}

/// Values of matrices, if there are any: biases often begin at zero, and move by all of their size.
fn distance<'a>(at: usize, tensors: impl Iterator<Item = &'a Compared> + Clone) -> f64 {
    let has_matrices = tensors.clone().any(|tensor| tensor.is_matrix);
    let counted = tensors.filter(|tensor| tensor.is_matrix == has_matrices);
    let sum = |(n, sum): (u32, f64), tensor: &Compared| (n + 1, sum + tensor.squares[at]);
    let (n, sum) = counted.fold((0, 0.0), sum);
    (sum / f64::from(n.max(1))).sqrt()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    sort_by(&mut values, f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The one model about which all others lie in directions of their own.
fn base(n_models: usize, pairs: &[Kinship]) -> Option<usize> {
    let square = |a: usize, b: usize| {
        let pair = [a.min(b), a.max(b)];
        pairs.iter().find(|kin| kin.models == pair).map_or(0.0, |kin| kin.distance.powi(2))
    };
    let is_base = |base: &usize| {
        let mut others = self::pairs(n_models).filter(|pair| !pair.contains(base));
        others.all(|[a, b]| {
            let (to_a, to_b) = (square(*base, a), square(*base, b));
            let cosine = (to_a + to_b - square(a, b)) / (2.0 * (to_a * to_b).sqrt());
            BASE_COSINES.contains(&cosine)
        })
    };
    let mut found = (0..n_models).filter(is_base);
    let first = found.next()?;
    (n_models > 2 && found.next().is_none()).then_some(first)
}

fn layers(tensors: &[Compared], kin: &[Kinship]) -> Vec<MovedLayer> {
    let mut layers: Vec<(&str, Vec<&Compared>)> = Vec::new();
    for tensor in tensors {
        match layers.iter_mut().find(|(name, _)| *name == tensor.layer) {
            Some((_, own)) => own.push(tensor),
            None => layers.push((&tensor.layer, vec![tensor])),
        }
    }
    sort_by(&mut layers, |a, b| natural(a.0, b.0));
    let moved = |(name, own): (&str, Vec<&Compared>)| {
        let of_pair = |at: usize| distance(at, own.iter().copied());
        let distance = (0..kin.len()).map(of_pair).fold(0.0, f64::max);
        MovedLayer { name: name.to_owned(), distance }
    };
    layers.into_iter().map(moved).collect()
}

impl Lineage {
    /// What a user should know before merging, if there is something.
    pub(super) fn warning(&self, names: &[String]) -> Option<String> {
        let name = |index: usize| names.get(index).map_or(String::new(), |name| printable(name));
        let cosine = |kin: &Kinship| kin.cosine.unwrap_or(1.0);
        let strangest = self.pairs.iter().min_by(|a, b| cosine(a).total_cmp(&cosine(b)))?;
        let [one, other] = strangest.models;
        if cosine(strangest) < STRANGERS_COSINE {
            return Some(format!(
                "`{}` and `{}` do not share an ancestor (the cosine between their weights is \
                 {:.2}): merging them by any method here gives noise.",
                name(one),
                name(other),
                cosine(strangest)
            ));
        }
        self.base.map(|base| {
            format!(
                "`{}` lies between the others: if they were fine-tuned from it, give it as the base \
                 model, not as one to be merged.",
                name(base)
            )
        })
    }

    /// How the models differ, in a sentence.
    pub fn sentence(&self) -> Option<String> {
        let nearest = self.pairs.iter().map(|kin| kin.distance).reduce(f64::min)?;
        let furthest = self.pairs.iter().map(|kin| kin.distance).reduce(f64::max)?;
        if furthest == 0.0 {
            return Some("The models are the same, as far as they were sampled.".into());
        }
        let apart = match self.pairs.len() {
            1 => percent(furthest),
            _ => format!("{} to {}", percent(nearest), percent(furthest)),
        };
        let most = self.layers.iter().max_by(|a, b| a.distance.total_cmp(&b.distance))?;
        let still: Vec<&MovedLayer> = self.layers.iter().filter(|l| l.distance == 0.0).collect();
        let still = match &still[..] {
            [] => String::new(),
            [one] => format!("; `{}` is the same in all", printable(&one.name)),
            [one, others @ ..] => format!(
                "; `{}` and {} other layers are the same in all",
                printable(&one.name),
                others.len()
            ),
        };
        Some(format!(
            "The models are {apart} apart, most in `{}` ({}){still}.",
            printable(&most.name),
            percent(most.distance)
        ))
    }
}

fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent {
        _ if percent >= 10.0 => format!("{percent:.0}%"),
        _ if percent >= 0.1 => format!("{percent:.1}%"),
        _ => format!("{percent:.1e}%"),
    }
}
