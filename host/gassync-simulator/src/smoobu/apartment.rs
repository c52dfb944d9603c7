//! Apartments: property, room type and unit in one.

use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::SmoobuSettings;
use crate::{SimulatedProperty, SimulatedRoomType};

const NAMES: [&str; 6] = ["Kastanie 3", "Brahms Loft", "Mühle am Bach", "Quayside Two", "Dachstudio", "Haus Fichte"];

/// Where an apartment is.
struct Place {
    street: &'static str,
    zip: &'static str,
    city: &'static str,
    country: &'static str,
    latitude: &'static str,
    longitude: &'static str,
    time_zone: &'static str,
    currency: &'static str,
}

const PLACES: [Place; 3] = [
    Place {
        street: "Kastanienweg 12",
        zip: "23552",
        city: "Lübeck",
        country: "Germany",
        latitude: "53.8654670",
        longitude: "10.6865590",
        time_zone: "Europe/Berlin",
        currency: "EUR",
    },
    Place {
        street: "4 Quay Row",
        zip: "BS1 4QA",
        city: "Bristol",
        country: "United Kingdom",
        latitude: "51.4545130",
        longitude: "-2.5879100",
        time_zone: "Europe/London",
        currency: "GBP",
    },
    Place {
        street: "Rua da Fonte 7",
        zip: "8600-315",
        city: "Lagos",
        country: "Portugal",
        latitude: "37.1028140",
        longitude: "-8.6730280",
        time_zone: "Europe/Lisbon",
        currency: "EUR",
    },
];

/// An apartment.
#[derive(Debug, Clone)]
pub(super) struct Apartment {
    pub id: u64,
    pub name: String,
    pub max_occupancy: u32,
    /// Apartments that a booking of this one closes too.
    pub related: Vec<u64>,
    /// Index of its place.
    place: usize,
    bedrooms: u32,
}

/// Builds the account's apartments; the house and its floor are the last two.
pub(super) fn build(settings: &SmoobuSettings, rng: &mut ChaCha8Rng) -> Vec<Apartment> {
    let ids = settings.first_apartment() + 1..;
    let mut all: Vec<Apartment> = ids
        .zip(0..settings.apartments)
        .map(|(id, number)| {
            let name = NAMES.choose(rng).copied().unwrap_or("Apartment");
            let max_occupancy = rng.random_range(2..=6);
            Apartment {
                id,
                name: format!("{name} ({})", number + 1),
                max_occupancy,
                related: Vec::new(),
                place: number as usize % PLACES.len(),
                bedrooms: max_occupancy.div_ceil(2),
            }
        })
        .collect();
    if settings.house
        && let [.., house, floor] = all.as_mut_slice()
    {
        "Haus am Deich".clone_into(&mut house.name);
        "Haus am Deich, upper floor".clone_into(&mut floor.name);
        (house.related, floor.related) = (vec![floor.id], vec![house.id]);
        floor.place = house.place;
    }
    all
}

impl Apartment {
    fn place(&self) -> &'static Place {
        &PLACES[self.place]
    }

    pub fn currency(&self) -> &'static str {
        self.place().currency
    }

    /// Returns it as named in lists and bookings.
    pub fn named(&self) -> Value {
        json!({ "id": self.id, "name": self.name })
    }

    /// Returns its details, which repeat neither id nor name.
    pub fn details(&self) -> Value {
        let place = self.place();
        json!({
            "location": {
                "street": place.street,
                "zip": place.zip,
                "city": place.city,
                "country": place.country,
                "latitude": place.latitude,
                "longitude": place.longitude,
            },
            "timeZone": place.time_zone,
            "rooms": {
                "maxOccupancy": self.max_occupancy,
                "bedrooms": self.bedrooms,
                "bathrooms": 1,
                "doubleBeds": self.bedrooms,
                "singleBeds": null,
                "sofaBeds": null,
                "couches": null,
                "childBeds": null,
                "queenSizeBeds": null,
                "kingSizeBeds": 0,
            },
            "equipments": ["Internet", "Heating", "TV"],
            "currency": place.currency,
            "price": { "minimal": "40.00", "maximal": "260.00" },
            "type": { "id": 1, "name": "Apartment" },
        })
    }

    pub fn property(&self) -> SimulatedProperty {
        let id = self.id.to_string();
        let room_type =
            SimulatedRoomType { id: id.clone(), name: self.name.clone(), units: 1, max_occupancy: self.max_occupancy };
        SimulatedProperty {
            id,
            name: self.name.clone(),
            currency: self.currency().to_owned(),
            room_types: vec![room_type],
        }
    }
}
