//! Fingerprints: what PyTorch makes by the README's Python, and swapped Gram files in every
//! permutation.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gramerge::Result;
use gramerge::checkpoint::{Library, Model, Models};
use gramerge::format::{Fingerprint, TensorFile};
use gramerge::io::Source;
use gramerge::plan::Plan;
use gramerge::recipe::Options;
use gramerge::tensor::dtype::Dtype;
use pollster::block_on;

use super::heap::{file, plan};
use crate::common::Memory;

fn fixture(name: &str) -> Memory {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fingerprint");
    Memory::new(name, std::fs::read(folder.join(name)).unwrap())
}

/// A model of the fixture: its shards or its only file, and its Gram file.
fn pytorch(name: &str, files: &[&str]) -> Model<Memory> {
    let open = |name: &str| block_on(TensorFile::open(fixture(name))).unwrap();
    let gram = open(&format!("{name}.gram.safetensors"));
    Model::new(name, files.iter().map(|file| open(file)).collect(), Some(gram)).unwrap()
}

fn fixtures() -> [Model<Memory>; 4] {
    let shards = ["b-00001-of-00002.safetensors", "b-00002-of-00002.safetensors"];
    [
        pytorch("a", &["a.safetensors"]),
        pytorch("a-bf16", &["a-bf16.safetensors"]),
        pytorch("b", &shards),
        pytorch("c", &["c.safetensors"]),
    ]
}

/// The bf16 model is the same as the F32 one; all others differ.
#[test]
fn fingerprints_are_those_of_pytorch() {
    let models = fixtures();
    for gram in &models {
        for model in &models {
            assert_eq!(model.fits(gram.gram().unwrap()), None, "nothing has been read");
        }
    }
    for (i, gram) in models.iter().enumerate() {
        for (j, model) in models.iter().enumerate() {
            let gram = gram.gram().unwrap();
            block_on(model.sample(gram));
            let expected = i == j || (i < 2 && j < 2);
            assert_eq!(model.fits(gram), Some(expected), "Gram file {i}, model {j}");
        }
    }
}

/// The fixture has what could be got wrong: middles of bf16 numbers, weights of fewer elements than
/// count, weights that the checkpoint has under another name, an alias.
#[test]
fn the_fixture_has_the_hard_cases() {
    let models = fixtures();
    let (a, c) = (&models[0], &models[3]);
    let gram = a.gram().unwrap();
    for (there, gone) in [("again.weight", "twice.weight"), ("embed.weight", "head.weight")] {
        assert!(a.get(there).is_some() && a.get(gone).is_none());
        assert!(gram.entries.contains_key(gone));
    }
    assert_eq!(a.get("small.weight").unwrap().1.n_elements(), 60);
    let (file, weight) = a.get("q.weight").unwrap();
    let bits = block_on(file.read_head(weight)).unwrap();
    let low = bits.as_chunks().0.iter().map(|bits| u32::from_le_bytes(*bits) as u16);
    assert!(low.filter(|low| *low == 0x8000).count() > 20, "middles of bf16 numbers");
    assert_eq!(c.gram().unwrap().aliases["k.weight"], "q.weight");
    let dtypes = ["again.weight", "narrow.weight", "q.weight", "small.weight", "wide.weight"];
    let dtypes: Vec<Dtype> = dtypes.iter().map(|name| c.get(name).unwrap().1.dtype).collect();
    for dtype in [Dtype::F16, Dtype::F32, Dtype::F64] {
        assert!(dtypes.contains(&dtype), "{dtype:?} of {dtypes:?}");
    }
}

const SHAPE: [u64; 2] = [100, 3];
const NAMES: [&str; 2] = ["model.x.weight", "y.weight"];

pub(crate) fn weights(path: &str, seed: usize) -> Memory {
    let [x, y] = NAMES.map(|name| (name, Dtype::F32, &SHAPE[..], seed as f64));
    file(path, &[x, y], &[])
}

/// A Gram file of the model of that seed, which spells the names otherwise.
pub(crate) fn gram(path: &str, seed: usize) -> Memory {
    let model = block_on(TensorFile::open(weights("", seed))).unwrap();
    let mut fingerprint = Fingerprint::default();
    for name in NAMES {
        let tensor = model.header.get(name).unwrap();
        let head = block_on(model.read_range(tensor, 0..256 * 4)).unwrap();
        fingerprint.add(tensor.dtype, &head).unwrap();
    }
    let tensor = |name| (name, Dtype::F32, &[3, 3][..], seed as f64);
    let metadata = [("gram_format", "1"), ("fingerprint", &*fingerprint.finish())];
    file(path, &[tensor("x"), tensor("module.y.weight")], &metadata)
}

/// Every order of the first n numbers.
pub(crate) fn permutations(n: usize) -> Vec<Vec<usize>> {
    let Some(last) = n.checked_sub(1) else { return vec![Vec::new()] };
    let insert = |order: &Vec<usize>, at: usize| [&order[..at], &[last], &order[at..]].concat();
    let shorter = permutations(last);
    shorter.iter().flat_map(|order| (0..n).map(move |at| insert(order, at))).collect()
}

fn planned(order: &[usize]) -> Result<Plan> {
    let pair = |(model, &of): (usize, &usize)| {
        let path = format!("of-{}.safetensors", "xyz".split_at(of).1.split_at(1).0);
        (weights(&format!("m{model}.safetensors"), model), gram(&path, of))
    };
    plan(&order.iter().enumerate().map(pair).collect::<Vec<_>>())
}

#[test]
fn swapped_gram_files_are_refused_in_every_permutation() {
    for n in [2, 3] {
        for order in permutations(n) {
            let Some(first) = (0..n).find(|&model| order[model] != model) else {
                assert_eq!(planned(&order).unwrap().warnings, Vec::<String>::new());
                continue;
            };
            let of = order[first];
            let name = ["x", "y", "z"];
            let advice = match order[of] == first {
                true => format!("swap it with `of-{}.safetensors`", name[order[of]]),
                false => format!("use it for `m{of}.safetensors`, and give `m{first}.safetensors`"),
            };
            let expected = format!(
                "`of-{}.safetensors`: its fingerprint says that it was made of `m{of}.safetensors`, \
                 not of `m{first}.safetensors`; {advice}",
                name[of]
            );
            let error = planned(&order).unwrap_err().to_string();
            assert!(error.starts_with(&expected), "{order:?}: {error}");
        }
    }
}

#[test]
fn a_fingerprint_of_no_model_is_a_warning() {
    let pairs = [0, 1].map(|i| (weights(&format!("m{i}.safetensors"), i), gram("g", 7)));
    let named = pairs.map(|(model, gram)| {
        let path = format!("of-{}", model.name);
        (model, Memory::new(path, gram.bytes))
    });
    let warnings = plan(&named).unwrap().warnings;
    let found = warnings.iter().filter(|w| w.contains("is not that of")).count();
    assert_eq!(found, 2, "{warnings:?}");
}

/// Models of the same weights have the same fingerprint: it cannot tell them apart.
#[test]
fn a_fingerprint_of_several_models_refuses_nothing() {
    for other in [0, 1] {
        let pairs = [0, 0, 1].map(|seed| (seed, gram(&format!("g{seed}.safetensors"), seed)));
        let mut pairs: Vec<_> = pairs
            .into_iter()
            .enumerate()
            .map(|(i, (seed, gram))| (weights(&format!("m{i}.safetensors"), seed), gram))
            .collect();
        pairs[2].1 = gram("last.safetensors", other);
        assert!(plan(&pairs).is_ok(), "the last one's is of {other}");
    }
}

/// A file that counts the bytes which are read of it.
#[derive(Debug, Clone)]
struct Counted(Memory, Arc<AtomicU64>);

impl Source for Counted {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn len_bytes(&self) -> u64 {
        self.0.len_bytes()
    }
    async fn read_into(&self, offset_bytes: u64, buffer: &mut [u8]) -> Result<()> {
        self.1.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.0.read_into(offset_bytes, buffer).await
    }
    async fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// So a change of a setting on the page costs nothing.
#[test]
fn what_was_sampled_is_not_read_again() {
    let count = Arc::default();
    let files = [weights("m0.safetensors", 0), weights("m1.safetensors", 1)];
    let files = files.into_iter().chain([gram("g0.safetensors", 0), gram("g1.safetensors", 1)]);
    let files: Vec<_> = files.map(|file| Counted(file, Arc::clone(&count))).collect();
    let library = block_on(Library::open(files));
    let selection = library.inventory().suggestion;
    let plan = || {
        let models: Models<Counted> = Models::new(library.models(&selection).unwrap()).unwrap();
        block_on(models.sample());
        Plan::make(&models, &Options::default()).unwrap();
        count.load(Ordering::Relaxed)
    };
    assert_eq!(plan(), plan());
}
