//! Gram files: what is accepted, what is refused, and what is not mistaken for one.

use gramerge::Result;
use gramerge::format::{
    GramEntry, GramFile, GramLayout, Header, Normalization, canonical_weight_name, has_gram_name,
    is_gram_header,
};
use gramerge::tensor::dtype::Dtype::{self, BF16, F8_E4M3, F16, F32, F64, I32};

use crate::common::layout;

type Spec<'a> = (&'a str, Dtype, &'a [u64]);
type Specs<'a> = &'a [Spec<'a>];
type Pairs<'a> = &'a [(&'a str, &'a str)];

fn header(tensors: &[Spec<'_>], metadata: &[(&str, &str)]) -> Header {
    layout(tensors, metadata).header().clone()
}

fn gram(tensors: &[Spec<'_>], metadata: &[(&str, &str)]) -> Result<GramFile> {
    GramFile::new(&header(tensors, metadata))
}

/// The matrix of a weight that is the only one of its checkpoint.
fn find<'a>(file: &'a GramFile, weight: &str) -> Option<&'a GramEntry> {
    file.entries.get(file.matches([weight]).get(weight)?.key()?)
}

#[test]
fn a_complete_file_is_understood() {
    let file = gram(
        &[
            ("a.weight", F32, &[3, 3]),
            ("a.weight.mean", F32, &[3]),
            ("model.b.weight", F64, &[6]),
            ("c", BF16, &[1]),
        ],
        &[
            ("gram_format", "1"),
            ("normalization", "sum"),
            ("rows", r#"{"a.weight":800,"b":12.5}"#),
            ("aliases", r#"{"k.weight":"a.weight","v.weight":"k.weight","a":"a.weight"}"#),
            ("source", "digits"),
        ],
    )
    .unwrap();
    assert_eq!(file.normalization, Normalization::Sum);
    assert_eq!(file.source.as_deref(), Some("digits"));
    assert_eq!(file.warnings, Vec::<String>::new());
    let a = find(&file, "a.weight").unwrap();
    assert_eq!((a.key.as_str(), a.layout, a.n, a.dtype), ("a.weight", GramLayout::Full, 3, F32));
    assert_eq!((a.rows, a.mean_key.as_deref()), (Some(800.0), Some("a.weight.mean")));
    let b = find(&file, "module.model.b.weight").unwrap();
    assert_eq!((b.key.as_str(), b.layout, b.n), ("model.b.weight", GramLayout::Packed, 3));
    assert_eq!((b.rows, b.mean_key.as_deref()), (Some(12.5), None));
    assert_eq!(find(&file, "c.weight").map(|c| c.n), Some(1));
    for alias in ["k.weight", "v.weight", "model.v"] {
        assert_eq!(find(&file, alias), Some(a), "{alias}");
    }
    assert_eq!(find(&file, "d.weight"), None);
}

#[test]
fn a_bare_file_counts_as_mean() {
    let file = gram(&[("a", F16, &[2, 2])], &[]).unwrap();
    assert_eq!(file.normalization, Normalization::Mean);
    assert_eq!((file.source, file.aliases.len()), (None, 0));
}

#[test]
fn wrong_files_are_refused_with_the_reason() {
    let square: Spec<'_> = ("a.weight", F32, &[2, 2]);
    let cases: [(Specs<'_>, Pairs<'_>, &str); 28] = [
        (&[("a", F32, &[2, 3])], &[], "[2, 3] is the shape of no Gram matrix"),
        (&[("a", F32, &[4])], &[], "[4] is the shape of no Gram matrix"),
        (&[("a", F32, &[0, 0])], &[], "shape of no Gram matrix"),
        (&[("a", F32, &[0])], &[], "shape of no Gram matrix"),
        (&[("a", F32, &[])], &[], "shape of no Gram matrix"),
        (&[("a", F32, &[2, 2, 2])], &[], "shape of no Gram matrix"),
        (&[("a", I32, &[2, 2])], &[], "dtype I32"),
        (&[("a", F8_E4M3, &[2, 2])], &[], "dtype F8_E4M3"),
        (&[square, ("a", F32, &[2, 2])], &[], "means the same weight as `a`"),
        (&[square, ("model.a", F32, &[2, 2]), ("module.a.mean", F32, &[2])], &[], "could mean"),
        (&[square, ("a.weight.mean", F32, &[3])], &[], "needs [2]"),
        (&[square, ("a.weight.mean", I32, &[2])], &[], "dtype I32"),
        (&[square, ("b.weight.mean", F32, &[2])], &[], "has no Gram matrix"),
        (&[square, ("a.mean", F32, &[2]), ("a.weight.mean", F32, &[2])], &[], "same layer"),
        (&[square], &[("gram_format", "2")], "gram_format is `2`"),
        (&[square], &[("gram_format", "")], "gram_format is ``"),
        (&[square], &[("normalization", "median")], "normalization is `median`"),
        (&[square], &[("rows", "{")], "`rows` is wrong"),
        (&[square], &[("rows", r#"{"a":"1"}"#)], "`rows` is wrong"),
        (&[square], &[("rows", r#"{"a":1,"\u0061":2}"#)], "appears twice"),
        (&[square], &[("rows", r#"{"a":-1}"#)], "`rows` is -1"),
        (&[square], &[("rows", r#"{"a":0}"#)], "`rows` is 0"),
        (&[square], &[("rows", r#"{"a":1,"a.weight":2}"#)], "1 rows as `a` and 2 as `a.weight`"),
        (&[square], &[("aliases", r#"{"b":"a","b.weight":"c"}"#)], "second Gram matrix"),
        (&[square], &[("aliases", "[]")], "`aliases` is wrong"),
        (&[square], &[("aliases", r#"{"b":"c"}"#)], "leads to `c`, which has no Gram matrix"),
        (&[square], &[("aliases", r#"{"b":"c","c":"b"}"#)], "in a circle"),
        (&[square, ("b", F32, &[2, 2])], &[("aliases", r#"{"b":"a"}"#)], "second Gram matrix"),
    ];
    for (tensors, metadata, reason) in cases {
        let error = gram(tensors, metadata).unwrap_err().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
    }
}

#[test]
fn rows_of_strangers_are_a_warning() {
    let file = gram(&[("a", F32, &[2, 2])], &[("rows", r#"{"b":1,"c":2}"#)]).unwrap();
    assert_eq!(file.warnings.len(), 1);
    assert!(file.warnings[0].contains("2 weights") && file.warnings[0].contains("`b`"));
}

#[test]
fn a_fingerprint_is_a_digest_or_a_warning() {
    let with = |text: &str| gram(&[("a", F32, &[2, 2])], &[("fingerprint", text)]).unwrap();
    let upper = "0123456789ABCDEF".repeat(4);
    assert_eq!(with(&upper).fingerprint, Some(upper.to_lowercase()));
    for text in ["", "abc", &upper[1..], &upper.replace('A', "g"), &upper.replace("AB", "ä")] {
        let file = with(text);
        assert_eq!((file.fingerprint, file.warnings.len()), (None, 1), "{text}");
    }
}

#[test]
fn long_chains_of_aliases_are_followed() {
    let links: Vec<_> = (0..20_000).map(|i| format!(r#""{i}":"{}""#, i + 1)).collect();
    let aliases = format!("{{{}}}", links.join(","));
    let file = gram(&[("20000", F32, &[2, 2])], &[("aliases", &aliases)]).unwrap();
    assert_eq!(find(&file, "0").map(|entry| entry.key.as_str()), Some("20000"));
}

#[test]
fn packed_lengths_are_triangular_numbers_only() {
    for n in [1_u64, 2, 3, 768, 4096, 65_535] {
        let len = n * (n + 1) / 2;
        assert_eq!(find(&gram(&[("a", F32, &[len])], &[]).unwrap(), "a").unwrap().n, n);
        assert!(gram(&[("a", F32, &[len + 1])], &[]).is_err(), "{len} + 1");
    }
    // The largest length that a header may have.
    assert!(gram(&[("a", F32, &[1 << 53])], &[]).is_err());
}

#[test]
fn names_have_one_canonical_spelling() {
    let cases = [
        ("a.b.weight", "a.b"),
        ("model.model.a", "a"),
        ("module.model.a.weight", "a"),
        ("model.weight", "model"),
        ("model.", "model."),
        ("models.a", "models.a"),
        ("a.model.b", "a.model.b"),
        ("weight", "weight"),
        ("", ""),
    ];
    for (name, canonical) in cases {
        assert_eq!(canonical_weight_name(name), canonical, "{name}");
    }
}

#[test]
fn file_names_hint_at_gram_files() {
    for name in [
        "gram.safetensors",
        "x/a.gram.safetensors",
        "gramA.safetensors",
        "my_grams-2.st",
        "GRAM_v2.x",
        "gram12.safetensors",
        "regmean_grams.safetensors",
    ] {
        assert!(has_gram_name(name), "{name}");
    }
    for name in
        ["program.safetensors", "grammar.safetensors", "gram/model.safetensors", "histogram", ""]
    {
        assert!(!has_gram_name(name), "{name}");
    }
}

#[test]
fn checkpoints_are_not_mistaken_for_gram_files() {
    // Layers 6→6: weights are square, and 6 is a triangular number.
    let mlp: &[Spec<'_>] = &[("l1.weight", F32, &[6, 6]), ("l1.bias", F32, &[6])];
    let squares: &[Spec<'_>] = &[("q.weight", F32, &[6, 6]), ("k.weight", F32, &[6, 6])];
    let norm: &[Spec<'_>] = &[("norm.weight", F32, &[6]), ("norm.running_mean", F32, &[6])];
    let means: &[Spec<'_>] = &[("q.weight", F32, &[6, 6]), ("q.weight.mean", F32, &[6])];
    let orphan: &[Spec<'_>] = &[("q.weight", F32, &[6, 6]), ("stats.mean", F32, &[6])];
    let format: &[(&str, &str)] = &[("gram_format", "1")];
    let cases: [(Specs<'_>, Pairs<'_>, &str, bool); 13] = [
        (mlp, &[], "model.safetensors", false),
        (mlp, &[], "gram.safetensors", false),
        (mlp, format, "model.safetensors", true),
        (squares, &[], "model.safetensors", false),
        (squares, &[("format", "pt")], "model.safetensors", false),
        (squares, &[], "a.gram.safetensors", true),
        (norm, &[], "model.safetensors", false),
        (norm, &[], "program.safetensors", false),
        (means, &[], "statistics.safetensors", true),
        (orphan, &[], "model.safetensors", false),
        (&[], &[], "gram.safetensors", false),
        (&[("q", I32, &[2, 2])], &[], "gram.safetensors", false),
        (&[("q", F32, &[2, 3])], &[], "gram.safetensors", false),
    ];
    for (tensors, metadata, path, expected) in cases {
        let answer = is_gram_header(&header(tensors, metadata), path);
        assert_eq!(answer, expected, "{path}: {tensors:?}");
    }
}
