use std::{error::Error as _, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use gassync_domain::HttpResponse;
use reqwest::{
    Client, Method,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

use super::{OutgoingRequest, SendError, Transport};
use crate::address::is_public;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// The network. Connections are pooled; a name is resolved once per connection, every address it leads to is judged,
/// and the connection goes to the very addresses that were judged.
#[derive(Clone)]
pub struct HttpTransport {
    open_internet: Client,
    private_too: Client,
}

impl HttpTransport {
    /// Makes the two pools: one that refuses private addresses, and one for hosts the operator lets be private.
    pub fn new() -> Result<Self, SendError> {
        // Another part of the process may have chosen a provider already: either is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        Ok(Self { open_internet: client(Arc::new(OnlyPublic))?, private_too: client(Arc::new(Any))? })
    }
}

fn client(resolver: Arc<dyn Resolve>) -> Result<Client, SendError> {
    Client::builder()
        .dns_resolver(resolver)
        .redirect(Policy::none())
        .timeout(REQUEST_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .no_proxy()
        .build()
        .map_err(|e| SendError::Connect(e.without_url().to_string()))
}

/// The word that tells a refused address from a failed look-up.
const REFUSED: &str = "address refused";

struct OnlyPublic;
struct Any;

impl Resolve for OnlyPublic {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses = look_up(&name).await?;
            // One bad address spoils the name: the resolver's order must not decide.
            if addresses.iter().all(|a| is_public(a.ip())) {
                Ok(Box::new(addresses.into_iter()) as Addrs)
            } else {
                Err(REFUSED.into())
            }
        })
    }
}

impl Resolve for Any {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move { Ok(Box::new(look_up(&name).await?.into_iter()) as Addrs) })
    }
}

async fn look_up(name: &Name) -> std::io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect())
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
        if !request.may_be_private && literal.is_some_and(|address| !is_public(address)) {
            return Err(SendError::AddressRefused(request.url.host_str().unwrap_or_default().to_owned()));
        }
        let client = if request.may_be_private { &self.private_too } else { &self.open_internet };
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|e| SendError::Connect(e.to_string()))?;
        let mut builder = client.request(method, request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let mut answer = builder.send().await.map_err(|e| say(&host, e))?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| say(&host, e))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(SendError::TooLarge(MAX_ANSWER_BYTES as u64));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, headers, body })
    }
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
    use super::*;

    fn request(url: &str) -> OutgoingRequest {
        OutgoingRequest {
            method: "GET".into(),
            url: url.parse().expect("url"),
            headers: Vec::new(),
            body: None,
            may_be_private: false,
        }
    }

    #[tokio::test]
    async fn names_and_numbers_that_lead_inside_are_refused() {
        let transport = HttpTransport::new().expect("a transport");
        for url in
            ["http://127.0.0.1:9/", "http://localhost:9/", "http://[::ffff:127.0.0.1]:9/", "http://2130706433:9/"]
        {
            let error = transport.send(request(url)).await.expect_err(url);
            assert!(matches!(error, SendError::AddressRefused(_)), "{url}: {error}");
        }
    }
}
