use gassync_plugin::{Block, Nights, serde_json::value::RawValue};

use crate::{booking::id_of, wire::Booking};

/// A booking of status `black` is a hand in the calendar, not a sale.
pub(crate) fn of(id: String, booking: &Booking<'_>, stay: Nights, json: &RawValue) -> Block {
    Block {
        id: Some(id),
        property_id: id_of(&booking.property_id),
        room_type_id: id_of(&booking.room_id),
        unit_id: id_of(&booking.unit_id),
        reason: booking.notes.owned().or_else(|| booking.comments.owned()),
        raw: Some(json.get().to_owned()),
        ..Block::new(stay)
    }
}
