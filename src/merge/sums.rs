//! Sums over long rows. Several running sums, so that additions need not wait for one another and
//! compilers can vectorise them; the order is fixed, so the result is the same everywhere.

const LANES: usize = 8;

/// Σ f(a_j, b_j).
fn sum(a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) -> f64 {
    let mut sums = [0.0; LANES];
    let (a, rest_a) = a.as_chunks::<LANES>();
    let (b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += f(*a, *b);
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| f(*a, *b)).sum();
    sums.iter().sum::<f64>() + rest
}

/// Σ a_j².
pub(super) fn squares(a: &[f64]) -> f64 {
    sum(a, a, |a, _| a * a)
}

/// Σ (a_j − b_j)².
pub(super) fn apart_squares(a: &[f64], b: &[f64]) -> f64 {
    sum(a, b, |a, b| (a - b) * (a - b))
}

/// Σ |a_j|.
pub(super) fn absolute(a: &[f64]) -> f64 {
    sum(a, a, |a, _| a.abs())
}

/// Whether no value is NaN or infinite.
pub(super) fn all_finite(a: &[f64]) -> bool {
    // Not the sum of the values themselves, which may overflow.
    sum(a, a, |a, _| a * 0.0) == 0.0
}

/// Whether every magnitude is below `limit`. That of NaN is not.
pub(super) fn all_below(a: &[f64], limit: f64) -> bool {
    sum(a, a, |a, _| if a.abs() < limit { 0.0 } else { 1.0 }) == 0.0
}

/// The largest magnitude; NaN or infinite where a value is.
pub(super) fn largest(a: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (chunks, rest) = a.as_chunks::<LANES>();
    for chunk in chunks {
        for (largest, value) in lanes.iter_mut().zip(chunk) {
            let value = value.abs();
            // Not `f64::max`, which loses a NaN: where the lane holds one, it stays.
            *largest = if value <= *largest { *largest } else { value };
        }
    }
    let found =
        lanes.iter().chain(rest).fold(0.0, |a: f64, b| if b.abs() <= a { a } else { b.abs() });
    if all_finite(a) { found } else { f64::NAN }
}

/// Whether any magnitude is below `factor` times its counterpart's.
pub(super) fn any_below(a: &[f64], factor: f64, b: &[f64]) -> bool {
    sum(a, b, |a, b| if a.abs() < factor * b.abs() { 1.0 } else { 0.0 }) > 0.0
}
