//! A static file server for one folder, on this machine only.
//!
//! Like the plainest static host: no special headers, so that whatever works here works anywhere.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest request head that is read.
const MAX_HEAD_BYTES: u64 = 64 << 10;
/// A browser may open connections that it never uses.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. Dropping it stops it.
pub struct Server {
    thread: Option<JoinHandle<()>>,
    address: SocketAddr,
    site: Arc<Site>,
}

/// What the threads of a server share.
struct Site {
    root: PathBuf,
    stopping: AtomicBool,
    requests: Mutex<Vec<String>>,
}

impl Site {
    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn requests(&self) -> MutexGuard<'_, Vec<String>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Serves the files under `folder` on 127.0.0.1; port 0 takes any free one.
    pub fn start(folder: &Path, port: u16) -> Result<Server, String> {
        let root = folder
            .canonicalize()
            .map_err(|e| format!("there is no folder {} to serve: {e}", folder.display()))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .map_err(|e| format!("cannot serve on port {port}: {e}; try `--port 0`"))?;
        let address =
            listener.local_addr().map_err(|e| format!("the server has no address: {e}"))?;
        let (stopping, requests) = (AtomicBool::new(false), Mutex::default());
        let site = Arc::new(Site { root, stopping, requests });
        let shared = Arc::clone(&site);
        let thread = std::thread::spawn(move || accept(&listener, &shared));
        Ok(Server { thread: Some(thread), address, site })
    }

    /// Every request so far, such as `GET /index.html`, in the order in which they came.
    pub fn requests(&self) -> Vec<String> {
        self.site.requests().clone()
    }

    /// The address of the folder's `index.html`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.site.stopping.store(true, Ordering::Relaxed);
        // A last connection wakes the thread that waits for one.
        TcpStream::connect(self.address).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// One thread and one answer per connection: nothing can wait behind an idle one.
fn accept(listener: &TcpListener, site: &Arc<Site>) {
    for stream in listener.incoming() {
        if site.is_stopping() {
            return;
        }
        let site = Arc::clone(site);
        if let Ok(stream) = stream {
            // A browser that hangs up in the middle of an answer is its own affair.
            std::thread::spawn(move || answer(&stream, &site).ok());
        }
    }
}

fn answer(stream: &TcpStream, site: &Site) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let (method, url) = request(stream)?;
    // A connection may have been opened before the server ended, and used only now.
    if site.is_stopping() {
        return Ok(());
    }
    site.requests().push(format!("{method} {url}"));
    let with_body = match method.as_str() {
        "GET" => true,
        "HEAD" => false,
        _ => return text(stream, "405 Method Not Allowed", "only GET and HEAD"),
    };
    let found = file_under(&site.root, &url).and_then(|path| Some((File::open(&path).ok()?, path)));
    let Some((mut file, path)) = found else {
        return text(stream, "404 Not Found", "no such file");
    };
    head(stream, "200 OK", media_type(&path), file.metadata()?.len())?;
    if with_body {
        io::copy(&mut file, &mut &*stream)?;
    }
    Ok(())
}

/// Method and address of a request; its headers are read and ignored.
fn request(stream: &TcpStream) -> io::Result<(String, String)> {
    let mut lines = BufReader::new(stream.take(MAX_HEAD_BYTES)).lines();
    let first = lines.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let mut words = first.split(' ').map(str::to_owned);
    Ok((words.next().unwrap_or_default(), words.next().unwrap_or_default()))
}

fn text(stream: &TcpStream, status: &str, sentence: &str) -> io::Result<()> {
    head(stream, status, "text/plain; charset=utf-8", sentence.len() as u64)?;
    let mut stream = stream;
    stream.write_all(sentence.as_bytes())
}

/// A rebuilt page must show at the next reload, so nothing is cached.
fn head(mut stream: &TcpStream, status: &str, media_type: &str, len_bytes: u64) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len_bytes}\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())
}

/// The file that a request means, if it is one and lies under `root`.
fn file_under(root: &Path, url: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?;
    let mut file = root.to_path_buf();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let part = percent_decoded(part)?;
        if part == "." || part == ".." || part.contains(['/', '\\', '\0', ':']) {
            return None;
        }
        file.push(part);
    }
    if path.ends_with('/') {
        file.push("index.html");
    }
    // Resolving links last catches those that lead outside.
    let file = file.canonicalize().ok()?;
    (file.starts_with(root) && file.is_file()).then_some(file)
}

fn percent_decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (high, low) = (hex(rest.next()?)?, hex(rest.next()?)?);
        bytes.push(high * 16 + low);
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" | "md" | "wgsl" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(request: &str) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let server = Server::start(&folder, 0).unwrap();
        let mut stream = TcpStream::connect(server.address).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn serves_a_file_without_caching() {
        let answer = served("GET /lib.rs?x=1");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("Cache-Control: no-store"), "{answer}");
        assert!(answer.contains("A static file server"), "{answer}");
    }

    #[test]
    fn head_has_no_body() {
        let answer = served("HEAD /lib.rs");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }

    #[test]
    fn remembers_every_request() {
        let server = Server::start(Path::new(env!("CARGO_MANIFEST_DIR")), 0).unwrap();
        for request in ["GET /Cargo.toml?x=1", "POST /nothing"] {
            let mut stream = TcpStream::connect(server.address).unwrap();
            write!(stream, "{request} HTTP/1.1\r\n\r\n").unwrap();
            stream.read_to_string(&mut String::new()).unwrap();
        }
        assert_eq!(server.requests(), ["GET /Cargo.toml?x=1", "POST /nothing"]);
    }

    #[test]
    fn stays_inside_its_folder() {
        for path in ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "//etc/passwd"] {
            let answer = served(&format!("GET {path}"));
            assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        }
    }

    #[test]
    fn wasm_and_modules_have_the_types_that_browsers_demand() {
        assert_eq!(media_type(Path::new("a_bg.wasm")), "application/wasm");
        assert!(media_type(Path::new("a.js")).starts_with("text/javascript"));
    }
}
