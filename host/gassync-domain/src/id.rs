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
}
