//! Settings that say too little or too much, and what a change of them means for an older report.

use gramerge_browser_tests::Session;

use crate::inputs::{CASE, golden_inputs, paths};
use crate::{choose, opened};

const OUTDATED: &str = "document.querySelector('#report-outdated').checkVisibility()";

fn planned() -> Session {
    let mut page = opened();
    page.set_files("Choose models", &paths(&golden_inputs(CASE)));
    page.by_role("table", "Plan");
    page
}

fn set(page: &mut Session, id: &str, value: &str) {
    let field = page.by_selector(&format!("#{id}"));
    let write = format!(
        "function () {{ this.value = {}; this.dispatchEvent(new Event('input', {{ bubbles: true }})); }}",
        serde_json::json!(value)
    );
    page.call_on(&field, &write);
}

/// The alert says this, and nothing can be merged.
fn is_refused(page: &mut Session, words: &str) {
    let words = serde_json::json!(words);
    page.wait_for(&format!(
        "document.querySelector('[role=alert]:not([hidden])')?.innerText.includes({words})"
    ));
    page.wait_for("document.querySelector('#merge').disabled");
}

fn is_fine(page: &mut Session) {
    page.wait_for(
        "document.querySelector('[role=alert]').hidden && !document.querySelector('#merge').disabled",
    );
}

#[test]
fn a_size_without_a_unit_is_asked_about() {
    let mut page = planned();
    for size in ["5", "0.5", "5000"] {
        set(&mut page, "shard", size);
        is_refused(&mut page, &format!("Write {size} MB or {size} GB"));
        set(&mut page, "shard", &format!("{size} GB"));
        is_fine(&mut page);
    }
    page.assert_quiet();
}

#[test]
fn a_model_that_is_not_there_is_named_by_its_letter() {
    let mut page = planned();
    for (line, which) in [("fc1 = Z", "Z"), ("fc1 = c", "C"), ("fc1 = 7", "7")] {
        set(&mut page, "keep", line);
        is_refused(&mut page, &format!("There is no model {which}; these are A and B."));
    }
    for line in ["fc1 = B", "fc1 = b", "fc1=2"] {
        set(&mut page, "keep", line);
        is_fine(&mut page);
    }
    page.assert_quiet();
}

#[test]
fn a_pattern_that_matches_nothing_is_said() {
    let warned = |words: &str| {
        let words = serde_json::json!(words);
        format!(
            "[...document.querySelectorAll('#plan-warnings li')].some((li) => \
             li.checkVisibility() && li.innerText.includes({words}))"
        )
    };
    let mut page = planned();
    for (id, idle, fine, does) in [
        ("exclude", "lm_head", "fc1", "excludes"),
        ("exclude", "fc1\nlm_head", "fc1\nfc2", "excludes"),
        ("keep", "lm_head = B", "fc1 = B", "keeps"),
    ] {
        let words = format!("The pattern lm_head {does} nothing: no tensor's name matches it.");
        set(&mut page, id, idle);
        page.wait_for(&warned(&words));
        is_fine(&mut page);
        set(&mut page, id, fine);
        page.wait_for(&format!("!{}", warned("nothing")));
        set(&mut page, id, "");
    }
    // It is said of the merged model too.
    set(&mut page, "exclude", "lm_head");
    page.wait_for(&warned("lm_head"));
    page.click_button("Merge");
    page.by_role("region", "Report");
    let warnings = page.by_selector("#report-warnings");
    let text = page.text(&warnings);
    assert!(text.contains("The pattern lm_head excludes nothing"), "{text}");
    page.assert_quiet();
}

#[test]
fn an_older_report_says_that_it_is_of_other_settings() {
    let mut page = planned();
    page.click_button("Merge");
    page.by_role("region", "Report");
    assert_eq!(page.evaluate(OUTDATED), false);
    let changes = [
        ("set-alpha", "0.5", "0.9"),
        ("precision", "exact", "auto"),
        ("dtype", "F16", ""),
        ("shard", "5GB", ""),
        ("exclude", "fc1", ""),
        ("keep", "fc1=A", ""),
    ];
    for (id, new, old) in changes {
        set(&mut page, id, new);
        page.wait_for(OUTDATED);
        let report = page.by_selector("#report");
        let text = page.text(&report);
        assert!(text.contains("Made with other settings"), "{id}: {text}");
        assert!(text.contains("α = 0.9"), "{id}: {text}");
        set(&mut page, id, old);
        page.wait_for(&format!("!{OUTDATED}"));
    }
    choose(&mut page, "average");
    page.wait_for(OUTDATED);
    choose(&mut page, "regmean");
    page.wait_for(&format!("!{OUTDATED}"));
    page.click_button("Move earlier b");
    page.wait_for(OUTDATED);
    page.click_button("Move earlier a");
    page.wait_for(&format!("!{OUTDATED}"));
    page.click_button("Merge");
    page.click_button("Discard");
    page.by_role("region", "Report");
    assert_eq!(page.evaluate(OUTDATED), false);
    page.assert_quiet();
}
