use std::{
    error::Error as _,
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use gassync_domain::HttpResponse;
use parking_lot::Mutex;
use reqwest::{
    Client, Method, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use rustls_platform_verifier::ConfigVerifierExt;
use url::Url;

use super::{OutgoingRequest, SendError, Transport, pools::Pools};
use crate::address::is_public;

/// Timeout of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest response, in bytes.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Timeout of reading a truncated body, once the status is known.
const FIRST_BYTES_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum number of connection pools; beyond it the least recently used one is dropped.
const MAX_POOLS: usize = 1_000;

/// Resolves host names.
pub type Resolver =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>> + Send + Sync>;

/// Decides whether an address may be called.
pub type AddressPolicy = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// How much of a response body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyLimit {
    /// All of it; an error if it exceeds this many bytes.
    Whole(usize),
    /// At most this many bytes, received within one second; the rest is never read.
    First(usize),
}

/// The network. Each owner (a connection of an account) has its own connection pool, so that tenants never share
/// connections.
#[derive(Clone)]
pub struct Network {
    factory: ClientFactory,
    policy: AddressPolicy,
    body_limit: BodyLimit,
    pools: Arc<Mutex<Pools<HttpTransport>>>,
}

/// The network for one owner. It resolves a name once per connection, checks every address against the policy, and
/// connects only to the checked addresses.
#[derive(Clone)]
pub struct HttpTransport {
    public_only: Client,
    /// Created on first use: few hosts may have private addresses.
    any_address: Arc<OnceLock<Client>>,
    factory: ClientFactory,
    policy: AddressPolicy,
    body_limit: BodyLimit,
    response_timeout: Option<Duration>,
}

/// Creates HTTP clients.
#[derive(Clone)]
struct ClientFactory {
    resolver: Resolver,
    /// Shared by all pools, since root certificates take most of the memory.
    tls: Arc<rustls::ClientConfig>,
}

impl Network {
    /// Uses the system's resolver and certificates.
    pub fn new() -> Result<Self, SendError> {
        Self::with_resolver(Arc::new(|name| {
            Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) })
        }))
    }

    /// Uses another resolver.
    pub fn with_resolver(resolver: Resolver) -> Result<Self, SendError> {
        // Another part of the process may have installed a provider; either provider works.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut tls = rustls::ClientConfig::with_platform_verifier().map_err(|e| SendError::Tls(e.to_string()))?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let factory = ClientFactory { resolver, tls: Arc::new(tls) };
        Ok(Self {
            factory,
            policy: Arc::new(is_public),
            body_limit: BodyLimit::Whole(MAX_ANSWER_BYTES),
            pools: no_pools(),
        })
    }

    /// Replaces the default policy, which allows only public addresses.
    #[must_use]
    pub fn with_address_policy(self, policy: AddressPolicy) -> Self {
        Self { policy, pools: no_pools(), ..self }
    }

    /// Reads only the first bytes of a body. The status counts even if the body is cut off.
    #[must_use]
    pub fn truncating_bodies_at(self, bytes: usize) -> Self {
        Self { body_limit: BodyLimit::First(bytes), pools: no_pools(), ..self }
    }

    /// Checks that all current addresses of a URL may be called. Every connection checks again.
    pub async fn check(&self, url: &Url) -> Result<(), SendError> {
        let refused = || SendError::AddressRefused(url.host_str().unwrap_or_default().to_owned());
        let addresses = match url.host() {
            Some(url::Host::Ipv4(v4)) => vec![v4.into()],
            Some(url::Host::Ipv6(v6)) => vec![v6.into()],
            Some(url::Host::Domain(name)) => {
                let found =
                    (self.factory.resolver)(name.to_owned()).await.map_err(|e| SendError::Connect(e.to_string()))?;
                found.into_iter().map(|address| address.ip()).collect()
            }
            None => Vec::new(),
        };
        if addresses.is_empty() {
            return Err(SendError::Connect("the name resolves to no address".to_owned()));
        }
        if addresses.into_iter().all(|address| (self.policy)(address)) { Ok(()) } else { Err(refused()) }
    }

    /// The transport of an owner.
    pub fn of(&self, owner: &str) -> Result<HttpTransport, SendError> {
        let mut pools = self.pools.lock();
        pools.of(owner, || {
            Ok(HttpTransport {
                public_only: self.factory.client(Arc::clone(&self.policy))?,
                any_address: Arc::default(),
                factory: self.factory.clone(),
                policy: Arc::clone(&self.policy),
                body_limit: self.body_limit,
                response_timeout: None,
            })
        })
    }
}

fn no_pools() -> Arc<Mutex<Pools<HttpTransport>>> {
    Arc::new(Mutex::new(Pools::new(MAX_POOLS)))
}

impl ClientFactory {
    fn client(&self, policy: AddressPolicy) -> Result<Client, SendError> {
        let resolver = PolicyResolver { resolver: Arc::clone(&self.resolver), policy };
        Client::builder()
            .tls_backend_preconfigured((*self.tls).clone())
            .dns_resolver(Arc::new(resolver))
            .redirect(Policy::none())
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            .build()
            .map_err(|e| SendError::Connect(e.without_url().to_string()))
    }
}

impl HttpTransport {
    /// Limits the time until the response head, including connecting.
    #[must_use]
    pub fn with_response_timeout(self, response_timeout: Duration) -> Self {
        Self { response_timeout: Some(response_timeout), ..self }
    }

    fn client(&self, may_be_private: bool) -> Result<&Client, SendError> {
        if !may_be_private {
            return Ok(&self.public_only);
        }
        if let Some(client) = self.any_address.get() {
            return Ok(client);
        }
        let made = self.factory.client(Arc::new(|_| true))?;
        Ok(self.any_address.get_or_init(|| made))
    }
}

/// Distinguishes a refused address from a failed lookup.
const REFUSED: &str = "address refused";

/// Resolves names and checks every address before connecting.
struct PolicyResolver {
    resolver: Resolver,
    policy: AddressPolicy,
}

impl Resolve for PolicyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, policy) = ((self.resolver)(name.as_str().to_owned()), Arc::clone(&self.policy));
        Box::pin(async move {
            let addresses = lookup.await?;
            // One refused address refuses the name, so that the order of addresses does not matter.
            if addresses.iter().all(|address| policy(address.ip())) {
                Ok(Box::new(addresses.into_iter()) as Addrs)
            } else {
                Err(REFUSED.into())
            }
        })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: OutgoingRequest) -> Result<HttpResponse, SendError> {
        // Literal addresses bypass the resolver.
        let literal = match request.url.host() {
            Some(url::Host::Ipv4(v4)) => Some(v4.into()),
            Some(url::Host::Ipv6(v6)) => Some(v6.into()),
            _ => None,
        };
        if !request.may_be_private && literal.is_some_and(|address| !(self.policy)(address)) {
            return Err(SendError::AddressRefused(request.url.host_str().unwrap_or_default().to_owned()));
        }
        let client = self.client(request.may_be_private)?;
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|e| SendError::Connect(e.to_string()))?;
        let mut builder = client.request(method, request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let sending = builder.send();
        let response = match self.response_timeout {
            Some(response_timeout) => {
                tokio::time::timeout(response_timeout, sending).await.map_err(|_| SendError::TimedOut)?
            }
            None => sending.await,
        };
        let response = response.map_err(|e| send_error(&host, e))?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let body = match self.body_limit {
            BodyLimit::Whole(most) => whole(response, most, &host).await?,
            BodyLimit::First(most) => first(response, most).await,
        };
        Ok(HttpResponse { status, headers, body })
    }
}

async fn whole(mut response: Response, most: usize, host: &str) -> Result<Vec<u8>, SendError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| send_error(host, e))? {
        if body.len() + chunk.len() > most {
            return Err(SendError::TooLarge(most as u64));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads the beginning of a body; a body that stalls or breaks off is truncated.
async fn first(mut response: Response, most: usize) -> Vec<u8> {
    let mut body = Vec::new();
    let body_limit = async {
        while body.len() < most
            && let Ok(Some(chunk)) = response.chunk().await
        {
            let room = most - body.len();
            body.extend_from_slice(&chunk[..room.min(chunk.len())]);
        }
    };
    // Keep what has arrived by then.
    let _ = tokio::time::timeout(FIRST_BYTES_TIMEOUT, body_limit).await;
    body
}

/// Converts an error without its URL, which may contain a secret.
fn send_error(host: &str, error: reqwest::Error) -> SendError {
    let error = error.without_url();
    if error.is_timeout() {
        return SendError::TimedOut;
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    if text.contains(REFUSED) {
        SendError::AddressRefused(host.to_owned())
    } else if text.to_lowercase().contains("certificate") || text.to_lowercase().contains("tls") {
        SendError::Tls(text)
    } else {
        SendError::Connect(text)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn request(url: &str) -> OutgoingRequest {
        OutgoingRequest {
            method: "GET".into(),
            url: url.parse().expect("url"),
            shown: url.to_owned(),
            headers: Vec::new(),
            body: None,
            may_be_private: false,
        }
    }

    #[tokio::test]
    async fn private_addresses_are_refused_by_name_and_number() {
        let pool = Network::new().expect("a network").of("test").expect("a pool");
        for url in [
            "http://localhost:9/",
            "http://127.0.0.1:9/",
            "http://127.1:9/",
            "http://2130706433:9/",
            "http://0x7f000001:9/",
            "http://0177.0.0.1:9/",
            "http://0:9/",
            "http://10.0.0.1:9/",
            "http://172.16.0.1:9/",
            "http://192.168.1.1:9/",
            "http://100.64.0.1:9/",
            "http://169.254.169.254:9/latest/meta-data/",
            "http://[::1]:9/",
            "http://[::]:9/",
            "http://[::ffff:127.0.0.1]:9/",
            "http://[::ffff:a9fe:a9fe]:9/",
            "http://[64:ff9b::7f00:1]:9/",
            "http://[2002:7f00:1::]:9/",
            "http://[fd00:ec2::254]:9/",
            "http://[fe80::1]:9/",
        ] {
            let error = pool.send(request(url)).await.expect_err(url);
            assert!(matches!(error, SendError::AddressRefused(_)), "{url}: {error}");
        }
    }

    /// A resolver that returns these address lists in order.
    fn names(responses: Vec<Vec<IpAddr>>) -> Resolver {
        let responses = Mutex::new(responses.into_iter());
        Arc::new(move |_| {
            let next = responses.lock().next().unwrap_or_default();
            Box::pin(async move { Ok(next.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect()) })
        })
    }

    #[tokio::test]
    async fn one_private_address_refuses_the_name_on_each_lookup() {
        let (good, bad) = (IpAddr::from([203, 0, 114, 1]), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let network =
            Network::with_resolver(names(vec![vec![good, bad], vec![bad], vec![bad, good]])).expect("a network");
        let pool = network.of("test").expect("a pool");
        for _ in 0..3 {
            let error = pool.send(request("http://two-faced.example:9/")).await.expect_err("refused");
            assert_eq!(error, SendError::AddressRefused("two-faced.example".to_owned()));
        }
    }

    #[tokio::test]
    async fn dns_rebinding_is_impossible() {
        // A second DNS lookup after the check would resolve to this listener.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        // The policy of this test accepts the first address, where nothing listens.
        let first = IpAddr::from([127, 0, 0, 2]);
        let network = Network::with_resolver(names(vec![vec![first], vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]]));
        let not_here: AddressPolicy = Arc::new(|address| address != IpAddr::V4(Ipv4Addr::LOCALHOST));
        let pool = network.expect("a network").with_address_policy(not_here).of("test").expect("a pool");
        let url = format!("http://rebinding.example:{port}/");
        let sent = tokio::time::timeout(Duration::from_millis(500), pool.send(request(&url))).await;
        assert!(!matches!(sent, Ok(Ok(_))), "{:?}", sent.map(|s| s.map(|r| r.status)));
        assert!(tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_err(), "nobody came");
    }

    #[tokio::test]
    async fn status_counts_even_if_the_body_is_cut_off() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        for (hangs, sent, kept) in
            [(true, "abc", "abc"), (false, "abc", "abc"), (true, "", ""), (true, "abcdef", "abcd")]
        {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let url = format!("http://{}/", listener.local_addr().expect("an address"));
            let serving = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.expect("a caller");
                assert!(stream.read(&mut [0; 1024]).await.expect("a request") > 0);
                let response = format!("HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\n{sent}");
                stream.write_all(response.as_bytes()).await.expect("written");
                // Hold the connection until the client closes it.
                while hangs && stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
            });
            let network =
                Network::new().expect("a network").with_address_policy(Arc::new(|_| true)).truncating_bodies_at(4);
            let pool = network.of("test").expect("a pool").with_response_timeout(Duration::from_secs(10));
            let response = pool.send(request(&url)).await.expect("an answer");
            assert_eq!((response.status, response.body), (202, kept.as_bytes().to_vec()));
            serving.await.expect("served");
        }
    }

    #[tokio::test]
    async fn silent_servers_time_out() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let network =
            Network::new().expect("a network").with_address_policy(Arc::new(|_| true)).truncating_bodies_at(4);
        let pool = network.of("test").expect("a pool").with_response_timeout(Duration::from_millis(50));
        let sent = pool.send(request(&url)).await;
        assert_eq!(sent.expect_err("nobody took it"), SendError::TimedOut);
    }

    #[tokio::test]
    async fn redirects_are_not_followed_and_pools_are_separate() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let connections = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut bytes = [0; 1024];
                    while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {
                        let response =
                            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
                        stream.write_all(response.as_bytes()).await.expect("written");
                    }
                });
            }
        });
        let network = Network::new().expect("a network");
        for owner in ["1/1", "1/1", "2/7"] {
            let let_inside = OutgoingRequest { may_be_private: true, ..request(&url) };
            let response = network.of(owner).expect("a pool").send(let_inside).await.expect("an answer");
            assert_eq!(response.status, 302, "the guest may read it, nobody follows it");
        }
        assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 2, "one for each owner");
    }
}
