//! JSON as text.

use serde_json::Value;

/// Stands in a text for half of a pair of surrogates, which no text of Rust can have.
pub(super) const HALF_EMOJI: char = '\u{e000}';

/// JSON as it goes over the wire: with the halves of surrogate pairs that no text can have.
pub(super) fn body(value: &Value) -> String {
    value.to_string().replace(HALF_EMOJI, "\\ud83d")
}
