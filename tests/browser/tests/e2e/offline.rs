//! The copy that the browser keeps: whole, offline, and never changed under a running merge.

use gramerge_browser_tests::Session;

use crate::inputs::{CASE, golden_inputs, paths};
use crate::pages::Copy;
use crate::{LOCKED, locked};

#[test]
fn works_with_the_network_off_after_the_first_visit() {
    let mut page = locked();
    page.wait_for(CONTROLLED);
    assert_eq!(page.evaluate(IS_OFFERED), false, "a newer version than the first");
    page.stop_server();
    page.go_offline();
    page.reload();
    page.wait_for(LOCKED);
    page.click_button("Try the sample");
    page.by_role("table", "Plan");
    page.click_button("Merge");
    page.by_role("region", "Report");
    page.wait_for("/360 images/.test(document.body.innerText)");
    page.click_button("Save merged model");
    page.saved_file();
    page.assert_quiet();
}

#[test]
fn without_a_first_visit_there_is_nothing_to_open() {
    let mut page = locked();
    page.wait_for(CONTROLLED);
    page.evaluate("void caches.keys().then((names) => Promise.all(names.map((name) => caches.delete(name)))).then(() => { window.gone = true })");
    page.wait_for("window.gone");
    page.stop_server();
    page.go_offline();
    page.tab("Page.reload", serde_json::json!({}));
    page.wait_for_in_tab("!document.querySelector('iframe')");
}

#[test]
fn a_newer_version_waits_for_the_merge_and_for_the_user() {
    let copy = Copy::new();
    let line = "  const outcome = await engine.run_job(";
    let wait = "  while (!(await caches.has('go'))) await new Promise((resolve) => setTimeout(resolve, 20));";
    copy.change("worker/compute.js", line, &format!("{wait}\n{line}"));
    copy.publish("worker/compute.js", "waiting");
    let mut page = Session::serving(copy.folder());
    page.open("");
    page.wait_for(LOCKED);
    page.wait_for(CONTROLLED);
    page.set_files("Choose models", &paths(&golden_inputs(CASE)));
    page.by_role("table", "Plan");
    page.click_button("Merge");
    page.by_role("progressbar", "Merging");
    publish_newer(&copy);
    // The browser looks for a newer version when the page is opened, and at no wish of a locked one.
    let merging = page.new_tab();
    page.open("");
    page.wait_for(IS_OFFERED);
    page.switch(merging);
    page.wait_for(IS_OFFERED);
    assert_eq!(page.evaluate("document.body.dataset.state"), "running");
    page.evaluate("caches.open('go').then(() => true)");
    page.by_role("region", "Report");
    assert_eq!(page.evaluate(IS_NEWER), false, "the page changed under a merge");
    page.reload();
    page.wait_for(LOCKED);
    assert_eq!(page.evaluate(IS_NEWER), false, "the page changed without being asked");
    page.evaluate("window.mark = 1");
    page.click_button("Reload with the newer version");
    page.wait_for_in_tab("frames[0]?.document.querySelector('h1')?.textContent === 'Newer'");
    page.wait_for(LOCKED);
    assert_eq!(page.evaluate(IS_NEWER), true);
    page.set_files("Choose models", &paths(&golden_inputs(CASE)));
    page.by_role("table", "Plan");
}

#[test]
fn parts_of_another_build_are_refused() {
    for path in ["worker/pool.js", "pkg/relaxed/gramerge.js", "pkg/relaxed/gramerge_bg.wasm"] {
        let copy = Copy::new();
        copy.spoil(path);
        let mut page = Session::serving(copy.folder());
        page.open("");
        page.wait_for("document.querySelector('#lock-badge').dataset.lock === 'failed'");
        page.wait_for("/another version/.test(document.querySelector('[role=alert]').innerText)");
        page.set_files("Choose models", &paths(&golden_inputs(CASE)));
        assert_eq!(page.evaluate("document.body.dataset.state"), "empty");
    }
}

#[test]
fn a_copy_is_whole_or_not_at_all() {
    let copy = Copy::new();
    // Nothing that the page itself checks, so that only the service worker can notice.
    copy.spoil("page/kit/format.js");
    let mut page = Session::serving(copy.folder());
    page.open("");
    page.wait_for(LOCKED);
    page.evaluate("void caches.keys().then((names) => { window.kept = names.length })");
    page.wait_for("window.kept === 0");
}

/// Puts other bytes in place of every kept file, as a script of the page can.
const REPLACE_ALL: &str = "(async () => {
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) {
            const headers = { 'content-type': 'text/html', refresh: '0; url=/refreshed' };
            await cache.put(request, new Response('<title>replaced</title><h1>replaced', { headers }));
        }
    }
    return (await caches.keys()).length;
})()";

#[test]
fn a_copy_that_was_replaced_is_not_answered_with() {
    let mut page = locked();
    page.wait_for(CONTROLLED);
    assert_eq!(page.evaluate(REPLACE_ALL), 1, "nothing was kept");
    page.reload();
    page.wait_for(LOCKED);
    assert_eq!(page.evaluate("parent.document.title"), "gramerge");
    // With no server there is nothing to answer with, which is better than what was put there.
    assert_eq!(page.evaluate(REPLACE_ALL), 1);
    page.stop_server();
    page.go_offline();
    page.tab("Page.reload", serde_json::json!({}));
    page.wait_for_in_tab("document.readyState === 'complete' && !document.querySelector('iframe')");
    assert_ne!(page.evaluate_in_tab("document.title"), "replaced");
}

/// All that scripts have to make the outer page load itself anew.
const RELOADS: [&str; 8] = [
    "parent.postMessage({ type: 'reload' }, '*')",
    "document.querySelector('#update-now').click()",
    "document.querySelector('#update-now').dispatchEvent(new MouseEvent('click', { bubbles: true }))",
    "parent.location.reload()",
    "parent.history.go(0)",
    "parent.navigation.reload()",
    "parent.location.replace(parent.location.href)",
    "parent.setTimeout(parent.location.reload.bind(parent.location))",
];

#[test]
fn no_script_makes_the_page_load_itself_anew() {
    let mut page = locked();
    page.evaluate("parent.mark = window.mark = 1");
    let before = page.requests_at_server();
    for reload in RELOADS {
        page.evaluate(&format!("void (async () => {reload})().catch(() => {{}})"));
    }
    page.click_button("Try the sample");
    page.by_role("table", "Plan");
    assert_eq!(page.evaluate("window.mark === 1 && parent.mark === 1"), true, "it did");
    assert_eq!(page.requests_at_server(), before);
}

#[test]
fn runs_in_a_folder_of_any_site() {
    let site = Copy::inside("tools/gramerge");
    let mut page = Session::serving(site.folder());
    page.open("tools/gramerge/?device=cpu");
    page.wait_for(LOCKED);
    page.wait_for(CONTROLLED);
    page.stop_server();
    page.reload();
    page.wait_for(LOCKED);
    page.click_button("Try the sample");
    page.by_role("table", "Plan");
    page.assert_quiet();
}

#[test]
fn can_be_installed() {
    let mut page = locked();
    let manifest = page.tab("Page.getAppManifest", serde_json::json!({}));
    assert_eq!(manifest["errors"], serde_json::json!([]), "{manifest}");
    assert!(manifest["data"].as_str().is_some_and(|text| text.contains("standalone")));
    let errors = page.tab("Page.getInstallabilityErrors", serde_json::json!({}));
    assert_eq!(errors["installabilityErrors"], serde_json::json!([]), "{errors}");
}

/// The service worker keeps this page, whole.
const CONTROLLED: &str = "caches.match('build.js')";
const IS_OFFERED: &str = "!document.querySelector('#update').hidden";
const IS_NEWER: &str = "document.querySelector('h1').textContent === 'Newer'";

fn publish_newer(copy: &Copy) {
    copy.change("app.html", "One model from several, without their data", "Newer");
    copy.publish("app.html", "newer");
}
