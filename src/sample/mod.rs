//! The bundled sample: a small classifier of handwritten digits and its held-out images.
//!
//! Knows the sample's architecture only; merging knows nothing of it.

mod evaluate;

pub use evaluate::evaluate;
use serde::{Deserialize, Serialize};

/// Right answers of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// The model's name, `plain average` or `merged`.
    pub name: String,
    /// Images answered rightly.
    pub n_correct: usize,
    /// Right answers per digit 0–9.
    pub n_correct_per_class: Vec<usize>,
}

/// One held-out image with every model's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Grey values 0–16, 8 rows of 8.
    pub pixels: Vec<u8>,
    /// The digit written.
    pub label: u8,
    /// Each row's answer, in the order of [`Evaluation::rows`].
    pub answers: Vec<u8>,
}

/// Accuracy of every model on the held-out images.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evaluation {
    /// Each model, the plain average, the merged model.
    pub rows: Vec<Accuracy>,
    /// Held-out images.
    pub n_images: usize,
    /// Held-out images per digit 0–9.
    pub n_images_per_class: Vec<usize>,
    /// Images on which the models disagree, at most 24.
    pub examples: Vec<Example>,
}
