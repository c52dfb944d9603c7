//! `{{slot.field}}`, with an optional `|json`, `|xml` or `|base64` that says how to write it where it stands.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{CredentialError, Credentials};

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Field { slot: &'a str, field: &'a str, filter: Option<&'a str> },
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
                found.push(Piece::Field { slot, field, filter });
            }
            _ => found.push(Piece::Text(&rest[..start + end + 2])),
        }
        rest = &from[end + 2..];
    }
    found.push(Piece::Text(rest));
    found
}

/// The first slot a text names, if any.
pub(crate) fn slot_of(text: &str) -> Option<String> {
    pieces(text).into_iter().find_map(|piece| match piece {
        Piece::Field { slot, .. } => Some(slot.to_owned()),
        Piece::Text(_) => None,
    })
}

/// Fills a text. The result is a secret if anything was filled: it is for the wire and nowhere else.
pub(crate) async fn fill(text: &str, credentials: &dyn Credentials) -> Result<String, CredentialError> {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Field { slot, field, filter } => {
                let secret = credentials.field(slot, field).await?;
                let written = write(secret.reveal(), filter)
                    .ok_or_else(|| CredentialError::new(slot, field, "its filter is none of json, xml, base64"))?;
                filled.push_str(&written);
            }
        }
    }
    Ok(filled)
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
        Some("base64") => Some(STANDARD.encode(secret)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShownAsPlaceholders;

    #[tokio::test]
    async fn placeholders_are_filled_and_other_braces_stay() {
        let text = "a {{one.two}} b {{ not one }} {{x.y|base64}} {{open";
        let filled = fill(text, &ShownAsPlaceholders).await.expect("filled");
        assert_eq!(filled, "a {one.two} b {{ not one }} e3gueX0= {{open");
        assert_eq!(slot_of(text).as_deref(), Some("one"));
        assert!(fill("{{a.b|rot13}}", &ShownAsPlaceholders).await.is_err());
        assert_eq!(write("a\"<", Some("json")).as_deref(), Some("a\\\"<"));
        assert_eq!(write("a\"<", Some("xml")).as_deref(), Some("a&quot;&lt;"));
    }
}
