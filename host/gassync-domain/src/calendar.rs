use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Amount, Extra};

/// What a channel shows for one room type, and rate plan where it has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Calendar {
    /// The channel's id of the property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_id: Option<String>,
    /// The channel's id of the room type.
    pub room_type_id: String,
    /// The channel's id of the rate plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_plan_id: Option<String>,
    /// One entry per night.
    pub nights: Vec<CalendarNight>,
}

/// One night: only what the channel says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CalendarNight {
    /// The night that begins on this day.
    pub date: Date,
    /// Whether it can be sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
    /// How many units can be sold; below zero where the channel is overbooked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units_available: Option<i32>,
    /// Price of the night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// For how many people the price is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occupancy: Option<u32>,
    /// Whether tax is in the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_included: Option<bool>,
    /// Fewest nights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_stay: Option<u32>,
    /// Most nights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stay: Option<u32>,
    /// No arrival on this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_to_arrival: Option<bool>,
    /// No departure on this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_to_departure: Option<bool>,
    /// Shortest stay of which this night is any part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_stay_through: Option<u32>,
    /// The one length that an arrival on it may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_stay: Option<u32>,
    /// How many days before it at the latest an arrival on it is booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_advance_days: Option<u32>,
    /// How many days before it at the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_advance_days: Option<u32>,
    /// What else the channel says of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl CalendarNight {
    /// A night of which nothing is said yet.
    pub fn new(date: Date) -> Self {
        Self {
            date,
            available: None,
            units_available: None,
            price: None,
            currency: None,
            occupancy: None,
            tax_included: None,
            min_stay: None,
            max_stay: None,
            closed_to_arrival: None,
            closed_to_departure: None,
            min_stay_through: None,
            exact_stay: None,
            min_advance_days: None,
            max_advance_days: None,
            extra: Extra::default(),
        }
    }
}
