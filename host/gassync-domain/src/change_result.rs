//! What became of what a channel told or asked, for the plugin that words the answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Amount, Extra, Reservation};

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is new in the core.
    Created,
    /// The core has changed.
    Updated,
    /// It said what was known.
    Unchanged,
    /// It waits for something it names.
    Parked,
    /// It is in the buffer, and a person decides.
    KeptForLater,
    /// It was there already.
    Duplicate,
}

/// Why a stay cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// No unit is free.
    SoldOut,
    /// It is not for sale.
    Closed,
    /// Too short.
    MinStay,
    /// Too long.
    MaxStay,
    /// Not of the length it must have.
    ExactStay,
    /// Nobody arrives on that day.
    ClosedToArrival,
    /// Nobody departs on that day.
    ClosedToDeparture,
    /// Too many people.
    Occupancy,
    /// Too soon, or too far ahead.
    AdvanceNotice,
    /// There is no price.
    NoRate,
    /// No animals.
    Pets,
    /// Nobody knows the property.
    UnknownProperty,
    /// Nobody knows the room type.
    UnknownRoomType,
    /// Nobody knows the rate plan.
    UnknownRatePlan,
    /// Nobody knows the reservation.
    UnknownReservation,
    /// The request itself is wrong.
    Invalid,
    /// Something else.
    Other,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Its kind.
    pub why: Refusal,
    /// A JSON pointer into our record, where one is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// For people.
    #[serde(default)]
    pub text: String,
}

/// What a line of a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PriceKind {
    /// The nights.
    Stay,
    /// Cleaning.
    Cleaning,
    /// Another fee.
    Fee,
    /// Tax.
    Tax,
    /// Comes back after the stay.
    Deposit,
    /// Less: its amount is below zero.
    Discount,
    /// Something else.
    Other,
}

/// One line of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PriceLine {
    /// What it is for.
    pub kind: PriceKind,
    /// For people.
    pub name: String,
    /// How much, in the currency of the whole.
    #[schema(value_type = f64)]
    pub amount: Amount,
}

/// What a stay costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// What it is made of.
    pub lines: Vec<PriceLine>,
    /// Their sum, deposits left out.
    pub total: Amount,
    /// ISO 4217.
    pub currency: String,
    /// What else there is to say of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// A reservation as we have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Booked {
    /// Ours.
    pub reference: String,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// In the channel's ids; its own id is empty where the channel knows none.
    pub reservation: Reservation,
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "status")]
pub enum Fate {
    /// It was taken.
    Applied {
        /// How.
        verdict: Verdict,
        /// Our number.
        reference: String,
        /// When.
        at: Timestamp,
    },
    /// It was not taken, and never will be.
    Refused {
        /// Why.
        reasons: Vec<Refused>,
    },
    /// It can be had.
    Available,
    /// It is kept free.
    Held {
        /// Our number.
        reference: String,
        /// Until when.
        until: Timestamp,
    },
    /// It is kept free no more.
    Released,
    /// It costs this.
    Quote(Quoted),
    /// These changed.
    Bookings {
        /// In the order of their changes.
        bookings: Vec<Booked>,
    },
    /// Something this contract has no word for.
    Other {
        /// The plugin's word.
        kind: String,
        /// What it says.
        value: Value,
    },
}
