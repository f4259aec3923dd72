//! Gram files that are not what they are used for, and files that are no models, on the command
//! line. Every combination is in `tests/plans`.

use gramerge::tensor::dtype::Dtype;

use super::folder::{Folder, WEIGHT, gram};

/// The fingerprint of the folder's model: `weights` are rounded to bf16 without loss.
fn fingerprinted(folder: &Folder, name: &str, model: &str, shift: f64) {
    use gramerge::format::Fingerprint;
    use gramerge::tensor::dtype::encode;
    let mut head = [0; 48];
    encode(Dtype::F32, (0..12).map(|i| f64::from(i) * 0.25 - 1.0 + shift), &mut head);
    let mut fingerprint = Fingerprint::default();
    fingerprint.add(Dtype::F32, &head).unwrap();
    let tensors = [(WEIGHT, Dtype::F32, &[4_u64, 4][..], gram(4, 1.0 + shift))];
    let fingerprint = fingerprint.finish();
    let metadata = [("gram_format", "1"), ("fingerprint", &*fingerprint), ("source", model)];
    folder.write(name, &tensors, &metadata);
}

#[test]
fn swapped_fingerprints_are_refused() {
    let folder = Folder::new();
    // Names and `source` say the opposite of what is true.
    fingerprinted(&folder, "a.gram.safetensors", "a.safetensors", 0.5);
    fingerprinted(&folder, "b.gram.safetensors", "b.safetensors", 0.0);
    let words = ["`a.gram.safetensors`", "was made of `b`, not of `a`", "swap it with"];
    folder.refuses(&folder.merge(&[]), 1, &words);
    let words = ["merge", "a.safetensors", "b.safetensors", "-o", "out.safetensors", "--gram"];
    let right = folder.run(&[&words[..], &["b.gram.safetensors", "a.gram.safetensors"]].concat());
    let error = String::from_utf8_lossy(&right.stderr);
    assert!(right.status.success() && !error.contains("warning"), "{error}");
}

#[test]
fn inspect_pairs_by_fingerprint() {
    let folder = Folder::new();
    fingerprinted(&folder, "a.gram.safetensors", "a.safetensors", 0.5);
    fingerprinted(&folder, "b.gram.safetensors", "b.safetensors", 0.0);
    let output = folder.run(&["inspect", ".", "--json"]);
    let inventory: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for (model, gram) in [(0, "b.gram.safetensors"), (1, "a.gram.safetensors")] {
        let model = &inventory["suggestion"]["models"][model];
        assert_eq!(model["gram_evidence"], "fingerprint", "{model}");
        let path = &inventory["files"][model["gram"].as_u64().unwrap() as usize]["path"];
        assert!(path.as_str().unwrap().ends_with(gram), "{path}");
    }
}

#[test]
fn sums_are_not_mixed() {
    let folder = Folder::new();
    let sum = |name: &str, rows: &[(&str, &str)]| {
        let metadata = [&[("gram_format", "1"), ("normalization", "sum")], rows].concat();
        folder.write(name, &[(WEIGHT, Dtype::F32, &[4, 4], gram(4, 1.0))], &metadata);
    };
    sum("a.gram.safetensors", &[("rows", r#"{"fc.weight":50}"#)]);
    sum("b.gram.safetensors", &[]);
    let words = [WEIGHT, "unknown number of rows in model 2", "`rows` of `b.gram.safetensors`"];
    folder.refuses(&folder.merge(&[]), 1, &words);
    sum("a.gram.safetensors", &[("rows", r#"{"fc.weight":0}"#)]);
    folder.refuses(&folder.merge(&[]), 1, &["a.gram.safetensors", WEIGHT, "is 0", "at least"]);
}

#[test]
fn an_empty_gram_file_does_not_average() {
    let folder = Folder::new();
    folder.write("b.gram.safetensors", &[], &[("gram_format", "1")]);
    let words = ["b.gram.safetensors", "there is no Gram matrix in it for any weight of `b`"];
    folder.refuses(&folder.merge(&[]), 2, &words);
}

#[test]
fn adapters_are_not_averaged() {
    let folder = Folder::new();
    for name in ["a.safetensors", "b.safetensors"] {
        let factor =
            ("base_model.model.fc.lora_A.weight", Dtype::F32, &[3_u64, 4][..], vec![1.0; 12]);
        folder.write(name, &[factor], &[]);
    }
    let words = ["a.safetensors", "it is a LoRA adapter", "merge it into its base first"];
    folder.refuses(&folder.merge(&["--method", "average"]), 1, &words);
}

#[test]
fn what_a_training_leaves_is_passed_over() {
    let folder = Folder::new();
    for name in ["training_args.bin", "optimizer.pt", "rng_state_0.pth", "pytorch_model.bin"] {
        std::fs::write(folder.path(name), b"\x80\x02}q\x00.").unwrap();
    }
    let output = folder.run(&["inspect", "."]);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("training_args.bin: other"), "{shown}");
}
