use serde::{Deserialize, Serialize};

/// An inbound route.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InboundRoute {
    /// Path below the connection's URL; `/` is the URL itself, `/feeds/*` anything below it.
    pub path: String,
    /// Upper case.
    pub methods: Vec<String>,
    /// Verification of the caller.
    pub verification: Verification,
    /// Kind of the route.
    pub kind: RouteKind,
    /// Response time limit, in milliseconds.
    pub budget_millis: u64,
    /// The response if the plugin builds none.
    pub fallback_response: FallbackResponse,
}

/// Verification of callers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum Verification {
    /// None: the payload is only a hint to fetch. (With braces, so that unknown keys are refused.)
    None {},
    /// By a header with the connection's token.
    StaticHeader {
        /// Its name.
        header: String,
    },
    /// By the connection's token as the query parameter `token`.
    UrlToken {},
    /// By HTTP Basic with the fields `username` and `password` of a slot.
    Basic {
        /// Which slot.
        slot: String,
    },
    /// By a name and a password inside the message, which are those of a slot.
    Message {
        /// Which slot: its fields `username` and `password`.
        slot: String,
        /// Where the name stands: as in `sensitive`.
        user: String,
        /// Where the password stands: as in `sensitive`.
        password: String,
    },
    /// By a signature over the body.
    Signature {
        /// The header it stands in.
        header: String,
        /// What stands before it there.
        #[serde(default)]
        prefix: String,
        /// `hmac-sha1`, `hmac-sha256`, `hmac-sha512` or `rsa-sha256`.
        algorithm: String,
        /// How it is written.
        encoding: Encoding,
        /// The slot of the key.
        slot: String,
        /// Its field.
        field: String,
        /// A header whose value and a full stop stand before the body in what is signed.
        #[serde(default)]
        timestamp_header: Option<String>,
    },
    /// By a JSON Web Token in a header.
    Jwt {
        /// The header it stands in, behind `Bearer ` where that is there.
        header: String,
        /// `HS256` or `RS256`.
        algorithm: String,
        /// The slot of the key.
        slot: String,
        /// Its field.
        field: String,
        /// What `iss` must be.
        #[serde(default)]
        issuer: Option<String>,
        /// What `aud` must be or have.
        #[serde(default)]
        audience: Option<String>,
    },
    /// By where the call comes from.
    AddressList {
        /// Addresses, or networks such as `192.0.2.0/24`.
        addresses: Vec<String>,
    },
}

/// Encoding of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Hexadecimal, either case.
    Hex,
    /// Base64 with padding.
    Base64,
}

/// Kinds of routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteKind {
    /// Acknowledged at once: the message is stored and processed later.
    Ack,
    /// The response depends on the result.
    Ask,
    /// A feed that the channel fetches.
    Feed,
}

/// The response if the plugin builds none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FallbackResponse {
    /// Status code.
    pub status: u16,
    /// Text.
    #[serde(default)]
    pub body: String,
}

/// Shorter network prefixes count as unverified.
const MIN_NETWORK_BITS: u32 = 8;

impl InboundRoute {
    /// Whether it has no effective verification.
    pub fn is_open(&self) -> bool {
        let bits = |network: &String| network.split_once('/').and_then(|(_, bits)| bits.parse::<u32>().ok());
        match &self.verification {
            Verification::None {} => true,
            Verification::AddressList { addresses } => {
                addresses.iter().filter_map(bits).any(|bits| bits < MIN_NETWORK_BITS)
            }
            _ => false,
        }
    }

    /// Whether this route serves a path.
    pub fn serves(&self, path: &str) -> bool {
        match self.path.strip_suffix("/*") {
            Some(folder) => path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
            None => self.path == path,
        }
    }
}
