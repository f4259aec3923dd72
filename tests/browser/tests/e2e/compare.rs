//! The page's answer against the command line's.

use std::path::{Path, PathBuf};
use std::process::Command;

use gramerge::format::{TensorFile, TensorInfo};
use gramerge::io::native::FileSource;
use gramerge::tensor::dtype::decode;
use gramerge_browser_tests::place;
use pollster::block_on;

/// Solved tensors of two kernel builds agree within this (Frobenius).
const CONTRACT: f64 = 1e-6;

/// Merges the same inputs with the command line.
pub(crate) fn merge_natively(inputs: &[PathBuf], output: &Path, extra: &[&str]) {
    let [a, b, gram_a, gram_b] = inputs else { panic!("two models and two Gram files") };
    let status = Command::new(place("GRAMERGE_CLI"))
        .arg("merge")
        .args([a, b])
        .arg("--gram")
        .args([gram_a, gram_b])
        .arg("-o")
        .arg(output)
        .args(extra)
        .status()
        .expect("the command line starts");
    assert!(status.success());
}

/// Averaged and copied tensors to the byte, solved ones within the contract. `regressed` names the
/// solved ones.
///
/// # Errors
/// The first difference, in words.
pub(crate) fn same(ours: &Path, theirs: &Path, regressed: &[&str]) -> Result<(), String> {
    let (ours, theirs) = (open(ours), open(theirs));
    let names = |file: &TensorFile<FileSource>| -> Vec<TensorInfo> { file.header.tensors.clone() };
    if names(&ours) != names(&theirs) {
        return Err("the headers differ".into());
    }
    for info in &ours.header.tensors {
        let (a, b) = (read(&ours, info), read(&theirs, info));
        if regressed.contains(&info.name.as_str()) {
            close(info, &a, &b)?;
        } else if a != b {
            return Err(format!("`{}` is not the same to the byte", info.name));
        }
    }
    Ok(())
}

fn close(info: &TensorInfo, a: &[u8], b: &[u8]) -> Result<(), String> {
    let (a, b) = (decode(info.dtype, a), decode(info.dtype, b));
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let apart = norm(&mut a.iter().zip(&b).map(|(a, b)| a - b)) / norm(&mut a.iter().copied());
    if apart <= CONTRACT { Ok(()) } else { Err(format!("`{}` is {apart:.1e} apart", info.name)) }
}

fn open(path: &Path) -> TensorFile<FileSource> {
    let source = FileSource::open(path).expect("a merged file");
    block_on(TensorFile::open(source)).expect("a whole safetensors file")
}

fn read(file: &TensorFile<FileSource>, info: &TensorInfo) -> Vec<u8> {
    block_on(file.read(info)).expect("a readable tensor")
}

/// In hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
