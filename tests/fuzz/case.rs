//! One input of a target: files and arguments. A case that found something is kept as a file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An input, whole: nothing else decides what happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    /// The target that it is for.
    pub(crate) target: String,
    /// Fault that was found with it.
    #[serde(default)]
    pub(crate) found: String,
    /// Words of a command line, or settings.
    pub(crate) arguments: Vec<String>,
    pub(crate) files: Vec<File>,
}

/// A file by its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) name: String,
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    pub(crate) bytes: Vec<u8>,
}

/// Each byte as the character of its number, so that headers can be read.
fn to_text<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>())
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let byte = |c: char| u8::try_from(u32::from(c)).map_err(serde::de::Error::custom);
    text.chars().map(byte).collect()
}

impl Case {
    pub(crate) fn new(target: &str, arguments: Vec<String>, files: Vec<File>) -> Self {
        Self { target: target.into(), found: String::new(), arguments, files }
    }

    /// The file of that name.
    pub(crate) fn file(&self, name: &str) -> Option<&[u8]> {
        let file = self.files.iter().find(|file| file.name == name)?;
        Some(&file.bytes)
    }

    /// Writes it beside the others and returns where.
    pub(crate) fn save(&self) -> PathBuf {
        let json = serde_json::to_string_pretty(self).unwrap();
        let hash = json.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        let path = folder().join(format!("{}-{:08x}.json", self.target, hash >> 32));
        std::fs::write(&path, json + "\n").unwrap();
        path
    }

    /// All cases that were ever saved, by file name.
    pub(crate) fn saved() -> Vec<(String, Self)> {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        paths.into_iter().map(|path| (shown(&path), read(&path))).collect()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/cases")
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(path: &Path) -> Case {
    let text = std::fs::read(path).unwrap();
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_byte_survives_being_written() {
    let bytes: Vec<u8> = (0..=255).collect();
    let case = Case::new("headers", vec!["x".into()], vec![File { name: "f".into(), bytes }]);
    let json = serde_json::to_string(&case).unwrap();
    assert_eq!(serde_json::from_str::<Case>(&json).unwrap(), case);
}
