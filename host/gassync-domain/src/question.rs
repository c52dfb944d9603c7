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

/// A stay that a channel asks about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StayQuery {
    /// The channel's id of the property; may be absent with `replaces`: then it is the property of that reservation.
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
    /// The channel's id of a reservation that this one would replace: its nights count as free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Additional members from the channel.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// A question from a channel, to be answered within the route's budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "question")]
pub enum Question {
    /// Asks whether the stay is available.
    Available {
        /// The stay.
        stay: StayQuery,
    },
    /// Asks for the price of the stay.
    Quote {
        /// The stay.
        stay: StayQuery,
    },
    /// Asks to hold the nights.
    Hold {
        /// The channel's id of the hold.
        reference: String,
        /// The stay.
        stay: StayQuery,
        /// The duration of the hold.
        minutes: u32,
    },
    /// Releases a hold.
    Release {
        /// The channel's id of the hold.
        reference: String,
    },
    /// Asks for the bookings that changed.
    BookingsSince {
        /// The start of the period.
        since: Timestamp,
    },
    /// A question the contract has no case for.
    Other {
        /// The plugin's name for it.
        kind: String,
        /// Its value.
        value: Value,
    },
}
