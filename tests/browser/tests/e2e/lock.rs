//! Nothing leaves: every attempt is counted where it would arrive.

pub(crate) mod reach;
mod routes;
mod tripwire;

use std::time::Instant;

use gramerge_browser_tests::{DEADLINE, Session};
use serde_json::json;

use crate::collector::{Collector, attempts, send_all};
use crate::inputs::{CASE, golden_inputs, paths};
use crate::pages::Copy;
use crate::{LOCKED, locked, opened};

fn merge(page: &mut Session) {
    page.set_files("Choose models", &paths(&golden_inputs(CASE)));
    page.by_role("table", "Plan");
    page.click_button("Merge");
    page.by_role("region", "Report");
}

/// What left the tab and its workers since `forget`, as the browser tells it.
fn left_the_browser(page: &mut Session) -> Vec<String> {
    let requests = page.record().requests.iter();
    let sent = requests.filter(|request| !request.blocked);
    let inside = |url: &String| url.starts_with("blob:") || url.starts_with("data:");
    sent.map(|request| request.url.clone()).filter(|url| !inside(url)).collect()
}

#[test]
fn nothing_leaves_from_loading_files_to_saving_though_all_is_tried() {
    let collector = Collector::new();
    let mut page = locked();
    let before = page.requests_at_server();
    page.forget();
    send_all(&mut page, &collector.url());
    merge(&mut page);
    send_all(&mut page, &collector.url());
    let own = page.url();
    send_all(&mut page, &own);
    page.click_button("Save merged model");
    page.saved_file();
    assert_eq!(collector.arrived(), [""; 0], "another server was reached");
    assert_eq!(page.requests_at_server(), before, "the page's own server was reached");
    assert_eq!(left_the_browser(&mut page), [""; 0], "the browser let something out");
    let badge = page.by_selector("#lock-state");
    assert_eq!(page.text(&badge), "Network locked · 0 requests");
}

#[test]
fn the_same_attempts_arrive_where_no_policy_holds() {
    let collector = Collector::new();
    let mut page = Session::start("GRAMERGE_WEB");
    page.tab("Page.setBypassCSP", json!({ "enabled": true }));
    page.open("app.html");
    page.wait_for(LOCKED);
    send_all(&mut page, &collector.url());
    let missing = missing_at(|| collector.arrived(), &[]);
    assert_eq!(missing, [""; 0], "these would not have been noticed");
}

#[test]
fn the_second_policy_is_what_closes_the_pages_own_server() {
    let copy = without_lock();
    let mut page = Session::serving(copy.folder());
    page.open("app.html");
    page.wait_for(LOCKED);
    let own = page.url();
    send_all(&mut page, &own);
    // Frames and forms are closed from the first: the page never needs any.
    let closed = ["/page-frame", "/page-form"];
    assert_eq!(missing_at(|| page.requests_at_server(), &closed), closed);
}

/// The page as it is, but for the second policy.
fn without_lock() -> Copy {
    let copy = Copy::new();
    copy.change("page/lock/lock.js", "document.head.append(policy);", "");
    copy
}

/// The attempts that did not arrive, once all but those expected have.
fn missing_at(arrived: impl Fn() -> Vec<String>, expected: &[&str]) -> Vec<String> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let arrived = arrived();
        let came = |path: &String| arrived.iter().any(|request| request.ends_with(path.as_str()));
        let missing: Vec<String> = attempts("/").into_iter().filter(|path| !came(path)).collect();
        if missing == expected || Instant::now() > deadline {
            return missing;
        }
        std::thread::yield_now();
    }
}

fn leak_test(page: &mut Session) -> String {
    page.click_button("Try to leak a byte");
    page.wait_for("document.querySelector('#leak-rows tr')");
    page.wait_for("!document.querySelector('#leak').disabled");
    let summary = page.by_selector("#leak-summary");
    page.text(&summary)
}

#[test]
fn the_leak_test_shows_every_route_stopped() {
    let mut page = locked();
    let before = page.requests_at_server();
    let summary = leak_test(&mut page);
    let table = page.by_role("table", "Leak attempts");
    let rows = page.text(&table);
    assert!(summary.ends_with("every one stopped."), "{summary}\n{rows}");
    for route in ["fetch", "sendBeacon", "Pop-up", "Tab's address", "WebRTC"] {
        assert!(rows.contains(route), "no {route} in {rows}");
    }
    assert_eq!(page.requests_at_server(), before);
    let badge = page.by_selector("#lock-counts");
    let counts = page.text(&badge);
    assert_eq!(counts, "0 requests since the network was locked");
}

#[test]
fn the_leak_test_says_so_when_the_lock_is_missing() {
    let copy = without_lock();
    let mut page = Session::serving(copy.folder());
    page.open("");
    page.wait_for(LOCKED);
    let summary = leak_test(&mut page);
    assert!(summary.contains("NOT stopped"), "{summary}");
    page.wait_for("document.querySelector('#lock-badge').dataset.lock === 'leaking'");
}

#[test]
fn nothing_leads_away_from_the_page() {
    let collector = Collector::new();
    let mut page = locked();
    let target = json!(collector.url());
    page.evaluate("window.mark = 1");
    for attempt in ["location.href = url", "location.assign(url)", "top.location.href = url"] {
        page.evaluate(&format!("((url) => {{ try {{ {attempt}; }} catch {{}} }})({target})"));
    }
    merge(&mut page);
    assert_eq!(page.evaluate("window.mark"), 1, "the page was left");
    assert_eq!(collector.arrived(), [""; 0]);
    page.reload();
    page.wait_for(LOCKED);
    assert_eq!(page.evaluate("window.mark ?? 0"), 0, "the browser's own reload did nothing");
}

/// A link that saves what its address answers, to the page's own server.
const DOWNLOAD_LINK: &str = "(() => {
    const link = document.createElement('a');
    [link.href, link.download] = ['build.js?leak', 'x'];
    document.body.append(link);
    link.click();
})()";

#[test]
fn a_download_link_is_no_way_out() {
    let mut page = locked();
    let before = page.requests_at_server();
    page.evaluate(DOWNLOAD_LINK);
    merge(&mut page);
    assert_eq!(page.requests_at_server(), before);
}

#[test]
fn a_download_link_would_be_one_in_a_weaker_frame() {
    let copy = Copy::new();
    copy.change("shell.js", "allow-modals", "allow-modals allow-downloads");
    copy.change("page/lock/lock.js", "event.preventDefault();", "void 0;");
    let mut page = Session::serving(copy.folder());
    page.open("");
    page.wait_for(LOCKED);
    page.evaluate(DOWNLOAD_LINK);
    page.saved_file();
    assert!(page.requests_at_server().iter().any(|request| request.contains("build.js?leak")));
}

#[test]
fn title_and_settings_show_in_the_tab() {
    let mut page = opened();
    page.open("?device=cpu#alpha=0.5");
    page.set_files("Choose models", &paths(&golden_inputs(CASE)));
    page.wait_for("document.querySelector('#set-alpha')?.value === '0.5'");
    page.wait_for("document.querySelector('#device-note').textContent.includes('cpu')");
    let alpha = page.by_selector("#set-alpha");
    page.call_on(
        &alpha,
        "function () { this.value = '0.25'; this.dispatchEvent(new Event('input', {bubbles: true})); }",
    );
    assert_eq!(page.evaluate_in_tab("location.hash"), "#alpha=0.25");
    page.evaluate_in_tab("void (location.hash = '#alpha=0.75')");
    page.wait_for("document.querySelector('#set-alpha').value === '0.75'");
    page.evaluate("void (document.title = 'half way')");
    page.wait_for("parent.document.title === 'half way'");
    page.assert_quiet();
}

#[test]
fn the_keyboard_starts_inside_the_frame() {
    let mut page = locked();
    page.press("Tab");
    page.wait_for("document.activeElement.textContent === 'Skip to the files'");
    page.press("Enter");
    page.press("Tab");
    page.wait_for("document.activeElement.id === 'pick-files'");
    page.assert_quiet();
}

#[test]
fn the_app_works_without_its_outer_page() {
    let mut page = opened();
    page.open("app.html");
    merge(&mut page);
    page.click_button("Save merged model");
    page.saved_file();
    page.assert_quiet();
}
