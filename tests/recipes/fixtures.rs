//! The recipes whose answers mergekit's own program has given.

use std::path::{Path, PathBuf};

use gramerge::Result;
use gramerge::recipe::{Layers, Recipe, find, read_for, write};
use gramerge::tensor::dtype::Dtype;

use crate::methods::METHODS;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mergekit/recipes")
}

fn recipe(name: &str) -> Recipe {
    let text = std::fs::read(folder().join(format!("{name}.yaml"))).unwrap();
    read_for(&text, &METHODS).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn paths(recipe: &Recipe) -> Vec<&str> {
    recipe.models.iter().map(|model| model.path.trim_start_matches("../models/")).collect()
}

/// The value of a parameter for a tensor of a network of four layers.
fn value(recipe: &Recipe, key: &str, model: Option<usize>, tensor: &str) -> Option<f64> {
    find(&recipe.scopes, key, model, tensor, Layers { n: 4 })
}

#[test]
fn every_recipe_is_read_and_survives_being_written() -> Result<()> {
    let mut n = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).unwrap();
        let shown = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let found = read_for(&text, &METHODS).map_err(|error| error.file(shown.as_str()))?;
        let written = write(&found);
        let again =
            read_for(written.as_bytes(), &METHODS).map_err(|error| error.file(shown.as_str()))?;
        assert_eq!(again, found, "{shown}:\n{written}");
        n += 1;
    }
    assert_eq!(n, 64);
    Ok(())
}

#[test]
fn a_base_among_the_models_is_told_apart() {
    let listed = recipe("task-arithmetic-base-listed");
    assert_eq!(paths(&listed), ["a.safetensors", "b.safetensors"]);
    assert_eq!(listed.base.as_deref(), Some("../models/base.safetensors"));
    assert_eq!(value(&listed, "weight", Some(0), "x"), Some(0.5));
    assert_eq!(value(&listed, "weight", Some(1), "x"), Some(0.7));
    assert_eq!(value(&listed, "normalize", None, "x"), Some(1.0));

    let weighted = recipe("task-arithmetic-base-weighted");
    assert_eq!(value(&weighted, "weight", Some(0), "x"), Some(0.5));
    assert_eq!(paths(&recipe("slerp-base-second")), ["b.safetensors"]);
    assert_eq!(paths(&recipe("slerp-base-not-listed")), ["b.safetensors"]);
    assert_eq!(recipe("slerp-between-models").base.as_deref(), Some("../models/b.safetensors"));
}

#[test]
fn a_base_joins_the_mean() {
    let recipe = recipe("linear-base-joins");
    assert_eq!(recipe.method, "average");
    assert_eq!(paths(&recipe), ["a.safetensors", "b.safetensors", "base.safetensors"]);
    assert_eq!(recipe.base, None);
    let weights = [0, 1, 2].map(|model| value(&recipe, "weight", Some(model), "x"));
    assert_eq!(weights, [Some(1.0), Some(2.0), Some(0.5)]);
}

#[test]
fn filters_fall_through_to_the_whole_recipe() {
    let recipe = recipe("linear-filters");
    let weights = |tensor| [0, 1, 2].map(|model| value(&recipe, "weight", Some(model), tensor));
    let attention = weights("model.layers.1.self_attn.q_proj.weight");
    let depth = 1.0 / 3.0;
    let own = (1.0 - depth) * 0.2 + depth * 0.8;
    let global = (1.0 - 2.0 * depth) * 1.0 + 2.0 * depth * 2.0;
    for (found, wanted) in attention.into_iter().zip([own, global, global]) {
        assert!((found.unwrap() - wanted).abs() < 1e-12, "{found:?}, not {wanted}");
    }
    assert_eq!(weights("model.layers.3.mlp.up_proj.weight"), [Some(0.4), Some(4.0), Some(4.0)]);
    assert_eq!(weights("model.embed_tokens.weight"), [Some(0.4), Some(1.0), Some(0.0)]);
}

/// By hand: each slice begins its gradients anew, and a slice of one layer is at their end.
#[test]
fn slices_begin_gradients_anew() {
    let recipe = recipe("task-arithmetic-slices");
    assert_eq!(recipe.n_layers, Some(4));
    assert_eq!(paths(&recipe), ["a.safetensors", "b.safetensors"]);
    let layer = |n: usize| format!("model.layers.{n}.mlp.up_proj.weight");
    let weights = |n| [0, 1].map(|model| value(&recipe, "weight", Some(model), &layer(n)).unwrap());
    assert_eq!(weights(0), [0.1, 0.25]);
    assert_eq!(weights(1), [0.9, 0.25]);
    assert_eq!(weights(2), [0.6, 0.75]);
    assert_eq!(weights(3), [0.75, -0.5]);
    let lambda = |tensor: &str| value(&recipe, "lambda", None, tensor).unwrap();
    assert_eq!([0, 1, 2, 3].map(|n| lambda(&layer(n))), [2.0, 2.0, 1.5, 1.5]);
    assert_eq!(lambda("model.layers.2.self_attn.q_proj.weight"), 0.8);
    assert_eq!(lambda("model.embed_tokens.weight"), 2.0);
    assert_eq!(lambda("model.norm.weight"), 0.8);
    assert_eq!(value(&recipe, "weight", Some(0), "model.norm.weight"), Some(0.5));
    assert_eq!(value(&recipe, "weight", Some(1), "lm_head.weight"), Some(-0.5));
}

/// Source over slice over recipe; where no filter matches, the search goes on outside.
#[test]
fn settings_of_slices_come_before_those_of_the_recipe() {
    let text = "\
merge_method: task_arithmetic
base_model: base
slices:
  - sources:
      - model: a
        layer_range: [0, 2]
        parameters:
          weight: {filter: attn, value: 1}
    parameters:
      lambda: {filter: attn, value: 2}
      weight: {filter: mlp, value: 3}
  - sources: [{model: a, layer_range: [2, 4]}]
    parameters: {weight: 4}
parameters:
  lambda: [5, 6]
  weight: 7
";
    let recipe = read_for(text.as_bytes(), &METHODS).unwrap();
    let both = |tensor| {
        let weight = value(&recipe, "weight", Some(0), tensor).unwrap();
        (weight, value(&recipe, "lambda", None, tensor).unwrap())
    };
    assert_eq!(both("h.0.attn"), (1.0, 2.0));
    assert_eq!(both("h.1.mlp"), (3.0, 6.0));
    assert_eq!(both("h.0.norm"), (7.0, 5.0));
    assert_eq!(both("h.2.attn"), (4.0, 5.0));
    assert_eq!(both("h.3.mlp"), (4.0, 6.0));
}

#[test]
fn switches_along_the_layers_hold_until_the_end() {
    let recipe = recipe("ties-filters-gradient");
    let switch = |n: usize| value(&recipe, "normalize", None, &format!("model.layers.{n}.x"));
    assert_eq!([0, 1, 2, 3].map(switch), [Some(1.0), Some(1.0), Some(1.0), Some(0.0)]);
    let density = |model, tensor| value(&recipe, "density", Some(model), tensor);
    assert_eq!(density(1, "model.layers.1.mlp.up_proj.weight"), Some(0.15));
    assert_eq!(density(1, "model.layers.2.mlp.up_proj.weight"), None);
    assert_eq!(density(0, "model.layers.3.self_attn.q_proj.weight"), Some(0.9));
}

#[test]
fn both_spellings_of_the_gradient_example_are_one_recipe() {
    let sliced = recipe("example-gradient-slerp-float32");
    let listed = recipe("slerp-gradient");
    assert_eq!(sliced.scopes, listed.scopes);
    assert_eq!(sliced.models, listed.models);
    assert_eq!((sliced.n_layers, listed.n_layers), (Some(4), None));
    assert!(sliced.check_layers(4).is_ok());
    let error = sliced.check_layers(6).unwrap_err().to_string();
    assert!(error.starts_with("the slices end at layer 4, but the models have 6;"), "{error}");
}

#[test]
fn what_is_written_is_the_last_of_the_dtypes() {
    let dtype = |name| recipe(name).dtype;
    assert_eq!(dtype("linear-bf16-stays"), None);
    assert_eq!(dtype("linear"), Some(Dtype::F32));
    assert_eq!(dtype("linear-out-bf16"), Some(Dtype::BF16));
    assert_eq!(dtype("example-linear"), Some(Dtype::F16));
}
