//! Recipes that are refused, each with its sentence.

use gramerge::recipe::read_for;

use crate::methods::METHODS;

/// What `text` is refused with.
fn refused(text: &str) -> String {
    match read_for(text.as_bytes(), &METHODS) {
        Err(error) => error.to_string(),
        Ok(recipe) => panic!("read: {recipe:?} of\n{text}"),
    }
}

/// A good recipe, of which the cases change one thing.
const GOOD: &str = "\
merge_method: ties
base_model: root
models:
  - model: a
    parameters:
      weight: 1
      density: 0.5
  - model: b
    parameters:
      weight: 0.5
parameters:
  normalize: true
dtype: float32
";

const SLICED: &str = "\
merge_method: slerp
base_model: a
slices:
  - sources:
      - model: a
        layer_range: [0, 2]
      - model: b
        layer_range: [0, 2]
  - sources:
      - model: a
        layer_range: [2, 4]
      - model: b
        layer_range: [2, 4]
    parameters:
      t: 0.5
";

#[test]
fn what_the_cases_change_is_good() {
    for text in [GOOD, SLICED] {
        read_for(text.as_bytes(), &METHODS).unwrap();
    }
}

/// Text to replace, what by, and the sentence.
type Case = (&'static str, &'static str, &'static str);

const CHANGED: [Case; 48] = [
    ("merge_method: ties\n", "", "line 1: the recipe lacks its `merge_method`"),
    ("ties", "tise", "line 1: there is no method `tise`; did you mean `ties`?"),
    (
        "ties",
        "xyzzyplugh",
        "line 1: there is no method `xyzzyplugh`; there are average, linear, regmean, task_arithmetic, ties, dare_linear, dare_ties, breadcrumbs, slerp, model_stock",
    ),
    (
        "merge_method",
        "merge_metod",
        "line 1: there is no key `merge_metod`; did you mean `merge_method`?",
    ),
    ("dtype:", "dtpye:", "line 13: there is no key `dtpye`; did you mean `dtype`?"),
    ("density", "densty", "line 7: `ties` has no parameter `densty`; did you mean `density`?"),
    (
        "density",
        "t",
        "line 7: `ties` has no parameter `t`; it has weight, density, gamma, normalize, rescale, int8_mask, lambda",
    ),
    (
        "density",
        "lambda",
        "line 7: `lambda` is for all models alike; move it to the `parameters` of the whole recipe",
    ),
    (
        "density",
        "normalize",
        "line 7: `normalize` is for all models alike; move it to the `parameters` of the whole recipe",
    ),
    (
        "    parameters:\n      weight: 0.5",
        "    weight: 0.5",
        "line 9: there is no key `weight`; there are model, parameters, gram, layer_range",
    ),
    ("model: b", "modle: b", "line 8: there is no key `modle`; did you mean `model`?"),
    ("model: b", "model: a", "line 8: the model `a` stands in line 4 already"),
    (
        "model: b",
        "model: b@main",
        "line 8: `b@main` names an adapter (`+`) or a revision (`@`), which is not supported; give a file or a folder, with neither character in its path",
    ),
    (
        "model: b",
        "model: b+lora",
        "line 8: `b+lora` names an adapter (`+`) or a revision (`@`), which is not supported; give a file or a folder, with neither character in its path",
    ),
    (
        "model: b",
        "model: {path: b, revision: main}",
        "line 8: `revision`: models are files, which have no revisions",
    ),
    (
        "model: b",
        "model: {model: b, lora: c}",
        "line 8: `lora`: adapters within a model are not supported",
    ),
    ("model: b", "model: [b]", "line 8: `model` must be a text"),
    ("model: b", "model:", "line 8: an entry lacks its `model`"),
    ("model: b", "gram: b", "line 8: an entry lacks its `model`"),
    ("model: b", "fisher: b", "line 8: `fisher`: Fisher files are not supported yet"),
    (
        "model: b",
        "layer_range: [0, 1]\n    model: b",
        "line 8: `layer_range` belongs into the `sources` of `slices`",
    ),
    ("  - model: b", "  - b\n  - model: c", "line 8: each model must be a mapping of `KEY: VALUE`"),
    ("0.5\nparameters", "half\nparameters", "line 10: `half` is not a number for `weight`"),
    ("0.5\nparameters", ".nan\nparameters", "line 10: `.nan` is not a number for `weight`"),
    ("0.5\nparameters", ".inf\nparameters", "line 10: `.inf` is not a number for `weight`"),
    ("0.5\nparameters", "1e999\nparameters", "line 10: `1e999` is not a number for `weight`"),
    ("0.5\nparameters", "010\nparameters", "line 10: `010` is not a number for `weight`"),
    ("0.5\nparameters", "1_0\nparameters", "line 10: `1_0` is not a number for `weight`"),
    ("0.5\nparameters", "true\nparameters", "line 10: `true` is not a number for `weight`"),
    ("0.5\nparameters", "[]\nparameters", "line 10: the list of `weight` is empty"),
    ("0.5\nparameters", "[1, [2]]\nparameters", "line 10: `weight` must be a number here"),
    (
        "0.5\nparameters",
        "[1, {value: 2}]\nparameters",
        "line 10: an entry of `weight` beside filters must be a mapping of `KEY: VALUE`",
    ),
    (
        "0.5\nparameters",
        "{pattern: mlp, value: 2}\nparameters",
        "line 10: `pattern`: filters are called `filter`",
    ),
    (
        "0.5\nparameters",
        "{filer: mlp, value: 2}\nparameters",
        "line 10: there is no key `filer`; did you mean `filter`?",
    ),
    (
        "0.5\nparameters",
        "{filter: mlp}\nparameters",
        "line 10: a filter of `weight` lacks its `value`",
    ),
    (
        "0.5\nparameters",
        "[{value: {value: 2}}]\nparameters",
        "line 10: a filter of `weight` stands within another",
    ),
    ("normalize: true", "normalize: 2", "line 12: `2` is neither true nor false, for `normalize`"),
    ("float32", "fp16", "line 13: there is no dtype `fp16`; did you mean `f16`?"),
    (
        "float32",
        "int64",
        "line 13: there is no dtype `int64`; there are float32, float16, bfloat16, float64, f32, f16, bf16, f64",
    ),
    ("base_model: root\n", "", "line 1: `ties` needs a `base_model`"),
    (
        "models:\n",
        "slices: []\nmodel:\n",
        "line 4: there is no key `model`; did you mean `models`?",
    ),
    (
        "dtype:",
        "modules: {x: 1}\ndtype:",
        "line 13: `modules`: modules with recipes of their own are not supported",
    ),
    (
        "dtype:",
        "chat_template: auto\ndtype:",
        "line 13: `chat_template`: templates are copied with the first model's files, not made",
    ),
    (
        "dtype:",
        "tokenizer_source: union\ndtype:",
        "line 13: `union` is not supported for a tokenizer: only `base` is",
    ),
    (
        "dtype:",
        "tokenizer: {source: union}\ndtype:",
        "line 13: `union` is not supported for a tokenizer: only `base` is",
    ),
    ("dtype:", "tokenizer: {tokens: {x: y}}\ndtype:", "line 13: `tokens`: tokens are not merged"),
    (
        "dtype: float32",
        "keep: [\"x=3\"]",
        "line 13: `3` is none of the 2 models, by number or path",
    ),
    (
        "dtype: float32",
        "keep: [{pattern: x, model: 0}]",
        "line 13: `0` is none of the 2 models, by number or path",
    ),
];

const CHANGED_MORE: [Case; 12] = [
    ("dtype: float32", "keep: [x]", "line 13: `x` is not REGEX=N with N counting models from 1"),
    ("dtype: float32", "keep: [{pattern: x}]", "line 13: `keep` needs a `pattern` and a `model`"),
    ("dtype: float32", "exclude: x", "line 13: `exclude` must be a list"),
    (
        "dtype: float32",
        "exclude: [\"(\"]",
        "line 13: `(` is not a regular expression (found open group without closing ')')",
    ),
    ("dtype: float32", "shard_size: big", "line 13: `big` is not a size such as 5GB or 500MiB"),
    (
        "dtype: float32",
        "precision: exat",
        "line 13: there is no precision `exat`; did you mean `exact`?",
    ),
    (
        "dtype: float32",
        "device: cuda",
        "line 13: there is no device `cuda`; there are auto, cpu, gpu",
    ),
    (
        "ties\nbase_model: root",
        "regmean\nbase_model: root",
        "line 12: `regmean` has no parameter `normalize`; it has weight, alpha",
    ),
    (
        "model: b\n",
        "model: root\n    gram: g\n",
        "line 2: a Gram file of the base model has no use here",
    ),
    (
        "dtype: float32",
        "slices:\n  - sources:\n      - {model: a, layer_range: [0, 2]}",
        "line 13: a recipe has `models` or `slices`, not both",
    ),
    (
        "dtype: float32",
        "dtype: float32\ndtype: float16",
        "line 14: `dtype` stands in line 13 already",
    ),
    ("normalize: true", "- normalize", "line 12: `parameters` must be a mapping of `NAME: VALUE`"),
];

const SLICES: [Case; 15] = [
    (
        "[2, 4]\n    par",
        "[2, 5]\n    par",
        "line 13: the sources of a slice differ in their layers, which is not supported",
    ),
    (
        "[2, 4]",
        "[3, 5]",
        "line 9: a slice begins at layer 3, not at 2: it leaves out layers; slices must cover whole models, in order",
    ),
    (
        "[2, 4]",
        "[1, 3]",
        "line 9: a slice begins at layer 1, not at 2: it repeats or reorders layers; slices must cover whole models, in order",
    ),
    (
        "[0, 2]",
        "[1, 2]",
        "line 4: a slice begins at layer 1, not at 0: it leaves out layers; slices must cover whole models, in order",
    ),
    ("[2, 4]", "[4, 2]", "line 11: `layer_range` must be [FIRST, END], two layers in order"),
    ("[2, 4]", "[2, 2]", "line 11: `layer_range` must be [FIRST, END], two layers in order"),
    ("[2, 4]", "[2, 3, 4]", "line 11: `layer_range` must be [FIRST, END], two layers in order"),
    ("[2, 4]", "[2, x]", "line 11: `layer_range` must be [FIRST, END], two layers in order"),
    ("[2, 4]", "[-1, 4]", "line 11: `layer_range` must be [FIRST, END], two layers in order"),
    (
        "        layer_range: [2, 4]\n",
        "",
        "line 10: a source lacks its `layer_range: [FIRST, END]`",
    ),
    (
        "      - model: b\n        layer_range: [2, 4]\n",
        "",
        "line 9: this slice lacks the model `b`",
    ),
    (
        "      - model: b\n        layer_range: [0, 2]\n",
        "",
        "line 10: the first slice lacks the model `b`",
    ),
    (
        "    parameters:\n      t",
        "    base_model: b\n    parameters:\n      t",
        "line 14: a slice with a base model of its own is not supported",
    ),
    (
        "    parameters:\n      t",
        "    residual_weight: 1\n    parameters:\n      t",
        "line 14: `residual_weight`: it has no effect; remove it",
    ),
    (
        "    parameters:\n      t",
        "    parameter:\n      t",
        "line 14: there is no key `parameter`; did you mean `parameters`?",
    ),
];

#[test]
fn each_is_refused_by_its_line() {
    let of =
        |text: &'static str, cases: &'static [Case]| cases.iter().map(move |case| (text, case));
    for (text, (old, new, sentence)) in
        of(GOOD, &CHANGED).chain(of(GOOD, &CHANGED_MORE)).chain(of(SLICED, &SLICES))
    {
        assert!(text.contains(old), "{old:?}");
        assert_eq!(refused(&text.replace(old, new)), *sentence, "{old:?} to {new:?}");
    }
}

#[test]
fn whole_texts_are_refused() {
    let cases = [
        ("", "line 1: a recipe must be a mapping of `KEY: VALUE`"),
        ("- a\n- b\n", "line 1: a recipe must be a mapping of `KEY: VALUE`"),
        ("merge_method: linear\n", "line 1: the recipe lists no `models`"),
        ("merge_method: linear\nmodels: []\nslices: []\n", "line 1: the recipe lists no `models`"),
        ("merge_method: linear\nmodels: a\n", "line 2: `models` must be a list"),
        ("merge_method: linear\nslices: [{sources: []}]\n", "line 2: a slice lacks its `sources`"),
        (
            "merge_method: linear\nbase_model: b\nslices:\n- sources: [{model: a, layer_range: [0, 1]}]\n",
            "line 2: `b` is in none of the slices",
        ),
        (
            "merge_method: regmean\nbase_model: b\nmodels: [{model: a}]\n",
            "line 2: `regmean` takes no `base_model`; remove it",
        ),
        (
            "merge_method: ties\nbase_model: a\nmodels: [{model: a}]\n",
            "line 2: the recipe lists no model beside the base model",
        ),
        (
            "{\"merge_method\": \"linear\",\n \"models\": [{\"model\": \"a\"}],\n \"modls\": 1}",
            "line 3: there is no key `modls`; did you mean `models`?",
        ),
    ];
    for (text, sentence) in cases {
        assert_eq!(refused(text), sentence, "{text:?}");
    }
}

/// What mergekit takes for nothing is nothing, and its other spellings are read.
#[test]
fn nothing_and_other_spellings_are_read() {
    let changes = [
        ("dtype: float32", "dtype: torch.float32\nmodules:\nslices: []\ntokenizer_source: base"),
        (
            "dtype: float32",
            "dtype: f32\nchat_template: null\ntokenizer: {source: base}\nout_dtype:",
        ),
        ("model: b", "model: {model: {path: b, revision: null}, lora: ~}"),
        ("weight: 0.5", "weight: \"5e-1\""),
        ("weight: 0.5", "weight: 0.5\n      gamma:"),
        ("normalize: true", "normalize: On"),
        ("  - model: b", "  - parameters: {}\n    model: c\n  - model: b"),
    ];
    let good = read_for(GOOD.as_bytes(), &METHODS).unwrap();
    for (old, new) in changes {
        assert!(GOOD.contains(old), "{old:?}");
        let mut found = read_for(GOOD.replace(old, new).as_bytes(), &METHODS).unwrap();
        if new.contains("model: c") {
            assert_eq!(found.models.remove(1).path, "c");
            found.scopes.iter_mut().for_each(|scope| scope.model = scope.model.map(|m| m.min(1)));
        }
        assert_eq!(found, good, "{new:?}");
    }
}

/// Models are named by number or path.
#[test]
fn a_model_to_keep_is_named_by_number_or_path() {
    for keep in ["[\"x=2\"]", "[\"x=b\"]", "[{pattern: x, model: 2}]", "[{pattern: x, model: b}]"] {
        let text = format!("{GOOD}keep: {keep}\n");
        let found = read_for(text.as_bytes(), &METHODS).unwrap().keep;
        assert_eq!((found.len(), found[0].pattern.as_str(), found[0].model), (1, "x", 1), "{keep}");
    }
}
