//! Results of the changes and questions that a channel sent, for the plugin that builds the reply.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Amount, Extra, PriceLine, Reservation};

/// How a record was processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The core created it.
    Created,
    /// The core updated it.
    Updated,
    /// It contained nothing new.
    Unchanged,
    /// It waits for a record that it refers to.
    Parked,
    /// It is in the buffer until a person decides.
    AwaitingReview,
    /// The same message was processed before.
    Duplicate,
}

/// The reason why a stay is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// No unit is free.
    SoldOut,
    /// It is closed for sale.
    Closed,
    /// The stay is too short.
    MinStay,
    /// The stay is too long.
    MaxStay,
    /// The stay does not have the required length.
    ExactStay,
    /// Arrival is closed on that day.
    ClosedToArrival,
    /// Departure is closed on that day.
    ClosedToDeparture,
    /// There are too many people.
    Occupancy,
    /// Arrival is too soon, or too far ahead.
    AdvanceNotice,
    /// There is no price.
    NoRate,
    /// Pets are not allowed.
    Pets,
    /// The property is unknown.
    UnknownProperty,
    /// The room type is unknown.
    UnknownRoomType,
    /// The rate plan is unknown.
    UnknownRatePlan,
    /// The reservation is unknown.
    UnknownReservation,
    /// The request itself is invalid.
    Invalid,
    /// Something else.
    Other,
}

/// One reason for a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its kind.
    pub reason: RefusalReason,
    /// A JSON pointer into our record, if one field is the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// For people.
    #[serde(default)]
    pub text: String,
}

/// What a stay costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Its lines.
    pub lines: Vec<PriceLine>,
    /// Their sum, deposits left out.
    pub total: Amount,
    /// ISO 4217.
    pub currency: String,
    /// Additional members.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// A reservation as the core stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CoreBooking {
    /// Our reference.
    pub reference: String,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// With the channel's ids; its own id is empty if the channel has none.
    pub reservation: Reservation,
}

/// The result of one change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "status")]
pub enum ChangeResult {
    /// It was applied.
    Applied {
        /// The kind of change.
        verdict: Verdict,
        /// Our reference.
        reference: String,
        /// The time of the change.
        at: Timestamp,
    },
    /// It was refused for good.
    Refused {
        /// All reasons.
        reasons: Vec<Refusal>,
    },
    /// The stay is available.
    Available,
    /// The nights are held.
    Held {
        /// Our reference.
        reference: String,
        /// The end of the hold.
        until: Timestamp,
    },
    /// The hold was released.
    Released,
    /// The price of the stay.
    Quote(Quote),
    /// The bookings that changed.
    Bookings {
        /// By the time of their changes.
        bookings: Vec<CoreBooking>,
    },
    /// Something the contract has no case for.
    Other {
        /// The plugin's word.
        kind: String,
        /// Its value.
        value: Value,
    },
}
