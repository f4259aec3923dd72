//! The table of methods on the command line: help, choice, settings, base models and recipes.

use gramerge::methods::{Base, Coefficients, Statistic, TABLE};
use gramerge::tensor::dtype::Dtype;
use serde_json::Value;

use crate::folder::{Folder, WEIGHT, text};

const MODELS: [&str; 2] = ["a.safetensors", "b.safetensors"];

/// The folder with a base of both models.
fn folder() -> Folder {
    let folder = Folder::new();
    let weight = (0..12).map(|i| f64::from(i) * 0.2 - 1.0).collect();
    let bias = vec![0.25, 1.0, -1.0];
    let tensors = [(WEIGHT, Dtype::F32, &[3, 4][..], weight), ("fc.bias", Dtype::F32, &[3], bias)];
    folder.write("base.safetensors", &tensors, &[]);
    folder
}

/// Words that a method needs beside the models.
fn needs(method: &gramerge::methods::Spec) -> Vec<&'static str> {
    let mut words = vec!["--method", method.name];
    if method.base == Base::Needed {
        words.extend(["--base", "base.safetensors"]);
    }
    if method.statistics.contains(&Statistic::Gram) {
        words.extend(["--gram", "a.gram.safetensors", "b.gram.safetensors"]);
    }
    words
}

fn stdout(folder: &Folder, words: &[&str]) -> String {
    let output = folder.run(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A row of the table is in the list, in its own page, in help, plan, output, report and recipe.
#[test]
fn every_method_is_everywhere() {
    let folder = folder();
    let (list, help) = (stdout(&folder, &["methods"]), stdout(&folder, &["merge", "--help"]));
    for method in TABLE {
        let own = stdout(&folder, &["methods", method.name]);
        assert!(own.contains(method.title) && own.contains(method.paper), "{own}");
        assert!(method.params.iter().all(|param| own.contains(param.help)), "{own}");
        assert!(list.contains(method.name) && help.contains(method.name), "{}", method.name);

        let words = [&MODELS[..], &needs(method)].concat();
        let plan: Value =
            serde_json::from_str(&stdout(&folder, &[&["plan", "--json"], &words[..]].concat()))
                .unwrap();
        let rules = plan["rules"].as_array().unwrap();
        assert!(rules.iter().any(|rule| rule["method"] == method.name), "{}", method.name);
        let out = ["-o", "out.safetensors", "--force", "--report", "r.json"];
        stdout(&folder, &[&["merge"], &words[..], &out].concat());
        let first = text(&folder.path("out.safetensors"));
        stdout(&folder, &[&["verify", "out.safetensors"], &words[..]].concat());
        let report: Value = serde_json::from_slice(&text(&folder.path("r.json"))).unwrap();
        assert_eq!(report["options"]["method"], method.name);
        let header = String::from_utf8_lossy(&first[8..]).into_owned();
        assert!(header.contains(&format!("\"merge_method\":\"{}\"", method.name)), "{header}");

        // The report's recipe makes the same bytes.
        let recipe = report["recipe"].as_str().unwrap();
        std::fs::write(folder.path("again.yaml"), recipe).unwrap();
        stdout(&folder, &["merge", "again.yaml", "-o", "out.safetensors", "--force"]);
        assert!(first == text(&folder.path("out.safetensors")), "{}: other bytes", method.name);
    }
}

#[test]
fn without_a_gram_file_a_method_must_be_chosen() {
    let folder = folder();
    let words = ["merge", MODELS[0], MODELS[1], "-o", "out.safetensors"];
    let methods = TABLE.iter().filter(|method| method.statistics.is_empty());
    let names: Vec<&str> = methods.map(|method| method.name).collect();
    folder.refuses(&folder.run(&words), 2, &names);
}

#[test]
fn settings_are_checked() {
    let folder = folder();
    let run = |extra: &[&str]| {
        folder.run(&[&["merge"], &MODELS[..], &["-o", "out.safetensors"], extra].concat())
    };
    let ties = ["--method", "ties", "--base", "base.safetensors"];
    for (extra, code, words) in [
        (&["--set", "densty=1"][..], 2, &["no setting `densty`", "did you mean `density`"][..]),
        (&["--set", "density=1.5"], 2, &["density is 1.5", "from 0 to 1"]),
        (&["--set", "normalize=2"], 2, &["normalize is 2", "true or false"]),
        (&["--coefficients", "1,inf"], 2, &["finite"]),
        (&["--alpha", "0.5"], 2, &["no setting `alpha`"]),
    ] {
        folder.refuses(&run(&[&ties[..], extra].concat()), code, words);
    }
    let no_value = run(&[&ties[..], &["--set", "density"]].concat());
    assert_eq!(no_value.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&no_value.stderr).contains("is not KEY=VALUE"));
    folder.refuses(&run(&["--method", "ties"]), 2, &["ties", "fine-tuned from"]);
    folder.refuses(&run(&["--method", "average", "--base", "base.safetensors"]), 2, &["no base"]);
    let zero = ["--method", "average", "--coefficients", "0,0"];
    folder.refuses(&run(&zero), 2, &["not all zero"]);
    let slerp = ["--method", "slerp", "--coefficients", "1,2"];
    folder.refuses(&run(&slerp), 2, &["no coefficients"]);
    let lost = ["--method", "ties", "--base", "lost.safetensors"];
    folder.refuses(&run(&lost), 1, &["lost.safetensors", "no such file"]);
}

#[test]
fn a_base_must_fit() {
    let folder = folder();
    let weight: Vec<f64> = vec![0.0; 8];
    folder.write("small.safetensors", &[(WEIGHT, Dtype::F32, &[2, 4], weight)], &[]);
    let words = ["merge", MODELS[0], MODELS[1], "-o", "out.safetensors", "--method", "ties"];
    let small = folder.run(&[&words[..], &["--base", "small.safetensors"]].concat());
    folder.refuses(&small, 1, &["does not have it", "1 more tensor"]);
    let excluded = ["--base", "small.safetensors", "--exclude", "."];
    assert!(folder.run(&[&words[..], &excluded].concat()).status.success());
}

#[test]
fn coefficients_of_factors_may_be_negative() {
    let folder = folder();
    for method in TABLE.iter().filter(|m| m.coefficients == Coefficients::Factors) {
        let words = ["plan", MODELS[0], MODELS[1], "--coefficients=1,-1"];
        stdout(&folder, &[&words[..], &needs(method)].concat());
    }
}

#[test]
fn recipes_are_refused_by_line() {
    let folder = folder();
    let run = |recipe: &str, extra: &[&str]| {
        std::fs::write(folder.path("recipe.yaml"), recipe).unwrap();
        folder.run(&[&["merge", "recipe.yaml", "-o", "out.safetensors"], extra].concat())
    };
    let good = "merge_method: ties\nbase_model: base.safetensors\nmodels:\n- model: a.safetensors\n- model: b.safetensors\n";
    folder.refuses(
        &run(&good.replace("ties", "tise"), &[]),
        1,
        &["recipe.yaml", "line 1", "`ties`"],
    );
    folder.refuses(&run(&format!("{good}parameter: {{}}\n"), &[]), 1, &["line 6", "`parameters`"]);
    folder.refuses(&run(&good.replace("b.saf", "c.saf"), &[]), 1, &["c.safetensors"]);
    folder.refuses(&run(good, &["--method", "average"]), 2, &["--method", "recipe"]);
    let bomb = format!("a: &a [1]\n{}", "b: [*a, *a]\n".repeat(3));
    folder.refuses(&run(&bomb, &[]), 1, &["line 1"]);
    let deep = "[".repeat(100_000);
    folder.refuses(&run(&deep, &[]), 1, &["recipe.yaml"]);
    let slices = "merge_method: linear\nslices:\n- sources:\n  - {model: a.safetensors, layer_range: [0, 1]}\n  - {model: b.safetensors, layer_range: [0, 1]}\n";
    folder.refuses(&run(slices, &[]), 1, &["slices end at layer 1"]);
    assert!(run(good, &["--device", "cpu"]).status.success());
}
