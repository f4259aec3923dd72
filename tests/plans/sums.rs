//! Sums, means and row counts in every combination: what is per row never stands beside a sum over
//! an unknown number of rows.

use gramerge::Result;
use gramerge::plan::Plan;

use super::heap::{gram_of, grams, plan, weights};

/// What a Gram file's matrices may be.
const KINDS: [&[(&str, &str)]; 5] = [
    &[],
    &[("normalization", "mean"), ("rows", r#"{"x.weight":7,"y.weight":7}"#)],
    &[("normalization", "sum"), ("rows", r#"{"x.weight":7,"y":9}"#)],
    &[("normalization", "sum")],
    &[("normalization", "sum"), ("rows", r#"{"x.weight":7}"#)],
];

fn planned(kinds: &[usize]) -> Result<Plan> {
    let model = |(index, kind): (usize, &usize)| {
        let path = format!("{index}.gram.safetensors");
        let gram = grams(&path, &["x.weight", "y.weight"], KINDS[*kind]);
        let names = ["x.weight", "y.weight"];
        (weights(&format!("{index}.safetensors"), &names, index as f64), gram)
    };
    plan(&kinds.iter().enumerate().map(model).collect::<Vec<_>>())
}

#[test]
fn sums_without_rows_stand_beside_their_like_alone() {
    let combinations = (0..25).map(|n| vec![n / 5, n % 5]);
    let triples = (0..125).map(|n| vec![n / 25, n / 5 % 5, n % 5]);
    for kinds in combinations.chain(triples) {
        let plan = planned(&kinds).unwrap();
        for (weight, bare) in [("x.weight", &[3][..]), ("y.weight", &[3, 4])] {
            let n_bare = kinds.iter().filter(|kind| bare.contains(kind)).count();
            let found = gram_of(&plan, weight);
            if n_bare == 0 || n_bare == kinds.len() {
                assert_eq!(found.as_deref(), Ok(weight), "{kinds:?}");
                continue;
            }
            let first = kinds.iter().position(|kind| bare.contains(kind)).unwrap();
            let why = found.expect_err(&format!("{kinds:?}: {weight}"));
            let model = format!("unknown number of rows in model {}", first + 1);
            assert!(why.contains(&model), "{kinds:?}: {why}");
            assert!(why.contains(&format!("`rows` of `{first}.gram.safetensors`")), "{why}");
        }
    }
}

#[test]
fn row_counts_are_positive_and_given_once() {
    let refused = |rows: &str| {
        let gram = grams("a.gram.safetensors", &["x.weight", "model.y"], &[("rows", rows)]);
        let model = weights("a.safetensors", &["x.weight", "y.weight"], 0.0);
        plan(&[(model.clone(), gram.clone()), (model, gram)]).err().map(|error| error.to_string())
    };
    for (rows, words) in [
        (r#"{"x.weight":0}"#, "tensor `x.weight`: its row count in the metadata `rows` is 0;"),
        (r#"{"x.weight":-3}"#, "is -3;"),
        (r#"{"x":5,"x.weight":7}"#, "5 rows as `x` and 7 as `x.weight`"),
        (r#"{"y.weight":5,"model.y":7}"#, "tensor `model.y`: the metadata `rows` gives it"),
    ] {
        let error = refused(rows).unwrap_or_else(|| panic!("{rows} is accepted"));
        assert!(error.starts_with("`a.gram.safetensors`") && error.contains(words), "{error}");
    }
    assert_eq!(refused(r#"{"x":5,"x.weight":5}"#), None);
}
