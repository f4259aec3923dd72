//! Files for the page: the golden merges, and larger ones that take a while.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gramerge::format::Layout;
use gramerge::tensor::dtype::{Dtype, encode};
use tempfile::TempDir;

/// A golden merge: three layers, biases, an embedding and an integer buffer.
pub(crate) const CASE: &str = "mlp-alpha-0.9";

/// A file of a golden merge.
pub(crate) fn golden(case: &str, name: &str) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/golden");
    data.join(case).join(name).canonicalize().expect("golden files are in the repository")
}

/// The models and Gram files of a golden merge of two.
pub(crate) fn golden_inputs(case: &str) -> Vec<PathBuf> {
    ["a.safetensors", "b.safetensors", "a.gram.safetensors", "b.gram.safetensors"]
        .map(|name| golden(case, name))
        .to_vec()
}

/// Borrowed, as the session takes them.
pub(crate) fn paths(files: &[PathBuf]) -> Vec<&Path> {
    files.iter().map(PathBuf::as_path).collect()
}

/// A folder of files that a test may spoil.
pub(crate) struct Folder {
    dir: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().expect("a temporary folder") }
    }

    /// Copies of a golden merge's files.
    pub(crate) fn of_golden(case: &str) -> Self {
        let folder = Self::new();
        for file in golden_inputs(case) {
            let name = file.file_name().expect("a file has a name");
            std::fs::copy(&file, folder.dir.path().join(name)).expect("a copy");
        }
        folder
    }

    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a written file");
    }

    /// Two models of `n_layers` square layers with their Gram files: seconds of work.
    pub(crate) fn slow(n: usize, n_layers: usize) -> Self {
        let folder = Self::new();
        for (model, shift) in [("a", 0.0), ("b", 0.01)] {
            let weight = |i: usize| ((i * 7919) % 1009) as f64 / 1009.0 + shift;
            folder.squares(&format!("{model}.safetensors"), n, n_layers, &[], weight);
            let gram = |i: usize| if i.is_multiple_of(n + 1) { 2.0 + shift } else { 1e-3 };
            let metadata = [("gram_format", "1")];
            folder.squares(&format!("{model}.gram.safetensors"), n, n_layers, &metadata, gram);
        }
        folder
    }

    /// The four files that [`Self::slow`] and [`Self::of_golden`] make.
    pub(crate) fn inputs(&self) -> Vec<PathBuf> {
        ["a.safetensors", "b.safetensors", "a.gram.safetensors", "b.gram.safetensors"]
            .map(|name| self.path(name))
            .to_vec()
    }

    /// Two fine-tunes `a` and `b` of `base`, without Gram files.
    pub(crate) fn family() -> Self {
        let folder = Self::new();
        for (model, step) in [("base", 0), ("a", 5), ("b", 3)] {
            let base = |i: usize| ((i * 7919) % 1009) as f64 / 1009.0;
            let moved = |i: usize| {
                if step > 0 && i.is_multiple_of(step) { 0.01 * (1 + i % 7) as f64 } else { 0.0 }
            };
            let weight = |i: usize| base(i) + moved(i);
            folder.squares(&format!("{model}.safetensors"), 8, 2, &[], weight);
        }
        folder
    }

    /// Gives a model of [`Self::family`] a classifier for so many classes, and a pooler.
    pub(crate) fn with_head(&self, model: &str, n_classes: u64, has_pooler: bool) {
        let mut shapes = vec![
            ("classifier.bias", vec![n_classes]),
            ("classifier.weight", vec![n_classes, 8]),
            ("layer.0.weight", vec![8, 8]),
            ("layer.1.weight", vec![8, 8]),
        ];
        shapes.extend(has_pooler.then(|| ("pooler.weight", vec![8, 8])));
        let tensors = shapes.into_iter().map(|(name, shape)| (name.into(), Dtype::F32, shape));
        let layout = Layout::new(tensors, &BTreeMap::new()).expect("a layout");
        let mut bytes = layout.header_bytes().to_vec();
        let n = (layout.total_bytes() as usize - bytes.len()) / 4;
        let mut data = vec![0; n * 4];
        encode(Dtype::F32, (0..n).map(|i| (i % 17) as f64 / 17.0), &mut data);
        bytes.extend_from_slice(&data);
        self.write(&format!("{model}.safetensors"), &bytes);
    }

    fn squares(
        &self,
        name: &str,
        n: usize,
        n_layers: usize,
        metadata: &[(&str, &str)],
        value: impl Fn(usize) -> f64,
    ) {
        let metadata: BTreeMap<String, String> =
            metadata.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let shape = vec![n as u64, n as u64];
        let tensors =
            (0..n_layers).map(|i| (format!("layer.{i}.weight"), Dtype::F32, shape.clone()));
        let layout = Layout::new(tensors, &metadata).expect("a layout");
        let mut one = vec![0; n * n * 4];
        encode(Dtype::F32, (0..n * n).map(value), &mut one);
        let mut bytes = layout.header_bytes().to_vec();
        (0..n_layers).for_each(|_| bytes.extend_from_slice(&one));
        self.write(name, &bytes);
    }
}
