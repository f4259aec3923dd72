//! A folder with two small models, and the command line run in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gramerge::format::Layout;
use gramerge::tensor::dtype::{Dtype, encode};
use tempfile::TempDir;

/// A folder with two small models and their Gram files: `fc.weight` is [3, 4].
pub(crate) struct Folder {
    pub(crate) dir: TempDir,
}

pub(crate) const WEIGHT: &str = "fc.weight";

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self { dir: TempDir::new().unwrap() };
        for (model, shift) in [("a", 0.0), ("b", 0.5)] {
            let weight = (0..12).map(|i| f64::from(i) * 0.25 - 1.0 + shift).collect();
            let bias = vec![shift, 1.0, -1.0];
            folder.write(
                &format!("{model}.safetensors"),
                &[(WEIGHT, Dtype::F32, &[3, 4], weight), ("fc.bias", Dtype::F32, &[3], bias)],
                &[("format", "pt")],
            );
            folder.gram(&format!("{model}.gram.safetensors"), model, gram(4, 1.0 + shift));
        }
        folder
    }

    pub(crate) fn gram(&self, name: &str, source: &str, values: Vec<f64>) {
        let n = values.len().isqrt() as u64;
        let source = format!("{source}.safetensors");
        let metadata = [("gram_format", "1"), ("normalization", "mean"), ("source", &*source)];
        self.write(name, &[(WEIGHT, Dtype::F32, &[n, n], values)], &metadata);
    }

    pub(crate) fn write(
        &self,
        name: &str,
        tensors: &[(&str, Dtype, &[u64], Vec<f64>)],
        metadata: &[(&str, &str)],
    ) {
        let metadata: BTreeMap<String, String> =
            metadata.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let described =
            tensors.iter().map(|(name, dtype, shape, _)| ((*name).into(), *dtype, shape.to_vec()));
        let layout = Layout::new(described, &metadata).unwrap();
        let mut bytes = layout.header_bytes().to_vec();
        bytes.resize(layout.total_bytes() as usize, 0);
        for (name, dtype, _, values) in tensors {
            let start = layout.offset_bytes(name).unwrap() as usize;
            let len = values.len() * dtype.size_bytes();
            encode(*dtype, values.iter().copied(), &mut bytes[start..start + len]);
        }
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// A model that has its size and hardly any bytes on the disk.
    pub(crate) fn sparse(&self, name: &str, len_bytes: u64) {
        let tensor = ("big".to_owned(), Dtype::F32, vec![len_bytes / 8]);
        let layout = Layout::new(
            [tensor, ("more".to_owned(), Dtype::F32, vec![len_bytes / 8])],
            &BTreeMap::new(),
        );
        let layout = layout.unwrap();
        std::fs::write(self.path(name), layout.header_bytes()).unwrap();
        let file = std::fs::File::options().append(true).open(self.path(name)).unwrap();
        file.set_len(layout.total_bytes()).unwrap();
    }

    /// Names of everything in a folder of this one, sorted.
    pub(crate) fn names_in(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    pub(crate) fn all_names(&self) -> Vec<String> {
        self.names_in("")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gramerge"));
        command.current_dir(self.dir.path()).args(words);
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    pub(crate) fn merge_words<'a>(&self, extra: &[&'a str]) -> Vec<&'a str> {
        let mut words = vec!["merge", "a.safetensors", "b.safetensors", "-o", "out.safetensors"];
        words.extend(["--gram", "a.gram.safetensors", "b.gram.safetensors"]);
        words.extend(extra);
        words
    }

    pub(crate) fn merge(&self, extra: &[&str]) -> Output {
        self.run(&self.merge_words(extra))
    }

    /// The command is refused with this code and these words, and leaves nothing behind.
    pub(crate) fn refuses(&self, output: &Output, code: i32, words: &[&str]) {
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{error}");
        for word in words {
            assert!(error.contains(word), "no `{word}` in: {error}");
        }
        assert_eq!(error.lines().count(), 1, "one sentence, not: {error}");
        assert!(!error.contains("panicked"), "{error}");
        assert!(self.leftovers().is_empty(), "left behind: {:?}", self.leftovers());
    }

    pub(crate) fn leftovers(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.dir.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains("out.safetensors")).collect()
    }
}

/// A symmetric positive definite matrix.
pub(crate) fn gram(n: usize, diagonal: f64) -> Vec<f64> {
    (0..n * n).map(|i| if i % (n + 1) == 0 { diagonal } else { 0.25 }).collect()
}

pub(crate) fn text(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}
