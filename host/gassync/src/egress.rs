//! The network for webhook deliveries to subscribers.

use std::{net::IpAddr, sync::Arc};

use gassync_domain::AccountId;
use gassync_runtime::{AddressPolicy, HttpTransport, Network, Resolver, SendError, is_public};
use ipnet::IpNet;
use url::Url;

/// Bytes read of a response; the rest is discarded.
const ANSWER_BYTES: usize = 4 * 1024;

/// The network to subscribers: TLS to public addresses and to those the operator allows; without TLS only to the
/// latter.
#[derive(Clone)]
pub struct SubscriberNetwork {
    secure: Network,
    plain: Network,
}

impl SubscriberNetwork {
    /// Uses the system's name resolution; `allowed` are private ranges that may be called.
    pub fn new(allowed: &[IpNet]) -> Result<Self, SendError> {
        Ok(Self::over(Network::new()?, allowed))
    }

    /// Uses the given resolver.
    pub fn with_resolver(allowed: &[IpNet], resolver: Resolver) -> Result<Self, SendError> {
        Ok(Self::over(Network::with_resolver(resolver)?, allowed))
    }

    fn over(network: Network, allowed: &[IpNet]) -> Self {
        let allowed: Arc<[IpNet]> = allowed.into();
        let is_allowed: AddressPolicy = Arc::new(move |address: IpAddr| {
            let address = address.to_canonical();
            allowed.iter().any(|range| range.contains(&address))
        });
        let or_public = {
            let is_allowed = Arc::clone(&is_allowed);
            Arc::new(move |address| is_public(address) || is_allowed(address))
        };
        let network = network.truncating_bodies_at(ANSWER_BYTES);
        Self { secure: network.clone().with_address_policy(or_public), plain: network.with_address_policy(is_allowed) }
    }

    fn network(&self, url: &Url) -> &Network {
        if url.scheme() == "https" { &self.secure } else { &self.plain }
    }

    /// Checks that a URL may be called at its current addresses.
    pub async fn check(&self, url: &Url) -> Result<(), SendError> {
        self.network(url).check(url).await
    }

    /// The connections of an account to a URL's host.
    pub fn of(&self, account: AccountId, url: &Url) -> Result<HttpTransport, SendError> {
        self.network(url).of(&account.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{Ipv4Addr, SocketAddr},
        sync::Mutex,
    };

    use gassync_runtime::{OutgoingRequest, Transport as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Resolves names to the addresses of a list, one per lookup.
    fn names(answers: Vec<IpAddr>) -> Resolver {
        let answers = Mutex::new(answers.into_iter());
        Arc::new(move |_| {
            let next = answers.lock().expect("unlocked").next();
            Box::pin(async move { Ok(next.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect()) })
        })
    }

    fn post(url: &Url) -> OutgoingRequest {
        OutgoingRequest {
            method: "POST".to_owned(),
            url: url.clone(),
            shown: String::new(),
            headers: Vec::new(),
            body: Some(b"{}".to_vec()),
            may_be_private: false,
        }
    }

    #[tokio::test]
    async fn what_leads_inside_is_refused_when_it_is_made_and_when_it_is_used() {
        let way = SubscriberNetwork::new(&[]).expect("a way");
        for place in [
            "localhost:9",
            "127.0.0.1:9",
            "127.1:9",
            "2130706433:9",
            "0x7f000001:9",
            "0177.0.0.1:9",
            "0:9",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "[::1]:9",
            "[::]:9",
            "[::ffff:127.0.0.1]:9",
            "[::ffff:a9fe:a9fe]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fd00:ec2::254]",
            "[fe80::1]",
        ] {
            let url: Url = format!("https://{place}/hook").parse().expect(place);
            let refused = |result: Result<(), SendError>| matches!(result, Err(SendError::AddressRefused(_)));
            assert!(refused(way.check(&url).await), "{place}");
            let sent = way.of(AccountId(1), &url).expect("a pool").send(post(&url)).await;
            assert!(refused(sent.map(drop)), "{place}");
        }
        // Without TLS only addresses allowed by the operator are called.
        let plain: Url = "http://93.184.215.14/hook".parse().expect("an address");
        assert!(matches!(way.check(&plain).await, Err(SendError::AddressRefused(_))));
    }

    #[tokio::test]
    async fn a_name_that_changes_its_mind_after_it_was_checked_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let answers = vec![IpAddr::from([93, 184, 215, 14]), IpAddr::V4(Ipv4Addr::LOCALHOST)];
        let way = SubscriberNetwork::with_resolver(&[], names(answers)).expect("a way");
        let url: Url = format!("https://rebinding.example:{port}/").parse().expect("an address");
        assert_eq!(way.check(&url).await, Ok(()));
        let sent = way.of(AccountId(1), &url).expect("a pool").send(post(&url)).await;
        assert_eq!(sent.expect_err("refused"), SendError::AddressRefused("rebinding.example".to_owned()));
        let came = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
        assert!(came.is_err(), "nobody came");
    }

    #[tokio::test]
    async fn what_the_operator_allows_may_be_private_and_nothing_beside_it() {
        let way = SubscriberNetwork::new(&["127.0.0.0/8".parse().expect("a range")]).expect("a way");
        for (place, is_allowed) in [
            ("http://127.0.0.1:9/", true),
            ("https://127.0.0.1:9/", true),
            ("http://[::ffff:127.0.0.1]:9/", true),
            ("http://10.0.0.1/", false),
            ("https://10.0.0.1/", false),
            ("http://[::1]:9/", false),
        ] {
            let url: Url = place.parse().expect(place);
            assert_eq!(way.check(&url).await.is_ok(), is_allowed, "{place}");
        }
    }
}
