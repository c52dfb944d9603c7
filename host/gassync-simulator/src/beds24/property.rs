//! Fictitious properties and room types of an account.

use rand::{Rng, RngExt};
use serde::Serialize;

use super::Settings;
use crate::chance::{CITIES, HOUSES, ROOMS};

/// A property.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Beds24Property {
    /// The property's id.
    pub id: u64,
    /// The property's name.
    pub name: String,
    /// Currency.
    pub currency: String,
    /// City.
    pub city: String,
    /// Country, as two capital letters.
    pub country: String,
    /// Room types.
    pub room_types: Vec<Beds24RoomType>,
}

/// A room type.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Beds24RoomType {
    /// The room type's id: `roomId` in the API.
    pub id: u64,
    /// The room type's name.
    pub name: String,
    /// Number of units.
    pub qty: u32,
    /// Maximum people per unit.
    pub max_people: u32,
}

/// Generates the number of properties in the settings.
pub(super) fn build(settings: &Settings, rng: &mut impl Rng) -> Vec<Beds24Property> {
    let base = 340_000 + rng.random_range(0..1_000) * 10;
    let properties = (0..u64::from(settings.properties)).map(|index| {
        let (city, country, currency) = CITIES[index as usize % CITIES.len()];
        let rooms = (0..u64::from(settings.room_types_per_property)).map(|room| Beds24RoomType {
            id: base * 2 + index * 100 + room,
            name: ROOMS[room as usize % ROOMS.len()].to_owned(),
            qty: rng.random_range(1..=3),
            max_people: rng.random_range(2..=5),
        });
        Beds24Property {
            id: base + index,
            name: HOUSES[index as usize % HOUSES.len()].to_owned(),
            currency: currency.to_owned(),
            city: city.to_owned(),
            country: country.to_owned(),
            room_types: rooms.collect(),
        }
    });
    properties.collect()
}
