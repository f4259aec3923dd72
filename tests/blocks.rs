//! A layer with more rows than a worker holds at once.

#![allow(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

mod common;

use std::collections::BTreeMap;
use std::ops::Range;

use common::Memory;
use gramerge::checkpoint::{Model, Models};
use gramerge::engine::CpuEngines;
use gramerge::format::{Layout, TensorFile};
use gramerge::methods::regmean::Alone;
use gramerge::recipe::Options;
use gramerge::run::Merge;
use gramerge::tensor::dtype::{Dtype, decode, encode};
use gramerge::tensor::larger;
use gramerge::verify::verify;

const NAME: &str = "layer.weight";
const N: usize = 64;
/// One row more than fits.
const N_ROWS: usize = (8 << 20) / N + 1;

/// Element (row, col) of a model's weight.
fn weight(model: usize, row: usize, col: usize) -> f64 {
    ((row * 31 + col * 17 + model * 7) % 1009) as f64 / 1009.0 - 0.5
}

fn gram(model: usize, row: usize, col: usize) -> f64 {
    let off = ((row.min(col) * 5 + row.max(col) + model) % 11) as f64 / 100.0;
    if row == col { 2.0 + (row * (model + 1) % 3) as f64 } else { off }
}

fn file(shape: [usize; 2], element: impl Fn(usize, usize) -> f64) -> TensorFile<Memory> {
    let [rows, cols] = shape;
    let tensor = (NAME.to_owned(), Dtype::F32, vec![rows as u64, cols as u64]);
    let layout = Layout::new([tensor], &BTreeMap::new()).unwrap();
    let mut bytes = layout.header_bytes().to_vec();
    let start = bytes.len();
    bytes.resize(start + rows * cols * 4, 0);
    let values: Vec<f64> = (0..rows * cols).map(|at| element(at / cols, at % cols)).collect();
    encode(Dtype::F32, values.into_iter(), &mut bytes[start..]);
    let memory = Memory { name: "made".into(), bytes };
    pollster::block_on(TensorFile::open(memory)).unwrap()
}

/// A merge of these rows of the weight alone.
fn merge(rows: Range<usize>) -> Merge<Memory> {
    let model = |model: usize| {
        let own = file([rows.len(), N], |row, col| weight(model, rows.start + row, col));
        let gram = file([N, N], |row, col| gram(model, row, col));
        Model::new(format!("model {model}"), vec![own], Some(gram)).unwrap()
    };
    Merge::new(Models::new(vec![model(0), model(1)]).unwrap(), Options::default()).unwrap()
}

fn engines() -> CpuEngines {
    CpuEngines::default()
}

/// The bytes of the merged file, with the jobs in that order.
fn run(merge: &Merge<Memory>, jobs: impl Iterator<Item = usize>) -> Vec<u8> {
    pollster::block_on(async {
        let mut bytes = Vec::new();
        merge.write_headers(&mut bytes).await.unwrap();
        for job in jobs {
            merge.run_job(&engines(), job, &Alone, &mut bytes).await.unwrap();
        }
        bytes
    })
}

fn open(bytes: Vec<u8>) -> TensorFile<Memory> {
    let merged = Memory { name: "merged".into(), bytes };
    pollster::block_on(TensorFile::open(merged)).unwrap()
}

fn values(file: &TensorFile<Memory>) -> Vec<f64> {
    decode(Dtype::F32, &pollster::block_on(file.read(&file.header.tensors[0])).unwrap())
}

#[test]
fn rows_of_two_blocks_are_the_rows_of_one() {
    let whole = merge(0..N_ROWS);
    assert_eq!(whole.jobs().len(), 2, "the layer is not cut");
    let bytes = run(&whole, (0..2).rev());
    assert_eq!(bytes, run(&whole, 0..2), "the order of the jobs shows");
    let merged = values(&open(bytes));
    for rows in [0..5, N_ROWS / 2 - 3..N_ROWS / 2 + 3, N_ROWS - 5..N_ROWS] {
        let alone = values(&open(run(&merge(rows.clone()), 0..1)));
        let own = &merged[rows.start * N..rows.end * N];
        let apart = own.iter().zip(&alone).map(|(a, b)| (a - b).abs()).fold(0.0, larger);
        assert!(apart < 1e-6, "{rows:?}: {apart:e}");
    }
}

#[test]
fn verify_sees_a_wrong_element_of_either_block() {
    let whole = merge(0..N_ROWS);
    let good = run(&whole, 0..2);
    let is_within = |bytes: Vec<u8>| {
        let out = Model::new("merged", vec![open(bytes)], None).unwrap();
        let verified = pollster::block_on(verify(&whole, &out, &engines().double)).unwrap();
        verified[0].is_within()
    };
    assert!(is_within(good.clone()));
    for back in [1, N_ROWS * N * 4 - 3] {
        let mut wrong = good.clone();
        let at = wrong.len() - back;
        wrong[at] ^= 0x40;
        assert!(!is_within(wrong.clone()), "{back} bytes before the end");
        wrong[at - 1..=at].copy_from_slice(&f32::NAN.to_le_bytes()[2..]);
        assert!(!is_within(wrong), "NaN {back} bytes before the end");
    }
}
