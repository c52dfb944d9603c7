//! A caller of the host.

use std::time::Duration;

use reqwest::Client;

/// The most time an answer may take: what the wire eats never comes.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A client that goes straight to loopback.
pub fn client() -> Client {
    // Somebody else in this process may have installed one; any will do.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().no_proxy().timeout(TIMEOUT).build().expect("a client")
}
