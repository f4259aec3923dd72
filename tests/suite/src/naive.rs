//! The oracle: one loop per index, in f64. Compared with, never optimised.

/// C + A B. `a: [m, k]`, `b: [k, n]`, `c: [m, n]`.
pub fn multiply_add(m: usize, n: usize, k: usize, a: &[f64], b: &[f64], c: &[f64]) -> Vec<f64> {
    let mut out = c.to_vec();
    for i in 0..m {
        for j in 0..n {
            for l in 0..k {
                out[i * n + j] += a[i * k + l] * b[l * n + j];
            }
        }
    }
    out
}

/// X with X S = B, by Gaussian elimination with pivoting. `s: [n, n]`, `b: [m, n]`.
pub fn solve(m: usize, n: usize, s: &[f64], b: &[f64]) -> Vec<f64> {
    let (mut s, mut x) = (s.to_vec(), b.to_vec());
    for p in 0..n {
        let pivot = (p..n).max_by(|i, j| s[p * n + i].abs().total_cmp(&s[p * n + j].abs()));
        swap_columns(&mut s, &mut x, n, p, pivot.unwrap_or(p));
        for j in p + 1..n {
            let factor = s[p * n + j] / s[p * n + p];
            (0..n).for_each(|i| s[i * n + j] -= factor * s[i * n + p]);
            (0..m).for_each(|i| x[i * n + j] -= factor * x[i * n + p]);
        }
    }
    for i in 0..m {
        for j in (0..n).rev() {
            let done: f64 = (j + 1..n).map(|k| x[i * n + k] * s[k * n + j]).sum();
            x[i * n + j] = (x[i * n + j] - done) / s[j * n + j];
        }
    }
    x
}

fn swap_columns(s: &mut [f64], x: &mut [f64], n: usize, a: usize, b: usize) {
    for row in s.chunks_mut(n).chain(x.chunks_mut(n)) {
        row.swap(a, b);
    }
}
