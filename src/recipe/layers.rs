//! Which layer of a network a tensor belongs to, told from its name.

/// The layers of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layers {
    /// How many there are.
    pub n: u64,
}

/// Where a tensor lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Embeddings: before the first layer.
    Before,
    /// A layer, from 0.
    Layer(u64),
    /// All else: behind the last layer.
    Behind,
}

impl Layers {
    /// Counts the layers of a network whose tensors have these names.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self { n: names.filter_map(number).max().map_or(0, |last| last.saturating_add(1)) }
    }

    /// Where the tensor of that name lies.
    ///
    /// ```
    /// use gramerge::recipe::{Layers, Place};
    /// let layers = Layers { n: 12 };
    /// assert_eq!(layers.place("encoder.layer.3.output.dense.weight"), Place::Layer(3));
    /// assert_eq!(layers.place("model.embed_tokens.weight"), Place::Before);
    /// assert_eq!(layers.place("lm_head.weight"), Place::Behind);
    /// ```
    pub fn place(self, name: &str) -> Place {
        const EMBEDDINGS: [&str; 3] = ["embed", "wte", "wpe"];
        match number(name) {
            Some(layer) => Place::Layer(layer),
            None if EMBEDDINGS.iter().any(|part| name.contains(part)) => Place::Before,
            None => Place::Behind,
        }
    }
}

/// The first part of a name that is a whole number.
fn number(name: &str) -> Option<u64> {
    name.split('.').find_map(|part| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { part.parse().ok() } else { None }
    })
}
