//! The command line as its users meet it: the real binary on real files.
//!
//! Bad input gets one sentence with what, where and what to do, exit code 1, and no output file.

#![allow(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

use gramerge::tensor::dtype::Dtype;

mod empty;
mod folder;
mod grams;
mod inputs;
mod leftovers;
mod methods;
mod output;
mod running;
mod special;
mod stdout;
mod stopped;
mod tables;
mod taken;
#[cfg(unix)]
mod terminal;

use folder::{Folder, WEIGHT, gram, text};

#[test]
fn merges_verifies_and_repeats_to_the_byte() {
    let folder = Folder::new();
    assert!(folder.merge(&["--threads", "1", "--report", "r.json"]).status.success());
    let first = text(&folder.path("out.safetensors"));
    assert!(folder.merge(&["--threads", "3", "--force"]).status.success());
    assert_eq!(first, text(&folder.path("out.safetensors")), "bytes depend on the threads");
    let inputs =
        ["a.safetensors", "b.safetensors", "--gram", "a.gram.safetensors", "b.gram.safetensors"];
    let verify = |extra: &[&str]| {
        let mut words = vec!["verify", "out.safetensors"];
        words.extend(inputs);
        words.extend(extra);
        folder.run(&words).status.code()
    };
    assert_eq!(verify(&[]), Some(0));
    assert_eq!(verify(&["--alpha", "0.5"]), Some(1), "another alpha is another answer");
    let report: serde_json::Value = serde_json::from_slice(&text(&folder.path("r.json"))).unwrap();
    assert_eq!(report["tensors"][1]["solve"]["path"], "f64");
}

/// Merges, and verifies as it is and with the last element of the weight changed.
fn verified_before_and_after(folder: &Folder) -> (Option<i32>, Option<i32>) {
    assert!(folder.merge(&[]).status.success());
    let words = ["verify", "out.safetensors", "a.safetensors", "b.safetensors", "--gram"];
    let words = [&words[..], &["a.gram.safetensors", "b.gram.safetensors"]].concat();
    let before = folder.run(&words).status.code();
    let path = folder.path("out.safetensors");
    let mut bytes = text(&path);
    let last = bytes.len() - 2;
    bytes[last] ^= 0x10;
    std::fs::write(&path, bytes).unwrap();
    (before, folder.run(&words).status.code())
}

#[test]
fn verify_sees_one_wrong_element() {
    assert_eq!(verified_before_and_after(&Folder::new()), (Some(0), Some(1)));
}

/// The last input feature is in no Gram matrix, so no product shows its column.
#[test]
fn verify_sees_a_wrong_element_of_a_dead_feature() {
    let folder = Folder::new();
    let mut values = gram(4, 1.0);
    (0..4).for_each(|i| (values[i * 4 + 3], values[12 + i]) = (0.0, 0.0));
    folder.gram("a.gram.safetensors", "a", values.clone());
    folder.gram("b.gram.safetensors", "b", values);
    assert_eq!(verified_before_and_after(&folder), (Some(0), Some(1)));
}

#[test]
fn identical_models_give_themselves_to_the_byte() {
    let folder = Folder::new();
    std::fs::copy(folder.path("a.safetensors"), folder.path("b.safetensors")).unwrap();
    assert!(folder.merge(&[]).status.success());
    let tail = |name: &str| text(&folder.path(name)).split_off(text(&folder.path(name)).len() - 60);
    assert_eq!(tail("out.safetensors"), tail("a.safetensors"));
}

#[test]
fn prints_help_plans_and_inventories() {
    let folder = Folder::new();
    let output = folder.run(&["--help"]);
    assert!(output.status.success());
    let models = ["plan", "a.safetensors", "b.safetensors", "--gram"];
    let plan = folder.run(&[&models[..], &["a.gram.safetensors", "b.gram.safetensors"]].concat());
    let shown = String::from_utf8_lossy(&plan.stdout);
    assert!(shown.contains("fc.weight  F32 [3, 4]  → RegMean"), "{shown}");
    assert!(shown.contains("fc.bias    F32 [3]     → average (no Gram matrix)"), "{shown}");
    let inspect = folder.run(&["inspect", "."]);
    let shown = String::from_utf8_lossy(&inspect.stdout);
    assert!(shown.contains("model 1: a (1 file, Gram file"), "{shown}");
}

#[test]
fn usage_errors_exit_with_2() {
    let folder = Folder::new();
    let one =
        folder.run(&["merge", "a.safetensors", "-o", "out.safetensors", "--method", "average"]);
    folder.refuses(&one, 2, &["only one model", "give two checkpoints or more"]);
    let no_gram = folder.run(&["merge", "a.safetensors", "b.safetensors", "-o", "out.safetensors"]);
    folder.refuses(&no_gram, 2, &["there is no Gram file", "average"]);
    let average = ["merge", "a.safetensors", "b.safetensors", "--method", "average", "-o"];
    for words in [&["-"][..], &["out.safetensors", "--report", "-"]] {
        let output = folder.run(&[&average[..], words].concat());
        folder.refuses(&output, 2, &["standard output", "./-"]);
        assert!(!folder.path("-").exists());
    }
    folder.refuses(&folder.merge(&["--alpha", "1.5"]), 2, &["alpha is 1.5"]);
    folder.refuses(&folder.merge(&["--coefficients", "1,2,3"]), 2, &["3 coefficients for 2"]);
    folder.refuses(&folder.merge(&["--coefficients", "1e308,1e308"]), 2, &["sum", "too large"]);
    folder.refuses(&folder.merge(&["--coefficients", "0,0"]), 2, &["not all zero"]);
    folder.refuses(&folder.merge(&["--exclude", "("]), 2, &["not a regular expression"]);
    folder.refuses(
        &folder.merge(&["--keep", "bias=3"]),
        2,
        &["there is no model 3", "there are 2 models"],
    );
}

#[test]
#[cfg(feature = "gpu")]
fn a_graphics_card_merges() {
    let folder = Folder::new();
    // A matrix this small goes to the card only in f32.
    let output = folder.merge(&["--device", "gpu", "--precision", "fast", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let solved = report["tensors"].as_array().unwrap().iter().find(|t| t["name"] == WEIGHT);
    let solve = &solved.unwrap()["solve"];
    assert_ne!(solve["kernels"], gramerge::engine::kernels(), "the processor solved it");
    assert!(solve["error_estimate"].as_f64().unwrap() < 1e-6, "{solve}");
    let mut words = vec!["verify", "out.safetensors", "a.safetensors", "b.safetensors"];
    words.extend(["--gram", "a.gram.safetensors", "b.gram.safetensors"]);
    assert!(folder.run(&words).status.success());
}

/// Vulkan finds its drivers by these variables.
#[test]
#[cfg(all(feature = "gpu", target_os = "linux"))]
fn without_a_graphics_card_it_says_so() {
    let folder = Folder::new();
    let mut command = folder.command(&folder.merge_words(&["--device", "gpu"]));
    command.envs([("VK_DRIVER_FILES", "none"), ("VK_ICD_FILENAMES", "none")]);
    let output = command.output().unwrap();
    folder.refuses(&output, 1, &["no graphics card", "let the device be auto or cpu"]);
}

#[test]
fn wrong_files_are_named() {
    let folder = Folder::new();
    let whole = text(&folder.path("a.safetensors"));
    let wrong: [(&[u8], &[&str]); 4] = [
        (&whole[..whole.len() - 5], &["a.safetensors", "cut short"]),
        (b"<!DOCTYPE html><html>not a model</html>", &["a.safetensors", "web page"]),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", &["git lfs pull"]),
        (b"", &["a.safetensors", "empty"]),
    ];
    for (bytes, words) in wrong {
        std::fs::write(folder.path("a.safetensors"), bytes).unwrap();
        folder.refuses(&folder.merge(&[]), 1, words);
    }
    std::fs::remove_file(folder.path("a.safetensors")).unwrap();
    folder.refuses(&folder.merge(&[]), 1, &["no such file"]);
}

#[test]
fn wrong_grams_are_named() {
    let folder = Folder::new();
    let name = "b.gram.safetensors";
    let with = |index: usize, value: f64| {
        let mut values = gram(4, 1.0);
        values[index] = value;
        values
    };
    let wrong: [(Vec<f64>, &[&str]); 4] = [
        (with(5, f64::NAN), &["NaN or infinity at (1, 1)"]),
        (with(5, -1.0), &["negative diagonal"]),
        (with(1, 0.9), &["not symmetric", "(0, 1)"]),
        (with(3, f64::INFINITY), &["NaN or infinity at (0, 3)"]),
    ];
    for (values, words) in wrong {
        folder.gram(name, "b", values);
        let words = [words, &[name, WEIGHT]].concat();
        folder.refuses(&folder.merge(&[]), 1, &words);
    }
    folder.gram(name, "b", gram(5, 1.0));
    folder.refuses(&folder.merge(&[]), 1, &[WEIGHT, "[5, 5]", "check that the Gram file belongs"]);
    folder.write(name, &[(WEIGHT, Dtype::F32, &[4, 5], vec![0.0; 20])], &[("gram_format", "1")]);
    folder.refuses(&folder.merge(&[]), 1, &[name, WEIGHT, "[4, 5]"]);
    folder.write(
        name,
        &[("other.weight", Dtype::F32, &[4, 4], gram(4, 1.0))],
        &[("gram_format", "1")],
    );
    folder.refuses(&folder.merge(&[]), 2, &["no Gram matrix belongs to any weight"]);
}

#[test]
fn an_indefinite_gram_is_refused_by_name() {
    let folder = Folder::new();
    // All beside the diagonal is −1/4: the sum of all features has a negative square.
    let values: Vec<f64> = gram(4, -0.26).iter().map(|value| -value).collect();
    folder.gram("a.gram.safetensors", "a", values.clone());
    folder.gram("b.gram.safetensors", "b", values);
    folder.refuses(&folder.merge(&["--alpha", "1"]), 1, &[WEIGHT, "not positive semidefinite"]);
    // One element alone is more than any XᵀX has.
    folder.gram("a.gram.safetensors", "a", gram(4, 0.1));
    folder.refuses(&folder.merge(&[]), 1, &[WEIGHT, "than its diagonal allows"]);
}

#[test]
fn different_models_are_refused_before_reading() {
    let folder = Folder::new();
    let weight = || (WEIGHT, Dtype::F32, &[3_u64, 4][..], vec![1.0; 12]);
    let write =
        |tensors: &[(&str, Dtype, &[u64], Vec<f64>)]| folder.write("b.safetensors", tensors, &[]);
    write(&[weight()]);
    folder.refuses(&folder.merge(&[]), 1, &["fc.bias", "does not have it"]);
    write(&[weight(), ("fc.bias", Dtype::F32, &[4], vec![0.0; 4])]);
    folder.refuses(&folder.merge(&[]), 1, &["fc.bias", "[3]", "[4]"]);
    write(&[weight(), ("fc.bias", Dtype::F16, &[3], vec![0.0; 3])]);
    folder.refuses(&folder.merge(&[]), 1, &["fc.bias", "dtype differs"]);
    assert!(folder.merge(&["--dtype", "bf16"]).status.success());
}

#[test]
fn swapped_gram_files_are_warned_of() {
    let folder = Folder::new();
    let words = ["merge", "a.safetensors", "b.safetensors", "-o", "out.safetensors", "--gram"];
    let swapped = folder.run(&[&words[..], &["b.gram.safetensors", "a.gram.safetensors"]].concat());
    let error = String::from_utf8_lossy(&swapped.stderr);
    assert!(swapped.status.success(), "{error}");
    assert!(error.contains("warning") && error.contains("b.gram.safetensors"), "{error}");
}

#[test]
fn broken_weights_are_refused_where_they_are_regressed() {
    let folder = Folder::new();
    let mut weight = vec![1.0; 12];
    weight[7] = f64::NAN;
    let bias = vec![f64::NEG_INFINITY, 0.0, 1.0];
    folder.write(
        "b.safetensors",
        &[(WEIGHT, Dtype::F32, &[3, 4], weight), ("fc.bias", Dtype::F32, &[3], bias)],
        &[],
    );
    folder.refuses(&folder.merge(&[]), 1, &[WEIGHT, "model 2 holds a NaN", "row 1"]);
    let averaged = folder.merge(&["--exclude", "weight"]);
    assert!(averaged.status.success());
    let error = String::from_utf8_lossy(&averaged.stderr);
    assert!(error.contains("NaN or infinite"), "{error}");
}

#[test]
fn an_existing_output_is_kept() {
    let folder = Folder::new();
    std::fs::write(folder.path("out.safetensors"), "precious").unwrap();
    assert_eq!(folder.merge(&[]).status.code(), Some(2));
    assert_eq!(text(&folder.path("out.safetensors")), b"precious");
}
