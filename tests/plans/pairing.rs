//! Which Gram file is suggested for which model, and what says so.

use gramerge::checkpoint::inventory::GramEvidence;
use gramerge::tensor::dtype::Dtype;

use super::fingerprints::{gram, permutations, weights};
use super::heap::{file, inventory};

/// Neither names, nor folders, nor order, nor `source` say so.
#[test]
fn fingerprints_pair_files_that_nothing_else_pairs() {
    for n in [2, 3] {
        for order in permutations(n) {
            let path = |i: usize| format!("{}.gram.safetensors", ["p", "q", "r"][i]);
            let models = (0..n).map(|i| weights(&format!("m{i}.safetensors"), i));
            let grams = order.iter().enumerate().map(|(i, &of)| gram(&path(i), of));
            let found = inventory(&models.chain(grams).collect::<Vec<_>>());
            assert_eq!(found.warnings, Vec::<String>::new());
            for (index, model) in found.suggestion.models.iter().enumerate() {
                let place = order.iter().position(|of| *of == index).unwrap();
                assert_eq!(model.gram, Some(n + place), "{order:?}");
                assert_eq!(model.gram_evidence, Some(GramEvidence::Fingerprint));
            }
        }
    }
}

/// Misleading names and folders do not outweigh it, and what is known to be another's is not
/// handed out by name or order.
#[test]
fn nothing_goes_against_a_fingerprint() {
    let models = [weights("m0/x.safetensors", 0), weights("m1/x.safetensors", 1)];
    let swapped = [gram("m0/x.gram.safetensors", 1), gram("m1/x.gram.safetensors", 0)];
    let found = inventory(&[&models[..], &swapped].concat());
    let grams: Vec<_> = found.suggestion.models.iter().map(|model| model.gram).collect();
    assert_eq!(grams, [Some(3), Some(2)]);

    let twice = [gram("m0.gram.safetensors", 0), gram("m1.gram.safetensors", 0)];
    let found = inventory(&[&models[..], &twice].concat());
    assert_eq!(found.suggestion.models[1].gram, None, "both are of the first");
}

#[test]
fn other_ways_of_pairing_are_told() {
    let evidence = |grams: [&str; 2], sources: [&str; 2]| {
        let models = [weights("u/one.safetensors", 0), weights("v/two.safetensors", 1)];
        let gram = |i: usize| {
            let tensors = [("x", Dtype::F32, &[3, 3][..], 0.0)];
            file(grams[i], &tensors, &[("gram_format", "1"), ("source", sources[i])])
        };
        let found = inventory(&[&models[..], &[gram(0), gram(1)]].concat());
        found.suggestion.models.iter().map(|model| model.gram_evidence).collect::<Vec<_>>()
    };
    use GramEvidence::{Folder, Name, Order, Source};
    let none = ["", ""];
    for (grams, sources, expected) in [
        (["u/p.gram.safetensors", "v/q.gram.safetensors"], none, Folder),
        (
            ["p.gram.safetensors", "q.gram.safetensors"],
            ["one.safetensors", "two.safetensors"],
            Source,
        ),
        (["one.gram.safetensors", "two.gram.safetensors"], none, Name),
        (["p.gram.safetensors", "q.gram.safetensors"], none, Order),
    ] {
        assert_eq!(evidence(grams, sources), [Some(expected); 2], "{grams:?}");
    }
}
