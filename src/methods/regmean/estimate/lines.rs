//! A few columns of a few rows of some matrix, and what is added of them: small enough to stay in the
//! first cache, and several rows, so that a sum is loaded and stored once for as many terms.

/// Rows at once.
pub(super) const ROWS: usize = 4;
/// Columns at once.
pub(super) const COLS: usize = 256;

/// What is missing is zero.
pub(super) type Lines = [[f64; COLS]; ROWS];

/// sums ← sums + Σ_k factors_k lines_k. `sums: [≤ COLS]`
#[inline(never)]
pub(super) fn add(factors: &[f64; ROWS], lines: &Lines, sums: &mut [f64]) {
    let ([f0, f1, f2, f3], [l0, l1, l2, l3]) = (factors, lines);
    let terms = l0.iter().zip(l1).zip(l2.iter().zip(l3));
    for (sum, ((v0, v1), (v2, v3))) in sums.iter_mut().zip(terms) {
        *sum = *sum + f0 * v0 + f1 * v1 + f2 * v2 + f3 * v3;
    }
}

/// Σ_j lines_kj x_j for every k. `x: [≤ COLS]`
#[inline(never)]
pub(super) fn dots(lines: &Lines, x: &[f64]) -> [f64; ROWS] {
    const LANES: usize = 4;
    let mut sums = [[0.0; LANES]; ROWS];
    let (x, rest) = x.as_chunks::<LANES>();
    for (index, x) in x.iter().enumerate() {
        for (sums, line) in sums.iter_mut().zip(lines) {
            let line = &line.as_chunks::<LANES>().0[index];
            sums.iter_mut().zip(line).zip(x).for_each(|((sum, a), x)| *sum += a * x);
        }
    }
    let behind = x.len() * LANES;
    std::array::from_fn(|k| {
        let rest = lines[k][behind..].iter().zip(rest).map(|(a, x)| a * x);
        sums[k].iter().copied().chain(rest).sum()
    })
}
