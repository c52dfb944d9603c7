use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Amount, Extra, StayRules};

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
    /// Rules of stay.
    #[serde(flatten)]
    pub rules: StayRules,
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
            rules: StayRules::default(),
            extra: Extra::default(),
        }
    }
}
