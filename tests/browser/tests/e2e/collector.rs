//! A second server that counts what arrives, and the ways to send something to it.

use gramerge_browser_tests::Session;
use gramerge_server::Server;
use serde_json::json;
use tempfile::TempDir;

/// Another origin than the page's. It has no files: whatever is asked for is noted.
pub(crate) struct Collector {
    server: Server,
    _folder: TempDir,
}

impl Collector {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let server = Server::start(folder.path(), 0).expect("a second server");
        Self { server, _folder: folder }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// What arrived, but for icons, which browsers want of every site that they show.
    pub(crate) fn arrived(&self) -> Vec<String> {
        let requests = self.server.requests().into_iter();
        requests.filter(|request| !request.contains("favicon")).collect()
    }
}

/// Each sends something to `url`, and settles when it was answered or has failed.
const ROUTES: [(&str, &str); 13] = [
    ("fetch", "fetch(url, { mode: 'no-cors' })"),
    (
        "xhr",
        "new Promise((r) => { const x = new XMLHttpRequest(); x.open('POST', url); x.onloadend = r; x.send('1'); })",
    ),
    (
        "websocket",
        "new Promise((r) => { const s = new WebSocket(url.replace('http', 'ws')); s.onerror = s.onopen = r; })",
    ),
    ("events", "new Promise((r) => { const s = new EventSource(url); s.onerror = s.onopen = r; })"),
    ("import", "import(url)"),
    ("cache", "caches.open('x').then((cache) => cache.add(url))"),
    ("beacon", "navigator.sendBeacon(url, '1')"),
    (
        "image",
        "new Promise((r) => { const i = new Image(); i.onload = i.onerror = r; i.src = url; })",
    ),
    (
        "style",
        "new Promise((r) => { const l = document.createElement('link'); l.rel = 'stylesheet'; l.onload = l.onerror = r; l.href = url; document.head.append(l); })",
    ),
    (
        "frame",
        "new Promise((r) => { const f = document.createElement('iframe'); f.src = url; f.onload = r; document.body.append(f); })",
    ),
    (
        "form",
        "(() => { const f = document.createElement('form'); f.action = url; f.method = 'post'; f.target = '_blank'; document.body.append(f); f.submit(); })()",
    ),
    ("popup", "window.open(url)"),
    (
        "blank",
        "(() => { const a = document.createElement('a'); a.href = url; a.target = '_blank'; document.body.append(a); a.click(); })()",
    ),
];
/// The first so many of them exist in workers.
const N_IN_WORKERS: usize = 6;

/// Where the attempts go and what they are called, from the page first.
pub(crate) fn attempts(to: &str) -> Vec<String> {
    let page = ROUTES.iter().map(|(name, _)| format!("{to}page-{name}"));
    let worker = ROUTES[..N_IN_WORKERS].iter().map(|(name, _)| format!("{to}worker-{name}"));
    page.chain(worker).collect()
}

/// Sends by every route, from the page and from workers that it starts, and waits until each was
/// answered, has failed, or was stopped.
pub(crate) fn send_all(page: &mut Session, to: &str) {
    for (name, code) in ROUTES {
        run(page, &format!("{to}page-{name}"), &tried(code));
    }
    for (name, code) in &ROUTES[..N_IN_WORKERS] {
        run(page, &format!("{to}worker-{name}"), &in_worker(&tried(code)));
    }
}

/// A promise that also settles when the browser says that it stopped something.
fn tried(code: &str) -> String {
    format!(
        "Promise.race([
            new Promise((r) => addEventListener('securitypolicyviolation', r, {{ once: true }})),
            (async () => {code})().catch(() => {{}}),
        ])"
    )
}

/// A worker by `blob:` address, started as the page starts its own. The page has loaded the module
/// that it imports, so this asks for nothing.
fn in_worker(code: &str) -> String {
    let worker = format!("const url = self.name; {code}.then(() => postMessage(0));");
    format!(
        "import('./shared/trusted.js').then(({{ startWorker }}) => {{
            const blob = new Blob([{}], {{ type: 'text/javascript' }});
            const worker = startWorker(URL.createObjectURL(blob), url);
            return new Promise((r) => {{ worker.onmessage = r; }}).then(() => worker.terminate());
        }})",
        json!(worker)
    )
}

fn run(page: &mut Session, url: &str, attempt: &str) {
    page.evaluate(&format!(
        "window.sent = false; (async (url) => {{ await {attempt}; window.sent = true; }})({}); 0",
        json!(url)
    ));
    page.wait_for("window.sent");
}
