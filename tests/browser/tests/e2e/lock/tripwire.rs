//! Every stranger at once: a listener that notes the first bytes of whatever reaches it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Whoever connects and says nothing is noted without a name.
const PATIENCE: Duration = Duration::from_secs(5);

/// A listener on a port of this machine. Dropping it ends it.
pub(crate) struct Tripwire {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    heard: Mutex<Vec<String>>,
}

impl Tripwire {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared::default());
        let inner = Arc::clone(&shared);
        let thread = std::thread::spawn(move || accept(&listener, &inner));
        Self { port, shared, thread: Some(thread) }
    }

    /// The first bytes of every connection, as text where they are: a request's address and host
    /// are, and so is the host that is greeted by TLS.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.shared.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Tripwire {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::Relaxed) {
            return;
        }
        let shared = Arc::clone(shared);
        std::thread::spawn(move || stream.map(|stream| note(stream, &shared)));
    }
}

fn note(mut stream: TcpStream, shared: &Shared) {
    stream.set_read_timeout(Some(PATIENCE)).ok();
    let mut first = vec![0; 4096];
    let n_read = stream.read(&mut first).unwrap_or(0);
    let text = String::from_utf8_lossy(&first[..n_read]).into_owned();
    shared.heard.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").ok();
}
