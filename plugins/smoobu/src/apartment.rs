//! Reads apartments. The list has ids and names only; everything else is asked for apartment by apartment.

use gassync_plugin::{
    Address, Change, ChangeKind, ChannelError, Lenient, Property, RoomType, change, lenient, malformed, note, read_json,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{refusal, signature::Request};

/// An apartment of the list.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct Listed {
    pub id: Lenient,
    name: Lenient,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    #[serde(deserialize_with = "lenient")]
    location: Location,
    time_zone: Lenient,
    #[serde(deserialize_with = "lenient")]
    rooms: Rooms,
    #[serde(deserialize_with = "lenient")]
    equipments: Vec<Lenient>,
    currency: Lenient,
    #[serde(deserialize_with = "lenient")]
    price: PriceRange,
    #[serde(rename = "type", deserialize_with = "lenient")]
    kind: Kind,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Location {
    street: Lenient,
    zip: Lenient,
    postal_code: Lenient,
    city: Lenient,
    country: Lenient,
    latitude: Lenient,
    longitude: Lenient,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Rooms {
    max_occupancy: Lenient,
    bedrooms: Lenient,
    bathrooms: Lenient,
    double_beds: Lenient,
    single_beds: Lenient,
    sofa_beds: Lenient,
    couches: Lenient,
    child_beds: Lenient,
    queen_size_beds: Lenient,
    king_size_beds: Lenient,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PriceRange {
    minimal: Lenient,
    maximal: Lenient,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Kind {
    name: Lenient,
}

/// What the list of apartments was answered with.
pub(crate) enum List {
    Apartments(Vec<Box<RawValue>>),
    /// Nights by apartment: a trial answers the first request with them.
    Nights(Box<RawValue>),
}

/// Fetches the list, which has no pages.
pub(crate) fn list() -> Result<List, ChannelError> {
    #[derive(Deserialize)]
    struct Answer {
        apartments: Option<Vec<Box<RawValue>>>,
        data: Option<Box<RawValue>>,
    }
    let answer = Request::get("/api/apartments").send()?;
    if answer.status() != 200 {
        return Err(refusal::of(&answer));
    }
    match read_json(answer.body(), "")? {
        Answer { apartments: Some(apartments), .. } => Ok(List::Apartments(apartments)),
        Answer { data: Some(nights), .. } => Ok(List::Nights(nights)),
        _ => Err(malformed("/apartments", "is missing")),
    }
}

/// Fetches the details of a listed apartment: the property, then its room type, which is the same apartment.
pub(crate) fn read(listed: &RawValue, path: &str) -> Result<Vec<Change>, ChannelError> {
    let Listed { id, name } = read_json(listed.get(), path)?;
    let id = id.unless_zero().ok_or_else(|| malformed(format_args!("{path}/id"), "is missing"))?;
    // Ids are used in signed paths without escaping.
    if id.parse::<u64>().is_err() {
        return Err(malformed(format_args!("{path}/id"), "is not a number"));
    }
    let answer = Request::get(format!("/api/apartments/{id}")).send()?;
    if answer.status() != 200 {
        return Err(refusal::of(&answer));
    }
    let raw: Box<RawValue> = read_json(answer.body(), path)?;
    let details: Details = read_json(raw.get(), path)?;
    let name = name.text().unwrap_or_else(|| id.clone());
    let property = property(&id, &name, &details, &raw, path);
    let property = change(Some(&id), ChangeKind::Property(property));
    let room_type = change(Some(&id), ChangeKind::RoomType(room_type(&id, &name, &details, &raw)));
    Ok(vec![property, room_type])
}

fn property(id: &str, name: &str, details: &Details, raw: &RawValue, path: &str) -> Property {
    let Details { location, price, kind, .. } = details;
    let address = Address {
        street: location.street.text(),
        city: location.city.text(),
        postcode: location.zip.text().or_else(|| location.postal_code.text()),
        // A name in the documentation; codes in other hands.
        country: location.country.text().map(|text| if text.len() == 2 { text.to_uppercase() } else { text }),
        ..Address::unknown()
    };
    let number = |said: &Lenient, name: &str| {
        let number = said.number();
        if number.is_none() && said.as_str().is_some() {
            note(format_args!("{path}/location/{name}"), "is not a number");
        }
        number
    };
    Property {
        latitude: number(&location.latitude, "latitude"),
        longitude: number(&location.longitude, "longitude"),
        address: Some(address).filter(|address| *address != Address::unknown()),
        currency: details.currency.text(),
        time_zone: details.time_zone.text(),
        room_types: vec![id.to_owned()],
        extra: said(&[
            ("propertyType", &kind.name),
            ("minimalPrice", &price.minimal),
            ("maximalPrice", &price.maximal),
        ]),
        raw: Some(raw.get().to_owned()),
        ..Property::new(id, name)
    }
}

fn room_type(id: &str, name: &str, details: &Details, raw: &RawValue) -> RoomType {
    let rooms = &details.rooms;
    RoomType {
        max_occupancy: rooms.max_occupancy.count().filter(|people| *people > 0),
        quantity: Some(1),
        amenities: details.equipments.iter().filter_map(Lenient::text).collect(),
        extra: said(&[
            ("bedrooms", &rooms.bedrooms),
            ("bathrooms", &rooms.bathrooms),
            ("doubleBeds", &rooms.double_beds),
            ("singleBeds", &rooms.single_beds),
            ("sofaBeds", &rooms.sofa_beds),
            ("couches", &rooms.couches),
            ("childBeds", &rooms.child_beds),
            ("queenSizeBeds", &rooms.queen_size_beds),
            ("kingSizeBeds", &rooms.king_size_beds),
        ]),
        raw: Some(raw.get().to_owned()),
        ..RoomType::new(id, id, name)
    }
}

/// Returns further values: whole numbers as such, anything else as text.
pub(crate) fn said(named: &[(&str, &Lenient)]) -> Vec<(String, String)> {
    let value = |said: &Lenient| said.count().map(Value::from).or_else(|| said.text().map(Value::from));
    let reported = |(name, said): &(&str, &Lenient)| Some(((*name).to_owned(), value(said)?.to_string()));
    named.iter().filter_map(reported).collect()
}
