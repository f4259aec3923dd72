//! How far is too far: LAPACK's ratios, and element-wise comparison.
//!
//! A ratio near 1 is what the arithmetic can give; LAPACK's own tests allow 30.
//! Source: LAPACK's TESTING/LIN, routines DPOT01 and DPOT02.

use gramerge::tensor::larger;

use crate::Verdict;

/// LAPACK's threshold.
pub const THRESHOLD: f64 = 30.0;

/// Every element within `bound` of the oracle, where `bound` is in units of `eps` times the sum
/// of absolute products that the element is made of.
pub fn close(found: &[f64], oracle: &[f64], sizes: &[f64], eps: f64, bound: f64) -> Verdict {
    for (index, ((a, b), size)) in found.iter().zip(oracle).zip(sizes).enumerate() {
        let apart = (a - b).abs();
        if apart.is_nan() || apart > bound * eps * size {
            return Err(format!("element {index} is {a:e}, the oracle says {b:e}"));
        }
    }
    if found.len() == oracle.len() { Ok(()) } else { Err("another number of elements".into()) }
}

/// ‖S − L Lᵀ‖₁ / (n ‖S‖₁ eps) below the threshold. `s`, `lower`: `[n, n]`.
pub fn factor(n: usize, s: &[f64], lower: &[f64], eps: f64) -> Verdict {
    let mut apart = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            let product: f64 = (0..=i.min(j)).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
            apart[i * n + j] = s[i * n + j] - product;
        }
    }
    below_threshold("factor", norm(n, &apart) / (n as f64 * norm(n, s) * eps))
}

/// ‖B − X S‖ / (n ‖S‖ ‖X‖ eps) below the threshold. `b`, `x`: `[m, n]`.
pub fn solution(n: usize, s: &[f64], x: &[f64], b: &[f64], eps: f64) -> Verdict {
    let m = b.len() / n;
    let product = crate::naive::multiply_add(m, n, n, x, s, &vec![0.0; m * n]);
    let apart: Vec<f64> = b.iter().zip(&product).map(|(b, p)| b - p).collect();
    let scale = n as f64 * norm(n, s) * norm(n, x) * eps;
    below_threshold("solve", norm(n, &apart) / scale)
}

fn below_threshold(what: &str, ratio: f64) -> Verdict {
    if ratio < THRESHOLD { Ok(()) } else { Err(format!("{what} ratio {ratio:.1}")) }
}

/// Largest sum of absolute values of a row of `[_, n]`.
fn norm(n: usize, rows: &[f64]) -> f64 {
    rows.chunks(n).map(|row| row.iter().map(|x| x.abs()).sum()).fold(0.0, larger)
}
