use std::{
    error::Error as _,
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use gassync_domain::HttpResponse;
use reqwest::{
    Client, Method, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use rustls_platform_verifier::ConfigVerifierExt;
use url::Url;

use super::{OutgoingRequest, SendError, Transport, pools::Pools};
use crate::address::is_public;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// How long the first bytes of an answer are waited for, where no more is read: by then its status is known.
const FIRST_BYTES_TIMEOUT: Duration = Duration::from_secs(1);
/// Owners whose connections are kept open; beyond it, those that were not used for longest are given up.
const MAX_POOLS: usize = 1_000;

/// How names become addresses.
pub type LookUp =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>> + Send + Sync>;

/// Whether an address may be called.
pub type Judge = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// How much of an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// All of it; one that is longer than these bytes is an error.
    Whole(usize),
    /// These first bytes, as far as they come in a second; of a longer one the rest is never read.
    First(usize),
}

/// The network. Each owner, which is a connection of an account, has a pool of its own: what one tenant's requests left
/// open is never used for another's.
#[derive(Clone)]
pub struct Network {
    maker: Maker,
    judge: Judge,
    reading: Reading,
    pools: Arc<Mutex<Pools<HttpTransport>>>,
}

/// The network for one owner. A name is resolved once per connection, every address it leads to is judged, and the
/// connection goes to the very addresses that were judged.
#[derive(Clone)]
pub struct HttpTransport {
    judged: Client,
    /// Made when it is needed: few are let inside.
    private_too: Arc<OnceLock<Client>>,
    maker: Maker,
    judge: Judge,
    reading: Reading,
    within: Option<Duration>,
}

/// What clients are made of.
#[derive(Clone)]
struct Maker {
    look_up: LookUp,
    /// One set of certificates for all pools: they are the larger part of what a pool would hold.
    tls: Arc<rustls::ClientConfig>,
}

impl Network {
    /// With the system's names and certificates.
    pub fn new() -> Result<Self, SendError> {
        Self::with_names(Arc::new(|name| {
            Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) })
        }))
    }

    /// With other names.
    pub fn with_names(look_up: LookUp) -> Result<Self, SendError> {
        // Another part of the process may have chosen a provider already: either is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut tls = rustls::ClientConfig::with_platform_verifier().map_err(|e| SendError::Tls(e.to_string()))?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let maker = Maker { look_up, tls: Arc::new(tls) };
        Ok(Self { maker, judge: Arc::new(is_public), reading: Reading::Whole(MAX_ANSWER_BYTES), pools: no_pools() })
    }

    /// Another judge of addresses than whether they are of the open internet.
    #[must_use]
    pub fn judged_by(self, judge: Judge) -> Self {
        Self { judge, pools: no_pools(), ..self }
    }

    /// Reads the first bytes of an answer alone. Its status counts, however its body ends.
    #[must_use]
    pub fn reading_first(self, bytes: usize) -> Self {
        Self { reading: Reading::First(bytes), pools: no_pools(), ..self }
    }

    /// Whether all addresses that a place leads to just now may be called. What is true now is asked again whenever something
    /// connects.
    pub async fn check(&self, url: &Url) -> Result<(), SendError> {
        let refused = || SendError::AddressRefused(url.host_str().unwrap_or_default().to_owned());
        let addresses = match url.host() {
            Some(url::Host::Ipv4(v4)) => vec![v4.into()],
            Some(url::Host::Ipv6(v6)) => vec![v6.into()],
            Some(url::Host::Domain(name)) => {
                let found =
                    (self.maker.look_up)(name.to_owned()).await.map_err(|e| SendError::Connect(e.to_string()))?;
                found.into_iter().map(|address| address.ip()).collect()
            }
            None => Vec::new(),
        };
        if addresses.is_empty() {
            return Err(SendError::Connect("the name leads to no address".to_owned()));
        }
        if addresses.into_iter().all(|address| (self.judge)(address)) { Ok(()) } else { Err(refused()) }
    }

    /// The pool of an owner.
    pub fn of(&self, owner: &str) -> Result<HttpTransport, SendError> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.of(owner, || {
            Ok(HttpTransport {
                judged: self.maker.client(Arc::clone(&self.judge))?,
                private_too: Arc::default(),
                maker: self.maker.clone(),
                judge: Arc::clone(&self.judge),
                reading: self.reading,
                within: None,
            })
        })
    }
}

fn no_pools() -> Arc<Mutex<Pools<HttpTransport>>> {
    Arc::new(Mutex::new(Pools::new(MAX_POOLS)))
}

impl Maker {
    fn client(&self, judge: Judge) -> Result<Client, SendError> {
        let resolver = Judging { look_up: Arc::clone(&self.look_up), judge };
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
    /// Waits so long for the head of an answer, connecting included.
    #[must_use]
    pub fn answered_within(self, within: Duration) -> Self {
        Self { within: Some(within), ..self }
    }

    fn client(&self, may_be_private: bool) -> Result<&Client, SendError> {
        if !may_be_private {
            return Ok(&self.judged);
        }
        if let Some(client) = self.private_too.get() {
            return Ok(client);
        }
        let made = self.maker.client(Arc::new(|_| true))?;
        Ok(self.private_too.get_or_init(|| made))
    }
}

/// The word that tells a refused address from a failed look-up.
const REFUSED: &str = "address refused";

/// Resolves, and judges every address before anything connects.
struct Judging {
    look_up: LookUp,
    judge: Judge,
}

impl Resolve for Judging {
    fn resolve(&self, name: Name) -> Resolving {
        let (looking, judge) = ((self.look_up)(name.as_str().to_owned()), Arc::clone(&self.judge));
        Box::pin(async move {
            let addresses = looking.await?;
            // One bad address spoils the name: the resolver's order must not decide.
            if addresses.iter().all(|address| judge(address.ip())) {
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
        // A literal address never meets the resolver.
        let literal = match request.url.host() {
            Some(url::Host::Ipv4(v4)) => Some(v4.into()),
            Some(url::Host::Ipv6(v6)) => Some(v6.into()),
            _ => None,
        };
        if !request.may_be_private && literal.is_some_and(|address| !(self.judge)(address)) {
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
        let answer = match self.within {
            Some(within) => tokio::time::timeout(within, sending).await.map_err(|_| SendError::TimedOut)?,
            None => sending.await,
        };
        let answer = answer.map_err(|e| say(&host, e))?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let body = match self.reading {
            Reading::Whole(most) => whole(answer, most, &host).await?,
            Reading::First(most) => first(answer, most).await,
        };
        Ok(HttpResponse { status, headers, body })
    }
}

async fn whole(mut answer: Response, most: usize, host: &str) -> Result<Vec<u8>, SendError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| say(host, e))? {
        if body.len() + chunk.len() > most {
            return Err(SendError::TooLarge(most as u64));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A body that stalls or breaks off ends there: its status has come.
async fn first(mut answer: Response, most: usize) -> Vec<u8> {
    let mut body = Vec::new();
    let reading = async {
        while body.len() < most
            && let Ok(Some(chunk)) = answer.chunk().await
        {
            let room = most - body.len();
            body.extend_from_slice(&chunk[..room.min(chunk.len())]);
        }
    };
    // What has come by then is what there is.
    let _ = tokio::time::timeout(FIRST_BYTES_TIMEOUT, reading).await;
    body
}

/// Never with the address: a secret may stand in it.
fn say(host: &str, error: reqwest::Error) -> SendError {
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
    async fn names_and_numbers_that_lead_inside_are_refused() {
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

    /// Names that answer from a list, one answer after the other.
    fn names(answers: Vec<Vec<IpAddr>>) -> LookUp {
        let answers = Mutex::new(answers.into_iter());
        Arc::new(move |_| {
            let next = answers.lock().expect("unlocked").next().unwrap_or_default();
            Box::pin(async move { Ok(next.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect()) })
        })
    }

    #[tokio::test]
    async fn one_bad_address_spoils_a_name_and_each_answer_is_judged() {
        let (good, bad) = (IpAddr::from([203, 0, 114, 1]), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let network = Network::with_names(names(vec![vec![good, bad], vec![bad], vec![bad, good]])).expect("a network");
        let pool = network.of("test").expect("a pool");
        for _ in 0..3 {
            let error = pool.send(request("http://two-faced.example:9/")).await.expect_err("refused");
            assert_eq!(error, SendError::AddressRefused("two-faced.example".to_owned()));
        }
    }

    #[tokio::test]
    async fn a_name_that_changes_its_mind_gets_no_second_look() {
        // What listens here would be reached if the second answer, which leads inside, were asked for after judging.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        // The first answer passes for a public one here, and nobody listens there.
        let first = IpAddr::from([127, 0, 0, 2]);
        let network = Network::with_names(names(vec![vec![first], vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]]));
        let not_here: Judge = Arc::new(|address| address != IpAddr::V4(Ipv4Addr::LOCALHOST));
        let pool = network.expect("a network").judged_by(not_here).of("test").expect("a pool");
        let url = format!("http://rebinding.example:{port}/");
        let sent = tokio::time::timeout(Duration::from_millis(500), pool.send(request(&url))).await;
        assert!(!matches!(sent, Ok(Ok(_))), "{:?}", sent.map(|s| s.map(|r| r.status)));
        assert!(tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_err(), "nobody came");
    }

    #[tokio::test]
    async fn a_status_counts_however_its_body_ends() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        for (hangs, sent, kept) in
            [(true, "abc", "abc"), (false, "abc", "abc"), (true, "", ""), (true, "abcdef", "abcd")]
        {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let url = format!("http://{}/", listener.local_addr().expect("an address"));
            let serving = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.expect("a caller");
                assert!(stream.read(&mut [0; 1024]).await.expect("a request") > 0);
                let answer = format!("HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\n{sent}");
                stream.write_all(answer.as_bytes()).await.expect("written");
                // The caller hangs up, or is hung up on.
                while hangs && stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
            });
            let network = Network::new().expect("a network").judged_by(Arc::new(|_| true)).reading_first(4);
            let pool = network.of("test").expect("a pool").answered_within(Duration::from_secs(10));
            let answer = pool.send(request(&url)).await.expect("an answer");
            assert_eq!((answer.status, answer.body), (202, kept.as_bytes().to_vec()));
            serving.await.expect("served");
        }
    }

    #[tokio::test]
    async fn who_says_nothing_in_time_has_not_answered() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let network = Network::new().expect("a network").judged_by(Arc::new(|_| true)).reading_first(4);
        let pool = network.of("test").expect("a pool").answered_within(Duration::from_millis(50));
        let sent = pool.send(request(&url)).await;
        assert_eq!(sent.expect_err("nobody took it"), SendError::TimedOut);
    }

    #[tokio::test]
    async fn redirects_are_answers_and_pools_are_apart() {
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
                        let answer =
                            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
                        stream.write_all(answer.as_bytes()).await.expect("written");
                    }
                });
            }
        });
        let network = Network::new().expect("a network");
        for owner in ["1/1", "1/1", "2/7"] {
            let let_inside = OutgoingRequest { may_be_private: true, ..request(&url) };
            let answer = network.of(owner).expect("a pool").send(let_inside).await.expect("an answer");
            assert_eq!(answer.status, 302, "the guest may read it, nobody follows it");
        }
        assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 2, "one for each owner");
    }
}
