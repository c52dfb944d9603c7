//! Who called: the host's question, answered before a plugin sees anything.

use gassync_runtime::{Route, Verification};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The query parameter that carries the token where a channel can send no header.
pub const TOKEN_PARAMETER: &str = "token";

/// Whether the call carries what its route asks for. Only the token's hash is kept, and it is compared in constant time.
pub fn is_genuine(route: &Route, token_hash: &str, headers: &axum::http::HeaderMap, query: &str) -> bool {
    let presented = match &route.verification {
        Verification::None => return true,
        Verification::StaticHeader { header } => {
            headers.get(header).and_then(|value| value.to_str().ok()).map(str::to_owned)
        }
        Verification::UrlToken => url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == TOKEN_PARAMETER)
            .map(|(_, value)| value.into_owned()),
    };
    presented.is_some_and(|token| bool::from(hash(&token).as_bytes().ct_eq(token_hash.as_bytes())))
}

/// The query without the token: nobody behind this point sees it.
pub fn without_token(query: &str) -> String {
    let rest = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != TOKEN_PARAMETER);
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish()
}

/// SHA-256 in hex: how keys and tokens are kept.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}
