//! `cargo xtask package`: the page as one zip that any static server can show, and its digests.
//!
//! The same source and toolchain make the same bytes in any folder: entries are in order and carry
//! no time of day.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use data_encoding::HEXLOWER;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::{Result, identity, page, process};

/// Digests of every file, as `sha256sum --check` reads them.
const SUMS: &str = "SHA256SUMS";
const ARCHIVE: &str = "gramerge-web.zip";

/// Builds the page and packs it into `target/gramerge-web.zip`.
pub(crate) fn run() -> Result<()> {
    page::build()?;
    let archive = process::target().join(ARCHIVE);
    pack(&page::folder(), &archive)?;
    println!("{}  {}", HEXLOWER.encode(&identity::digest(&archive)?), archive.display());
    Ok(())
}

fn pack(page: &Path, archive: &Path) -> Result<()> {
    let files: Vec<String> =
        identity::files(page)?.into_iter().filter(|path| is_shipped(path)).collect();
    let sums = sums(page, &files)?;
    fs::write(archive.with_extension("sha256"), &sums)
        .map_err(|e| format!("cannot write the digests: {e}"))?;
    write(page, &files, &sums, archive)
        .map_err(|e| format!("cannot write {}: {e}", archive.display()))
}

fn sums(page: &Path, files: &[String]) -> Result<String> {
    let mut sums = String::new();
    for path in files {
        let digest = HEXLOWER.encode(&identity::digest(&page.join(path))?);
        writeln!(sums, "{digest}  {path}").ok();
    }
    Ok(sums)
}

fn write(page: &Path, files: &[String], sums: &str, archive: &Path) -> zip::result::ZipResult<()> {
    let mut zip = ZipWriter::new(File::create(archive)?);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    zip.start_file(format!("gramerge/{SUMS}"), options)?;
    zip.write_all(sums.as_bytes())?;
    for path in files {
        zip.start_file(format!("gramerge/{path}"), options)?;
        zip.write_all(&fs::read(page.join(path))?)?;
    }
    zip.finish()?;
    Ok(())
}

/// What the page needs, and the sample's licence; nothing for editors.
fn is_shipped(path: &str) -> bool {
    !path.ends_with(".d.ts") && !path.ends_with("jsconfig.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_make_the_same_bytes_in_any_folder() {
        let root = std::env::temp_dir().join(format!("gramerge-package-{}", std::process::id()));
        let made = |folder: &str, names: [&str; 3], text: &str| {
            let page = root.join(folder).join("page");
            fs::create_dir_all(page.join("worker")).unwrap();
            names.iter().for_each(|name| fs::write(page.join(name), text).unwrap());
            let archive = root.join(folder).join(ARCHIVE);
            pack(&page, &archive).unwrap();
            fs::read(archive).unwrap()
        };
        let one = made("one", ["index.html", "worker/a.js", "jsconfig.json"], "x");
        let two = made("two/deeper", ["worker/a.js", "index.html", "types.d.ts"], "x");
        let other = made("other", ["index.html", "worker/a.js", "jsconfig.json"], "y");
        fs::remove_dir_all(&root).unwrap();
        assert!(one == two, "the folder or the order of writing shows in the archive");
        assert!(one != other, "the contents do not show in the archive");
    }
}
