use serde::{Deserialize, Serialize};

/// A way channels call us.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InboundRoute {
    /// Below the connection's address; `/` is the address itself, `/feeds/*` anything below it.
    pub path: String,
    /// Upper case.
    pub methods: Vec<String>,
    /// How the caller is known.
    pub verification: Verification,
    /// What the answer depends on.
    pub kind: RouteKind,
    /// How long the caller waits, in milliseconds.
    pub budget_millis: u64,
    /// The response if the plugin builds none.
    pub fallback_response: FallbackResponse,
}

/// How a caller is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum Verification {
    /// It is not: what it says is a hint, to be read back. (With braces, so that keys nobody knows are refused here too.)
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

/// How bytes are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Hexadecimal, either case.
    Hex,
    /// Base64 with padding.
    Base64,
}

/// What an answer depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteKind {
    /// On nothing: the message is kept and worked on, whatever comes of it.
    Ack,
    /// On what comes of it.
    Ask,
    /// On what the core holds: the channel fetches, and changes nothing.
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

/// A network with fewer fixed bits is as good as everybody.
const MIN_NETWORK_BITS: u32 = 8;

impl InboundRoute {
    /// Whether anybody may call it.
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

    /// Whether a path is this route's.
    pub fn serves(&self, path: &str) -> bool {
        match self.path.strip_suffix("/*") {
            Some(folder) => path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
            None => self.path == path,
        }
    }
}
