//! Faults of a graphics card, each put where it happens: the merge goes on, to the same accuracy,
//! and the report says what was done.

mod cards;
#[cfg(target_os = "linux")]
mod memory;

use gramerge::Result;
use gramerge::backend::gpu::shaders::{Kernel, Tile, source};
use gramerge::engine::cards::{Cards, Guarded};
use gramerge::engine::{CpuEngines, kernels};
use gramerge::gram::Gram;
use gramerge::methods::regmean::{Alone, LayerGroup, Solution, Solver, Weight, solve};
use gramerge::recipe::Precision;
use gramerge::report::SolvePath;
use gramerge::tensor::Orientation;
use gramerge::tensor::dtype::{Dtype, encode};
use gramerge::tensor::stored::Stored;
use pollster::block_on;

use cards::{Fault, Faulty, FaultyCard};

const N: usize = 96;

/// Two models of one layer, `[40, 96]`, that f32 solves well.
fn layer() -> LayerGroup {
    let value = |i: usize, j: usize, k: usize| ((i * 31 + j * 17 + k * 7) % 23) as f64 / 23.0 - 0.5;
    let bytes = |values: Vec<f64>| {
        let mut bytes = vec![0; values.len() * 4];
        encode(Dtype::F32, values.into_iter(), &mut bytes);
        bytes
    };
    let stored = |rows: usize, element: &dyn Fn(usize, usize) -> f64| {
        let values = (0..rows * N).map(|index| element(index / N, index % N)).collect();
        Stored { bytes: bytes(values), dtype: Dtype::F32, rows, cols: N }
    };
    let gram = |model: usize| {
        let element = |i: usize, j: usize| {
            let near = if i == j { 2.0 } else { 0.0 };
            near + 0.01 * value(i.min(j), i.max(j), model)
        };
        Gram::full(stored(N, &element), 1.0).unwrap_or_else(|error| panic!("{error}"))
    };
    let weight = |model: usize| stored(40, &|i, j| value(i, j, 0) + 0.01 * value(i, j, model));
    let weight = Weight {
        name: "w".into(),
        orientation: Orientation::OutIn,
        stored: vec![weight(1), weight(2)],
        dtype_out: Dtype::F32,
        magnify: 1.0,
    };
    LayerGroup::new(0.9, &[0.5, 0.5], vec![gram(1), gram(2)], vec![weight])
        .unwrap_or_else(|error| panic!("{error}"))
}

fn values(solution: &Solution) -> Vec<f64> {
    let mut values = vec![0.0; 40 * N];
    for (row, line) in values.chunks_mut(N).enumerate() {
        solution.difference_row(row, line);
    }
    values
}

/// Solves the layer, which must come out right whatever happens.
fn solved(guarded: &impl Solver) -> Solution {
    let layer = layer();
    let solution = block_on(guarded.solve_group(&layer, Precision::Auto, &Alone))
        .unwrap_or_else(|error| panic!("{error}"));
    let solution = solution.unwrap_or_else(|| panic!("the layer was handed back"));
    let exact = block_on(solve(&CpuEngines::default(), &layer, Precision::Exact, &Alone));
    let exact = values(&exact.unwrap_or_else(|error| panic!("{error}")));
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let apart = norm(&mut values(&solution).iter().zip(&exact).map(|(a, b)| a - b));
    let error = apart / norm(&mut exact.iter().copied());
    // X is a hundredth of W, for which the contract is 1e-6.
    assert!(error < 1e-5, "the solution is off by {error:e}");
    solution
}

fn forced(cards: &Faulty) -> Guarded<&Faulty> {
    block_on(Guarded::forced(cards)).unwrap_or_else(|error| panic!("{error}"))
}

fn fault(solution: &Solution) -> &str {
    solution.reports[0].fault.as_deref().unwrap_or("")
}

#[test]
fn without_a_fault_the_card_solves_and_nothing_is_said() {
    let cards = Faulty::new(&[]);
    let solution = solved(&forced(&cards));
    assert_eq!(solution.reports[0].fault, None);
    assert_ne!(solution.reports[0].kernels, kernels());
    assert_eq!(cards.n_opened.get(), 1);
}

/// The fault happens at a card's first operation, at its second, and so on, until it outlives the layer.
fn made_good_by_another_card(fault_at: fn(usize) -> Fault, words: &str) {
    for at in 0.. {
        let cards = Faulty::new(&[fault_at(at)]);
        let solution = solved(&forced(&cards));
        assert_ne!(solution.reports[0].kernels, kernels(), "operation {at}");
        if cards.n_opened.get() == 1 {
            assert!(at > 10, "only {at} operations were tried");
            return;
        }
        assert!(fault(&solution).contains(words), "operation {at}: {}", fault(&solution));
        assert_eq!(cards.n_opened.get(), 2, "operation {at}");
    }
}

#[test]
fn a_loss_at_any_operation_is_made_good_by_another_card() {
    made_good_by_another_card(Fault::Loss, "was lost");
}

#[test]
fn silence_from_any_operation_on_is_taken_for_a_loss() {
    made_good_by_another_card(Fault::Silence, "was lost (it did not answer");
}

#[test]
fn after_two_losses_the_processor_finishes() {
    for second in [Fault::Loss(5), Fault::Silence(5)] {
        let cards = Faulty::new(&[Fault::Loss(3), second]);
        let guarded = forced(&cards);
        let solution = solved(&guarded);
        assert_eq!(solution.reports[0].kernels, kernels());
        assert!(fault(&solution).contains("solved again by"), "{}", fault(&solution));
        let next = solved(&guarded);
        assert_eq!((next.reports[0].kernels.as_str(), cards.n_opened.get()), (kernels(), 2));
    }
}

#[test]
fn without_memory_the_processor_solves_that_layer_alone() {
    let cards = Faulty::new(&[Fault::Memory(2)]);
    let guarded = forced(&cards);
    let solution = solved(&guarded);
    assert_eq!(solution.reports[0].kernels, kernels());
    assert!(fault(&solution).contains("no memory"), "{}", fault(&solution));
    let next = solved(&guarded);
    assert_ne!(next.reports[0].kernels, kernels(), "the card was given up");
    assert_eq!((next.reports[0].fault.clone(), cards.n_opened.get()), (None, 1));
}

#[test]
fn wrong_answers_are_seen_and_solved_again_in_f64() {
    let wrongs: [fn(f32) -> f32; 4] = [|_| 0.0, |_| f32::NAN, |value| value * 1.5, |_| 1.0];
    for (index, wrong) in wrongs.into_iter().enumerate() {
        let cards = Faulty::new(&[Fault::Answers(wrong)]);
        let solution = solved(&forced(&cards));
        assert_eq!(solution.reports[0].path, SolvePath::F64, "wrong answer {index}");
    }
}

/// The answer of each operation in turn.
#[test]
fn one_wrong_answer_is_seen() {
    let wrongs: [fn(f32) -> f32; 2] = [|value| value * 1.25 + 0.01, |_| f32::NAN];
    for (index, wrong) in wrongs.into_iter().enumerate() {
        let mut n_seen = 0;
        for at in 0..40 {
            let cards = Faulty::new(&[Fault::Answer(at, wrong)]);
            let solution = solved(&forced(&cards));
            if fault(&solution).contains("wrong answer") {
                assert_eq!(solution.reports[0].path, SolvePath::F64, "operation {at}");
                n_seen += 1;
            }
        }
        assert!(n_seen > 0, "wrong answer {index} was never told of");
    }
}

#[test]
fn a_refused_shader_is_told_and_the_processor_solves() {
    let broken = |kernel: Kernel, tile: Tile| source(kernel, tile).replace("vec4f()", "vec3f()");
    let mut cards = Faulty::new(&[]);
    cards.settings.source = broken;
    let error = block_on(Guarded::forced(&cards)).err();
    let error = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("refuses the shader `multiply`"), "{error}");
    let solution = solved(&Guarded::preferred(&cards).taking_all());
    assert_eq!(solution.reports[0].kernels, kernels());
    assert!(fault(&solution).contains("refuses the shader"), "{}", fault(&solution));
}

#[test]
fn what_the_card_does_not_finish_is_handed_back_unless_something_went_wrong() {
    let solve = |fault: &[Fault], precision| {
        let cards = Faulty::new(fault);
        let mut guarded = forced(&cards);
        guarded.hand_back();
        let solution = block_on(guarded.solve_group(&layer(), precision, &Alone));
        solution.unwrap_or_else(|error| panic!("{error}"))
    };
    assert!(solve(&[], Precision::Auto).is_some(), "f32 suffices");
    assert!(solve(&[], Precision::Exact).is_none(), "f64 was asked for");
    for fault in [Fault::Memory(0), Fault::Answers(|_| 0.0)] {
        let told = solve(&[fault], Precision::Auto);
        assert!(told.is_some_and(|solution| solution.reports[0].fault.is_some()), "{fault:?}");
    }
}

/// A card that never answers, or is not there.
struct Silent {
    answers: bool,
}

impl Cards for Silent {
    type Card = FaultyCard;

    async fn open(&self) -> Result<Option<FaultyCard>> {
        if !self.answers {
            std::future::pending::<()>().await;
        }
        Ok(None)
    }
}

fn large_layer_on(cards: Silent) -> Solution {
    let guarded = Guarded::preferred(cards).with_patience(20).taking_all();
    solved(&guarded)
}

#[test]
fn a_card_that_never_answers_is_given_up() {
    let solution = large_layer_on(Silent { answers: false });
    assert!(fault(&solution).contains("did not answer"), "{}", fault(&solution));
    assert_eq!(solution.reports[0].kernels, kernels());
}

#[test]
fn without_a_card_the_processor_solves_and_nothing_is_said() {
    let solution = large_layer_on(Silent { answers: true });
    assert_eq!(solution.reports[0].fault, None);
    assert_eq!(solution.reports[0].kernels, kernels());
}
