//! Firefox, over WebDriver BiDi: enough to open a page and to ask it something.
//!
//! It compiles shaders by other means than Chromium does, and without a graphics card it uses
//! Mesa's software one.

use std::path::Path;
use std::time::{Duration, Instant};

use gramerge_server::Server;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Result;
use crate::connection::Connection;
use crate::place;
use crate::process::Process;

/// WebGPU is off by default on Linux.
const PREFERENCES: &str = r#"
user_pref("dom.webgpu.enabled", true);
user_pref("gfx.webgpu.ignore-blocklist", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
"#;

/// How long to wait before a condition is looked at again.
const LOOKING: Duration = Duration::from_millis(500);

/// A Firefox with one tab, and the server that it loads from.
pub struct Firefox {
    connection: Connection,
    tab: String,
    server: Server,
    _process: Process,
    _profile: TempDir,
}

impl Firefox {
    /// The browser that `FIREFOX` names, for the folder that `variable` names.
    #[track_caller]
    pub fn start(variable: &str) -> Self {
        begin(&place(variable)).unwrap_or_else(|sentence| panic!("{sentence}"))
    }

    /// Loads a page of the served folder.
    #[track_caller]
    pub fn open(&mut self, path: &str) {
        let url = self.server.url() + path;
        let wish = json!({ "context": self.tab, "url": url, "wait": "complete" });
        self.call("browsingContext.navigate", wish);
    }

    /// Waits until the expression is not null, and answers with it.
    #[track_caller]
    pub fn wait_for(&mut self, expression: &str, limit: Duration) -> Value {
        let deadline = Instant::now() + limit;
        let text = format!("JSON.stringify({expression} ?? null)");
        loop {
            let wish = json!({
                "expression": text, "target": { "context": self.tab }, "awaitPromise": false,
            });
            let answer = self.call("script.evaluate", wish);
            let found = answer["result"]["value"].as_str().unwrap_or("null");
            let found: Value = serde_json::from_str(found).unwrap_or(Value::Null);
            if !found.is_null() {
                return found;
            }
            assert!(Instant::now() < deadline, "waited {limit:?} for: {expression}");
            self.connection.wait_for_event(LOOKING).unwrap_or_else(|why| panic!("{why}"));
        }
    }

    #[track_caller]
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.connection.call("", method, params).unwrap_or_else(|why| panic!("{why}"))
    }
}

fn begin(folder: &Path) -> Result<Firefox> {
    let profile = TempDir::new().map_err(|e| format!("no temporary folder: {e}"))?;
    std::fs::write(profile.path().join("user.js"), PREFERENCES)
        .map_err(|e| format!("cannot write Firefox's preferences: {e}"))?;
    let server = Server::start(folder, 0)?;
    let mut arguments = ["--headless", "--no-remote", "--remote-debugging-port=0", "--profile"]
        .map(String::from)
        .to_vec();
    arguments.push(profile.path().display().to_string());
    let process = Process::start(&place("FIREFOX"), &arguments, "WebDriver BiDi listening on ")?;
    let mut connection = Connection::open(&format!("{}/session", process.address))?;
    connection.call("", "session.new", json!({ "capabilities": {} }))?;
    let tree = connection.call("", "browsingContext.getTree", json!({}))?;
    let tab = tree["contexts"][0]["context"].as_str().ok_or("Firefox gave no tab")?.to_string();
    Ok(Firefox { connection, tab, server, _process: process, _profile: profile })
}
