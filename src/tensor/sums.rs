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
pub(crate) fn squares(a: &[f64]) -> f64 {
    sum(a, a, |a, _| a * a)
}

/// Σ a_j b_j.
pub(crate) fn products(a: &[f64], b: &[f64]) -> f64 {
    sum(a, b, |a, b| a * b)
}

/// Σ (a_j − b_j)².
pub(crate) fn apart_squares(a: &[f64], b: &[f64]) -> f64 {
    sum(a, b, |a, b| (a - b) * (a - b))
}

/// Σ |a_j|.
pub(crate) fn absolute(a: &[f64]) -> f64 {
    sum(a, a, |a, _| a.abs())
}

/// Whether no value is NaN or infinite.
pub(crate) fn all_finite(a: &[f64]) -> bool {
    // Not the sum of the values themselves, which may overflow.
    sum(a, a, |a, _| a * 0.0) == 0.0
}

/// How many values that are not 0 have a magnitude of at most `least`, and [`ABOVE`] for each one that
/// is not below `limit`. NaN is not.
pub(crate) fn outside(a: &[f64], least: f64, limit: f64) -> f64 {
    // Choices between values, not branches, so that compilers can vectorise them.
    sum(a, a, |a, _| {
        let size = a.abs();
        let vanishing = if size <= least { 1.0 } else { 0.0 };
        let inside = if size > 0.0 { vanishing } else { 0.0 };
        if size < limit { inside } else { ABOVE }
    })
}

/// More than any row has elements.
pub(crate) const ABOVE: f64 = 1e12;

/// The largest magnitude; NaN or infinite where a value is.
pub(crate) fn largest(a: &[f64]) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_told_apart() {
        let values = |outside: &[f64]| [&[1.0, 0.0, -0.0, -2.0][..], outside, &[1.5; 9]].concat();
        for (own, expected) in [
            (&[][..], 0.0),
            (&[0.5, -0.25], 2.0),
            (&[4.0], ABOVE),
            (&[f64::NAN, 0.5], ABOVE + 1.0),
            (&[f64::NEG_INFINITY], ABOVE),
        ] {
            assert_eq!(outside(&values(own), 0.5, 4.0), expected, "{own:?}");
        }
    }
}
