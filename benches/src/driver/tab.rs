//! The tab in which measurements run.

use std::path::Path;
use std::time::{Duration, Instant};

use gramerge_browser_tests::Session;
use serde_json::{Value, json};

use super::Result;

/// The longest measurement, on a slow machine.
const LIMIT: Duration = Duration::from_secs(900);

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

    /// Asks for one measurement and waits for it.
    pub(crate) fn ask(&mut self, request: &Value) -> Result<Value> {
        self.session.evaluate(&format!("bench.begin({request})"));
        let deadline = Instant::now() + LIMIT;
        loop {
            let answer = self.session.evaluate("bench.poll()");
            if let Some(why) = answer["failure"].as_str() {
                return Err(format!("{request}: {why}"));
            }
            if !answer.is_null() {
                return Ok(answer);
            }
            if Instant::now() > deadline {
                return Err(format!("{request} took more than {LIMIT:?}"));
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
