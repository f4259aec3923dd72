//! The page, used as a person would use it: real files, real saves, real faults.

#![allow(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]

mod broken;
mod cancel;
mod card_faults;
mod choice;
mod chosen;
mod collector;
mod compare;
mod faults;
mod folders;
mod gpu;
mod inputs;
mod interrupted;
mod large;
mod lock;
mod merge;
mod offline;
mod pages;
mod pairing;
mod refusals;
mod resume;
mod sample;
mod saving;
mod settings;
mod storage;
mod unsaved;
mod walk;
mod workers;

use gramerge_browser_tests::Session;

fn opened() -> Session {
    let mut session = Session::start("GRAMERGE_WEB");
    session.open("");
    session
}

/// The page says that the network is closed.
const LOCKED: &str = "document.querySelector('#lock-badge')?.dataset.lock === 'locked'";

fn locked() -> Session {
    let mut session = opened();
    session.wait_for(LOCKED);
    session
}

/// Chooses a method, where it is one of those behind "More methods" too.
fn choose(page: &mut Session, method: &str) {
    let radio = page.by_selector(&format!("input[name=method][value={method}]"));
    page.call_on(&radio, "function () { for (let at = this; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true; }");
    page.click(&radio);
}

#[test]
fn opens_quietly_and_asks_for_files() {
    let mut page = opened();
    let title = page.evaluate("document.title");
    assert!(title.as_str().is_some_and(|title| title.contains("gramerge")), "{title}");
    let input = page.by_label("Choose models");
    assert_eq!(page.call_on(&input, "function () { return this.type; }"), "file");
    page.assert_quiet();
}
