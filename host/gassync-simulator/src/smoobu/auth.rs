//! Who calls: by a plain key, or by a signed request.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Uri, request::Parts};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

use super::SmoobuSettings;

/// Form of the time of a signed request: UTC, in whole seconds.
const TIME_FORMAT: &str = "%Y-%m-%dT%H:%M:%SZ";
/// Letters of invented keys.
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The keys of the account.
pub(super) struct Keys {
    /// Plain key.
    pub plain: String,
    /// Name of the key of signed requests.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// Nonces that were used, by the time of their request.
    nonces: BTreeMap<String, Timestamp>,
}

/// A call that is not ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unverified;

impl Keys {
    pub fn new(mut rng: ChaCha8Rng) -> Self {
        let mut letters = |count: usize| -> String {
            (0..count).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect()
        };
        Self {
            plain: letters(40),
            id: format!("usr_live_{}", letters(16)),
            secret: letters(48),
            nonces: BTreeMap::new(),
        }
    }

    /// Checks a call. A request with a part of a signature must be signed; its nonce is used up if it is.
    pub fn check(
        &mut self,
        call: &Parts,
        body: &[u8],
        settings: &SmoobuSettings,
        now: Timestamp,
    ) -> Result<(), Unverified> {
        let text = |name: &str| text(&call.headers, name);
        if text("x-api-key").is_none() && text("x-signature").is_none() {
            let works = settings.plain_key_until.is_none_or(|until| now < until);
            return (works && text("api-key") == Some(&self.plain)).then_some(()).ok_or(Unverified);
        }
        let header = |name: &str| text(name).ok_or(Unverified);
        let (id, time, nonce) = (header("x-api-key")?, header("x-timestamp")?, header("x-nonce")?);
        let signature = STANDARD.decode(header("x-signature")?).map_err(|_| Unverified)?;
        let at: Timestamp = time.parse().map_err(|_| Unverified)?;
        let whole = at.strftime(TIME_FORMAT).to_string() == time;
        let skewed = now.duration_since(at).abs() > settings.clock_skew;
        if id != self.id || !whole || skewed || !is_uuid(nonce) {
            return Err(Unverified);
        }
        let signed = canonical(call.method.as_str(), &call.uri, time, nonce, body, id);
        mac(&self.secret, &signed)?.verify_slice(&signature).map_err(|_| Unverified)?;
        self.use_up(nonce, at, now, settings.clock_skew)
    }

    fn use_up(&mut self, nonce: &str, at: Timestamp, now: Timestamp, skew: SignedDuration) -> Result<(), Unverified> {
        self.nonces.retain(|_, used| now.duration_since(*used) <= skew);
        let used = self.nonces.insert(nonce.to_lowercase(), at);
        used.is_none().then_some(()).ok_or(Unverified)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().all(hex) && groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
}

/// Returns the text that is signed. The query is sorted by key, but as it was sent otherwise.
pub(super) fn canonical(method: &str, uri: &Uri, time: &str, nonce: &str, body: &[u8], id: &str) -> String {
    let mut pairs: Vec<&str> = uri.query().unwrap_or_default().split('&').collect();
    pairs.sort_by_key(|pair| pair.split_once('=').map_or(*pair, |(key, _)| key));
    let hash = hex::encode(Sha256::digest(body));
    [method, uri.path(), &pairs.join("&"), time, nonce, &hash, id].join("\n")
}

fn mac(secret: &str, text: &str) -> Result<Hmac<Sha256>, Unverified> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| Unverified)?;
    Ok(mac.chain_update(text.as_bytes()))
}

/// Signs a text, for tests.
#[cfg(test)]
pub(super) fn sign(secret: &str, text: &str) -> String {
    STANDARD.encode(mac(secret, text).expect("a key of any length").finalize().into_bytes())
}
