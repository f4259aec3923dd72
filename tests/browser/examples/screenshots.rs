//! Pictures of the page at two widths, light and dark: `cargo xtask screenshots FOLDER`.

use std::path::PathBuf;

use gramerge_browser_tests::Session;

const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 900)];

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    if let Err(e) = std::fs::create_dir_all(&folder) {
        panic!("cannot make {}: {e}", folder.display());
    }
    let mut session = Session::start("GRAMERGE_WEB");
    for (width, height) in SIZES {
        for scheme in ["light", "dark"] {
            session.set_viewport(width, height);
            session.prefer("prefers-color-scheme", scheme);
            session.open("");
            session.wait_for("document.querySelector('#lock-badge').dataset.lock === 'locked'");
            take(&mut session, &folder.join(format!("{width}-{scheme}.png")));
            session.click_button("Try to leak a byte");
            session.wait_for("document.querySelector('#leak-results tr.open')");
            session.wait_for("!document.querySelector('#leak').disabled");
            take(&mut session, &folder.join(format!("{width}-{scheme}-leaks.png")));
        }
    }
}

fn take(session: &mut Session, path: &std::path::Path) {
    session.screenshot(path);
    println!("{}", path.display());
}
