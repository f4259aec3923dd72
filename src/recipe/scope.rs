//! Whom a setting is for: every tensor, some layers, one model; and the search from the narrowest on.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Setting;
use super::layers::{Layers, Place};

/// Settings of a method that hold together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// One model alone, by its index from 0; the base model has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<usize>,
    /// A slice: these layers alone, and what lies before the first or behind the last of them where
    /// they are a model's first or last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<Range<u64>>,
    /// Values by the parameter's name.
    pub settings: BTreeMap<String, Setting>,
}

impl Scope {
    /// One value for everything.
    pub fn of_all(key: &str, value: f64) -> Self {
        let settings = [(key.to_owned(), Setting::Value(value))].into_iter().collect();
        Self { settings, ..Self::default() }
    }

    /// How far into the layers that it is for a tensor is, in [0, 1]; `None` if it is not for it.
    fn depth(&self, place: Place, layers: Layers) -> Option<f64> {
        let own = self.layers.clone().unwrap_or(0..layers.n);
        match place {
            Place::Before => (own.start == 0).then_some(0.0),
            Place::Behind => (own.end >= layers.n).then_some(0.0),
            Place::Layer(layer) if own.contains(&layer) => Some(match own.end - own.start {
                1 => 1.0,
                n => (layer - own.start) as f64 / (n - 1) as f64,
            }),
            Place::Layer(_) => None,
        }
    }
}

/// The value of a parameter for a tensor: that of the narrowest scope that has one. `scopes` are in
/// order, the narrowest first. Parameters of the whole merge have no `model`.
pub fn find(
    scopes: &[Scope],
    key: &str,
    model: Option<usize>,
    tensor: &str,
    layers: Layers,
) -> Option<f64> {
    let place = layers.place(tensor);
    scopes.iter().find_map(|scope| {
        if scope.model.is_some() && scope.model != model {
            return None;
        }
        scope.settings.get(key)?.at(tensor, scope.depth(place, layers)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(model: Option<usize>, layers: Option<Range<u64>>, setting: Setting) -> Scope {
        Scope { model, layers, settings: [("t".to_owned(), setting)].into_iter().collect() }
    }

    #[test]
    fn the_narrowest_scope_counts() {
        let scopes =
            [scope(Some(1), None, Setting::Value(2.0)), scope(None, None, Setting::Value(1.0))];
        let layers = Layers { n: 2 };
        assert_eq!(find(&scopes, "t", Some(1), "x.0", layers), Some(2.0));
        assert_eq!(find(&scopes, "t", Some(0), "x.0", layers), Some(1.0));
        assert_eq!(find(&scopes, "t", None, "x.0", layers), Some(1.0));
        assert_eq!(find(&scopes, "u", None, "x.0", layers), None);
    }

    #[test]
    fn gradients_begin_anew_in_every_slice() {
        let gradient = || Setting::Gradient(vec![0.0, 1.0]);
        let slices = [scope(None, Some(0..2), gradient()), scope(None, Some(2..5), gradient())];
        let layers = Layers { n: 5 };
        let found: Vec<f64> = (0..5)
            .map(|layer| find(&slices, "t", None, &format!("h.{layer}.w"), layers).unwrap())
            .collect();
        assert_eq!(found, [0.0, 1.0, 0.0, 0.5, 1.0]);
        assert_eq!(find(&slices, "t", None, "embed", layers), Some(0.0));
    }
}
