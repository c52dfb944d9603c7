//! Reads bookings of API V1 and V2, told apart by their shape.

use gassync_plugin::{Change, ChannelError, read_json};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{booking, booking_v1, invoice::Invoice};

/// Reads a booking of either version.
pub(crate) fn read(raw: &RawValue, invoice: Invoice<'_>, path: &str) -> Result<Change, ChannelError> {
    #[derive(Deserialize)]
    struct Shape {
        #[serde(rename = "bookId")]
        v1: Option<serde::de::IgnoredAny>,
    }
    let shape: Shape = read_json(raw.get(), path)?;
    if shape.v1.is_some() { booking_v1::read(raw, path) } else { booking::read(raw, invoice, path) }
}
