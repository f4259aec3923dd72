//! How models are related, told from samples of their values, for families made to be so.

use gramerge::checkpoint::inventory::SelectedModel;
use gramerge::checkpoint::{Library, Models, Selection};
use gramerge::plan::Plan;
use gramerge::recipe::{Keep, Options};
use gramerge::tensor::dtype::{Dtype, encode};
use pollster::block_on;

use crate::common::{Memory, layout};

const LAYERS: usize = 11;

/// Evenly spread number from −1 to 1 that place, tensor and seed decide.
fn random(seed: u64, tensor: usize, place: usize) -> f64 {
    let mut x = seed << 48 ^ (tensor as u64) << 32 ^ place as u64;
    for _ in 0..3 {
        x = (x ^ x >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (x >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// A model of eleven layers: a matrix and a norm near 1 in each.
fn model(path: &str, dtype: Dtype, value: impl Fn(usize, usize) -> f64) -> Memory {
    let names: Vec<String> = (0..LAYERS).map(|i| format!("layer.{i}.weight")).collect();
    let norms: Vec<String> = (0..LAYERS).map(|i| format!("layer.{i}.norm")).collect();
    let matrices = names.iter().map(|name| (name.as_str(), dtype, &[48, 48][..]));
    let norms = norms.iter().map(|name| (name.as_str(), dtype, &[48][..]));
    let tensors: Vec<_> = matrices.chain(norms).collect();
    let layout = layout(&tensors, &[]);
    let mut bytes = layout.header_bytes().to_vec();
    bytes.resize(layout.total_bytes() as usize, 0);
    for (tensor, (name, _, shape)) in tensors.iter().enumerate() {
        let n = shape.iter().product::<u64>() as usize;
        let start = layout.offset_bytes(name).unwrap() as usize;
        let is_norm = shape.len() == 1;
        let values = (0..n).map(|place| f64::from(u8::from(is_norm)) + value(tensor, place));
        encode(dtype, values, &mut bytes[start..start + n * dtype.size_bytes()]);
    }
    Memory::new(path, bytes)
}

fn base(tensor: usize, place: usize) -> f64 {
    if tensor < LAYERS { random(1, tensor, place) } else { 0.0 }
}

/// `base` moved by so much in a direction of its own.
fn tuned(seed: u64, by: f64, dtype: Dtype) -> Memory {
    let value = |tensor, place| base(tensor, place) + by * random(seed, tensor, place);
    model(&format!("{seed}.safetensors"), dtype, value)
}

fn stranger(seed: u64) -> Memory {
    let value = |tensor, place| if tensor < LAYERS { random(seed, tensor, place) } else { 0.0 };
    model(&format!("{seed}.safetensors"), Dtype::F32, value)
}

fn planned(files: &[Memory], options: &Options, is_sampled: bool) -> gramerge::Result<Plan> {
    let library = block_on(Library::open(files.to_vec()));
    let model = |(index, file): (usize, &Memory)| SelectedModel {
        name: file.name.trim_end_matches(".safetensors").into(),
        files: vec![index],
        ..SelectedModel::default()
    };
    let models = files.iter().enumerate().map(model).collect();
    let models = library.models(&Selection { models, ..Selection::default() })?;
    let models = Models::new(models)?;
    if is_sampled {
        block_on(models.sample());
    }
    Plan::make(&models, options)
}

fn average() -> Options {
    Options { dtype: Some(Dtype::F32), ..Options::of("average") }
}

fn plan(files: &[Memory]) -> Plan {
    planned(files, &average(), true).unwrap()
}

/// Wherever it is among them, and however far they moved.
#[test]
fn the_base_is_found_among_its_fine_tunes() {
    for n in [2, 3, 5] {
        for by in [1e-3, 0.05, 0.5] {
            for place in 0..=n {
                let mut files: Vec<_> = (0..n).map(|i| tuned(i + 2, by, Dtype::F32)).collect();
                files.insert(place as usize, model("base.safetensors", Dtype::F32, base));
                let plan = plan(&files);
                let lineage = plan.lineage.unwrap();
                assert_eq!(lineage.base, Some(place as usize), "{n} by {by}");
                assert!(plan.warnings[0].starts_with("`base` lies between the others"));
                for kin in lineage.pairs {
                    let due = if kin.models.contains(&(place as usize)) {
                        by
                    } else {
                        by * 2.0_f64.sqrt()
                    };
                    // Relative to what the fine-tunes have become.
                    assert!((0.75..1.1).contains(&(kin.distance / due)), "{} {due}", kin.distance);
                    assert!(kin.cosine.unwrap() > 0.75, "{kin:?}");
                }
            }
        }
    }
}

#[test]
fn fine_tunes_alone_and_their_mean_are_no_base() {
    for by in [1e-3, 0.05, 0.5] {
        let two = [tuned(2, by, Dtype::F32), tuned(3, by, Dtype::BF16)];
        let three = [two[0].clone(), two[1].clone(), tuned(4, by, Dtype::F32)];
        let value = |tensor, place| {
            let moved = random(2, tensor, place) + random(3, tensor, place);
            base(tensor, place) + by / 2.0 * moved
        };
        let mean = [two[0].clone(), two[1].clone(), model("mean.safetensors", Dtype::F32, value)];
        for files in [&two[..], &three, &mean] {
            let plan = plan(files);
            assert_eq!(plan.lineage.unwrap().base, None, "{by}");
            assert_eq!(plan.warnings, Vec::<String>::new());
        }
    }
}

/// Norms are near 1 in any network, and say nothing.
#[test]
fn strangers_of_one_shape_are_warned_of() {
    let related = [tuned(2, 0.5, Dtype::F32), tuned(3, 0.5, Dtype::F32)];
    assert_eq!(plan(&related).warnings, Vec::<String>::new());
    for seed in 5..25 {
        let [a, b] = related.clone();
        for files in [vec![a.clone(), stranger(seed)], vec![a, b, stranger(seed)]] {
            let plan = plan(&files);
            let last = files.len() - 1;
            let strangest = plan.lineage.unwrap().pairs.last().unwrap().clone();
            assert_eq!(strangest.models[1], last);
            assert!(strangest.cosine.unwrap().abs() < 0.05, "{strangest:?}");
            assert!((1.2..1.6).contains(&strangest.distance), "{strangest:?}");
            assert_eq!(plan.warnings.len(), 1);
            let warning = &plan.warnings[0];
            assert!(
                warning.contains(&format!("and `{seed}` do not share an ancestor")),
                "{warning}"
            );
        }
    }
}

#[test]
fn copies_are_told_and_so_are_layers_that_did_not_move() {
    let [a, copy] = ["a.safetensors", "copy.safetensors"].map(|p| model(p, Dtype::F32, base));
    let lineage = plan(&[a.clone(), copy]).lineage.unwrap();
    assert_eq!((lineage.pairs[0].distance, lineage.pairs[0].cosine.map(f32_of)), (0.0, Some(1.0)));
    assert_eq!(
        lineage.sentence().unwrap(),
        "The models are the same, as far as they were sampled."
    );

    let by_layer =
        |tensor: usize| if tensor == 3 { 0.0 } else { 0.01 * (1 + tensor % LAYERS) as f64 };
    let value = |tensor, place| base(tensor, place) + by_layer(tensor) * random(9, tensor, place);
    let value = |tensor, place| {
        if tensor % LAYERS == 3 { base(tensor, place) } else { value(tensor, place) }
    };
    let lineage = plan(&[a, model("b.safetensors", Dtype::F32, value)]).lineage.unwrap();
    let names: Vec<&str> = lineage.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, (0..LAYERS).map(|i| format!("layer.{i}")).collect::<Vec<_>>());
    for (index, layer) in lineage.layers.iter().enumerate() {
        assert_eq!(layer.distance == 0.0, index == 3, "{layer:?}");
    }
    let sentence = lineage.sentence().unwrap();
    assert!(
        sentence.contains("most in `layer.10` (")
            && sentence.contains("; `layer.3` is the same in all."),
        "{sentence}"
    );
}

fn f32_of(value: f64) -> f32 {
    value as f32
}

#[test]
fn what_was_not_sampled_or_is_too_little_is_not_judged() {
    let files = [tuned(2, 0.1, Dtype::F32), stranger(7)];
    let plan = planned(&files, &average(), false).unwrap();
    assert_eq!((plan.lineage, plan.warnings), (None, Vec::new()));

    let small = |path, seed| super::heap::file(path, &[("w", Dtype::F32, &[31, 33], seed)], &[]);
    let plan = self::plan(&[small("a.safetensors", 0.0), small("b.safetensors", 1.6)]);
    assert_eq!(plan.lineage.unwrap().pairs[0].cosine, None, "1023 values");
    assert_eq!(plan.warnings, Vec::<String>::new());

    let broken = model("nan.safetensors", Dtype::F32, |_, _| f64::NAN);
    assert_eq!(self::plan(&[files[0].clone(), broken]).lineage, None);
}

fn named(path: &str, names: impl IntoIterator<Item = String>) -> Memory {
    let names: Vec<String> = names.into_iter().collect();
    super::heap::weights(path, &names.iter().map(String::as_str).collect::<Vec<_>>(), 0.0)
}

fn numbers(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{prefix}{i}")).collect()
}

#[test]
fn mostly_disjoint_models_are_refused_in_one_sentence() {
    for (n_shared, n_own) in [(0, 1), (0, 200), (2, 200), (99, 50), (99, 51), (100, 50)] {
        let own = |name: &str| [numbers("shared.", n_shared), numbers(name, n_own)].concat();
        let files = [named("a.safetensors", own("left.")), named("b.safetensors", own("right."))];
        let n_all = n_shared + 2 * n_own;
        // A few refusals are told one by one, for each can be decided on.
        let is_told_at_once = 2 * n_own > 8 && 2 * n_shared < n_all;
        match planned(&files, &average(), true) {
            Ok(plan) => {
                assert!(!is_told_at_once, "{n_shared} of {n_all} were not refused");
                assert_eq!(plan.counts().refuse, 2 * n_own);
            }
            Err(error) => {
                assert!(is_told_at_once, "{n_shared} of {n_all} were refused: {error}");
                let sentence = format!(
                    "`a` and `b` share {n_shared} of {n_all} tensors: they are not copies of one \
                     network; give checkpoints that were fine-tuned from the same model"
                );
                assert_eq!(error.to_string(), sentence);
            }
        }
    }
}

#[test]
fn the_one_that_does_not_belong_is_named() {
    let good = || numbers("x.", 9);
    for place in 0..3 {
        let names = |i| if i == place { numbers("y.", 9) } else { good() };
        let files: Vec<_> = (0..3).map(|i| named(&format!("m{i}.safetensors"), names(i))).collect();
        let error = planned(&files, &average(), true).unwrap_err().to_string();
        assert!(error.contains(&format!("`m{place}`")), "{error}");
    }
}

/// What is decided by name is not refused.
#[test]
fn exceptions_by_name_hold_for_disjoint_models_too() {
    let files =
        [named("a.safetensors", numbers("x.", 3)), named("b.safetensors", numbers("y.", 3))];
    let keep = [("x", 0), ("y", 1)].map(|(pattern, model)| Keep { pattern: pattern.into(), model });
    let plan = planned(&files, &Options { keep: keep.to_vec(), ..average() }, true).unwrap();
    assert_eq!((plan.counts().keep, plan.counts().refuse), (6, 0));
}

#[test]
fn a_prefix_in_front_of_all_names_is_named() {
    for place in 0..2 {
        let prefix = |i| if i == place { "bert.enc." } else { "enc." };
        let file = |i| named(&format!("m{i}.safetensors"), numbers(prefix(i), 5));
        let error = planned(&[file(0), file(1)], &average(), true).unwrap_err().to_string();
        let part = format!("share 0 of 10 tensors: the names in `m{place}` have `bert.` in front");
        assert!(error.contains(&part), "{error}");
    }
}
