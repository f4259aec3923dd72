//! Copies of the built page, to spoil or to publish anew.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use gramerge_browser_tests::place;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The built page in a folder of its own.
pub(crate) struct Copy {
    dir: TempDir,
}

impl Copy {
    pub(crate) fn new() -> Self {
        Self::inside("")
    }

    /// In a folder of the folder that is served.
    pub(crate) fn inside(path: &str) -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        copy(&place("GRAMERGE_WEB"), &dir.path().join(path));
        Self { dir }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// Replaces text in one of its files, which must hold it once.
    pub(crate) fn change(&self, path: &str, from: &str, to: &str) {
        let file = self.file(path);
        let text = fs::read_to_string(&file).expect("a text of the page");
        assert_eq!(text.matches(from).count(), 1, "{path} does not have one `{from}`");
        fs::write(file, text.replace(from, to)).expect("a written file");
    }

    /// Makes one of its files differ from the list by a byte at the end.
    pub(crate) fn spoil(&self, path: &str) {
        let file = self.file(path);
        let mut bytes = fs::read(&file).expect("a file of the page");
        bytes.push(b'\n');
        fs::write(file, bytes).expect("a written file");
    }

    /// Makes a new build of it, in which this file is as it is now.
    pub(crate) fn publish(&self, path: &str, build: &str) {
        let digest = BASE64.encode(&Sha256::digest(fs::read(self.file(path)).expect("a file")));
        let list = fs::read_to_string(self.file("build.js")).expect("the list of files");
        let lines = list.lines().map(|line| match line.trim_start() {
            start if start.starts_with("export const BUILD") => {
                format!("export const BUILD = \"{build}\";")
            }
            start if start.starts_with(&format!("\"{path}\"")) => {
                format!("  \"{path}\": \"sha256-{digest}\",")
            }
            _ => line.to_string(),
        });
        let list = lines.collect::<Vec<_>>().join("\n");
        fs::write(self.file("build.js"), list).expect("a written list");
    }

    fn file(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the built page") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
