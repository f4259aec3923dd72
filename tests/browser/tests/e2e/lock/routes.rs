//! The table of routes: what is closed stays closed, what is said to be open is, and without the lock
//! every row gets through.

use std::collections::BTreeSet;
use std::time::Instant;

use gramerge_browser_tests::{DEADLINE, Session, place};
use serde_json::{Value, json};

use super::merge;
use super::tripwire::Tripwire;
use crate::LOCKED;
use crate::pages::Copy;

/// One row per interface.
const TABLE: &str = include_str!("routes.js");
/// What tries them.
const RUN: &str = include_str!("run.js");
const WINDOWS: [&str; 4] = ["page", "outer", "empty", "outer-empty"];

/// A row, without its code.
struct Row {
    name: String,
    is_alone: bool,
    is_once: bool,
    in_windows: bool,
    in_workers: bool,
    has_twin: bool,
    /// Where it arrives all the same, such as `own outer`.
    open: Vec<String>,
}

impl Row {
    fn is_in(&self, place: &str) -> bool {
        if place == "worker" { self.in_workers } else { self.in_windows }
    }

    /// Gets through there without the lock.
    fn has_twin_in(&self, place: &str) -> bool {
        self.has_twin && self.is_in(place) && (place == "page" || !self.is_once)
    }
}

/// The script, as one expression.
fn expression(script: &str) -> &str {
    let start = script.find("\n(").map_or(0, |at| at + 1);
    script[start..].trim_end().trim_end_matches(';')
}

fn rows(page: &mut Session) -> Vec<Row> {
    let listed = page.evaluate(&format!("({})", expression(TABLE)));
    let listed = listed.as_array().expect("a table").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let open = |row: &Value| row["open"].as_array().into_iter().flatten().map(text).collect();
    listed
        .map(|row| {
            let kinds = text(&row["in"]);
            assert!(row["by"].is_string(), "nothing is said of {row}");
            assert!(row["open"].is_null() == row["why"].is_null(), "open, and no reason: {row}");
            Row {
                name: text(&row["name"]),
                is_alone: row["isAlone"] == true,
                is_once: row["isOnce"] == true,
                in_windows: kinds.contains('w'),
                in_workers: kinds.contains('k'),
                has_twin: row["twin"].is_null(),
                open: open(row),
            }
        })
        .collect()
}

/// Begins with these rows in this place, to a stranger or to the page's own server.
pub(super) fn begin(page: &mut Session, place: &str, names: &[&str], to: &str) {
    let to = if to == "own" { page.url() } else { to.to_string() };
    let (table, run) = (expression(TABLE), expression(RUN));
    let function = if place == "worker" { "inWorker" } else { "here" };
    page.evaluate(&format!(
        "window.sent = false;
         void ({run})({table}, {}, {}).{function}({}, {}, {}).then(() => {{ window.sent = true; }}); 0",
        json!(table),
        json!(run),
        json!(place),
        json!(names),
        json!(to)
    ));
}

/// The names, with their places, that are in any of these lines.
fn arrived(lines: &[String], rows: &[Row], places: &[&str]) -> BTreeSet<String> {
    let marks = places.iter().flat_map(|place| {
        rows.iter().filter(|row| row.is_in(place)).map(move |row| format!("{}--{place}", row.name))
    });
    // `empty` ends like no other, but `outer` begins like another.
    let is_in = |mark: &String, line: &String| {
        line.match_indices(mark.as_str()).any(|(at, _)| {
            let before = line[..at].chars().last();
            let after = line[at + mark.len()..].chars().next();
            let ends = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-');
            ends(before) && ends(after)
        })
    };
    marks.filter(|mark| lines.iter().any(|line| is_in(mark, line))).collect()
}

/// Crashes the tab where it is found again: it has a test of its own.
fn ends_the_tab(row: &Row, place: &str) -> bool {
    row.name == "webrtc" && place.contains("empty")
}

#[test]
fn no_route_leads_out_but_those_that_are_named() {
    let strangers = Tripwire::new();
    let mut page = Session::among_strangers(&place("GRAMERGE_WEB"), strangers.port);
    page.open("");
    page.wait_for(LOCKED);
    page.evaluate("window.mark = 1");
    let rows = rows(&mut page);
    let places = [&WINDOWS[..], &["worker"]].concat();
    for to in ["stranger", "own"] {
        for place in &places {
            let here = |row: &&Row| row.is_in(place) && !ends_the_tab(row, place);
            let alone: Vec<&Row> = rows.iter().filter(here).filter(|row| row.is_alone).collect();
            let rest = rows.iter().filter(here).filter(|row| !row.is_alone);
            let rest: Vec<&str> = rest.map(|row| row.name.as_str()).collect();
            begin(&mut page, place, &rest, to);
            page.wait_for("window.sent");
            for row in alone {
                begin(&mut page, place, &[&row.name], to);
                page.wait_for("window.sent");
            }
        }
    }
    page.forget(); // the link that saves what its address answers
    merge(&mut page);
    page.click_button("Save merged model");
    page.saved_file();
    assert_eq!(page.evaluate("window.mark"), 1, "the page was left");
    let at_strangers = arrived(&strangers.heard(), &rows, &places);
    let at_home = arrived(&page.requests_at_server(), &rows, &places);
    let found: BTreeSet<String> = (at_strangers.iter().map(|mark| format!("stranger {mark}")))
        .chain(at_home.iter().map(|mark| format!("own {mark}")))
        .collect();
    let expected: BTreeSet<String> = rows
        .iter()
        .flat_map(|row| {
            row.open
                .iter()
                .filter_map(|at| at.split_once(' '))
                .map(|(to, place)| format!("{to} {}--{place}", row.name))
        })
        .collect();
    assert_eq!(found, expected);
    assert!(!strangers.heard().iter().any(String::is_empty), "a stranger was connected to");
}

#[test]
fn every_route_leads_out_without_the_lock() {
    let copy = without_any_lock();
    let strangers = Tripwire::new();
    let mut page = Session::among_strangers(copy.folder(), strangers.port);
    page.open("");
    page.wait_for("document.querySelector('#lock-badge')?.dataset.lock !== 'open'");
    let rows = rows(&mut page);
    let places = ["page", "outer", "worker"];
    let expected = |place: &str| {
        let twins = rows.iter().filter(move |row| row.has_twin_in(place));
        twins.map(|row| format!("{}--{place}", row.name)).collect::<Vec<_>>()
    };
    for place in places {
        let twins = rows.iter().filter(|row| row.has_twin_in(place));
        let (alone, rest): (Vec<&Row>, Vec<&Row>) = twins.partition(|row| row.is_alone);
        let rest: Vec<&str> = rest.iter().map(|row| row.name.as_str()).collect();
        begin(&mut page, place, &rest, "stranger");
        page.wait_for("window.sent");
        // Strangers answer with no content, so that nothing really leaves the page.
        for row in alone {
            page.tab("Page.bringToFront", json!({}));
            begin(&mut page, place, &[&row.name], "stranger");
            let mark = format!("{}--{place}", row.name);
            wait_for(|| arrived(&strangers.heard(), &rows, &[place]).contains(&mark));
        }
    }
    let mut missing = Vec::new();
    for mark in places.iter().flat_map(|place| expected(place)) {
        if !wait_for(|| arrived(&strangers.heard(), &rows, &places).contains(&mark)) {
            missing.push(mark);
        }
    }
    assert_eq!(missing, [""; 0], "these would not have been noticed");
}

/// Whether it came true.
fn wait_for(condition: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + DEADLINE / 6;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

/// The page as it is, but for everything that closes anything.
fn without_any_lock() -> Copy {
    let copy = Copy::new();
    for document in ["index.html", "app.html"] {
        copy.change(document, "http-equiv=\"Content-Security-Policy\"", "name=\"nothing\"");
    }
    copy.change("page/lock/lock.js", "document.head.append(policy);", "");
    copy.change("page/lock/lock.js", "event.preventDefault();", "void 0;");
    copy.change("page/lock/unneeded.js", "if (target && name in target)", "if (!target)");
    copy.change("shell.js", "document.head.append(policy);", "");
    copy.change("shell.js", "event.preventDefault();", "void 0;");
    copy.change("shell.js", "frame.setAttribute(\"sandbox\",", "frame.setAttribute(\"class\",");
    copy.change("shell.js", "frame.allow = ", "frame.lang = ");
    copy.change("sw.js", "...DOCUMENT, ...(isOuter && { \"content-security-policy\": OUTER })", "");
    copy
}
