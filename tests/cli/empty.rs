//! Weights without elements, with and without a Gram matrix.

use gramerge::tensor::dtype::Dtype;

use crate::folder::{Folder, gram};

/// Models with one weight of that shape beside one that is regressed, and Gram matrices of both.
fn folder(shape: [u64; 2], n: usize) -> Folder {
    let folder = Folder::new();
    let metadata = [("gram_format", "1"), ("normalization", "mean")];
    for model in ["a", "b"] {
        let tensors: [(&str, Dtype, &[u64], Vec<f64>); 2] = [
            ("empty.weight", Dtype::F32, &shape, Vec::new()),
            ("full.weight", Dtype::F32, &[2, 3], vec![1.0; 6]),
        ];
        folder.write(&format!("{model}.safetensors"), &tensors, &[]);
        let tensors: [(&str, Dtype, &[u64], Vec<f64>); 2] = [
            ("empty.weight", Dtype::F32, &[n as u64, n as u64], gram(n, 1.0)),
            ("full.weight", Dtype::F32, &[3, 3], gram(3, 1.0)),
        ];
        folder.write(&format!("{model}.gram.safetensors"), &tensors, &metadata);
    }
    folder
}

#[test]
fn an_empty_weight_is_merged_whatever_gram_it_has() {
    for (shape, n) in [([0, 3], 3), ([3, 0], 3), ([0, 4], 4), ([7, 0], 7), ([0, 1], 1)] {
        let folder = folder(shape, n);
        for extra in [&[][..], &["--dtype", "bf16"], &["--precision", "exact", "--threads", "1"]] {
            let merge = folder.merge(&[extra, &["--force", "--json"]].concat());
            let error = String::from_utf8_lossy(&merge.stderr);
            assert!(merge.status.success(), "{shape:?} {error}");
            let report: serde_json::Value = serde_json::from_slice(&merge.stdout).unwrap();
            let actions = report["tensors"].as_array().unwrap();
            let actions: Vec<_> = actions.iter().map(|tensor| tensor["action"].clone()).collect();
            assert_eq!(actions, ["average", "regress"], "{shape:?}");
            let words = ["verify", "out.safetensors", "a.safetensors", "b.safetensors", "--gram"];
            let words = [&words[..], &["a.gram.safetensors", "b.gram.safetensors"], extra].concat();
            let words: Vec<&str> =
                words.into_iter().filter(|w| !matches!(*w, "--threads" | "1")).collect();
            let verify = folder.run(&words);
            assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
        }
    }
}
