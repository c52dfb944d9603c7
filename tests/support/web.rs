//! An HTTP client for hosts.

use std::time::Duration;

use reqwest::Client;

/// Maximum response time: a faulty network may lose the response.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A client without a proxy.
pub fn client() -> Client {
    // A provider may be installed already: either is fine.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().no_proxy().timeout(TIMEOUT).build().expect("a client")
}
