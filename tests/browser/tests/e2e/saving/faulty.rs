//! Streams that fail or hang wherever they can, and what the page makes of it.

use gramerge_browser_tests::Session;
use serde_json::json;

use super::PICKED;
use super::places::{Files, SAVED, saved};
use crate::pages::Copy;

/// So that a small file takes several writes.
const PIECES: (&str, &str) = ("const PIECE_BYTES = 4 << 20;", "const PIECE_BYTES = 512;");
const OPENED: (&str, &str) = (
    "    file.stream = await handle.createWritable();",
    "    file.stream = await faulty(() => handle.createWritable());",
);
/// A stream that fails or hangs where the name of a cache says so, such as `fault 1 Hanging`.
const FAULTY: &str = "
let nSteps = 0;
async function faulty(open) {
  const [, at, name] = (await caches.keys()).find((key) => key.startsWith('fault'))?.split(' ') ?? [];
  const step = async (what) => {
    if (at !== what) return;
    if (name === 'Hanging') await new Promise(() => {});
    throw new DOMException('', name);
  };
  nSteps = 0;
  await step('open');
  const stream = await open();
  return {
    write: (data) => step(String(nSteps++)).then(() => stream.write(data)),
    close: () => step('close').then(() => stream.close()),
    abort: () => stream.abort(),
  };
}
";

/// What can fail, and what the page says of it.
const FAULTS: [(&str, &str); 8] = [
    ("fault open NotAllowedError", "choose the place again and allow it"),
    ("fault 0 NotAllowedError", "choose the place again and allow it"),
    ("fault 0 QuotaExceededError", "free some disk space"),
    ("fault 1 QuotaExceededError", "free some disk space"),
    ("fault 2 QuotaExceededError", "free some disk space"),
    ("fault 2 InvalidStateError", "cannot be written"),
    ("fault close AbortError", "cannot be written"),
    ("fault close QuotaExceededError", "free some disk space"),
];

pub(super) fn faulty() -> Copy {
    let copy = Copy::new();
    copy.change(PICKED, PIECES.0, PIECES.1);
    copy.change(PICKED, OPENED.0, OPENED.1);
    copy.change(
        PICKED,
        "/** @typedef {FileSystemFileHandle |",
        &format!("{FAULTY}/** @typedef {{FileSystemFileHandle |"),
    );
    copy.publish(PICKED, "faulty");
    copy
}

pub(super) fn fails_whenever_it_can(page: &mut Session, button: &str) {
    for (fault, words) in FAULTS {
        page.evaluate(&format!("caches.open({}).then(() => 0)", json!(fault)));
        page.click_button(button);
        page.wait_for("!document.querySelector('[role=alert]').hidden");
        let alert = page.by_selector("[role=alert]");
        let text = page.text(&alert);
        assert!(text.contains(words), "{fault}: no `{words}` in: {text}");
        assert_eq!(saved(page), Files::new(), "{fault} left something behind");
        page.evaluate(&format!("caches.delete({})", json!(fault)));
        page.wait_for("document.querySelector('#run').hidden");
    }
}

/// Whatever it hangs at, cancelling ends it and leaves nothing.
pub(super) fn can_be_cancelled(page: &mut Session, button: &str) {
    for fault in ["fault 0 Hanging", "fault 2 Hanging"] {
        page.evaluate(&format!("caches.open({}).then(() => 0)", json!(fault)));
        page.click_button(button);
        page.click_button("Cancel");
        page.wait_for("document.querySelector('#run').hidden");
        page.wait_for(&format!("{SAVED}.then((found) => Object.keys(found).length === 0)"));
        let alert = page.by_selector("[role=alert]");
        assert_eq!(page.text(&alert), "", "cancelling at {fault}");
        page.evaluate(&format!("caches.delete({})", json!(fault)));
    }
}
