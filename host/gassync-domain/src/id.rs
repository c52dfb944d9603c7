use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! number_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<i64> for $name {
            fn from(number: i64) -> Self {
                Self(number)
            }
        }
    )*};
}

number_ids! {
    /// A tenant: the first argument of every tenant query.
    AccountId;
    /// One set of credentials, webhook key and limits at a channel.
    ConnectionId;
    /// A source: one account's use of a connection.
    SourceId;
    /// A row of the core, called `gasId` in public JSON.
    CoreId;
    /// A webhook subscription.
    WebhookId;
    /// A job in a queue, deliveries included.
    JobId;
    /// A delivery: a job in a subscription's queue.
    DeliveryId;
    /// A run of many jobs at an operator's request.
    RunId;
}

/// A source with its account: what identifies a source's rows in every table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey {
    /// The account.
    pub account: AccountId,
    /// The source.
    pub source: SourceId,
}

impl fmt::Display for SourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.source)
    }
}
