use std::fmt;

use async_trait::async_trait;
use gassync_domain::{Decoded, HttpRequest, Page, Query};

use crate::{Call, Finished, Manifest};

/// A plugin as the host sees it: the same for every version of the contract.
#[async_trait]
pub trait Adapter: Send + Sync {
    /// What it says of itself.
    fn manifest(&self) -> &Manifest;

    /// SHA-256 of the component, in hex.
    fn hash(&self) -> &str;

    /// What it can do.
    fn exports(&self) -> &[Interface];

    /// What a channel's call to us says.
    async fn decode(&self, call: Call, request: HttpRequest) -> Finished<Decoded>;

    /// What the channel has.
    async fn fetch(&self, call: Call, query: Query) -> Finished<Page>;
}

/// The interfaces of the contract that this host calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// `inbound`
    Inbound,
    /// `pull`
    Pull,
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inbound => "inbound",
            Self::Pull => "pull",
        })
    }
}
