//! Every path of the processor's algorithms at sizes that an interpreter can bear: under Miri they
//! show that no view reaches outside its matrix. Accuracy is the suite's.

use pollster::block_on;

use super::{Backend, Cpu, Dense, Portable};

type Own = Cpu<Portable<f64>>;

fn matrix(rows: usize, cols: usize) -> Dense<f64> {
    let value = |index: usize| ((index * 7919) % 101) as f64 / 101.0 - 0.5;
    Dense { rows, cols, values: (0..rows * cols).map(value).collect() }
}

fn zeros(rows: usize, cols: usize) -> Dense<f64> {
    Dense { rows, cols, values: vec![0.0; rows * cols] }
}

/// XᵀX + n I: positive definite, whatever X is.
fn positive(n: usize) -> Dense<f64> {
    let mut s = zeros(n, n);
    block_on(Own::default().add_gram(&mut s, &matrix(2, n))).unwrap();
    (0..n).for_each(|i| s.values[i * n + i] += n as f64);
    s
}

/// B − X S, by the lower triangle of S.
fn residual(s: &Dense<f64>, x: &Dense<f64>, b: &Dense<f64>) -> f64 {
    let n = s.rows;
    let at = |i: usize, j: usize| s.values[i.max(j) * n + i.min(j)];
    let error = |(index, b): (usize, &f64)| {
        let (row, j) = (index / n, index % n);
        let sum: f64 = (0..n).map(|k| x.values[row * n + k] * at(k, j)).sum();
        (b - sum).abs()
    };
    b.values.iter().enumerate().map(error).fold(0.0, crate::tensor::larger)
}

#[test]
fn factors_and_solves_stay_inside() {
    // One leaf; a whole one and a rest; two levels; and a symmetric product that is cut.
    let sizes: &[usize] = if cfg!(miri) { &[0, 1, 31, 33, 65] } else { &[0, 1, 31, 33, 70, 130] };
    for &n in sizes {
        for m in [0, 1, 17] {
            let (cpu, s, b) = (Own::default(), positive(n), matrix(m, n));
            let factor = block_on(cpu.cholesky(s.clone())).unwrap().unwrap();
            let mut x = b.clone();
            block_on(cpu.solve(&factor, &mut x)).unwrap();
            assert!(residual(&s, &x, &b) < 1e-10, "n = {n}, m = {m}");
        }
    }
}

#[test]
fn a_symmetric_product_that_is_cut_stays_inside() {
    let (n, x) = (131, matrix(1, 131));
    let mut g = zeros(n, n);
    block_on(Own::default().add_gram(&mut g, &x)).unwrap();
    for (index, found) in g.values.iter().enumerate().filter(|(index, _)| index % n <= index / n) {
        assert_eq!(*found, x.values[index / n] * x.values[index % n]);
    }
}

#[test]
fn products_stay_inside() {
    for (m, n, k) in
        [(1, 1, 1), (3, 9, 5), (17, 8, 4), (21, 13, 3), (18, 260, 2), (0, 2, 3), (20, 2, 0)]
    {
        let (a, b, mut c) = (matrix(m, k), matrix(k, n), zeros(m, n));
        block_on(Own::default().multiply_add(&mut c, &a, &b)).unwrap();
        for (index, found) in c.values.iter().enumerate() {
            let (i, j) = (index / n, index % n);
            let wanted: f64 = (0..k).map(|l| a.values[i * k + l] * b.values[l * n + j]).sum();
            assert!((found - wanted).abs() < 1e-12, "{m}×{n}×{k} at {i}, {j}");
        }
    }
}
