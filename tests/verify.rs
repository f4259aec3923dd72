//! `verify` sees one wrong element wherever it lies, and calls no correct merge wrong.
//!
//! Families: every dtype, every way a tensor is made, every scale that the dtype holds; every α,
//! two and three models, Gram matrices of full and of lower rank. Each merge is verified as it is,
//! and again with one element changed, for several elements and every kind of change.

#![allow(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

mod common;

#[path = "verify/made.rs"]
mod made;
#[path = "verify/plants.rs"]
mod plants;

use gramerge::tensor::dtype::Dtype;
use made::{Made, Setting};
use plants::{Plant, RowPlant, planted, row_planted, set};

const FLOATS: [Dtype; 4] = [Dtype::F64, Dtype::F32, Dtype::F16, Dtype::BF16];

/// Sizes of weights, from the subnormal numbers of the dtype to near its end.
fn scales(dtype: Dtype) -> &'static [f64] {
    match dtype {
        Dtype::F64 => &[1e-318, 1e-300, 1e-170, 1.0, 1e150],
        Dtype::F32 => &[2e-44, 1e-37, 1e-30, 1.0, 1e37],
        Dtype::F16 => &[6e-7, 1e-4, 1.0, 2e4],
        _ => &[1e-39, 1e-36, 1.0, 1e37],
    }
}

/// Checks the merge as it is, and with every plant in every tensor.
fn check(setting: &Setting) {
    let made = Made::new(setting);
    let bad = made.bad(&made.bytes);
    assert!(bad.is_empty(), "{setting:?}: a correct merge is called wrong: {bad:?}");
    for tensor in made.tensors() {
        let places = [0, tensor.n / 2, tensor.n - 1];
        for (place, plant) in places.iter().flat_map(|p| Plant::ALL.map(|plant| (*p, plant))) {
            if plant == Plant::LastBit && tensor.is_solved {
                continue;
            }
            let Some(bytes) = planted(&made.bytes, &tensor, place, plant) else { continue };
            let bad = made.bad(&bytes);
            let names: Vec<&str> = bad.iter().map(|bad| bad.name.as_str()).collect();
            assert_eq!(names, [&tensor.name], "{setting:?}: {plant:?} at {place}");
            assert!(bad[0].error.is_finite() && bad[0].note.is_some(), "{:?}", bad[0]);
        }
    }
}

/// Checks the merge as it is, and with the last row of every solved tensor changed as a whole.
fn check_last_row(setting: &Setting) {
    let made = Made::new(setting);
    let bad = made.bad(&made.bytes);
    assert!(bad.is_empty(), "{setting:?}: a correct merge is called wrong: {bad:?}");
    for tensor in made.tensors().iter().filter(|tensor| tensor.is_solved) {
        for plant in RowPlant::ALL {
            let bad = made.bad(&row_planted(&made.bytes, tensor, tensor.n - 1, plant));
            let names: Vec<&str> = bad.iter().map(|bad| bad.name.as_str()).collect();
            assert_eq!(names, [&tensor.name], "{setting:?}: {plant:?}");
        }
    }
}

/// Checks a merge whose solution is 0, and with anything else in its place.
fn check_zeros(setting: &Setting) {
    let made = Made::new(setting);
    let bad = made.bad(&made.bytes);
    assert!(bad.is_empty(), "{setting:?}: a correct merge is called wrong: {bad:?}");
    for tensor in made.tensors().iter().filter(|tensor| tensor.is_solved) {
        for (place, value) in [0, tensor.n / 2, tensor.n - 1].into_iter().flat_map(|place| {
            [1.0, -5000.0, 1e-5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(|v| (place, v))
        }) {
            let mut bytes = made.bytes.clone();
            set(&mut bytes, tensor, place, value);
            let bad = made.bad(&bytes);
            let names: Vec<&str> = bad.iter().map(|bad| bad.name.as_str()).collect();
            assert_eq!(names, [&tensor.name], "{setting:?}: {value} at {place}");
            assert!(bad[0].bound < 1.0 && bad[0].note.is_some(), "{:?}", bad[0]);
        }
    }
}

#[test]
fn nothing_but_zeros() {
    for (dtype, n_in) in FLOATS.iter().flat_map(|dtype| [1, 4, 70].map(|n| (*dtype, n))) {
        for coefficients in [vec![], vec![0.0, 1.0]] {
            check_zeros(&Setting { dtype, n_in, coefficients, zero: true, ..Setting::default() });
        }
    }
}

#[test]
fn models_that_cancel_where_no_gram_saw_anything() {
    for (dtype, n_in) in FLOATS.iter().flat_map(|dtype| [4, 70].map(|n| (*dtype, n))) {
        let setting = Setting { dtype, n_in, n_dead: n_in, cancels: true, ..Setting::default() };
        check_zeros(&setting);
    }
}

#[test]
fn a_small_row_in_which_models_agree() {
    for (dtype, last_row) in [
        (Dtype::F64, 1e-6),
        (Dtype::F64, 1e-10),
        (Dtype::F32, 1e-6),
        (Dtype::F32, 1e-10),
        (Dtype::BF16, 1e-6),
    ] {
        for (n_in, n_seen) in [(8, 30), (70, 200)] {
            let setting = Setting { dtype, last_row, n_in, n_seen, ..Setting::default() };
            check_last_row(&Setting { same: true, ..setting.clone() });
            for coefficients in [vec![0.0, 1.0], vec![1.0, 0.0], vec![1.0, 1e-18]] {
                check_last_row(&Setting { coefficients, ..setting.clone() });
            }
            check_last_row(&setting);
        }
    }
}

#[test]
fn every_dtype_at_every_scale() {
    for dtype in FLOATS {
        for scale in scales(dtype) {
            check(&Setting { dtype, scale: *scale, ..Setting::default() });
        }
    }
}

#[test]
fn rows_of_very_different_size() {
    for (dtype, step) in
        [(Dtype::F64, 1e-25), (Dtype::F32, 1e-5), (Dtype::F16, 0.1), (Dtype::BF16, 1e-5)]
    {
        check(&Setting { dtype, row_step: step, ..Setting::default() });
    }
}

#[test]
fn averages_up_to_the_end_of_the_range() {
    for (dtype, scale) in [(Dtype::F64, 1e300), (Dtype::F32, 1e38), (Dtype::BF16, 1e38)] {
        check(&Setting { dtype, scale, average: true, ..Setting::default() });
    }
}

#[test]
fn another_dtype_of_the_output() {
    for (dtype, dtype_out) in FLOATS.iter().flat_map(|from| FLOATS.map(|to| (*from, to))) {
        check(&Setting { dtype, dtype_out: Some(dtype_out), ..Setting::default() });
    }
}

#[test]
fn values_that_overflow_in_the_output_are_right() {
    check(&Setting {
        scale: 1e5,
        dtype_out: Some(Dtype::F16),
        overflows: true,
        ..Setting::default()
    });
    check(&Setting {
        scale: 1e39,
        dtype: Dtype::F64,
        dtype_out: Some(Dtype::F32),
        overflows: true,
        ..Setting::default()
    });
}

#[test]
fn every_alpha_and_rank() {
    for dtype in FLOATS {
        for (alpha, n_models) in [0.0, 0.5, 0.9, 1.0].into_iter().flat_map(|a| [(a, 2), (a, 3)]) {
            for (n_in, n_seen) in [(6, 30), (7, 3), (12, 4)] {
                check(&Setting { dtype, alpha, n_models, n_in, n_seen, ..Setting::default() });
            }
        }
    }
}

#[test]
fn large_enough_for_single_precision() {
    for (alpha, n_seen) in [(0.0, 200), (0.9, 200), (1.0, 400), (1.0, 20)] {
        for (dtype, row_step) in [(Dtype::F32, 1.0), (Dtype::F32, 1e-2), (Dtype::F64, 1.0)] {
            check(&Setting { dtype, alpha, n_in: 70, n_seen, row_step, ..Setting::default() });
        }
    }
}

#[test]
fn a_model_that_does_not_count() {
    for (dtype, alpha) in FLOATS.iter().flat_map(|dtype| [0.5, 1.0].map(|alpha| (*dtype, alpha))) {
        let coefficients = vec![1.0, 3.0, 0.0];
        check(&Setting { dtype, alpha, n_models: 3, coefficients, ..Setting::default() });
    }
}

#[test]
fn features_that_no_gram_saw() {
    for (dtype, scale) in FLOATS.iter().flat_map(|d| scales(*d).iter().map(|scale| (*d, *scale))) {
        for alpha in [0.9, 1.0] {
            check(&Setting { dtype, scale, alpha, n_dead: 2, ..Setting::default() });
        }
    }
}

#[test]
fn a_tensor_beside_the_plan_is_out_of_bound() {
    let made = Made::new(&Setting { extra: true, ..Setting::default() });
    let bad = made.bad(&made.bytes);
    assert_eq!(bad.len(), 1);
    assert_eq!((bad[0].name.as_str(), bad[0].action.as_str()), ("extra", "none"));
    assert!(bad[0].error > bad[0].bound && bad[0].error.is_finite());
}

#[test]
fn a_missing_tensor_is_refused_by_name() {
    let made = Made::new(&Setting::default());
    let error = made.without("mean").unwrap_err().to_string();
    assert!(error.contains("`mean`") && error.contains("missing"), "{error}");
}
