//! Job indices and outcomes that come from elsewhere: another worker, or a journal on a disk.

#![allow(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

mod common;

use common::{Memory, layout};
use gramerge::checkpoint::{Model, Models};
use gramerge::engine::CpuEngines;
use gramerge::format::TensorFile;
use gramerge::methods::regmean::Alone;
use gramerge::recipe::Options;
use gramerge::run::{JobOutcome, Merge, Run};
use gramerge::tensor::dtype::Dtype;
use gramerge::{Error, ErrorKind};
use pollster::block_on;

/// A merge of tensors that are too large to be one job, and what its jobs found.
fn merged() -> (Merge<Memory>, Vec<JobOutcome>) {
    let shape: &[u64] = &[1 << 20];
    let layout = layout(&[("a", Dtype::F16, shape), ("b", Dtype::F16, shape)], &[]);
    let mut bytes = layout.header_bytes().to_vec();
    bytes.resize(layout.total_bytes() as usize, 0);
    let model = |name: &str| {
        let file = block_on(TensorFile::open(Memory::new(name, bytes.clone()))).unwrap();
        Model::new(name, vec![file], None).unwrap()
    };
    let options = Options::of("average");
    let merge = Merge::new(Models::new(vec![model("x"), model("y")]).unwrap(), options).unwrap();
    let mut sink = Vec::new();
    let mut run = |index| block_on(merge.run_job(&CpuEngines::default(), index, &Alone, &mut sink));
    let outcomes = (0..merge.jobs().len()).map(|index| run(index).unwrap().unwrap()).collect();
    (merge, outcomes)
}

const RUN: Run = Run { kernels: "test", elapsed_millis: 0.0, n_workers: 1 };

fn assert_internal<T: std::fmt::Debug>(answer: Result<T, Error>, words: &str) {
    let error = answer.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn a_job_that_is_not_there_is_an_error() {
    let (merge, outcomes) = merged();
    let n = merge.jobs().len();
    let run = block_on(merge.run_job(&CpuEngines::default(), n, &Alone, &mut Vec::new()));
    assert_internal(run, "has no job");
    assert_internal(merge.rows(usize::MAX, 1, 0), "has no job");
    assert_internal(merge.check_outcome(n, &outcomes[0]), "has no job");
}

#[test]
fn only_a_jobs_own_outcome_is_taken() {
    let (merge, outcomes) = merged();
    assert!(outcomes.len() >= 2 && merge.report(&outcomes, RUN).is_ok());
    let with = |change: &dyn Fn(&mut Vec<JobOutcome>)| {
        let mut changed = outcomes.clone();
        change(&mut changed);
        merge.report(&changed, RUN)
    };
    assert_internal(with(&|all| drop(all.pop())), "not every job");
    assert_internal(with(&|all| all.swap(0, 1)), "another job's");
    assert_internal(with(&|all| all[0].parts[0].tensor = usize::MAX), "another job's");
    assert_internal(with(&|all| drop(all[0].parts.pop())), "another job's");
    assert_internal(with(&|all| all[0].parts[0].measures.apart_squares.push(1.0)), "another job's");
}
