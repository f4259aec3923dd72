//! Matrices put together on a device against the same sums in f64, in every 16- and 32-bit dtype.

use std::borrow::Cow;
use std::ops::Range;

use gramerge::backend::Backend;
use gramerge::backend::stored::{Assembly, Piece, Rows, ScaledDifference, ScaledSum, StoredRows};
use gramerge::tensor::dtype::{Dtype, decode, encode};
use gramerge::tensor::larger;

use crate::generate::Random;
use crate::{Cases, Verdict, ratios};

/// Around the device's blocks, and rows that begin inside a word.
const SIZES: [usize; 6] = [1, 63, 64, 65, 130, 257];
const DTYPES: [Dtype; 3] = [Dtype::F32, Dtype::F16, Dtype::BF16];

/// A matrix in a file's bytes.
struct InBytes {
    n: usize,
    dtype: Dtype,
    bytes: Vec<u8>,
}

impl InBytes {
    /// Values of every size that the dtype has, its smallest included.
    fn new(rows: usize, n: usize, dtype: Dtype, random: &mut Random) -> Self {
        let scales = [1.0, 1e-2, 60000.0, 2f64.powi(-22), 2f64.powi(-15)];
        let value = |index: usize| random.uniform() * scales[index % scales.len()];
        let values: Vec<f64> = (0..rows * n).map(value).collect();
        let mut bytes = vec![0; values.len() * dtype.size_bytes()];
        encode(dtype, values.into_iter(), &mut bytes);
        Self { n, dtype, bytes }
    }

    fn values(&self) -> Vec<f64> {
        decode(self.dtype, &self.bytes)
    }
}

impl StoredRows for InBytes {
    fn rows(&self, rows: Range<usize>) -> Rows<'_> {
        let row_bytes = self.n * self.dtype.size_bytes();
        let bytes = &self.bytes[rows.start * row_bytes..rows.end * row_bytes];
        Rows { dtype: self.dtype, bytes: Cow::Borrowed(bytes) }
    }
}

/// Every size and dtype.
pub fn cases<B: Backend<Scalar = f32>>(backend: &B) -> Cases<'_> {
    let mut cases = Cases::default();
    for n in SIZES {
        for dtype in DTYPES {
            let rows = n / 3..n;
            let name = format!("n={n}, {}", dtype.name());
            cases.add(format!("scaled sum {name}"), sum(backend, n, dtype, rows, 0.0));
            cases.add(format!("scaled difference {name}"), difference(backend, n, dtype, 1.0));
        }
        cases.add(format!("norm n={n}"), norm(backend, n));
    }
    let planted = sum(backend, 65, Dtype::F16, 0..65, 1e-3);
    cases.add_planted("scaled sum: a planted error is seen", planted);
    let planted = difference(backend, 65, Dtype::F16, 1.0 + 1e-3);
    cases.add_planted("scaled difference: a planted error is seen", planted);
    cases
}

fn powers_of_two(n: usize, random: &mut Random) -> Vec<f64> {
    (0..n).map(|_| (random.uniform() * 4.0).round().exp2()).collect()
}

/// Put together on the device, and read back.
async fn made<B: Backend<Scalar = f32>>(
    backend: &B,
    shape: [usize; 2],
    assembly: Assembly<'_>,
) -> Result<Vec<f32>, String> {
    let run = async {
        let in_memory = || vec![f32::NAN; shape[0] * shape[1]];
        let made = backend.assemble(shape, || Some(assembly), in_memory).await?;
        backend.download(made).await
    };
    run.await.map_err(|error: gramerge::Error| error.to_string())
}

/// `planted` is added to the first factor that the oracle uses.
async fn sum<B: Backend<Scalar = f32>>(
    backend: &B,
    n: usize,
    dtype: Dtype,
    rows: Range<usize>,
    planted: f64,
) -> Verdict {
    let mut random = Random::new(n as u64);
    let own: Vec<InBytes> = (0..2).map(|_| InBytes::new(n, n, dtype, &mut random)).collect();
    let (scale, factors) = (powers_of_two(n, &mut random), [0.3, 0.45]);
    let diagonal = random.matrix(n, 1);
    let (mut oracle, mut sizes) = (Vec::new(), Vec::new());
    let values: Vec<Vec<f64>> = own.iter().map(InBytes::values).collect();
    for i in rows.clone() {
        for j in 0..n {
            let terms = [0, 1].map(|k| {
                let factor = factors[k] + if k == 0 { planted } else { 0.0 };
                factor * values[k][i * n + j] * scale[i] * scale[j]
            });
            let on_diagonal = i == j;
            oracle.push(if on_diagonal { diagonal[i] } else { terms.iter().sum() });
            sizes.push(terms.iter().map(|term| term.abs()).sum::<f64>() + diagonal[i].abs());
        }
    }
    let sum = ScaledSum {
        rows,
        scale: &scale,
        terms: vec![(factors[0], &own[0]), (factors[1], &own[1])],
        diagonal,
    };
    let found = made(backend, [sum.rows.len(), n], Assembly::Sum(sum)).await?;
    let found: Vec<f64> = found.into_iter().map(f64::from).collect();
    ratios::close(&found, &oracle, &sizes, f64::from(f32::EPSILON), 2.0)
}

/// Two pieces below one another. Differences of stored numbers are exact but for one rounding.
async fn difference<B: Backend<Scalar = f32>>(
    backend: &B,
    n: usize,
    dtype: Dtype,
    planted: f64,
) -> Verdict {
    let mut random = Random::new(n as u64);
    let mut own = || InBytes::new(40, n, dtype, &mut random);
    let [b0, a0, b1, a1] = [own(), own(), own(), own()];
    let scale = powers_of_two(n, &mut Random::new(9));
    let mut oracle = Vec::new();
    for (b, a, rows) in [(&b0, &a0, 3..40), (&b1, &a1, 0..33)] {
        let (b, a) = (b.values(), a.values());
        let element = |index: usize| (b[index] - a[index]) / scale[index % n] * planted;
        oracle.extend((rows.start * n..rows.end * n).map(element));
    }
    let pieces: Vec<Piece<'_>> =
        vec![(Box::new(b0), Box::new(a0), 3..40), (Box::new(b1), Box::new(a1), 0..33)];
    let difference = Assembly::Difference(ScaledDifference { scale: &scale, pieces });
    let found = made(backend, [70, n], difference).await?;
    let same = found.iter().zip(&oracle).all(|(a, b)| *a == *b as f32);
    match same && found.len() == oracle.len() {
        true => Ok(()),
        false => Err("the elements differ".into()),
    }
}

async fn norm<B: Backend<Scalar = f32>>(backend: &B, n: usize) -> Verdict {
    let values: Vec<f32> =
        Random::new(n as u64).matrix(n, n).into_iter().map(|value| value as f32).collect();
    let words = |error: gramerge::Error| error.to_string();
    let matrix = backend.upload(n, n, values.clone()).await.map_err(words)?;
    let found = backend.norm_bound(&matrix).await.map_err(words)?;
    let size = |row: &[f32]| row.iter().map(|value| f64::from(value.abs())).sum::<f64>();
    let squares = values.iter().map(|value| f64::from(*value).powi(2));
    let largest = values.chunks(n).map(size).fold(0.0, larger);
    let wanted = largest.min(squares.sum::<f64>().sqrt());
    match (found - wanted).abs() <= 1e-5 * wanted {
        true => Ok(()),
        false => Err(format!("{found}, not {wanted}")),
    }
}
