//! Placeholders: `{{slot.field}}`, with an optional filter `|json`, `|xml`, `|url` or `|base64` for the encoding
//! required at that position.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::form_urlencoded::byte_serialize;

use crate::{CredentialError, Credentials};

/// A literal or a placeholder of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Field { slot: &'a str, field: &'a str, filter: Option<&'a str>, whole: &'a str },
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let (before, from) = rest.split_at(start);
        let Some(end) = from.find("}}") else { break };
        let inside = &from[2..end];
        let (name, filter) = inside.split_once('|').map_or((inside, None), |(n, f)| (n, Some(f.trim())));
        let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        match name.trim().split_once('.') {
            Some((slot, field)) if word(slot) && word(field) => {
                found.push(Piece::Text(before));
                found.push(Piece::Field { slot, field, filter, whole: &from[..end + 2] });
            }
            _ => found.push(Piece::Text(&rest[..start + end + 2])),
        }
        rest = &from[end + 2..];
    }
    found.push(Piece::Text(rest));
    found
}

/// True if the text consists of exactly one placeholder.
pub(crate) fn is_alone(text: &str) -> bool {
    matches!(*pieces(text), [Piece::Text(""), Piece::Field { .. }, Piece::Text("")])
}

/// Restores the placeholders of a URL whose braces a URL parser escaped.
pub(crate) fn unescaped(url: &str) -> String {
    let mut text = url.to_owned();
    for (escaped, brace) in [("%7B%7B", "{{"), ("%7b%7b", "{{"), ("%7D%7D", "}}"), ("%7d%7d", "}}"), ("%7C", "|")] {
        text = text.replace(escaped, brace);
    }
    text
}

/// Displays `{{slot.field}}` in single braces. The rest is unchanged, so that JSON stays valid.
pub(crate) fn in_single_braces(text: &str) -> String {
    let shown = |piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Field { whole, .. } => whole[1..whole.len() - 1].to_owned(),
    };
    pieces(text).into_iter().map(shown).collect()
}

/// Slots and fields of all placeholders in a text of the manifest, which contains no user text.
pub(crate) fn names(text: &str) -> Vec<(&str, &str)> {
    let name = |piece| match piece {
        Piece::Field { slot, field, .. } => Some((slot, field)),
        Piece::Text(_) => None,
    };
    pieces(text).into_iter().filter_map(name).collect()
}

/// Fills every placeholder in a text of the manifest.
pub(crate) async fn fill(text: &str, credentials: &dyn Credentials) -> Result<String, CredentialError> {
    let declared: Vec<String> = names(text).into_iter().map(|(slot, field)| format!("{slot}.{field}")).collect();
    PlaceholderFiller { secrets: credentials, declared: &declared, written: &mut Vec::new() }.fill(text).await
}

/// Fills the declared placeholders, and records each secret as encoded.
pub(crate) struct PlaceholderFiller<'a> {
    pub secrets: &'a dyn Credentials,
    /// Declared placeholders, as `slot.field`; other text in braces is data.
    pub declared: &'a [String],
    pub written: &'a mut Vec<String>,
}

impl PlaceholderFiller<'_> {
    /// Fills a text. If anything was filled, the result is secret: send it and do not log or store it.
    pub async fn fill(&mut self, text: &str) -> Result<String, CredentialError> {
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Field { slot, field, whole, .. } if !self.is_meant(slot, field) => filled.push_str(whole),
                Piece::Field { slot, field, filter, .. } => {
                    let secret = self.secrets.field(slot, field).await?;
                    let wrong = || CredentialError::new(slot, field, "its filter is none of json, xml, url, base64");
                    let text = write(secret.reveal(), filter).ok_or_else(wrong)?;
                    filled.push_str(&text);
                    if filter.is_some() {
                        self.written.push(secret.reveal().to_owned());
                    }
                    self.written.push(text);
                }
            }
        }
        Ok(filled)
    }

    fn is_meant(&self, slot: &str, field: &str) -> bool {
        self.declared.iter().any(|name| name.split_once('.') == Some((slot, field)))
    }
}

fn write(secret: &str, filter: Option<&str>) -> Option<String> {
    match filter {
        None => Some(secret.to_owned()),
        Some("json") => {
            let quoted = serde_json::Value::from(secret).to_string();
            Some(quoted[1..quoted.len() - 1].to_owned())
        }
        Some("xml") => Some(
            secret
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&apos;"),
        ),
        Some("url") => Some(byte_serialize(secret.as_bytes()).collect()),
        Some("base64") => Some(STANDARD.encode(secret)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PlaceholderCredentials;

    #[tokio::test]
    async fn placeholders_are_filled_and_other_braces_kept() {
        let text = "a {{one.two}} b {{ not one }} {{x.y|base64}} {{open";
        let filled = fill(text, &PlaceholderCredentials).await.expect("filled");
        assert_eq!(filled, "a {one.two} b {{ not one }} e3gueX0= {{open");
        assert!(fill("{{a.b|rot13}}", &PlaceholderCredentials).await.is_err());
        assert_eq!(write("a\"<", Some("json")).as_deref(), Some("a\\\"<"));
        assert_eq!(write("a\"<", Some("xml")).as_deref(), Some("a&quot;&lt;"));
        assert_eq!(write("a b&", Some("url")).as_deref(), Some("a+b%26"));
    }

    #[test]
    fn urls_may_be_a_single_escaped_placeholder() {
        assert!(is_alone("{{ical.url}}") && !is_alone("{{ical.url}}/x") && !is_alone("https://x"));
        assert_eq!(unescaped("https://x/%7B%7Ba.b%7Curl%7D%7D?q=%7B1"), "https://x/{{a.b|url}}?q=%7B1");
    }

    #[test]
    fn masked_placeholders_keep_json_valid() {
        let body = r#"{"a":{"b":{"token":"{{beds24.token|json}}"}},"note":"{{hello}}"}"#;
        let shown = r#"{"a":{"b":{"token":"{beds24.token|json}"}},"note":"{{hello}}"}"#;
        assert_eq!(in_single_braces(body), shown);
    }
}
