use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Extra;

/// The number of guests, by age.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Occupancy {
    /// Adults.
    pub adults: u32,
    /// Children.
    pub children: u32,
    /// Infants.
    pub infants: u32,
    /// Animals.
    pub pets: u32,
}

/// A stay somebody thinks about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StayQuery {
    /// The channel's id of the property; may be absent with `replaces`, whose property is meant then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_id: Option<String>,
    /// The channel's id of the room type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_type_id: Option<String>,
    /// The channel's id of the rate plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_plan_id: Option<String>,
    /// First night.
    pub check_in: Date,
    /// Day of departure.
    pub check_out: Date,
    /// The guests, if the channel says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occupancy: Option<Occupancy>,
    /// The channel's id of a reservation this one would take the place of: its nights count as free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// What else the channel says.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// What a channel asks us, to be answered within the route's budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "question")]
pub enum Question {
    /// Is it free?
    Available {
        /// The stay.
        stay: StayQuery,
    },
    /// What does it cost?
    Quote {
        /// The stay.
        stay: StayQuery,
    },
    /// Keep it free for a while.
    Hold {
        /// The channel's id of the hold.
        reference: String,
        /// The stay.
        stay: StayQuery,
        /// For how long.
        minutes: u32,
    },
    /// A hold is not needed any more.
    Release {
        /// The channel's id of the hold.
        reference: String,
    },
    /// Which bookings changed?
    BookingsSince {
        /// Since when.
        since: Timestamp,
    },
    /// Something this contract has no word for.
    Other {
        /// The plugin's word.
        kind: String,
        /// What it says.
        value: Value,
    },
}
