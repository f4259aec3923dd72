//! DARE: its random choice is its own, so its arithmetic is compared for a given choice. A formula of a few
//! lines must give mergekit's answer for mergekit's choice, and ours for ours.

use gramerge::plan::{Action, PlannedTensor};
use gramerge::recipe::Scope;

use super::*;

const RECIPES: [&str; 5] =
    ["dare-linear", "dare-linear-plain", "dare-ties", "dare-ties-density-0", "dare-ties-normalize"];

/// Which elements of each model stay. `[models][elements]`
type Masks = Vec<Vec<bool>>;

/// A tensor of all inputs: the models', and the base's last.
fn inputs(merge: &Merge<Memory>, name: &str) -> (Vec<Vec<f64>>, Vec<f64>) {
    let read = |model: &Model<Memory>| {
        let (file, info) = model.require(name).unwrap();
        decode(info.dtype, &block_on(file.read(info)).unwrap())
    };
    let Models { list, base } = merge.models();
    (list.iter().map(read).collect(), read(base.as_ref().unwrap()))
}

/// W = B + λ Σ w_i r_i mask_i δ_i / d, by the element.
fn formula(merge: &Merge<Memory>, tensor: &PlannedTensor, masks: &Masks) -> Vec<f64> {
    let Action::Combine { rule, .. } = tensor.action else {
        panic!("{} is not combined", tensor.name)
    };
    let rule = &merge.plan().rules[rule];
    let (models, base) = inputs(merge, &tensor.name);
    let mut parts: Vec<Vec<f64>> = Vec::new();
    for (index, (model, mask)) in models.iter().zip(masks).enumerate() {
        let all: Vec<f64> = model.iter().zip(&base).map(|(w, b)| w - b).collect();
        let mut kept: Vec<f64> =
            all.iter().zip(mask).map(|(d, stays)| if *stays { *d } else { 0.0 }).collect();
        let sum = |values: &[f64]| values.iter().map(|value| value.abs()).sum::<f64>();
        let is_scaled = rule.values.is_on("rescale") && sum(&all) >= 1e-7 && sum(&kept) >= 1e-7;
        let scale = if is_scaled { sum(&all) / sum(&kept) } else { 1.0 };
        kept.iter_mut().for_each(|d| *d *= scale * rule.values.coefficients[index]);
        parts.push(kept);
    }
    let weights = &rule.values.coefficients;
    let one = |j: usize| {
        let own: Vec<f64> = parts.iter().map(|part| part[j]).collect();
        let sign = if own.iter().sum::<f64>() >= 0.0 { 1.0 } else { -1.0 };
        let counts = |value: f64| rule.method == "dare_linear" || value * sign > 0.0;
        let counted = || own.iter().zip(weights).filter(|(value, _)| counts(**value));
        let merged: f64 = counted().map(|(value, _)| value).sum();
        let divisor: f64 = counted().map(|(_, weight)| weight).sum();
        let is_divided = rule.values.is_on("normalize") && divisor.abs() >= 1e-8;
        base[j] + rule.values.get("lambda") * merged / if is_divided { divisor } else { 1.0 }
    };
    (0..base.len()).map(one).collect()
}

fn compare(name: &str, tensor: &PlannedTensor, found: &[f64], due: &[f64], sizes: &[f64]) {
    for (j, ((found, due), size)) in found.iter().zip(due).zip(sizes).enumerate() {
        let units = (found - due).abs() / (epsilon(Dtype::F32) * size.max(1e-30));
        assert!(units <= UNITS, "{name}: {} at {j}: {found:e}, not {due:e}", tensor.name);
    }
}

/// What mergekit kept.
fn their_masks(name: &str, tensor: &PlannedTensor, n_models: usize) -> Masks {
    let masks = open(&folder().join(format!("expected/{name}.masks.safetensors")));
    let one = |model: usize| {
        let key = format!("{}/{}", ["a", "b", "c"][model], tensor.name);
        let n = tensor.shape.iter().product::<u64>() as usize;
        match masks.header.get(&key) {
            Some(info) => {
                block_on(masks.read(info)).unwrap().iter().map(|kept| *kept != 0).collect()
            }
            // A density of 1 throws nothing.
            None => vec![true; n],
        }
    };
    (0..n_models).map(one).collect()
}

/// What is kept here: seen in merges of one model at a time, as it is.
fn our_masks(recipe: &Recipe) -> Vec<BTreeMap<String, Vec<bool>>> {
    let one = |model: usize| {
        let mut alone = recipe.clone();
        alone.method = "dare_linear".into();
        let mut scopes = vec![Scope::of_all("rescale", 0.0), Scope::of_all("lambda", 1.0)];
        for other in 0..recipe.models.len() {
            let weight = f64::from(u8::from(other == model));
            scopes.push(Scope { model: Some(other), ..Scope::of_all("weight", weight) });
        }
        scopes.push(Scope::of_all("normalize", 0.0));
        scopes.extend(alone.scopes);
        alone.scopes = scopes;
        let merge = begin(&alone).unwrap();
        let merged = run(&merge).unwrap();
        let mask = |tensor: &PlannedTensor| {
            let (_, base) = inputs(&merge, &tensor.name);
            let (_, own) = values(&merged, &tensor.name).unwrap();
            let kept = own.iter().zip(&base).map(|(own, base)| own != base).collect();
            (tensor.name.clone(), kept)
        };
        merge.plan().tensors.iter().map(mask).collect()
    };
    (0..recipe.models.len()).map(one).collect()
}

#[test]
fn dare_is_the_formula() {
    for name in RECIPES {
        let recipe = recipe(name);
        let merge = begin(&recipe).unwrap();
        let merged = run(&merge).unwrap();
        let expected = open(&folder().join(format!("expected/{name}.safetensors")));
        let ours = our_masks(&recipe);
        for tensor in &merge.plan().tensors {
            let sizes = sizes(&merge, &tensor.name);
            let theirs = their_masks(name, tensor, recipe.models.len());
            let (_, due) = values(&expected, &tensor.name).unwrap();
            compare(name, tensor, &formula(&merge, tensor, &theirs), &due, &sizes);
            let ours: Masks = ours.iter().map(|masks| masks[&tensor.name].clone()).collect();
            let (_, found) = values(&merged, &tensor.name).unwrap();
            compare(name, tensor, &found, &formula(&merge, tensor, &ours), &sizes);
        }
    }
}

#[test]
fn a_seed_decides() {
    let merged = |seed: f64| {
        let mut recipe = recipe("dare-linear");
        recipe.scopes.insert(0, Scope::of_all("seed", seed));
        let file = run(&begin(&recipe).unwrap()).unwrap();
        values(&file, "model.embed_tokens.weight").unwrap().1
    };
    assert!(merged(1.0) == merged(1.0));
    assert!(merged(1.0) != merged(2.0));
}
