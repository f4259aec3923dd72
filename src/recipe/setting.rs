//! A parameter's value, which may differ from tensor to tensor: mergekit's three forms.
//!
//! A number, a gradient over the layers, or a list of either with filters on the tensor's name.

use serde::Serialize;

/// A value of one parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Setting {
    /// One number for every tensor.
    Value(f64),
    /// On or off: 1 or 0.
    Switch(bool),
    /// Values along the layers, with straight lines between them.
    Gradient(Vec<f64>),
    /// On or off along the layers, in runs of equal length: each value holds until the next begins.
    Switches(Vec<bool>),
    /// The first entry whose filter is part of the tensor's name.
    Filtered(Vec<Filtered>),
}

/// A value for some tensors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Filtered {
    /// A part of the tensor's name; `*` or nothing is every tensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Their value.
    pub value: Box<Setting>,
}

impl Filtered {
    fn matches(&self, tensor: &str) -> bool {
        self.filter.as_deref().is_none_or(|part| part == "*" || tensor.contains(part))
    }
}

impl Setting {
    /// The value for a tensor at `depth` in [0, 1]; `None` where no filter matches.
    ///
    /// ```
    /// use gramerge::recipe::Setting;
    /// assert_eq!(Setting::Gradient(vec![0.0, 1.0]).at("x", 0.25), Some(0.25));
    /// ```
    pub fn at(&self, tensor: &str, depth: f64) -> Option<f64> {
        match self {
            Self::Value(value) => Some(*value),
            Self::Switch(is_on) => Some(f64::from(u8::from(*is_on))),
            Self::Gradient(values) => along(values, depth),
            Self::Switches(values) => {
                let last = values.len().checked_sub(1)?;
                let index = (depth.clamp(0.0, 1.0) * last as f64) as usize;
                Some(f64::from(u8::from(values[index])))
            }
            Self::Filtered(entries) => {
                entries.iter().find(|entry| entry.matches(tensor))?.value.at(tensor, depth)
            }
        }
    }

    /// Whether it runs along the layers.
    pub(super) fn has_gradient(&self) -> bool {
        match self {
            Self::Value(_) | Self::Switch(_) => false,
            Self::Gradient(_) | Self::Switches(_) => true,
            Self::Filtered(entries) => entries.iter().any(|entry| entry.value.has_gradient()),
        }
    }

    /// Every number in it.
    pub fn values(&self) -> Vec<f64> {
        match self {
            Self::Value(value) => vec![*value],
            Self::Switch(is_on) => vec![f64::from(u8::from(*is_on))],
            Self::Gradient(values) => values.clone(),
            Self::Switches(values) => {
                values.iter().map(|is_on| f64::from(u8::from(*is_on))).collect()
            }
            Self::Filtered(entries) => entries.iter().flat_map(|e| e.value.values()).collect(),
        }
    }
}

/// v(t) on straight lines between n values at t = 0, 1/(n − 1), …, 1.
fn along(values: &[f64], t: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let place = t.clamp(0.0, 1.0) * last as f64;
    let index = place as usize;
    let rest = place - index as f64;
    Some((1.0 - rest) * values[index] + rest * values[last.min(index + 1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_meet_their_values() {
        let gradient = Setting::Gradient(vec![0.0, 1.0, 0.5]);
        for (t, value) in [(0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (0.75, 0.75), (1.0, 0.5)] {
            assert_eq!(gradient.at("x", t), Some(value), "{t}");
        }
        assert_eq!(Setting::Gradient(vec![3.0]).at("x", 0.7), Some(3.0));
        assert_eq!(Setting::Gradient(Vec::new()).at("x", 0.0), None);
    }

    /// mergekit takes the value before, where a number would be between two.
    #[test]
    fn switches_hold_until_the_next() {
        let switches = Setting::Switches(vec![false, true, false]);
        for (t, is_on) in [(0.0, 0.0), (0.49, 0.0), (0.5, 1.0), (0.99, 1.0), (1.0, 0.0)] {
            assert_eq!(switches.at("x", t), Some(is_on), "{t}");
        }
    }

    #[test]
    fn the_first_filter_that_matches_counts() {
        let entry = |filter: Option<&str>, value| Filtered {
            filter: filter.map(String::from),
            value: Box::new(Setting::Value(value)),
        };
        let list = Setting::Filtered(vec![entry(Some("attn"), 1.0), entry(Some("q"), 2.0)]);
        assert_eq!(list.at("attn.q", 0.0), Some(1.0));
        assert_eq!(list.at("mlp.q", 0.0), Some(2.0));
        assert_eq!(list.at("mlp", 0.0), None);
        let all = Setting::Filtered(vec![entry(None, 3.0)]);
        assert_eq!(all.at("mlp", 0.0), Some(3.0));
    }
}
