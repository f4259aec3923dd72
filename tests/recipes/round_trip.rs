//! A recipe that is written reads back as itself.

use gramerge::recipe::{
    BaseModel, Device, Filtered, Keep, KnownMethod, Precision, Recipe, RecipeModel, Scope, Setting,
    read_for, write,
};
use gramerge::tensor::dtype::Dtype;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::methods::METHODS;

/// Text that parsers of YAML mistake for something else, and any other.
fn text() -> impl Strategy<Value = String> {
    const ODD: [&str; 30] = [
        "yes",
        "On",
        "null",
        "~",
        "1",
        "1e5",
        ".5",
        ".inf",
        "0x1F",
        "1:30",
        "2001-01-01",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#",
        "*",
        "&a",
        "!x",
        "|",
        ">",
        "'",
        "\"",
        "\\",
        "[a]",
        "{a}",
        "a,b",
        " a ",
        "\t",
        "a\nb",
    ];
    prop_oneof![
        prop::sample::select(&ODD[..]).prop_map(String::from),
        "[a-z./_-]{1,12}",
        "\\PC{1,8}",
        any::<String>(),
    ]
    .prop_filter("not empty", |text| !text.is_empty())
}

fn path() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.replace(['+', '@'], "x"))
}

fn number() -> impl Strategy<Value = f64> {
    let any = any::<f64>().prop_filter("finite", |value| value.is_finite());
    prop_oneof![any, -2.0..2.0_f64, (-9_i32..9).prop_map(f64::from)]
}

fn setting(is_switch: bool) -> impl Strategy<Value = Setting> {
    let plain = match is_switch {
        true => prop_oneof![
            any::<bool>().prop_map(Setting::Switch),
            vec(any::<bool>(), 1..4).prop_map(Setting::Switches)
        ]
        .boxed(),
        false => prop_oneof![
            number().prop_map(Setting::Value),
            vec(number(), 1..4).prop_map(Setting::Gradient)
        ]
        .boxed(),
    };
    let entry = (option::of(text()), plain.clone())
        .prop_map(|(filter, value)| Filtered { filter, value: Box::new(value) });
    prop_oneof![plain, vec(entry, 1..3).prop_map(Setting::Filtered)]
}

/// A scope of some parameters, none if it has no settings.
fn scope(method: KnownMethod<'static>, model: Option<usize>) -> impl Strategy<Value = Scope> {
    let own: Vec<_> =
        method.parameters.iter().filter(|p| model.is_none() || p.is_per_model).collect();
    let entry = (0..own.len().max(1)).prop_flat_map(move |index| {
        let parameter = own.get(index).map(|p| (p.name.to_owned(), p.is_switch));
        let (name, is_switch) = parameter.unwrap_or_default();
        (Just(name), setting(is_switch))
    });
    vec(entry, 0..3).prop_map(move |entries| Scope {
        model,
        layers: None,
        settings: entries.into_iter().filter(|(name, _)| !name.is_empty()).collect(),
    })
}

/// Where slices end: none, one or several.
fn ends() -> impl Strategy<Value = Vec<u64>> {
    vec(1..4_u64, 0..4).prop_map(|lengths| {
        lengths
            .into_iter()
            .scan(0, |end, n| {
                *end += n;
                Some(*end)
            })
            .collect()
    })
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let method = prop::sample::select(&METHODS[..]);
    (method, prop::collection::btree_set(path(), 2..4), ends())
        .prop_flat_map(|(method, paths, ends)| {
            let mut paths: Vec<String> = paths.into_iter().collect();
            let base = (method.base == BaseModel::Apart).then(|| paths.remove(0));
            let n_models = paths.len();
            let slices: Vec<_> = match ends.len() {
                0 | 1 => vec![None],
                _ => ends
                    .iter()
                    .scan(0, |start, end| Some(Some(std::mem::replace(start, *end)..*end)))
                    .collect(),
            };
            let mut scopes = Vec::new();
            for layers in &slices {
                for model in (0..n_models).map(Some).chain([None]) {
                    let layers = layers.clone();
                    scopes.push(
                        scope(method, model)
                            .prop_map(move |scope| Scope { layers: layers.clone(), ..scope })
                            .boxed(),
                    );
                }
            }
            let is_cut = slices.len() > 1;
            let global = scope(method, None).prop_map(move |mut scope| {
                scope.settings.retain(|_, setting| is_cut && is_flat(setting));
                scope
            });
            scopes.push(global.boxed());
            let files = vec(option::of(text()), n_models);
            (Just((method, paths, base, ends)), scopes, files, rest(n_models))
        })
        .prop_map(|((method, paths, base, ends), scopes, grams, rest)| {
            let model = |(path, gram)| RecipeModel { path, gram };
            Recipe {
                method: method.name.to_owned(),
                models: paths.into_iter().zip(grams).map(model).collect(),
                base,
                n_layers: ends.last().copied(),
                scopes: in_order(scopes),
                ..rest
            }
        })
}

/// All that is neither a file nor a parameter.
fn rest(n_models: usize) -> impl Strategy<Value = Recipe> {
    let dtype = prop::sample::select(vec![Dtype::F32, Dtype::F16, Dtype::BF16, Dtype::F64]);
    let precision = prop::sample::select(vec![Precision::Auto, Precision::Fast, Precision::Exact]);
    let device = prop::sample::select(vec![Device::Auto, Device::Cpu, Device::Gpu]);
    let pattern = prop::sample::select(vec!["a", "a=b", "^x\\.y$", "[#:]+ ", "\"'", ""]);
    let pattern = pattern.prop_map(String::from);
    let keep = (pattern.clone(), 0..n_models).prop_map(|(pattern, model)| Keep { pattern, model });
    let pattern = pattern.prop_filter("not empty", |pattern| !pattern.is_empty());
    let size = prop::sample::select(vec!["5GB", "500 MiB", "1000000", "1.5GB"]);
    let dtype = option::of(dtype);
    let size = option::of(size.prop_map(String::from));
    (dtype, precision, device, vec(pattern, 0..3), vec(keep, 0..3), size).prop_map(
        |(dtype, precision, device, exclude, keep, shard_size)| Recipe {
            dtype,
            precision,
            device,
            exclude,
            keep,
            shard_size,
            ..Recipe::default()
        },
    )
}

fn is_flat(setting: &Setting) -> bool {
    match setting {
        Setting::Value(_) | Setting::Switch(_) => true,
        Setting::Gradient(_) | Setting::Switches(_) => false,
        Setting::Filtered(entries) => entries.iter().all(|entry| is_flat(&entry.value)),
    }
}

/// As a reader makes them: models before all, and none that is empty.
fn in_order(mut scopes: Vec<Scope>) -> Vec<Scope> {
    scopes.retain(|scope| !scope.settings.is_empty());
    scopes.sort_by_key(|scope| (scope.model.is_none(), scope.layers.is_none()));
    scopes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_recipe_survives_being_written(recipe in recipe()) {
        let text = write(&recipe);
        let found = read_for(text.as_bytes(), &METHODS);
        prop_assert!(found.is_ok(), "{found:?} of\n{text}");
        prop_assert_eq!(found.unwrap(), recipe, "{}", text);
    }
}

/// What some parser of YAML reads as something else than text.
#[test]
fn text_stays_text_for_every_parser() {
    for path in
        [".inf", ".nan", ".5", "yes", "Off", "n", "NULL", "1e5", "0x1f", "2001-01-01", "~", ""]
    {
        let model = RecipeModel { path: path.into(), gram: None };
        let recipe = Recipe { method: "average".into(), models: vec![model], ..Recipe::default() };
        let text = write(&recipe);
        assert!(text.contains(&format!("  - model: \"{path}\"\n")), "{text}");
    }
}

#[test]
fn the_shortest_form_is_written() {
    let text = "\
merge_method: ties
base_model: ../base
models:
  - model: a/model.safetensors
    parameters:
      density: [1, 0.5]
      weight: 1
  - model: \"b c\"
    gram: b.gram
parameters:
  lambda: 1.0e-7
  normalize: true
  weight:
    - filter: mlp
      value: 0.25
    - value: 1
dtype: bfloat16
exclude:
  - \"embed|norm\"
keep:
  - \"^head=2\"
precision: exact
device: cpu
shard_size: \"5GB\"
";
    assert_eq!(write(&read_for(text.as_bytes(), &METHODS).unwrap()), text);
    let shortest = "merge_method: average\nmodels:\n  - model: a\n  - model: b\n";
    assert_eq!(write(&read_for(shortest.as_bytes(), &METHODS).unwrap()), shortest);
}
