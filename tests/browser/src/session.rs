//! One browser, one tab, one server: the life of a test.

mod scripts;
mod tabs;
mod targets;

use std::path::{Path, PathBuf};
use std::time::Duration;

use gramerge_server::Server;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::connection::Connection;
use crate::frame::AppFrame;
use crate::process::Process;
use crate::record::Record;
use crate::{Result, chromium, place};
use targets::{greet, open_tab};

/// How long a test waits for anything, unless it says otherwise.
pub const DEADLINE: Duration = Duration::from_secs(60);

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
        begin(folder, true, &[]).unwrap_or_else(|sentence| panic!("{sentence}"))
    }

    /// A browser for this folder, to which every host below `.example` is this port of this machine,
    /// whatever port was asked for. The page itself is at `localhost`, which is a name too.
    #[track_caller]
    pub fn among_strangers(folder: &Path, port: u16) -> Session {
        let rules = format!("--host-resolver-rules=MAP *.example 127.0.0.1:{port}");
        let mut session =
            begin(folder, false, &[rules]).unwrap_or_else(|sentence| panic!("{sentence}"));
        session.url = session.url.replace("127.0.0.1", "localhost");
        session
    }

    /// As [`Self::start`], without a WebGPU adapter.
    #[track_caller]
    pub fn start_without_webgpu(variable: &str) -> Session {
        begin(&place(variable), false, &[]).unwrap_or_else(|sentence| panic!("{sentence}"))
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
        // The answer comes before the page goes.
        self.evaluate_in_tab("window.isOld = true");
        self.tab("Page.reload", json!({}));
        self.wait_for_in_tab("!window.isOld");
        self.wait_until_loaded();
    }

    #[track_caller]
    fn wait_until_loaded(&mut self) {
        const LOADED: &str =
            "document.readyState === 'complete' && location.href !== 'about:blank'";
        // An outer page may load itself once more before it shows its frame.
        const SHOWN: &str = "frames.length || !document.querySelector('script[src=\"shell.js\"]')";
        self.wait_for_in_tab(&format!("{LOADED} && ({SHOWN})"));
        self.app.loaded();
        self.wait_for(LOADED);
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

fn begin(folder: &Path, webgpu: bool, more: &[String]) -> Result<Session> {
    let new_folder = || TempDir::new().map_err(|e| format!("no temporary folder: {e}"));
    let (downloads, profile) = (new_folder()?, new_folder()?);
    let server = Server::start(folder, 0)?;
    let chromium = chromium::start(profile.path(), webgpu, more)?;
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
