//! One browser, one tab, one server: the life of a test.

mod tabs;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gramerge_server::Server;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::connection::{Connection, Event};
use crate::frame::AppFrame;
use crate::process::Process;
use crate::record::{Record, exception};
use crate::{Result, chromium, place};

/// How long a test waits for anything, unless it says otherwise.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// How long to listen before a condition is looked at again; any event ends it early.
const LISTENING: Duration = Duration::from_millis(25);

/// A browser with one tab, and the server that it loads from.
///
/// Fields are dropped in order: the connection, then the browser, then its folders.
pub struct Session {
    connection: Connection,
    /// The tab, as the protocol names it.
    pub(crate) tab: String,
    /// The tab's own frame.
    main_frame: String,
    app: AppFrame,
    record: Record,
    server: Option<Server>,
    url: String,
    _chromium: Process,
    downloads: TempDir,
    profile: TempDir,
}

impl Session {
    /// A browser for the folder that this environment variable names.
    #[track_caller]
    pub fn start(variable: &str) -> Session {
        Session::serving(&place(variable))
    }

    /// A browser for this folder.
    #[track_caller]
    pub fn serving(folder: &Path) -> Session {
        begin(folder, true).unwrap_or_else(|sentence| panic!("{sentence}"))
    }

    /// As [`Self::start`], without a WebGPU adapter.
    #[track_caller]
    pub fn start_without_webgpu(variable: &str) -> Session {
        begin(&place(variable), false).unwrap_or_else(|sentence| panic!("{sentence}"))
    }

    /// Loads a page of the served folder and waits until it and its modules have run.
    #[track_caller]
    pub fn open(&mut self, path: &str) {
        let url = self.url() + path.trim_start_matches('/');
        let answer = self.tab("Page.navigate", json!({ "url": url }));
        assert!(answer["errorText"].is_null(), "cannot open {url}: {}", answer["errorText"]);
        self.wait_until_loaded();
    }

    /// Loads the same page again, as the browser's own button does.
    #[track_caller]
    pub fn reload(&mut self) {
        self.tab("Page.reload", json!({}));
        self.wait_until_loaded();
    }

    #[track_caller]
    fn wait_until_loaded(&mut self) {
        const LOADED: &str =
            "document.readyState === 'complete' && location.href !== 'about:blank'";
        self.wait_for_in_tab(LOADED);
        self.app.loaded();
        self.wait_for(LOADED);
    }

    /// Waits until the expression is true in the tab's own document.
    #[track_caller]
    pub fn wait_for_in_tab(&mut self, expression: &str) {
        let condition = is_true(expression);
        self.wait_until(expression, DEADLINE, |session| {
            (session.evaluate_in_tab(&condition) == true).then_some(())
        });
    }

    /// The address of the server.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// What the server was asked for so far, such as `GET /index.html`.
    pub fn requests_at_server(&self) -> Vec<String> {
        self.server.as_ref().map(Server::requests).unwrap_or_default()
    }

    /// Ends the server; the browser goes on without it.
    pub fn stop_server(&mut self) {
        self.server = None;
    }

    /// The value of an expression in the page, or in its frame if it has one; a promise is waited
    /// for.
    #[track_caller]
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let params = self.in_app(json!({ "expression": expression }));
        self.value_of(expression, params)
    }

    /// The value of an expression in the tab's own document, whatever frames it has.
    #[track_caller]
    pub fn evaluate_in_tab(&mut self, expression: &str) -> Value {
        self.value_of(expression, json!({ "expression": expression }))
    }

    /// Adds to the parameters of an evaluation where it is to run.
    pub(crate) fn in_app(&mut self, mut params: Value) -> Value {
        self.listen(Duration::ZERO);
        if let Some(context) = self.app.context() {
            params["uniqueContextId"] = context.into();
        }
        params
    }

    #[track_caller]
    fn value_of(&mut self, expression: &str, mut params: Value) -> Value {
        for wish in ["awaitPromise", "returnByValue", "userGesture"] {
            params[wish] = true.into();
        }
        let mut answer = self.tab("Runtime.evaluate", params);
        let details = &answer["exceptionDetails"];
        assert!(details.is_null(), "`{expression}` threw {}", exception(details));
        answer["result"]["value"].take()
    }

    /// Waits until the expression, or what it promises, is true.
    #[track_caller]
    pub fn wait_for(&mut self, expression: &str) {
        self.wait_for_within(expression, DEADLINE);
    }

    /// Waits until the expression is true, at most for this long.
    #[track_caller]
    pub fn wait_for_within(&mut self, expression: &str, limit: Duration) {
        let condition = is_true(expression);
        self.wait_until(expression, limit, |session| {
            (session.evaluate(&condition) == true).then_some(())
        });
    }

    /// Waits until `look` finds something; `what` names it if it does not come.
    #[track_caller]
    pub(crate) fn wait_until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&mut Session) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + limit;
        loop {
            self.listen(Duration::ZERO);
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "waited {limit:?} for: {what}\n{:#?}", self.record);
            self.listen(LISTENING);
        }
    }

    /// Waits for the next complete download and returns where it lies.
    #[track_caller]
    pub fn saved_file(&mut self) -> PathBuf {
        self.wait_until("a complete download", DEADLINE, |session| {
            let download = session.record.downloads.last()?;
            assert!(!download.canceled, "the download of {} was broken off", download.name);
            download.path.clone()
        })
    }

    /// Waits for so many complete downloads and returns their names and where they lie.
    #[track_caller]
    pub fn saved_files(&mut self, n_files: usize) -> Vec<(String, PathBuf)> {
        self.wait_until(&format!("{n_files} complete downloads"), DEADLINE, |session| {
            let downloads = session.record.downloads.iter();
            let complete = downloads.filter_map(|one| Some((one.name.clone(), one.path.clone()?)));
            let complete: Vec<_> = complete.collect();
            (complete.len() == n_files).then_some(complete)
        })
    }

    /// What the tab and its workers did so far.
    #[track_caller]
    pub fn record(&mut self) -> &Record {
        self.listen(Duration::ZERO);
        &self.record
    }

    /// Forgets earlier errors, requests and downloads.
    #[track_caller]
    pub fn forget(&mut self) {
        self.listen(Duration::ZERO);
        self.record = Record::default();
    }

    /// No error was logged or thrown, in the page or in a worker.
    #[track_caller]
    pub fn assert_quiet(&mut self) {
        // One more answer from the tab, so that everything it has said before is here.
        self.evaluate("0");
        self.listen(Duration::ZERO);
        assert!(self.record.errors.is_empty(), "the page complained: {:#?}", self.record);
    }

    /// Where downloads go.
    pub fn downloads(&self) -> &Path {
        self.downloads.path()
    }

    /// The browser's profile, which is new and ends with the session.
    pub fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// Calls a protocol method on the tab.
    #[track_caller]
    pub fn tab(&mut self, method: &str, params: Value) -> Value {
        let answer = self.connection.call(&self.tab, method, params);
        answer.unwrap_or_else(|sentence| panic!("{sentence}"))
    }

    /// Takes in the events that are there, waiting for the first up to the limit.
    #[track_caller]
    fn listen(&mut self, limit: Duration) {
        let heard = self.connection.wait_for_event(limit);
        heard.and_then(|()| self.take_events()).unwrap_or_else(|sentence| panic!("{sentence}"));
    }

    fn take_events(&mut self) -> Result<()> {
        while let Some(event) = self.connection.take_event() {
            self.record.note(&event);
            if event.target == self.tab {
                self.app.note(&event, &self.main_frame);
            }
            if event.method == "Target.attachedToTarget" {
                greet(&mut self.connection, &event)?;
            }
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Asked politely it ends its helper processes too.
        self.connection.send("", "Browser.close", json!({})).ok();
    }
}

fn begin(folder: &Path, webgpu: bool) -> Result<Session> {
    let new_folder = || TempDir::new().map_err(|e| format!("no temporary folder: {e}"));
    let (downloads, profile) = (new_folder()?, new_folder()?);
    let server = Server::start(folder, 0)?;
    let chromium = chromium::start(profile.path(), webgpu)?;
    let mut connection = Connection::open(&chromium.address)?;
    let (tab, main_frame) = open_tab(&mut connection, downloads.path())?;
    Ok(Session {
        connection,
        tab,
        main_frame,
        app: AppFrame::default(),
        record: Record::default(),
        url: server.url(),
        server: Some(server),
        _chromium: chromium,
        downloads,
        profile,
    })
}

/// A new tab, and its frame, which the protocol names like the tab.
fn open_tab(connection: &mut Connection, downloads: &Path) -> Result<(String, String)> {
    let mut browser = |method, params| connection.call("", method, params);
    let behavior = json!({
        "behavior": "allow",
        "downloadPath": downloads,
        "eventsEnabled": true,
    });
    browser("Browser.setDownloadBehavior", behavior)?;
    let target = browser("Target.createTarget", json!({ "url": "about:blank" }))?;
    let frame = target["targetId"].as_str().unwrap_or_default().to_string();
    let wish = json!({ "targetId": frame, "flatten": true });
    let attached = browser("Target.attachToTarget", wish)?;
    let tab = attached["sessionId"].as_str().ok_or("Chromium gave no tab")?.to_string();
    for method in ["Page.enable", "DOM.enable", "Accessibility.enable", "Inspector.enable"] {
        connection.call(&tab, method, json!({}))?;
    }
    watch(connection, &tab)?;
    Ok((tab, frame))
}

/// Listens to a tab or worker, and has its workers wait until they are listened to as well.
fn watch(connection: &mut Connection, target: &str) -> Result<()> {
    for method in ["Runtime.enable", "Log.enable", "Network.enable"] {
        connection.send(target, method, json!({}))?;
    }
    let wish = json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true });
    connection.send(target, "Target.setAutoAttach", wish)?;
    Ok(())
}

/// A new worker waits: listen to it, then let it start.
fn greet(connection: &mut Connection, event: &Event) -> Result<()> {
    let Some(worker) = event.params["sessionId"].as_str() else { return Ok(()) };
    // The tab itself is announced too; it was greeted when it was opened.
    if event.params["waitingForDebugger"] == true {
        watch(connection, worker)?;
        connection.send(worker, "Runtime.runIfWaitingForDebugger", json!({}))?;
    }
    Ok(())
}

/// What an expression, or a promise, comes to. A promise itself is always true.
fn is_true(expression: &str) -> String {
    format!("(async () => !!(await ({expression})))()")
}
