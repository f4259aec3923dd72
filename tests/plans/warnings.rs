//! What is probably a slip: it is said, and does not stop a merge, unless the merge would be
//! something else than was asked for.

use gramerge::recipe::{Keep, Options};
use gramerge::tensor::dtype::Dtype;

use super::heap::{file, grams, plan, plan_with, weights};
use crate::common::Memory;

const NAMES: [&str; 2] = ["x.weight", "y.weight"];

fn model(name: &str, seed: f64) -> (Memory, Memory) {
    let gram = file(
        &format!("{name}.gram.safetensors"),
        &[("x.weight", Dtype::F32, &[3, 3], seed), ("y.weight", Dtype::F32, &[3, 3], seed)],
        &[("gram_format", "1")],
    );
    (weights(&format!("{name}.safetensors"), &NAMES, seed), gram)
}

fn renamed(file: &Memory, name: &str) -> Memory {
    Memory::new(name, file.bytes.clone())
}

#[test]
fn a_gram_file_without_a_match_is_refused_beside_good_ones() {
    for count in [2, 3] {
        for bad in 0..count {
            for names in [&[][..], &["z.weight"]] {
                let mut pairs: Vec<_> =
                    (0..count).map(|i| model(&i.to_string(), i as f64)).collect();
                pairs[bad].1 = grams("wrong.gram.safetensors", names, &[]);
                let error = plan(&pairs).unwrap_err().to_string();
                let begin = "`wrong.gram.safetensors`: ";
                let what = match names.first() {
                    None => format!("no Gram matrix in it for any weight of `{bad}.safetensors`"),
                    Some(_) => {
                        format!("no Gram matrix belongs to any weight of `{bad}.safetensors`")
                    }
                };
                assert!(error.starts_with(begin), "{error}");
                assert!(error.contains(&what), "{error}");
            }
        }
    }
}

#[test]
fn what_is_given_twice_is_said() {
    let (a, b) = (model("a", 0.0), model("b", 1.0));
    assert_eq!(plan(&[a.clone(), b.clone()]).unwrap().warnings, Vec::<String>::new());

    let gram = |pairs: &[(Memory, Memory)]| {
        let warnings = plan(pairs).unwrap().warnings;
        warnings.iter().filter(|w| w.contains("the same Gram matrices")).count()
    };
    assert_eq!(gram(&[a.clone(), (b.0.clone(), a.1.clone())]), 1, "one file for both");
    let copy = renamed(&a.1, "b.gram.safetensors");
    assert_eq!(gram(&[a.clone(), (b.0.clone(), copy)]), 1, "a copy of it");

    let copy = (renamed(&a.0, "c.safetensors"), b.1.clone());
    let warnings = plan(&[a.clone(), copy]).unwrap().warnings;
    let sentence = "Models 1 and 2, `a.safetensors` and `c.safetensors`, are the same";
    assert!(warnings.iter().any(|w| w.starts_with(sentence)), "{warnings:?}");
}

/// One element of one tensor makes another model.
#[test]
fn models_that_differ_anywhere_are_not_called_the_same() {
    let (weights, gram) = model("a", 0.0);
    let data = weights.bytes.len() - 2 * 6 * 4;
    for place in (data..weights.bytes.len()).step_by(4) {
        let mut other = renamed(&weights, "b.safetensors");
        other.bytes[place] ^= 1;
        let other_gram = model("b", 1.0).1;
        let warnings =
            plan(&[(weights.clone(), gram.clone()), (other, other_gram)]).unwrap().warnings;
        assert_eq!(warnings, Vec::<String>::new());
    }
}

#[test]
fn patterns_that_match_nothing_are_said() {
    let pairs = [model("a", 0.0), model("b", 1.0)];
    let keep = |pattern: &str| Keep { pattern: pattern.into(), model: 1 };
    let options = Options {
        exclude: vec!["x".into(), "nowhere".into()],
        keep: vec![keep("y"), keep("classifier")],
        ..Options::default()
    };
    let warnings = plan_with(&pairs, &options).unwrap().warnings;
    let expected = [
        "The pattern `nowhere` excludes nothing: no tensor's name matches it.",
        "The pattern `classifier` keeps nothing: no tensor's name matches it.",
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn settings_out_of_range_are_refused_with_a_sentence() {
    let pairs = [model("a", 0.0), model("b", 1.0)];
    let refused = |options: Options| plan_with(&pairs, &options).unwrap_err().to_string();
    for coefficients in [vec![1e308, 1e308], vec![f64::MAX, f64::MAX]] {
        let error = refused(Options { coefficients, ..Options::default() });
        assert!(
            error.contains("too large") && error.contains("only their ratios count"),
            "{error}"
        );
    }
    let keep = vec![Keep { pattern: "x".into(), model: 25 }];
    let error = refused(Options { keep, ..Options::default() });
    assert_eq!(
        error,
        "there is no model 26 to keep `x` from: there are 2 models; count them from 1"
    );
}
