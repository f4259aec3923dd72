//! The DevTools protocol, and WebDriver BiDi, which looks the same from here: JSON messages over
//! one WebSocket.
//!
//! Knows how to call and how to listen, and nothing of what the methods mean. Everything runs on
//! the caller's thread: events are kept until somebody asks for them.

use std::collections::VecDeque;
use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Message, WebSocket};

use crate::Result;

/// The browser answers in milliseconds unless its tab hangs.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// One message that nobody asked for.
#[derive(Debug)]
pub(crate) struct Event {
    /// Its name, such as `Network.requestWillBeSent`.
    pub(crate) method: String,
    /// Its contents.
    pub(crate) params: Value,
    /// The tab or worker that it tells of, as the protocol names it.
    pub(crate) target: String,
}

/// An open connection to a browser.
pub(crate) struct Connection {
    socket: WebSocket<TcpStream>,
    next_id: u64,
    events: VecDeque<Event>,
}

impl Connection {
    /// Connects to `ws://HOST:PORT/PATH`.
    pub(crate) fn open(address: &str) -> Result<Connection> {
        let host = address.strip_prefix("ws://").and_then(|rest| rest.split('/').next());
        let host = host.ok_or_else(|| format!("`{address}` is not a WebSocket address"))?;
        let stream =
            TcpStream::connect(host).map_err(|e| format!("cannot reach the browser: {e}"))?;
        // Screenshots are single messages of many megabytes.
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = tungstenite::client::client_with_config(address, stream, Some(config))
            .map_err(|e| format!("the browser refused the connection: {e}"))?;
        Ok(Connection { socket, next_id: 1, events: VecDeque::new() })
    }

    /// Sends without waiting for the answer, which is thrown away.
    pub(crate) fn send(&mut self, target: &str, method: &str, params: Value) -> Result<u64> {
        let id = self.next_id;
        self.next_id += 1;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if !target.is_empty() {
            message["sessionId"] = target.into();
        }
        let text = Message::text(message.to_string());
        self.socket.send(text).map_err(|e| format!("cannot send `{method}`: {e}"))?;
        Ok(id)
    }

    /// Sends and waits for the result.
    pub(crate) fn call(&mut self, target: &str, method: &str, params: Value) -> Result<Value> {
        let id = self.send(target, method, params)?;
        let deadline = Instant::now() + ANSWER_LIMIT;
        while Instant::now() < deadline {
            let Some(message) = self.receive(deadline)? else { continue };
            if message["id"] == id {
                return result_of(method, message);
            }
            self.keep(message)?;
        }
        Err(format!("the browser did not answer `{method}`"))
    }

    /// Takes the oldest event that has not been taken.
    pub(crate) fn take_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Waits until an event is there, at most for this long.
    pub(crate) fn wait_for_event(&mut self, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        while self.events.is_empty() {
            match self.receive(deadline)? {
                Some(message) => self.keep(message)?,
                None => break,
            }
        }
        Ok(())
    }

    /// The next message, or nothing if none came in time.
    fn receive(&mut self, deadline: Instant) -> Result<Option<Value>> {
        let left = deadline.saturating_duration_since(Instant::now());
        let limit = left.max(Duration::from_millis(1));
        self.socket.get_ref().set_read_timeout(Some(limit)).map_err(|e| e.to_string())?;
        match self.socket.read() {
            Ok(Message::Text(text)) => serde_json::from_str(&text).map(Some),
            Ok(_) => Ok(None),
            Err(tungstenite::Error::Io(e)) if is_timeout(&e) => Ok(None),
            Err(e) => return Err(format!("the connection to the browser broke: {e}")),
        }
        .map_err(|e| format!("the browser sent a message that is not JSON: {e}"))
    }

    /// Keeps an event; answers that nobody waits for are thrown away. Whoever is asked whether to
    /// leave the page leaves it: nothing else is answered before.
    fn keep(&mut self, mut message: Value) -> Result<()> {
        let params = message["params"].take();
        if let Some(method) = message["method"].as_str() {
            let target = message["sessionId"].as_str().unwrap_or_default().to_string();
            if method == "Page.javascriptDialogOpening" && params["type"] == "beforeunload" {
                self.send(&target, "Page.handleJavaScriptDialog", json!({ "accept": true }))?;
            }
            self.events.push_back(Event { method: method.into(), params, target });
        }
        Ok(())
    }
}

fn result_of(method: &str, mut answer: Value) -> Result<Value> {
    // DevTools puts the sentence into the error, BiDi beside it.
    let why = answer["error"]["message"].as_str();
    match why.or_else(|| answer["error"].as_str().and(answer["message"].as_str())) {
        Some(sentence) => Err(format!("`{method}` failed: {sentence}")),
        None => Ok(answer["result"].take()),
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
