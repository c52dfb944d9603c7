//! JSON as text.

use serde_json::Value;

/// Represents an unpaired surrogate, which a Rust text cannot contain.
pub(crate) const HALF_EMOJI: char = '\u{e000}';

/// Serialises a response, and writes `HALF_EMOJI` as an unpaired surrogate.
pub(crate) fn body(value: &Value) -> String {
    value.to_string().replace(HALF_EMOJI, "\\ud83d")
}
