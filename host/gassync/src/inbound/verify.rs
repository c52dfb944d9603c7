//! Authenticates calls before a plugin sees them.

use std::net::IpAddr;

use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use gassync_domain::Timestamp;
use gassync_runtime::{Algorithm, Encoding, Secret, Verification};
use subtle::ConstantTimeEq;

use super::{
    redact::{self, FieldPath},
    web_token::{self, ExpectedClaims},
};
use crate::vault::fingerprint;

/// The query parameter that carries the token if a channel cannot send headers.
pub const TOKEN_PARAMETER: &str = "token";
/// Maximum clock skew of a channel, in seconds.
const MAX_SKEW_SECONDS: i64 = 300;

/// A call to authenticate.
pub struct SignedRequest<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its query.
    pub query: &'a str,
    /// Its body.
    pub body: &'a [u8],
    /// The peer address, if known.
    pub peer: Option<IpAddr>,
    /// The current time.
    pub now: Timestamp,
}

/// The slot and fields whose secrets a verification needs.
pub fn secrets_of(verification: &Verification) -> Option<(&str, Vec<&str>)> {
    match verification {
        Verification::Basic { slot } | Verification::Message { slot, .. } => Some((slot, vec!["username", "password"])),
        Verification::Signature { slot, field, .. } | Verification::Jwt { slot, field, .. } => {
            Some((slot, vec![field]))
        }
        _ => None,
    }
}

/// True if the call satisfies its route's verification. Only hashes of tokens are stored; comparisons take constant
/// time. `secrets` are those named by [`secrets_of`], in order.
pub fn is_authentic(how: &Verification, token_hash: &str, secrets: &[Secret], call: &SignedRequest<'_>) -> bool {
    let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
    match how {
        Verification::None {} => true,
        Verification::StaticHeader { header: name } => header(name).is_some_and(|token| is_token(token, token_hash)),
        Verification::UrlToken {} => url::form_urlencoded::parse(call.query.as_bytes())
            .find(|(name, _)| name == TOKEN_PARAMETER)
            .is_some_and(|(_, token)| is_token(&token, token_hash)),
        Verification::Basic { .. } => {
            let given = header("authorization").and_then(|value| value.strip_prefix("Basic "));
            let given = given.and_then(|value| STANDARD.decode(value.trim()).ok());
            let given = given.and_then(|bytes| String::from_utf8(bytes).ok());
            given.as_deref().and_then(|pair| pair.split_once(':')).is_some_and(|pair| is_pair(pair, secrets))
        }
        Verification::Message { user, password, .. } => {
            let user = redact::read(call.body, &FieldPath::parse(user));
            let password = redact::read(call.body, &FieldPath::parse(password));
            user.zip(password).is_some_and(|(user, password)| is_pair((&user, &password), secrets))
        }
        Verification::Signature { header: name, prefix, algorithm, encoding, timestamp_header, .. } => {
            let Some(written) = header(name).and_then(|value| value.strip_prefix(&**prefix)) else { return false };
            let signature = match encoding {
                Encoding::Hex => hex::decode(written.trim()).ok(),
                Encoding::Base64 => STANDARD.decode(written.trim()).ok(),
            };
            let mut text = Vec::new();
            if let Some(name) = timestamp_header {
                let Some(stamp) = header(name).filter(|stamp| is_fresh(stamp, call.now)) else { return false };
                text.extend_from_slice(stamp.as_bytes());
                text.push(b'.');
            }
            text.extend_from_slice(call.body);
            let (Some(signature), Ok(algorithm), [key]) = (signature, Algorithm::by_name(algorithm), secrets) else {
                return false;
            };
            algorithm.verify(key.reveal(), &text, &signature).unwrap_or(false)
        }
        Verification::Jwt { header: name, algorithm, issuer, audience, .. } => {
            let (Some(token), [key]) = (header(name), secrets) else { return false };
            let token = token.strip_prefix("Bearer ").unwrap_or(token);
            let expected = ExpectedClaims { algorithm, issuer: issuer.as_deref(), audience: audience.as_deref() };
            web_token::is_valid(token, key, &expected, call.now)
        }
        Verification::AddressList { addresses } => {
            call.peer.is_some_and(|peer| addresses.iter().any(|range| range.contains(peer)))
        }
    }
}

fn is_token(presented: &str, token_hash: &str) -> bool {
    fingerprint(presented).as_bytes().ct_eq(token_hash.as_bytes()).into()
}

fn is_pair((user, password): (&str, &str), secrets: &[Secret]) -> bool {
    let [known_user, known_password] = secrets else { return false };
    // Always compare both, for constant time.
    let same = |a: &str, b: &Secret| fingerprint(a).as_bytes().ct_eq(fingerprint(b.reveal()).as_bytes());
    (same(user, known_user) & same(password, known_password)).into()
}

fn is_fresh(stamp: &str, now: Timestamp) -> bool {
    let at = match stamp.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).ok(),
        Err(_) => stamp.parse().ok(),
    };
    at.is_some_and(|at| (now.as_second() - at.as_second()).abs() <= MAX_SKEW_SECONDS)
}

/// The query without the token.
pub fn without_token(query: &str) -> String {
    let rest = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != TOKEN_PARAMETER);
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn genuine(how: &str, secrets: &[&str], headers: &[(&str, &str)], body: &str) -> bool {
        let how: Verification = serde_json::from_str(how).expect("a verification");
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(axum::http::HeaderName::try_from(*name).expect("a name"), value.parse().expect("a value"));
        }
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        let call = SignedRequest {
            headers: &map,
            query: "",
            body: body.as_bytes(),
            peer: Some("192.0.2.77".parse().expect("an address")),
            now: Timestamp::from_second(NOW).expect("a time"),
        };
        is_authentic(&how, "", &secrets, &call)
    }

    #[test]
    fn basic_credentials_in_header_or_body() {
        let basic = r#"{"kind":"basic","slot":"s"}"#;
        let pair = STANDARD.encode("hotel:pa:ss");
        assert!(genuine(basic, &["hotel", "pa:ss"], &[("authorization", &format!("Basic {pair}"))], ""));
        for wrong in ["hotel:pa", "hote:pa:ss", "hotel", ":"] {
            let header = format!("Basic {}", STANDARD.encode(wrong));
            assert!(!genuine(basic, &["hotel", "pa:ss"], &[("authorization", &header)], ""), "{wrong}");
        }
        assert!(!genuine(basic, &["hotel", "pa:ss"], &[], "") && !genuine(basic, &[], &[], ""));
        let message = r#"{"kind":"message","slot":"s","user":"xml:Authentication/@Username",
            "password":"xml:Authentication/@Password"}"#;
        let body = |password: &str| {
            format!(
                r#"<S:Env xmlns:S="u"><h:Authentication xmlns:h="v" Username="hotel" Password="{password}"/></S:Env>"#
            )
        };
        assert!(genuine(message, &["hotel", "a&b"], &[], &body("a&amp;b")));
        assert!(!genuine(message, &["hotel", "a&b"], &[], &body("ab")));
        assert!(!genuine(message, &["hotel", "a&b"], &[], "no message at all"));
    }

    #[test]
    fn signatures_cover_exact_bytes_and_expire() {
        let sign = |key: &str, text: &str| Algorithm::HmacSha256.sign(key, text.as_bytes()).expect("signed");
        let plain = r#"{"kind":"signature","header":"x-sig","prefix":"sha256=","algorithm":"hmac-sha256",
            "encoding":"hex","slot":"s","field":"f"}"#;
        let header = format!("sha256={}", hex::encode(sign("key", "body")));
        assert!(genuine(plain, &["key"], &[("x-sig", &header)], "body"));
        assert!(!genuine(plain, &["key"], &[("x-sig", &header)], "body "));
        assert!(!genuine(plain, &["other"], &[("x-sig", &header)], "body"));
        assert!(!genuine(plain, &["key"], &[("x-sig", &header["sha256=".len()..])], "body"));
        let stamped = r#"{"kind":"signature","header":"x-sig","algorithm":"hmac-sha256","encoding":"base64","slot":"s",
            "field":"f","timestampHeader":"x-time"}"#;
        let at = |second: i64| {
            let signature = STANDARD.encode(sign("key", &format!("{second}.body")));
            genuine(stamped, &["key"], &[("x-sig", &signature), ("x-time", &second.to_string())], "body")
        };
        assert!(at(NOW) && at(NOW - 200) && !at(NOW - 301) && !at(NOW + 301));
    }

    #[test]
    fn a_web_token_is_judged_by_the_manifests_algorithm() {
        let how = r#"{"kind":"jwt","header":"authorization","algorithm":"HS256","slot":"s","field":"f",
            "issuer":"channel","audience":"gas"}"#;
        let token = |header: &str, payload: &str| {
            let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
            let signature = Algorithm::HmacSha256.sign("key", signed.as_bytes()).expect("signed");
            format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        };
        let good = format!(r#"{{"iss":"channel","aud":["x","gas"],"exp":{}}}"#, NOW + 60);
        let judge = |token: &str| genuine(how, &["key"], &[("authorization", token)], "");
        let ours = r#"{"alg":"HS256"}"#;
        assert!(judge(&token(ours, &good)));
        let fraction = format!(r#"{{"iss":"channel","aud":"gas","exp":{}.5,"nbf":{NOW}.25}}"#, NOW + 60);
        assert!(judge(&token(ours, &fraction)), "times may have fractions");
        for other in [r#"{"alg":"none"}"#, r#"{"alg":"RS256"}"#, r#"{"alg":"HS256","crit":["exp"]}"#, "{}"] {
            assert!(!judge(&token(other, &good)), "{other}");
        }
        for bad in [
            format!(r#"{{"iss":"other","aud":"gas","exp":{}}}"#, NOW + 60),
            format!(r#"{{"iss":"channel","exp":{}}}"#, NOW + 60),
            format!(r#"{{"iss":"channel","aud":"gas","exp":{}}}"#, NOW - 400),
            format!(r#"{{"iss":"channel","aud":"gas","exp":{},"nbf":{}}}"#, NOW + 900, NOW + 400),
            r#"{"iss":"channel","aud":"gas"}"#.to_owned(),
        ] {
            assert!(!judge(&token(ours, &bad)), "{bad}");
        }
        let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(&good));
        assert!(!judge(&unsigned) && !judge("nonsense") && !judge("a.b.c"));
    }

    #[test]
    fn addresses_are_single_or_networks() {
        let from = |list: &str| genuine(&format!(r#"{{"kind":"address-list","addresses":[{list}]}}"#), &[], &[], "");
        assert!(from(r#""192.0.2.77""#) && from(r#""192.0.2.0/24""#) && from(r#""::1","192.0.2.64/26""#));
        assert!(!from(r#""192.0.2.78""#) && !from(r#""192.0.3.0/24""#) && !from(""));
    }
}
