use super::*;
use crate::tensor::dtype::{decode, encode};
use crate::{Error, ErrorKind};

const SIZES: [usize; 7] = [1, STRIP - 1, STRIP, STRIP + 1, 2 * STRIP, 2 * STRIP + 17, 200];

/// Element (i, j) of a diagonally dominant matrix, exact in every dtype.
fn element(i: usize, j: usize) -> f64 {
    let (low, high) = (i.min(j), i.max(j));
    if i == j { 8.0 } else { ((low * 7 + high * 3) % 31) as f64 / 16.0 - 1.0 }
}

fn bytes(dtype: Dtype, values: Vec<f64>) -> Vec<u8> {
    let mut bytes = vec![0; values.len() * dtype.size_bytes()];
    encode(dtype, values.into_iter(), &mut bytes);
    bytes
}

fn full(dtype: Dtype, n: usize, element: impl Fn(usize, usize) -> f64) -> Result<Gram> {
    scaled(1.0, dtype, n, element)
}

fn scaled(
    scale: f64,
    dtype: Dtype,
    n: usize,
    element: impl Fn(usize, usize) -> f64,
) -> Result<Gram> {
    let values = (0..n * n).map(|place| element(place / n, place % n)).collect();
    Gram::full(Stored { bytes: bytes(dtype, values), dtype, rows: n, cols: n }, scale)
}

fn rows(gram: &Gram, range: Range<usize>) -> Vec<f64> {
    decode(gram.dtype(), &gram.stored_rows(range))
}

fn expected(n: usize, range: Range<usize>, element: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    range.flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| element(i, j)).collect()
}

#[test]
fn rows_are_given_as_they_came() {
    for dtype in [Dtype::F64, Dtype::F32, Dtype::F16, Dtype::BF16] {
        for n in SIZES {
            let gram = full(dtype, n, element).unwrap();
            for range in [0..n, n / 3..n, n - 1..n, n / 2..n / 2] {
                assert_eq!(rows(&gram, range.clone()), expected(n, range, element), "{n}");
            }
            for i in [0, n / 2, n - 1] {
                assert_eq!(
                    decode(dtype, gram.stored(i, 0..i)),
                    expected(i, i..i + 1, element),
                    "{n}"
                );
            }
            assert_eq!(gram.diagonal(), vec![8.0; n]);
            assert_eq!(gram.dtype(), dtype);
        }
    }
}

#[test]
fn a_packed_triangle_is_the_same_matrix() {
    for n in SIZES {
        let mut builder = GramBuilder::new(n, Dtype::F32, 1.0).unwrap();
        for start in (0..n).step_by(2 * STRIP) {
            let range = start..n.min(start + 2 * STRIP);
            let row = |i: usize| (i..n).map(move |j| element(i, j));
            let values: Vec<f64> = range.clone().flat_map(row).collect();
            assert_eq!(values.len(), packed_elements(n, range));
            builder.push_packed(&bytes(Dtype::F32, values)).unwrap();
        }
        assert_eq!(rows(&builder.finish(), 0..n), expected(n, 0..n, element), "{n}");
    }
}

#[test]
fn mirrored_elements_that_differ_by_rounding_become_their_mean() {
    for n in SIZES.into_iter().filter(|n| *n > 1) {
        // One pair within a strip, one across all of them.
        for (row, col) in [(1, 0), (n - 1, 0), (0, n - 1), (n - 2, n - 1)] {
            let off =
                |i, j| element(i, j) + if (i, j) == (row, col) { 2f64.powi(-10) } else { 0.0 };
            let gram = full(Dtype::F32, n, off).unwrap();
            let mean = |i, j| 0.5 * (off(i, j) + off(j, i));
            assert_eq!(rows(&gram, 0..n), expected(n, 0..n, mean), "{n} {row} {col}");
            assert_eq!(gram.dtype(), Dtype::F64);
        }
    }
}

/// What is said of a matrix whose element there is another one.
fn refused(n: usize, place: (usize, usize), value: f64) -> Error {
    full(Dtype::F32, n, |i, j| if (i, j) == place { value } else { element(i, j) }).unwrap_err()
}

#[test]
fn what_is_no_gram_matrix_is_refused_by_place() {
    for n in [3, STRIP + 5, 3 * STRIP] {
        for (i, j) in [(n - 1, 0), (0, n - 1), (n - 1, n - 2), (1, 2)] {
            assert!(refused(n, (i, j), 3.0).what.contains("not symmetric"), "{n}");
            let not_finite = format!("NaN or infinity at ({i}, {j})");
            assert!(refused(n, (i, j), f64::NAN).what.contains(&not_finite), "{n}");
            assert!(refused(n, (i, j), f64::INFINITY).what.contains(&not_finite), "{n}");
        }
        assert!(refused(n, (n - 1, n - 1), -1.0).what.contains("negative diagonal"), "{n}");
    }
}

/// Whatever the rows were divided by, stored elements are as far apart.
#[test]
fn sums_are_judged_as_means() {
    let n = STRIP + 5;
    for scale in [2f64.powi(-20), 2f64.powi(20)] {
        let off = |by: f64| move |i, j| element(i, j) + if (i, j) == (n - 1, 0) { by } else { 0.0 };
        let gram = scaled(scale, Dtype::F32, n, off(2f64.powi(-10))).unwrap();
        assert_eq!(gram.diagonal(), vec![8.0; n]);
        assert_eq!(gram.scale(), scale);
        let error = scaled(scale, Dtype::F32, n, off(3.0)).unwrap_err();
        assert!(error.what.contains("not symmetric"), "{scale:e}: {}", error.what);
    }
}

/// |G_ij| ≤ √(G_ii G_jj), but for what rounding to the file's type allows.
#[test]
fn elements_that_the_diagonal_forbids_are_refused() {
    let n = STRIP + 5;
    for dtype in [Dtype::F64, Dtype::F32, Dtype::F16, Dtype::BF16] {
        for (row, col) in [(1, 0), (STRIP - 1, 2), (STRIP, 3), (n - 1, n - 2)] {
            for (diagonal, beside, is_good) in
                [(8.0, 8.0, true), (8.0, 8.5, false), (0.0, 0.0, true), (0.0, 0.5, false)]
            {
                let value = |i: usize, j: usize| match (i.max(j), i.min(j)) {
                    pair if pair == (row, col) => beside,
                    (i, j) if i == j && (i == row || diagonal > 0.0) => diagonal,
                    (i, j) if i == j => 8.0,
                    _ => 0.0,
                };
                let found = full(dtype, n, value);
                assert_eq!(found.is_ok(), is_good, "{dtype:?} ({row}, {col}): {beside}");
                if let Err(error) = found {
                    assert!(error.what.contains("than its diagonal allows"), "{}", error.what);
                }
            }
        }
        // What f16 rounds to 0 on the diagonal may be more than 0 beside it.
        let vanished = full(Dtype::F16, n, |i, j| match (i.max(j), i.min(j)) {
            (1, 1) => 1e-9,
            (1, 0) => 3e-5,
            (i, j) => f64::from(u8::from(i == j)),
        });
        assert!(vanished.is_ok());
    }
}

#[test]
fn every_strip_has_its_room() {
    for n in SIZES {
        let widths = (0..n).map(|row| n.min((row / STRIP + 1) * STRIP));
        assert_eq!(held_elements(n as u64), widths.sum::<usize>() as u64, "{n}");
    }
    // Bytes beyond what a tab can address, counted all the same.
    assert_eq!(held_elements(1 << 17), ((1 << 17) + STRIP as u64) << 16);
}

#[test]
fn more_bytes_than_can_be_counted_are_refused_in_words() {
    // Of the first, the bytes are beyond u64; of the second, the elements.
    for n in [3 << 30, usize::MAX] {
        let error = GramBuilder::new(n, Dtype::F64, 1.0).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Memory);
        assert!(error.what.contains("memory were refused"), "{n}: {}", error.what);
    }
}
