//! Ports for servers that come and go.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the range that systems give to outgoing connections: a client that calls while the server is away could
/// otherwise be given the server's own port, reach itself, and keep the server from coming back.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port of this machine that nobody listens on. Each is given once.
pub fn free_port() -> u16 {
    // Processes begin at different places, so that they seldom try the same.
    let begin = u16::try_from(std::process::id() * 37 % u32::from(COUNT)).unwrap_or(0);
    loop {
        let port = FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
