//! What the frame can still reach, and what it cannot.

use std::time::Instant;

use gramerge_browser_tests::{DEADLINE, Session, place};
use serde_json::{Value, json};

use super::routes::begin;
use super::tripwire::Tripwire;
use crate::LOCKED;

#[test]
fn webrtc_ends_the_tab_where_a_script_finds_it_again() {
    for place_of_script in ["empty", "outer-empty"] {
        let strangers = Tripwire::new();
        let mut page = Session::among_strangers(&place("GRAMERGE_WEB"), strangers.port);
        page.open("");
        page.wait_for(LOCKED);
        begin(&mut page, place_of_script, &["webrtc"], "stranger");
        wait_for_crash(&mut page);
        assert_eq!(strangers.heard(), [""; 0]);
    }
}

fn wait_for_crash(page: &mut Session) {
    let deadline = Instant::now() + DEADLINE;
    while !page.record().errors.iter().any(|error| error.contains("crashed")) {
        assert!(Instant::now() < deadline, "the tab goes on");
        std::thread::yield_now();
    }
}

#[test]
fn the_frame_may_use_what_the_app_uses_and_nothing_else() {
    let mut page = crate::locked();
    let allowed = page.evaluate("document.featurePolicy.allowedFeatures()");
    assert_eq!(allowed, json!(["screen-wake-lock"]));
    let outer =
        "parent.document.featurePolicy.allowedFeatures().filter((name) => !name.startsWith('ch-'))";
    assert_eq!(page.evaluate(outer), json!(["screen-wake-lock"]));
}

/// A script that calls a method of the copy's registration by a fresh window, which finds what was taken
/// from the page's own.
pub(crate) fn by_fresh_window(method: &str) -> String {
    format!(
        "(async () => {{
    const frame = document.createElement('iframe');
    document.body.append(frame);
    const fresh = frame.contentWindow;
    const getter = Object.getOwnPropertyDescriptor(fresh.Navigator.prototype, 'serviceWorker').get;
    const container = getter.call(navigator);
    const found = await fresh.ServiceWorkerContainer.prototype.getRegistration.call(container);
    await fresh.ServiceWorkerRegistration.prototype.{method}.call(found);
    return true;
}})()"
    )
}

#[test]
fn updates_are_taken_away_but_not_from_those_who_look_for_them() {
    let mut page = crate::locked();
    let asked = |page: &Session| {
        page.requests_at_server().iter().filter(|one| one.ends_with("/sw.js")).count()
    };
    let before = asked(&page);
    for view in ["window", "parent"] {
        let left = format!(
            "{view}.navigator.serviceWorker ?? {view}.document.cookie ?? {view}.cookieStore"
        );
        assert_eq!(page.evaluate(&left), Value::Null);
        let update = format!("{view}.ServiceWorkerRegistration.prototype.update");
        assert_eq!(page.evaluate(&update), Value::Null);
    }
    assert_eq!(asked(&page), before);
    // Open until the frame has an origin of its own, and so said in SECURITY.md.
    assert_eq!(page.evaluate(&by_fresh_window("update")), true);
    assert_eq!(asked(&page), before + 1);
}
