//! What the browser told without being asked: errors, requests, downloads.
//!
//! Turns protocol events into plain facts. Sends nothing.

use std::path::PathBuf;

use serde_json::Value;

use crate::connection::Event;

/// One request that the tab or one of its workers made.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Where to, `blob:` and `data:` included.
    pub url: String,
    /// Whether the browser stopped it: it left the tab or worker, but not the browser.
    pub blocked: bool,
    id: String,
}

/// One file that the page gave the person to keep.
#[derive(Debug, Clone, PartialEq)]
pub struct Download {
    id: String,
    /// The name that the page proposed.
    pub name: String,
    /// Where it lies, once it is complete.
    pub path: Option<PathBuf>,
    /// Whether it was broken off.
    pub canceled: bool,
}

/// Everything so far, in the order in which it came.
#[derive(Debug, Default)]
pub struct Record {
    /// Console errors, uncaught exceptions, CSP violations, failed loads, crashes.
    pub errors: Vec<String>,
    /// Warnings and other console lines, to read when a test fails.
    pub console: Vec<String>,
    /// Every request.
    pub requests: Vec<Request>,
    /// Every download.
    pub downloads: Vec<Download>,
    /// Kinds of the browser's own questions, such as `beforeunload`; each was agreed to.
    pub questions: Vec<String>,
}

impl Record {
    /// Notes an event, if it is one that matters.
    pub(crate) fn note(&mut self, event: &Event) {
        let params = &event.params;
        match event.method.as_str() {
            "Runtime.exceptionThrown" => self.errors.push(exception(&params["exceptionDetails"])),
            "Runtime.consoleAPICalled" => self.note_console(params),
            "Log.entryAdded" => self.note_log(&params["entry"]),
            "Page.javascriptDialogOpening" => self.questions.push(text(&params["type"])),
            "Inspector.targetCrashed" => self.errors.push("the tab crashed".into()),
            "Network.requestWillBeSent" => self.requests.push(Request {
                method: text(&params["request"]["method"]),
                url: text(&params["request"]["url"]),
                blocked: false,
                id: text(&params["requestId"]),
            }),
            "Network.webSocketCreated" | "Network.webTransportCreated" => {
                self.requests.push(Request {
                    method: "CONNECT".into(),
                    url: text(&params["url"]),
                    blocked: false,
                    id: text(&params["requestId"]),
                });
            }
            "Network.loadingFailed" if !params["blockedReason"].is_null() => {
                let stopped = self.requests.iter_mut().filter(|r| params["requestId"] == *r.id);
                stopped.for_each(|request| request.blocked = true);
            }
            "Browser.downloadWillBegin" => self.downloads.push(Download {
                id: text(&params["guid"]),
                name: text(&params["suggestedFilename"]),
                path: None,
                canceled: false,
            }),
            "Browser.downloadProgress" => self.note_download(params),
            _ => {}
        }
    }

    fn note_console(&mut self, params: &Value) {
        let words = params["args"].as_array().into_iter().flatten().map(shown);
        let kind = text(&params["type"]);
        let line = format!("console.{kind}: {}", words.collect::<Vec<_>>().join(" "));
        let is_error = kind == "error" || kind == "assert";
        if is_error { self.errors.push(line) } else { self.console.push(line) }
    }

    /// The browser's own complaints, CSP violations among them.
    fn note_log(&mut self, entry: &Value) {
        let (source, sentence, url) =
            (text(&entry["source"]), text(&entry["text"]), text(&entry["url"]));
        let line = format!("{source}: {sentence} {url}");
        if entry["level"] == "error" { self.errors.push(line) } else { self.console.push(line) }
    }

    fn note_download(&mut self, params: &Value) {
        let Some(download) = self.downloads.iter_mut().find(|d| params["guid"] == *d.id) else {
            return;
        };
        match params["state"].as_str() {
            Some("completed") => download.path = Some(text(&params["filePath"]).into()),
            Some("canceled") => download.canceled = true,
            _ => {}
        }
    }
}

/// The sentence in an `ExceptionDetails` object.
pub(crate) fn exception(details: &Value) -> String {
    let described = details["exception"]["description"].as_str();
    let sentence = described.map_or_else(|| shown(&details["exception"]), str::to_string);
    let place = format!("{}:{}", text(&details["url"]), details["lineNumber"]);
    format!("{}: {sentence} ({place})", text(&details["text"]))
}

/// A `RemoteObject` as a person would read it.
fn shown(object: &Value) -> String {
    match (&object["value"], object["description"].as_str()) {
        (Value::String(text), _) => text.clone(),
        (_, Some(description)) => description.to_string(),
        (value, None) => value.to_string(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}
