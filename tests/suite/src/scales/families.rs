//! Layers that are unusual in one way each.

use gramerge::tensor::dtype::Dtype;

/// What distinguishes a layer from an ordinary one.
#[derive(Debug, Clone)]
pub(super) struct Family {
    pub(super) name: String,
    pub(super) alpha: f64,
    pub(super) coefficients: Vec<f64>,
    /// Factor of every weight, and of the second model's besides.
    pub(super) weights: [f64; 2],
    /// Factor of every Gram matrix, and of the first model's besides.
    pub(super) grams: [f64; 2],
    /// Feature j is 10 to the power of ±`graded` by its place.
    pub(super) graded: f64,
    /// Condition of the sum, where it is not that of ordinary inputs; and how many small eigenvalues.
    pub(super) condition: Option<(f64, usize)>,
    pub(super) dtype: Dtype,
    /// Element type of the output, where it is another.
    pub(super) dtype_out: Option<Dtype>,
    /// Whether one row of the second model is nearly the negative of the first model's.
    pub(super) cancels: bool,
    /// Whether nothing but the scale is unusual: the contract must be met.
    pub(super) is_benign: bool,
}

impl Family {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            alpha: 0.9,
            coefficients: vec![0.5, 0.5],
            weights: [1.0, 1.0],
            grams: [1.0, 1.0],
            graded: 0.0,
            condition: None,
            dtype: Dtype::F64,
            dtype_out: None,
            cancels: false,
            is_benign: true,
        }
    }
}

pub(super) fn families() -> Vec<Family> {
    let mut families = Vec::new();
    for weights in [1e-300, 1e-170, 1e-30, 1.0, 1e30, 1e170, 1e300] {
        for grams in [1e-310, 1e-200, 1e-37, 1.0, 1e200, 1e305] {
            let name = format!("weights {weights:e}, Grams {grams:e}");
            // Subnormal Gram matrices are rounded coarsely, so they are others, but good ones.
            families.push(Family {
                weights: [weights, 1.0],
                grams: [grams, 1.0],
                ..Family::new(name)
            });
        }
    }
    for weights in [1e-42, 1e-37, 1e-25, 1e25, 1e37] {
        for grams in [1e-42, 1e-36, 1.0, 1e36] {
            let name = format!("F32, weights {weights:e}, Grams {grams:e}");
            let (weights, grams) = ([weights, 1.0], [grams, 1.0]);
            families.push(Family { weights, grams, dtype: Dtype::F32, ..Family::new(name) });
        }
    }
    for alpha in [0.0, 0.5, 1.0] {
        for graded in [3.0, 15.0] {
            let name = format!("features graded by 1e±{graded}, α {alpha}");
            families.push(Family { alpha, graded, ..Family::new(name) });
        }
    }
    for (second, first_gram) in
        [(1e15, 1.0), (1e-15, 1.0), (1e15, 1e30), (1e-15, 1e-30), (1e11, 1e-22)]
    {
        for coefficients in [[0.5, 0.5], [0.0, 1.0], [1.0, 0.0], [1e-12, 1.0], [1.0, 1e-12]] {
            let name = format!("model 2 × {second:e}, Gram 1 × {first_gram:e}, {coefficients:?}");
            families.push(Family {
                weights: [1.0, second],
                grams: [1.0, first_gram],
                coefficients: coefficients.to_vec(),
                ..Family::new(name)
            });
        }
    }
    for exponent in [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] {
        for n_small in [1, 4] {
            for dtype in [Dtype::F64, Dtype::F32] {
                families.push(Family {
                    alpha: 1.0,
                    condition: Some((10f64.powi(exponent), n_small)),
                    dtype,
                    is_benign: false,
                    ..Family::new(format!("{n_small} eigenvalues of 1e-{exponent}, {dtype:?}"))
                });
            }
        }
    }
    for dtype_out in [Dtype::F16, Dtype::BF16] {
        for cancels in [false, true] {
            let name = format!("F32 to {dtype_out:?}, a row cancels: {cancels}");
            let dtype_out = Some(dtype_out);
            families.push(Family {
                dtype: Dtype::F32,
                dtype_out,
                cancels,
                // One Gram matrix twice, so that the row's mean is nearly 0.
                alpha: 1.0,
                coefficients: vec![2.0, 1.0],
                condition: Some((100.0, 1)),
                is_benign: !cancels,
                ..Family::new(name)
            });
        }
    }
    families
}
