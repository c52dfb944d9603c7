use std::{net::IpAddr, sync::Arc};

use gassync_domain::AccountId;
use gassync_runtime::{HttpTransport, Judge, LookUp, Network, SendError, is_public};
use ipnet::IpNet;
use url::Url;

/// Bytes of an answer that are read; the rest is nobody's business.
const ANSWER_BYTES: usize = 4 * 1024;

/// The way to subscribers: over TLS to the open internet, and to whatever addresses the operator allows. Without TLS to those
/// alone.
#[derive(Clone)]
pub struct Way {
    secure: Network,
    plain: Network,
}

impl Way {
    /// With the system's names; `allowed` are the ranges that may be called although they are private.
    pub fn new(allowed: &[IpNet]) -> Result<Self, SendError> {
        Ok(Self::over(Network::new()?, allowed))
    }

    /// With other names.
    pub fn with_names(allowed: &[IpNet], look_up: LookUp) -> Result<Self, SendError> {
        Ok(Self::over(Network::with_names(look_up)?, allowed))
    }

    fn over(network: Network, allowed: &[IpNet]) -> Self {
        let allowed: Arc<[IpNet]> = allowed.into();
        let is_allowed: Judge = Arc::new(move |address: IpAddr| {
            let address = address.to_canonical();
            allowed.iter().any(|range| range.contains(&address))
        });
        let or_public = {
            let is_allowed = Arc::clone(&is_allowed);
            Arc::new(move |address| is_public(address) || is_allowed(address))
        };
        let network = network.reading_first(ANSWER_BYTES);
        Self { secure: network.clone().judged_by(or_public), plain: network.judged_by(is_allowed) }
    }

    fn network(&self, url: &Url) -> &Network {
        if url.scheme() == "https" { &self.secure } else { &self.plain }
    }

    /// Whether a place may be called just now.
    pub async fn check(&self, url: &Url) -> Result<(), SendError> {
        self.network(url).check(url).await
    }

    /// An account's connections to a place.
    pub fn of(&self, account: AccountId, url: &Url) -> Result<HttpTransport, SendError> {
        self.network(url).of(&account.to_string())
    }
}
