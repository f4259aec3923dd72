//! The harness itself: every planted fault must turn a test red.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gramerge_browser_tests::{DEADLINE, Session};
use tempfile::TempDir;

/// A session on a folder with these files.
fn serving(files: &[(&str, &str)]) -> (Session, TempDir) {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let mut session = Session::serving(folder.path());
    session.open("");
    (session, folder)
}

/// A page with this body.
fn page(body: &str) -> String {
    page_with_head("", body)
}

/// The same; it names an icon, so that the browser asks for none.
fn page_with_head(head: &str, body: &str) -> String {
    format!("<!doctype html><title>t</title><link rel=icon href='data:,'>{head}<body>{body}")
}

fn errors(files: &[(&str, &str)]) -> Vec<String> {
    let (mut session, _folder) = serving(files);
    session.wait_for("window.done");
    session.wait_for("new Promise((r) => requestAnimationFrame(() => r(true)))");
    session.record().errors.clone()
}

#[track_caller]
fn assert_one(errors: &[String], part: &str) {
    assert!(errors.len() == 1 && errors[0].contains(part), "not one with `{part}`: {errors:#?}");
}

#[track_caller]
fn assert_all(errors: &[String], part: &str) {
    let all = errors.iter().all(|line| line.contains(part));
    assert!(all && !errors.is_empty(), "not all with `{part}`: {errors:#?}");
}

#[test]
fn a_silent_page_is_quiet() {
    let html = page("<script>console.log('fine'); window.done = true</script>");
    let (mut session, _folder) = serving(&[("index.html", &html)]);
    session.wait_for("window.done");
    session.assert_quiet();
}

#[test]
#[should_panic(expected = "waited")]
fn waits_for_what_is_promised() {
    let (mut session, _folder) = serving(&[("index.html", &page(""))]);
    session.wait_for("Promise.resolve(true)");
    session.wait_for_within("Promise.resolve(false)", Duration::ZERO);
}

#[test]
fn hears_errors_of_the_page() {
    let logged = page("<script>console.error('planted'); window.done = true</script>");
    assert_one(&errors(&[("index.html", &logged)]), "planted");
    let thrown = page("<script>window.done = true; throw new Error('planted')</script>");
    assert_one(&errors(&[("index.html", &thrown)]), "planted");
    let rejected = page("<script>window.done = true; Promise.reject('planted')</script>");
    assert_one(&errors(&[("index.html", &rejected)]), "planted");
}

#[test]
fn hears_errors_of_workers_of_workers() {
    let start = |name: &str| format!("self.w = new Worker('{name}'); w.onmessage = () => ");
    let html = page(&format!("<script>{} window.done = true</script>", start("outer.js")));
    let outer = start("inner.js") + "postMessage(0)";
    let inner = "console.error('planted'); postMessage(0)";
    let files = [("index.html", html.as_str()), ("outer.js", &outer), ("inner.js", inner)];
    // The workers tell it, and the tab tells it once more for each.
    assert_all(&errors(&files), "planted");
}

#[test]
fn hears_csp_violations_and_failed_loads() {
    let blocked = page_with_head(
        "<meta http-equiv=Content-Security-Policy content=\"connect-src 'none'\">",
        "<script>fetch('x').catch(() => window.done = true)</script>",
    );
    let heard = errors(&[("index.html", &blocked)]);
    assert_all(&heard, "Content Security Policy");
    let missing = page("<script>fetch('nothing').then(() => window.done = true)</script>");
    assert_one(&errors(&[("index.html", &missing)]), "404");
}

#[test]
#[should_panic(expected = "the page complained")]
fn a_loud_page_fails_assert_quiet() {
    let html = page("<script>console.error('planted'); window.done = true</script>");
    let (mut session, _folder) = serving(&[("index.html", &html)]);
    session.wait_for("window.done");
    session.assert_quiet();
}

#[test]
fn records_requests_of_page_and_worker() {
    let html = page(
        "<script>const w = new Worker('w.js');
         w.onmessage = () => fetch('page.txt').then(() => window.done = true)</script>",
    );
    let worker = "fetch('worker.txt').then(() => postMessage(0))";
    let files =
        [("index.html", html.as_str()), ("w.js", worker), ("page.txt", ""), ("worker.txt", "")];
    let (mut session, _folder) = serving(&files);
    session.wait_for("window.done");
    let (url, requests) = (session.url(), session.record().requests.clone());
    for name in ["", "w.js", "page.txt", "worker.txt"] {
        let wanted = format!("{url}{name}");
        assert!(requests.iter().any(|r| r.url == wanted), "{name} is not in {requests:#?}");
    }
    session.forget();
    assert!(session.record().requests.is_empty());
}

#[test]
fn works_in_the_frame_that_a_page_consists_of() {
    let outer = page("<title>outer</title><iframe src='inner.html'></iframe>");
    let inner = page("<label>Inner text <input></label><button>Press</button>");
    let inner = inner
        + "<script>document.querySelector('button').onclick = () => {
        document.body.append(document.createElement('iframe')); window.pressed = true };</script>";
    let (mut session, _folder) = serving(&[("index.html", &outer), ("inner.html", &inner)]);
    let path = |session: &mut Session| session.evaluate("location.pathname");
    assert_eq!(path(&mut session), "/inner.html");
    assert_eq!(session.evaluate_in_tab("location.pathname"), "/");
    session.by_label("Inner text");
    session.click_button("Press");
    session.wait_for("window.pressed");
    assert_eq!(path(&mut session), "/inner.html", "a later frame was taken for the page's");
    session.reload();
    assert_eq!(session.evaluate("window.pressed ?? null"), serde_json::Value::Null);
    assert_eq!(path(&mut session), "/inner.html");
}

#[test]
fn the_server_tells_what_it_was_asked_for_until_it_ends() {
    let (mut session, _folder) = serving(&[("index.html", &page(""))]);
    session.evaluate("fetch('x?y')");
    assert!(session.requests_at_server().contains(&"GET /x?y".to_string()));
    session.stop_server();
    assert_eq!(session.evaluate("fetch('').then(() => true, () => false)"), false);
}

#[test]
fn files_are_chosen_dropped_and_saved() {
    let html = page(
        "<label>Some files <input type=file multiple id=i></label>
         <p id=zone style='height: 100px'>drop here</p><button>Save it</button>
         <script>
           zone.ondragover = (event) => event.preventDefault();
           zone.ondrop = async (event) => {
             event.preventDefault();
             window.dropped = await event.dataTransfer.files[0].text();
           };
           document.querySelector('button').onclick = () => {
             const link = document.createElement('a');
             link.href = URL.createObjectURL(i.files[1]);
             link.download = 'saved.bin';
             link.click();
           };
         </script>",
    );
    let (mut session, folder) = serving(&[("index.html", &html), ("a", "first"), ("b", "second")]);
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    session.set_files("Some files", &[&a, &b]);
    assert_eq!(session.evaluate("i.files.length"), 2);
    session.drop_files("#zone", &[&a]);
    session.wait_for("window.dropped === 'first'");
    session.click_button("Save it");
    let saved = session.saved_file();
    assert_eq!(saved.file_name(), Some("saved.bin".as_ref()));
    assert_eq!(fs::read_to_string(saved).unwrap(), "second");
    session.assert_quiet();
}

#[test]
fn sizes_colours_and_pictures() {
    let html = page("<meta name=viewport content='width=device-width'><h1>tall</h1>");
    let (mut session, folder) = serving(&[("index.html", &html)]);
    session.set_viewport(390, 844);
    session.prefer("prefers-color-scheme", "dark");
    assert_eq!(session.evaluate("innerWidth"), 390);
    assert_eq!(session.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"), true);
    let picture = folder.path().join("p.png");
    session.screenshot(&picture);
    assert!(fs::read(picture).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn offline_means_offline() {
    let (mut session, _folder) = serving(&[("index.html", &page(""))]);
    assert_eq!(session.evaluate("fetch('').then(() => true, () => false)"), true);
    session.go_offline();
    assert_eq!(session.evaluate("fetch('').then(() => true, () => false)"), false);
}

#[test]
fn a_session_leaves_no_process_and_no_files_behind() {
    let (session, _folder) = serving(&[("index.html", &page(""))]);
    let profile = session.profile().to_path_buf();
    assert!(profile.is_dir());
    assert!(uses(&profile), "the browser's own command line was not found");
    drop(session);
    assert!(!uses(&profile), "the browser still runs");
    assert!(!profile.exists(), "the profile is still there");
}

const NOTE: &str = "GRAMERGE_PROFILE_NOTE";

#[test]
#[ignore = "only the next test starts it, to kill it"]
fn waits_to_be_killed() {
    let (session, _folder) = serving(&[("index.html", &page(""))]);
    let note = std::env::var_os(NOTE).unwrap();
    fs::write(note, session.profile().as_os_str().as_encoded_bytes()).unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn a_killed_test_takes_its_browser_along() {
    let folder = TempDir::new().unwrap();
    let note = folder.path().join("note");
    let mut test = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "waits_to_be_killed"])
        .env(NOTE, &note)
        .env("TMPDIR", folder.path())
        .spawn()
        .unwrap();
    wait_until("it started", || fs::read(&note).is_ok_and(|text| !text.is_empty()));
    let profile = PathBuf::from(fs::read_to_string(&note).unwrap());
    assert!(uses(&profile), "the browser's own command line was not found");
    test.kill().unwrap();
    test.wait().unwrap();
    wait_until("the browser ended", || !uses(&profile));
}

fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_true() {
        assert!(Instant::now() < deadline, "waited for: {what}");
        std::thread::yield_now();
    }
}

/// Whether a process of this machine has the folder on its command line.
fn uses(folder: &Path) -> bool {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    let wanted = folder.as_os_str().as_encoded_bytes();
    lines.into_iter().any(|line| line.windows(wanted.len()).any(|part| part == wanted))
}
