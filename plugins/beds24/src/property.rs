//! Reads a property with its room types.

use gassync_plugin::{
    Address, Change, ChangeKind, ChannelError, Lenient, Property, RoomType, change, malformed, read_json,
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::texts;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Wire {
    id: Lenient,
    name: Lenient,
    property_type: Lenient,
    currency: Lenient,
    address: Lenient,
    city: Lenient,
    state: Lenient,
    country: Lenient,
    postcode: Lenient,
    latitude: Lenient,
    longitude: Lenient,
    check_in_start: Lenient,
    check_in_end: Lenient,
    check_out_end: Lenient,
    texts: Option<Box<RawValue>>,
    room_types: Vec<Box<RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WireRoom {
    id: Lenient,
    property_id: Lenient,
    name: Lenient,
    room_type: Lenient,
    qty: Lenient,
    max_people: Lenient,
    texts: Option<Box<RawValue>>,
    units: Vec<Unit>,
}

/// A numbered unit; numbers are unique within a room type only.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Unit {
    id: Lenient,
    name: Lenient,
}

/// Returns the property, then its room types. A room type on its own has no property record.
pub(crate) fn read(raw: &RawValue, time_zone: Option<&str>, path: &str) -> Result<Vec<Change>, ChannelError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        property_id: Option<serde::de::IgnoredAny>,
        room_types: Option<serde::de::IgnoredAny>,
    }
    let shape: Shape = read_json(raw.get(), path)?;
    if shape.property_id.is_some() && shape.room_types.is_none() {
        let room = room_type(raw, None, path)?;
        return Ok(vec![change(Some(&room.property_id.clone()), ChangeKind::RoomType(room))]);
    }
    let wire: Wire = read_json(raw.get(), path)?;
    let id = wire.id.unless_zero().ok_or_else(|| malformed(format_args!("{path}/id"), "is missing"))?;
    let mut rooms = Vec::with_capacity(wire.room_types.len());
    for (index, room) in wire.room_types.iter().enumerate() {
        rooms.push(room_type(room, Some(&id), &format!("{path}/roomTypes/{index}"))?);
    }
    let property = Property {
        description: texts::text(wire.texts.as_deref(), &["propertyDescription", "propertyDescription1", "headline"]),
        address: address(&wire),
        latitude: wire.latitude.number(),
        longitude: wire.longitude.number(),
        currency: wire.currency.text(),
        time_zone: time_zone.map(str::to_owned),
        room_types: rooms.iter().map(|room| room.id.clone()).collect(),
        extra: said(&[
            ("propertyType", &wire.property_type),
            ("checkInStart", &wire.check_in_start),
            ("checkInEnd", &wire.check_in_end),
            ("checkOutEnd", &wire.check_out_end),
        ]),
        raw: Some(raw.get().to_owned()),
        // Use the id as the name of an unnamed property.
        ..Property::new(id.clone(), wire.name.text().unwrap_or_else(|| id.clone()))
    };
    let mut changes = vec![change(Some(&id), ChangeKind::Property(property))];
    changes.extend(rooms.into_iter().map(|room| change(Some(&id), ChangeKind::RoomType(room))));
    Ok(changes)
}

fn address(wire: &Wire) -> Option<Address> {
    let address = Address {
        street: wire.address.text(),
        city: wire.city.text(),
        state: wire.state.text(),
        postcode: wire.postcode.text(),
        country: wire.country.text().map(|c| if c.len() == 2 { c.to_uppercase() } else { c }),
    };
    let Address { street, city, state, postcode, country } = &address;
    let is_known = [street, city, state, postcode, country].iter().any(|line| line.is_some());
    is_known.then_some(address)
}

fn room_type(raw: &RawValue, property_id: Option<&str>, path: &str) -> Result<RoomType, ChannelError> {
    let wire: WireRoom = read_json(raw.get(), path)?;
    let missing = |field: &str| malformed(format_args!("{path}/{field}"), "is missing");
    let id = wire.id.unless_zero().ok_or_else(|| missing("id"))?;
    let property_id = wire.property_id.unless_zero().or_else(|| property_id.map(str::to_owned));
    let property_id = property_id.ok_or_else(|| missing("propertyId"))?;
    let name = wire.name.text().unwrap_or_else(|| id.clone());
    let mut extra = said(&[("roomType", &wire.room_type)]);
    let units = wire.units.iter().filter_map(|unit| Some(json!({ "id": unit.id.text()?, "name": unit.name.text() })));
    let units: Vec<Value> = units.collect();
    if !units.is_empty() {
        extra.push(("units".to_owned(), Value::from(units).to_string()));
    }
    Ok(RoomType {
        description: texts::text(wire.texts.as_deref(), &["roomDescription", "contentDescription"]),
        max_occupancy: wire.max_people.count().filter(|people| *people > 0),
        quantity: wire.qty.count(),
        extra,
        raw: Some(raw.get().to_owned()),
        ..RoomType::new(id, property_id, name)
    })
}

/// Returns further values by their Beds24 names.
fn said(named: &[(&str, &Lenient)]) -> Vec<(String, String)> {
    let reported = |(name, said): &(&str, &Lenient)| Some(((*name).to_owned(), Value::from(said.text()?).to_string()));
    named.iter().filter_map(reported).collect()
}
