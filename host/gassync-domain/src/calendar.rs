use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Amount, Extra};

/// The calendar of one room type, and of one rate plan if the channel has them.
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

/// One night; a value that the channel does not send is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CalendarNight {
    /// The night that begins on this day.
    pub date: Date,
    /// Whether the night is open for sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
    /// Units left to sell; negative if the channel is overbooked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units_available: Option<i32>,
    /// Price of the night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The number of people the price is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occupancy: Option<u32>,
    /// Whether the price includes tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_included: Option<bool>,
    /// Minimum stay on arrival, in nights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_stay: Option<u32>,
    /// Maximum stay, in nights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stay: Option<u32>,
    /// Closed to arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_to_arrival: Option<bool>,
    /// Closed to departure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_to_departure: Option<bool>,
    /// Minimum stay of any stay that includes this night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_stay_through: Option<u32>,
    /// The only allowed length of a stay that arrives on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_stay: Option<u32>,
    /// Minimum days between booking and arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_advance_days: Option<u32>,
    /// Maximum days between booking and arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_advance_days: Option<u32>,
    /// Additional members from the channel.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl CalendarNight {
    /// A night without values.
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
