//! Every spelling of a name beside every set of weights: the closest comes first, what is unclear is
//! refused, and nothing regresses a weight of another name.

use super::heap::{gram_of, grams, plan, weights};

const WEIGHTS: [&str; 4] =
    ["fc.weight", "model.fc.weight", "module.fc.weight", "model.module.fc.weight"];
const KEYS: [&str; 7] = [
    "fc.weight",
    "model.fc.weight",
    "module.fc.weight",
    "fc",
    "model.fc",
    "module.fc",
    "module.model.fc.weight",
];

fn subsets() -> impl Iterator<Item = Vec<&'static str>> {
    let chosen = |set: u32| WEIGHTS.into_iter().enumerate().filter(move |(i, _)| set >> i & 1 == 1);
    (1..1_u32 << WEIGHTS.len()).map(move |set| chosen(set).map(|(_, name)| name).collect())
}

/// Two models with the same weights and Gram matrices of these names.
fn planned(names: &[&str], keys: &[&str]) -> gramerge::Result<gramerge::plan::Plan> {
    let model = |name: &str, seed| {
        let gram = grams(&format!("{name}.gram.safetensors"), keys, &[]);
        (weights(&format!("{name}.safetensors"), names, seed), gram)
    };
    plan(&[model("a", 0.0), model("b", 1.0)])
}

/// The weights that are as close to a key as can be.
fn closest<'a>(key: &str, names: &[&'a str]) -> Vec<&'a str> {
    let exact: Vec<&str> = names.iter().copied().filter(|name| *name == key).collect();
    let module = names.iter().copied().filter(|name| *name == format!("{key}.weight"));
    match (exact, module.collect::<Vec<_>>()) {
        (exact, _) if !exact.is_empty() => exact,
        (_, module) if !module.is_empty() => module,
        _ => names.to_vec(),
    }
}

#[test]
fn one_gram_matrix_goes_to_the_closest_name() {
    for names in subsets() {
        for key in KEYS {
            let plan = planned(&names, &[key]).unwrap();
            let closest = closest(key, &names);
            for name in &names {
                let found = gram_of(&plan, name);
                let about = format!("{key} for {name} of {names:?}: {found:?}");
                match (closest.contains(name), closest.len()) {
                    (true, 1) => assert_eq!(found, Ok(key.to_owned()), "{about}"),
                    (true, _) => assert!(found.unwrap_err().contains("name it in full"), "{about}"),
                    (false, _) => assert_eq!(found, Err("no Gram matrix".into()), "{about}"),
                }
            }
        }
    }
}

#[test]
fn a_gram_file_with_all_names_gives_each_its_own() {
    for names in subsets() {
        let plan = planned(&names, &WEIGHTS).unwrap();
        for name in &names {
            assert_eq!(gram_of(&plan, name), Ok((*name).to_owned()), "{names:?}");
        }
        let unmatched = 2 * (WEIGHTS.len() - names.len());
        assert_eq!(plan.unmatched_grams.len(), unmatched, "{names:?}");
    }
}

#[test]
fn two_gram_matrices_for_one_other_name_are_refused() {
    let plan = planned(&["module.fc.weight"], &["fc", "model.fc.weight"]).unwrap();
    let why = gram_of(&plan, "module.fc.weight").unwrap_err();
    assert!(why.contains("`fc` and `model.fc.weight` could both be its own"), "{why}");
}

#[test]
fn aliases_follow_the_same_rules() {
    let aliases = [("aliases", r#"{"k.weight":"q.weight","model.k.weight":"v.weight"}"#)];
    let names = ["q.weight", "v.weight", "k.weight", "model.k.weight", "module.q.weight"];
    let model = |name: &str, seed| {
        let gram = grams(&format!("{name}.gram.safetensors"), &["q.weight", "v.weight"], &aliases);
        (weights(&format!("{name}.safetensors"), &names, seed), gram)
    };
    let plan = plan(&[model("a", 0.0), model("b", 1.0)]).unwrap();
    assert_eq!(gram_of(&plan, "k.weight").unwrap(), "q.weight");
    assert_eq!(gram_of(&plan, "model.k.weight").unwrap(), "v.weight");
    assert_eq!(gram_of(&plan, "module.q.weight").unwrap_err(), "no Gram matrix");
}
