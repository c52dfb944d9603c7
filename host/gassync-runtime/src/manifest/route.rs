use std::net::IpAddr;

use ipnet::IpNet;
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
    /// None: the payload is only a hint to fetch. (The braces make serde refuse unknown keys.)
    None {},
    /// A header that contains the connection's token.
    StaticHeader {
        /// Name of the header.
        header: String,
    },
    /// The connection's token in the query parameter `token`.
    UrlToken {},
    /// HTTP Basic with the fields `username` and `password` of a slot.
    Basic {
        /// Name of the slot.
        slot: String,
    },
    /// A username and password inside the message, compared with those of a slot.
    Message {
        /// Name of the slot with the fields `username` and `password`.
        slot: String,
        /// Location of the username, in the syntax of `sensitive`.
        user: String,
        /// Location of the password, in the syntax of `sensitive`.
        password: String,
    },
    /// A signature of the body.
    Signature {
        /// Header that contains the signature.
        header: String,
        /// Prefix of the signature in the header.
        #[serde(default)]
        prefix: String,
        /// `hmac-sha1`, `hmac-sha256`, `hmac-sha512` or `rsa-sha256`.
        algorithm: String,
        /// Encoding of the signature.
        encoding: Encoding,
        /// Slot of the key.
        slot: String,
        /// Field of the key.
        field: String,
        /// Header whose value, followed by a full stop, precedes the body in the signed text.
        #[serde(default)]
        timestamp_header: Option<String>,
    },
    /// A JSON Web Token in a header.
    Jwt {
        /// Header that contains the token, with or without the prefix `Bearer `.
        header: String,
        /// `HS256` or `RS256`.
        algorithm: String,
        /// Slot of the key.
        slot: String,
        /// Field of the key.
        field: String,
        /// Required value of `iss`.
        #[serde(default)]
        issuer: Option<String>,
        /// Required value of `aud`, or element of it if it is a list.
        #[serde(default)]
        audience: Option<String>,
    },
    /// The caller's IP address.
    AddressList {
        /// Addresses, or networks such as `192.0.2.0/24`.
        addresses: Vec<AddressRange>,
    },
}

/// An IP address, or a network such as `192.0.2.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddressRange(IpNet);

impl AddressRange {
    /// True if the address lies in it. An IPv4 address written as IPv6 counts as IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl TryFrom<String> for AddressRange {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
        let range = text.parse().ok().or_else(single);
        range.map(Self).ok_or_else(|| format!("{text} is neither an IP address nor a network such as 192.0.2.0/24"))
    }
}

impl From<AddressRange> for String {
    fn from(range: AddressRange) -> Self {
        range.0.to_string()
    }
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
    /// Body text.
    #[serde(default)]
    pub body: String,
}

/// Shorter network prefixes count as unverified.
const MIN_NETWORK_BITS: u8 = 8;

impl InboundRoute {
    /// True if the route has no effective verification.
    pub fn is_open(&self) -> bool {
        match &self.verification {
            Verification::None {} => true,
            Verification::AddressList { addresses } => {
                addresses.iter().any(|range| range.0.prefix_len() < MIN_NETWORK_BITS)
            }
            _ => false,
        }
    }

    /// True if this route serves the path.
    pub fn serves(&self, path: &str) -> bool {
        match self.path.strip_suffix("/*") {
            Some(folder) => path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
            None => self.path == path,
        }
    }
}
