//! Extra headers of subscriptions. They are secrets: validated, stored encrypted, and redacted from response excerpts.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use gassync_domain::{AccountId, FieldError, WebhookId};

use crate::{
    app::App,
    http::{ApiError, Problem},
    store::{
        Tx,
        webhooks::{self, Webhook},
    },
};

/// Maximum extra headers.
const MAX_HEADERS: usize = 20;
/// Maximum bytes of a header value.
const MAX_HEADER_BYTES: usize = 4_096;
/// Headers that the host or the connection sets.
const RESERVED: [&str; 12] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];
/// Prefix of the headers of Standard Webhooks.
const RESERVED_PREFIX: &str = "webhook-";

/// Validates the extra headers; names in lower case.
pub(super) fn validate(
    given: &BTreeMap<String, String>,
    (bearer, basic): (Option<&str>, Option<&str>),
    errors: &mut Vec<FieldError>,
) -> Vec<(String, String)> {
    let mut headers: BTreeMap<String, (String, String)> = BTreeMap::new();
    let place = |name: &str| format!("/headers/{}", name.replace('~', "~0").replace('/', "~1"));
    for (name, value) in given {
        headers.insert(name.to_lowercase(), (value.clone(), place(name)));
    }
    if given.len() > MAX_HEADERS {
        errors.push(FieldError::new("/headers", format!("are more than {MAX_HEADERS}")));
    }
    let credentials = [
        (bearer.map(|token| format!("Bearer {token}")), "/bearer"),
        (basic.map(|pair| format!("Basic {}", STANDARD.encode(pair))), "/basic"),
    ];
    for (value, path) in credentials {
        let Some(value) = value else { continue };
        if headers.insert("authorization".to_owned(), (value, path.to_owned())).is_some() {
            errors.push(FieldError::new(path, "conflicts with another Authorization header"));
        }
    }
    for (name, (value, path)) in &headers {
        let is_ours = name.starts_with(RESERVED_PREFIX) || RESERVED.contains(&name.as_str());
        if is_ours {
            errors.push(FieldError::new(path, "is a header that this host sets"));
        } else if HeaderName::from_bytes(name.as_bytes()).is_err() {
            errors.push(FieldError::new(path, "is not a valid header name"));
        }
        if value.len() > MAX_HEADER_BYTES {
            errors.push(FieldError::new(path, format!("is longer than {MAX_HEADER_BYTES} bytes")));
        } else if HeaderValue::from_str(value).is_err() || !value.is_ascii() {
            errors
                .push(FieldError::new(path, "is not a valid header value: only visible ASCII characters are allowed"));
        }
    }
    headers.into_iter().map(|(name, (value, _))| (name, value)).collect()
}

/// Values to redact, longest first: header values, tokens after a scheme, and the user and password of `Basic`.
pub(super) fn secret_values(headers: &[(String, String)]) -> Vec<String> {
    let mut secrets = Vec::new();
    for (_, value) in headers {
        secrets.push(value.clone());
        let Some((scheme, token)) = value.split_once(' ') else { continue };
        secrets.push(token.to_owned());
        let pair = STANDARD.decode(token).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"));
        if let Some(pair) = pair.and_then(|bytes| String::from_utf8(bytes).ok()) {
            secrets.extend(pair.split_once(':').map(|(_, password)| password.to_owned()));
            secrets.push(pair);
        }
    }
    // Responses are often JSON, and some encoders escape slashes.
    let quoted: Vec<String> = secrets.iter().filter_map(as_json_string).collect();
    let slashed: Vec<String> = quoted.iter().map(|secret| secret.replace('/', "\\/")).collect();
    secrets.extend(quoted.into_iter().chain(slashed));
    secrets.retain(|secret| !secret.trim().is_empty());
    secrets.sort_unstable_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    secrets.dedup();
    secrets
}

/// The value as it appears inside a JSON string.
fn as_json_string(secret: &String) -> Option<String> {
    let text = serde_json::to_string(secret).ok()?;
    text.strip_prefix('"')?.strip_suffix('"').map(ToOwned::to_owned)
}

fn headers_context(account: AccountId, webhook: WebhookId) -> String {
    format!("{account}/webhook/{webhook}/headers")
}

/// Stores the headers encrypted, replacing the existing ones.
pub(super) async fn save(
    app: &App,
    tx: &mut Tx,
    (account, id): (AccountId, WebhookId),
    headers: &[(String, String)],
) -> Result<(), ApiError> {
    let text = serde_json::to_string(headers).map_err(|_| Problem::Internal)?;
    let sealed = app.vault.encrypt(&headers_context(account, id), &text).map_err(|_| Problem::Internal)?;
    webhooks::set_headers(tx, account, id, Some(&sealed).filter(|_| !headers.is_empty()).map(Vec::as_slice)).await?;
    Ok(())
}

/// Decrypts the headers; None if this host's key does not fit.
pub(super) fn decrypt(app: &App, webhook: &Webhook) -> Option<Vec<(String, String)>> {
    let Some(sealed) = &webhook.headers else { return Some(Vec::new()) };
    let text = app.vault.decrypt(&headers_context(webhook.account, webhook.id), sealed).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_validated_by_name_and_value() {
        let judged = |pairs: &[(&str, &str)]| {
            let mut errors = Vec::new();
            let given = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let headers = validate(&given, (Some("t0ken"), None), &mut errors);
            (headers, errors.into_iter().map(|error| error.path).collect::<Vec<_>>())
        };
        let (good, errors) = judged(&[("X-Tenant", "7")]);
        assert_eq!(good, [("authorization".into(), "Bearer t0ken".into()), ("x-tenant".into(), "7".into())]);
        assert!(errors.is_empty());
        for (name, value) in [
            ("Host", "10.0.0.1"),
            ("Content-Length", "0"),
            ("Transfer-Encoding", "chunked"),
            ("Webhook-Id", "msg_1"),
            ("X-Bad Name", "1"),
            ("X-Split", "1\r\nX-More: 2"),
            ("X-Nul", "\0"),
            ("X-Guest", "Zoë"),
        ] {
            assert_eq!(judged(&[(name, value)]).1, [format!("/headers/{name}")], "{name}");
        }
        assert_eq!(judged(&[("Authorization", "Bearer other")]).1, ["/bearer"]);
    }
}
