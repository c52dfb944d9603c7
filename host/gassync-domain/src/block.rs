use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{Extra, text::said, text::some_instant};

/// Nights that a person took out of sale at the channel. Not a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Block {
    /// The channel's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The channel's id of the property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_id: Option<String>,
    /// The channel's id of the room type, if there is exactly one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_type_id: Option<String>,
    /// The channel's ids of several room types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub room_type_ids: Vec<String>,
    /// A single unit, if there is exactly one room type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<String>,
    /// Number of units per room type; absent: one if a unit is given, otherwise all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<u32>,
    /// The first night.
    pub check_in: Date,
    /// The day after the last night.
    pub check_out: Date,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The time of the channel's last change.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_instant")]
    pub modified_at: Option<Timestamp>,
    /// The channel's own version of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Additional members from the channel.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Block {
    /// The room types it applies to; none: the whole property.
    pub fn room_types(&self) -> impl Iterator<Item = &String> {
        self.room_type_id.iter().chain(&self.room_type_ids)
    }

    /// Drops empty values, and gives a single room type its short form.
    pub fn normalise(&mut self) {
        let Self { id, property_id, room_type_id, unit_id, reason, revision, .. } = self;
        for text in [id, property_id, room_type_id, unit_id, reason, revision] {
            said(text);
        }
        if let (None, [_]) = (&self.room_type_id, self.room_type_ids.as_slice()) {
            self.room_type_id = self.room_type_ids.pop();
        }
    }
}
