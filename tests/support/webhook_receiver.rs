//! A webhook receiver: it records requests byte for byte and answers as configured. It implements HTTP itself, so that
//! it can also hang or close the connection.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gassync_domain::Timestamp;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{host::clock, port::free_port};

/// Default maximum wait for messages.
const PATIENCE: Duration = Duration::from_secs(30);

/// A webhook subscriber that can stop and resume.
pub struct WebhookReceiver {
    /// Its listen address.
    pub address: SocketAddr,
    state: Arc<State>,
    running: Option<(CancellationToken, tokio::task::JoinHandle<()>)>,
}

/// A received request.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method, such as `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers as received, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Time of arrival.
    pub at: Timestamp,
}

/// How to answer a message.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This status.
    Status(u16),
    /// This status and body.
    Says(u16, String),
    /// This status with `Retry-After`, in seconds.
    Later(u16, u32),
    /// A redirect to this URL.
    Redirect(String),
    /// No response while the caller waits.
    Hang,
    /// Closes the connection.
    Close,
}

type Judge = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;

struct State {
    received: Mutex<Vec<Received>>,
    judge: Mutex<Judge>,
    count: watch::Sender<usize>,
}

impl Received {
    /// A header; empty if missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The body, parsed as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The three headers that authenticate a message: id, timestamp, signatures.
    pub fn signed(&self) -> (&str, &str, &str) {
        (self.header("webhook-id"), self.header("webhook-timestamp"), self.header("webhook-signature"))
    }
}

impl WebhookReceiver {
    /// Starts a receiver on loopback that answers 204.
    pub async fn start() -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let judge: Judge = Arc::new(|_| Answer::Status(204));
        let state = State { received: Mutex::default(), judge: Mutex::new(judge), count: watch::Sender::new(0) };
        let mut receiver = Self { address, state: Arc::new(state), running: None };
        receiver.resume().await;
        receiver
    }

    /// The URL of a path that begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Stops listening and closes open connections.
    pub async fn stop(&mut self) {
        if let Some((stop, serving)) = self.running.take() {
            stop.cancel();
            serving.await.expect("joined");
        }
    }

    /// Listens again at the same address.
    pub async fn resume(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the port");
        let (stop, state) = (CancellationToken::new(), Arc::clone(&self.state));
        let serving = tokio::spawn(serve(listener, state, stop.clone()));
        self.running = Some((stop, serving));
    }

    /// Sets the answer to all messages.
    pub fn answers(&self, answer: Answer) {
        self.answers_by(move |_| answer.clone());
    }

    /// Sets a function that chooses the answer to each message.
    pub fn answers_by(&self, judge: impl Fn(&Received) -> Answer + Send + Sync + 'static) {
        *lock(&self.state.judge) = Arc::new(judge);
    }

    /// All received messages, in order.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state.received).clone()
    }

    /// Number of received messages.
    pub fn count(&self) -> usize {
        *self.state.count.borrow()
    }

    /// Deletes the received messages.
    pub fn forget(&self) {
        let mut received = lock(&self.state.received);
        received.clear();
        self.state.count.send_replace(0);
    }

    /// Waits until this many messages have arrived, and returns them.
    pub async fn until(&self, messages: usize) -> Vec<Received> {
        self.within(PATIENCE, messages).await
    }

    /// As [`WebhookReceiver::until`], with this maximum wait.
    pub async fn within(&self, patience: Duration, messages: usize) -> Vec<Received> {
        let mut count = self.state.count.subscribe();
        let enough = tokio::time::timeout(patience, count.wait_for(|count| *count >= messages)).await.is_ok();
        let received = self.received();
        assert!(enough, "{patience:?} went by, and of {messages} messages {} came", received.len());
        received
    }
}

impl Drop for WebhookReceiver {
    fn drop(&mut self) {
        if let Some((stop, _)) = self.running.take() {
            stop.cancel();
        }
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<State>, stop: CancellationToken) {
    // Dropped with this task, which closes the connections.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        if let Ok((stream, _)) = accepted {
            let state = Arc::clone(&state);
            connections.spawn(async move {
                // Ignore callers that hang up.
                let _: Option<()> = converse(stream, &state).await;
            });
        }
    }
    connections.shutdown().await;
}

/// Serves requests one after the other, until one side closes.
async fn converse(mut stream: TcpStream, state: &State) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let request = take(&mut stream, &mut bytes).await?;
        let judge = Arc::clone(&lock(&state.judge));
        let answer = judge(&request);
        {
            let mut received = lock(&state.received);
            received.push(request);
            state.count.send_replace(received.len());
        }
        let text = match answer {
            Answer::Status(status) => say(status, "", ""),
            Answer::Says(status, words) => say(status, "", &words),
            Answer::Later(status, seconds) => say(status, &format!("retry-after: {seconds}\r\n"), ""),
            Answer::Redirect(place) => say(302, &format!("location: {place}\r\n"), ""),
            Answer::Hang => {
                // The caller hangs up in the end, or sends data that is ignored.
                stream.read_u8().await.ok()?;
                return None;
            }
            Answer::Close => return None,
        };
        stream.write_all(text.as_bytes()).await.ok()?;
    }
}

fn say(status: u16, more: &str, words: &str) -> String {
    // A response without content must not give a length.
    let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", words.len()) };
    format!("HTTP/1.1 {status} -\r\n{more}{length}\r\n{words}")
}

/// The next request; `None` if the caller hung up.
async fn take(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Received> {
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        more(stream, bytes).await?;
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("headers are text");
    bytes.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ').map(ToOwned::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    let mut request = Received { method, path, headers, body: Vec::new(), at: clock()() };
    let length: usize = request.header("content-length").parse().unwrap_or(0);
    while bytes.len() < length {
        more(stream, bytes).await?;
    }
    request.body = bytes.drain(..length).collect();
    request.at = clock()();
    Some(request)
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    stream.read_buf(bytes).await.ok().filter(|read| *read > 0).map(drop)
}
