//! The houses of an account and what they sell by; all made up.

use rand::{Rng, RngExt};
use serde::Serialize;

use super::Settings;

const HOUSES: [&str; 6] =
    ["Villa Marisol", "Gasthof Lärche", "Le Petit Phare", "Casa do Vento", "Hytte Nord", "Torre Bianca"];
const CITIES: [(&str, &str, &str); 6] = [
    ("Nerja", "ES", "EUR"),
    ("Hallstatt", "AT", "EUR"),
    ("Cancale", "FR", "EUR"),
    ("Aljezur", "PT", "EUR"),
    ("Lom", "NO", "NOK"),
    ("Ostuni", "IT", "EUR"),
];
const ROOMS: [&str; 4] = ["Garden studio", "Sea room", "Loft", "Family suite"];

/// A house.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimulatedProperty {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// What it charges in.
    pub currency: String,
    /// Where it is.
    pub city: String,
    /// Two capital letters.
    pub country: String,
    /// What it sells by.
    pub room_types: Vec<SimulatedRoomType>,
}

/// What a house sells by.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimulatedRoomType {
    /// Its id: `roomId` on the wire.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// How many units.
    pub qty: u32,
    /// Most people in a unit.
    pub max_people: u32,
}

/// As many houses as the settings ask for.
pub(super) fn build(settings: &Settings, rng: &mut impl Rng) -> Vec<SimulatedProperty> {
    let base = 340_000 + rng.random_range(0..1_000) * 10;
    let properties = (0..u64::from(settings.properties)).map(|index| {
        let (city, country, currency) = CITIES[index as usize % CITIES.len()];
        let rooms = (0..u64::from(settings.room_types_per_property)).map(|room| SimulatedRoomType {
            id: base * 2 + index * 100 + room,
            name: ROOMS[room as usize % ROOMS.len()].to_owned(),
            qty: rng.random_range(1..=3),
            max_people: rng.random_range(2..=5),
        });
        SimulatedProperty {
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
