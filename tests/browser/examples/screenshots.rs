//! Pictures of the page at two widths, light and dark: `cargo xtask screenshots FOLDER`.

use std::path::{Path, PathBuf};

use gramerge_browser_tests::Session;
use tempfile::TempDir;

const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 900)];
const LOCKED: &str = "document.querySelector('#lock-badge').dataset.lock === 'locked'";

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    if let Err(e) = std::fs::create_dir_all(&folder) {
        panic!("cannot make {}: {e}", folder.display());
    }
    let strangers = TempDir::new().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
    let strangers = strangers_in(strangers.path());
    let mut session = Session::start("GRAMERGE_WEB");
    for (width, height) in SIZES {
        for scheme in ["light", "dark"] {
            let name = |state: &str| folder.join(format!("{width}-{scheme}{state}.png"));
            session.set_viewport(width, height);
            session.prefer("prefers-color-scheme", scheme);
            session.open("");
            session.wait_for(LOCKED);
            take(&mut session, &name(""));
            session.click_button("Try to leak a byte");
            session.wait_for("document.querySelector('#leak-results tr.open')");
            session.wait_for("!document.querySelector('#leak').disabled");
            take(&mut session, &name("-leaks"));
            session.open("?");
            session.click_button("Try the sample");
            session.click_button("Merge");
            session.wait_for("document.querySelector('#accuracy').checkVisibility()");
            take(&mut session, &name("-sample"));
            asked(&mut session, &strangers, &name);
            session.open("");
        }
    }
}

/// What the page asks: whether Gram files are paired rightly, and whether a result may go.
fn asked(session: &mut Session, files: &[PathBuf], name: &dyn Fn(&str) -> PathBuf) {
    session.open("?");
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    session.set_files("Choose models", &files);
    session.wait_for("document.querySelector('#by-place').checkVisibility()");
    session.by_role("table", "Plan");
    take(session, &name("-pairing"));
    let confirmed = session.by_label("These Gram files belong to these models");
    session.click(&confirmed);
    session.click_button("Merge");
    session.by_role("region", "Report");
    let alpha = session.by_selector("#alpha");
    let change = "function () { this.value = 0.5; this.dispatchEvent(new Event('input', { bubbles: true })); }";
    session.call_on(&alpha, change);
    take(session, &name("-outdated"));
    session.click_button("Start over");
    session.by_role("dialog", "The merged model is not saved");
    take(session, &name("-unsaved"));
}

/// The sample's models and Gram files by names that say nothing of each other.
fn strangers_in(folder: &Path) -> Vec<PathBuf> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/golden/mlp-alpha-0.9");
    let names = [
        ("a.safetensors", "news.safetensors"),
        ("b.safetensors", "letters.safetensors"),
        ("a.gram.safetensors", "p.gram.safetensors"),
        ("b.gram.safetensors", "q.gram.safetensors"),
    ];
    let copy = |(from, to): &(&str, &str)| {
        let to = folder.join(to);
        std::fs::copy(golden.join(from), &to).unwrap_or_else(|e| panic!("cannot copy {from}: {e}"));
        to
    };
    names.iter().map(copy).collect()
}

fn take(session: &mut Session, path: &Path) {
    session.screenshot(path);
    println!("{}", path.display());
}
