//! The build's identity: `build.js`, the list of the page's files with their digests.
//!
//! The page loads its engine and workers by these digests, and the service worker keeps exactly
//! this list, so that parts of two builds never run together.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

use crate::Result;

/// Written by [`write()`], and so not on its own list.
const LIST: &str = "build.js";

/// Writes `build.js` into the finished page.
pub(crate) fn write(page: &Path) -> Result<()> {
    let (mut lines, mut whole) = (String::new(), Sha256::new());
    for path in files(page)?.iter().filter(|path| is_loaded(path)) {
        let digest = digest(&page.join(path))?;
        whole.update(format!("{}  {path}\n", HEXLOWER.encode(&digest)));
        writeln!(lines, "  {path:?}: \"sha256-{}\",", BASE64.encode(&digest)).ok();
    }
    let build = HEXLOWER.encode(&whole.finalize());
    let text = format!(
        "// The build's identity, written by `cargo xtask build`.\n\n\
         export const BUILD = \"{build}\";\n\n\
         /** @type {{Record<string, string>}} */\nexport const FILES = {{\n{lines}}};\n"
    );
    fs::write(page.join(LIST), text).map_err(|e| format!("cannot write {LIST}: {e}"))
}

/// Every file under a folder, by its path with `/`, in order.
pub(crate) fn files(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    walk(folder, "", &mut found).map_err(|e| format!("cannot read {}: {e}", folder.display()))?;
    found.sort_unstable();
    Ok(found)
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{path}/"), found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// SHA-256 of a file.
pub(crate) fn digest(path: &Path) -> Result<[u8; 32]> {
    let bytes = fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Ok(Sha256::digest(bytes).into())
}

/// Whether a browser ever asks for it: not for types, settings of editors, or notes.
pub(crate) fn is_loaded(path: &str) -> bool {
    let asides = [".d.ts", "jsconfig.json", ".md", ".py"];
    path != LIST && !asides.iter().any(|end| path.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_what_is_loaded_with_known_digests() {
        let page = tempfolder("identity");
        fs::create_dir_all(page.join("worker")).unwrap();
        for name in ["index.html", "worker/a.js", "worker/jsconfig.json", "protocol.d.ts"] {
            fs::write(page.join(name), "abc").unwrap();
        }
        write(&page).unwrap();
        let list = fs::read_to_string(page.join(LIST)).unwrap();
        // The digest of `abc` from FIPS 180-2.
        let abc = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
        assert!(list.contains(&format!("\"index.html\": \"{abc}\"")), "{list}");
        assert!(list.contains(&format!("\"worker/a.js\": \"{abc}\"")), "{list}");
        assert!(!list.contains("jsconfig") && !list.contains("protocol"), "{list}");
        fs::write(page.join("index.html"), "abd").unwrap();
        write(&page).unwrap();
        assert_ne!(
            list.lines().nth(2),
            fs::read_to_string(page.join(LIST)).unwrap().lines().nth(2)
        );
        fs::remove_dir_all(page).unwrap();
    }

    fn tempfolder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("gramerge-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }
}
