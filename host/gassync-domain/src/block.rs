use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{Extra, text::said, text::some_instant};

/// Nights taken out of sale by the channel's own hand. Not a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Block {
    /// The channel's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The channel's id of the property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_id: Option<String>,
    /// The channel's id of the room type, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_type_id: Option<String>,
    /// Those of several room types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub room_type_ids: Vec<String>,
    /// One unit alone, where there is one room type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<String>,
    /// How many units of each room type; absent: one where a unit is named, else all there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<u32>,
    /// The first night.
    pub check_in: Date,
    /// The day after the last night.
    pub check_out: Date,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the channel last changed it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_instant")]
    pub modified_at: Option<Timestamp>,
    /// The channel's own version of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// What else the channel says of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Block {
    /// The room types it is for; none: the whole property.
    pub fn room_types(&self) -> impl Iterator<Item = &String> {
        self.room_type_id.iter().chain(&self.room_type_ids)
    }

    /// Drops what is empty, and gives one room type its short form.
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
