//! The tab in which measurements run.

use std::path::Path;
use std::time::{Duration, Instant};

use gramerge_browser_tests::Session;
use serde_json::{Value, json};

use super::Result;

/// The longest measurement, on a slow machine.
const LIMIT: Duration = Duration::from_secs(300);
/// Looking takes time from what is measured, so it becomes rarer. At first it must be often, since
/// new workers wait to be greeted.
const FIRST_LOOK_MILLIS: u64 = 20;
const LAST_LOOK_MILLIS: u64 = 1000;

/// A tab with the measuring page.
pub(crate) struct Tab {
    session: Session,
}

impl Tab {
    /// Opens the page in this folder.
    pub(crate) fn open(folder: &Path) -> Tab {
        let mut session = Session::serving(folder);
        session.open("index.html");
        session.wait_for("window.bench");
        Tab { session }
    }

    /// The same, isolated from other origins: other software needs that for threads.
    pub(crate) fn open_isolated(folder: &Path) -> Result<Tab> {
        let mut tab = Tab::open(folder);
        // Its service worker waits to be greeted, so nothing may wait for it here.
        tab.session.evaluate("void navigator.serviceWorker.register('isolate.js')");
        tab.session
            .evaluate("void navigator.serviceWorker.ready.then(() => { window.ready = true })");
        tab.session.wait_for("window.ready");
        tab.session.open("index.html");
        tab.session.wait_for("window.bench");
        match tab.session.evaluate("crossOriginIsolated") == true {
            true => Ok(tab),
            false => Err("the tab could not be isolated".into()),
        }
    }

    /// Asks for one measurement and waits for it.
    pub(crate) fn ask(&mut self, request: &Value) -> Result<Value> {
        self.session.evaluate(&format!("bench.begin({request})"));
        let deadline = Instant::now() + LIMIT;
        let mut look_millis = FIRST_LOOK_MILLIS;
        loop {
            self.session.record();
            let answer = self.session.evaluate(&format!("bench.poll({look_millis})"));
            look_millis = LAST_LOOK_MILLIS.min(look_millis * 5 / 4);
            if let Some(why) = answer["failure"].as_str() {
                return Err(format!("{request}: {why}"));
            }
            if !answer.is_null() {
                return Ok(answer);
            }
            if Instant::now() > deadline {
                let record = self.session.record();
                return Err(format!("{request} took more than {LIMIT:?}: {record:#?}"));
            }
        }
    }

    /// Which browser it is.
    pub(crate) fn about(&mut self) -> Result<Value> {
        let mut about = self.ask(&json!({ "type": "about" }))?;
        about["version"] = self.session.tab("Browser.getVersion", json!({}))["product"].take();
        Ok(json!({ "browser": about }))
    }
}
