//! Ports for servers that stop and restart.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the range of outgoing connections: otherwise a client that connects while the server is down could get the
/// server's own port, connect to itself, and block the restart.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A free port of this machine. Each is returned once.
pub fn free_port() -> u16 {
    // Processes start at different ports, so that collisions are rare.
    let begin = u16::try_from(std::process::id() * 37 % u32::from(COUNT)).unwrap_or(0);
    loop {
        let port = FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
