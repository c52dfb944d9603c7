//! A property with its room types.

use gassync_plugin::{Address, Change, ChannelError, Loose, News, Property, RoomType, change, malformed, read_json};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Wire {
    id: Loose,
    name: Loose,
    currency: Loose,
    address: Loose,
    city: Loose,
    state: Loose,
    country: Loose,
    postcode: Loose,
    latitude: Loose,
    longitude: Loose,
    room_types: Vec<Box<RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WireRoom {
    id: Loose,
    property_id: Loose,
    name: Loose,
    qty: Loose,
    max_people: Loose,
}

/// The property, then its room types.
pub(crate) fn read(raw: &RawValue, path: &str) -> Result<Vec<Change>, ChannelError> {
    let wire: Wire = read_json(raw.get(), path)?;
    let id = wire.id.unless_zero().ok_or_else(|| malformed(format_args!("{path}/id"), "is missing"))?;
    let mut rooms = Vec::with_capacity(wire.room_types.len());
    for (index, room) in wire.room_types.iter().enumerate() {
        rooms.push(room_type(room, &id, &format!("{path}/roomTypes/{index}"))?);
    }
    let address = Address {
        street: wire.address.text(),
        city: wire.city.text(),
        state: wire.state.text(),
        postcode: wire.postcode.text(),
        country: wire.country.text().map(|c| if c.len() == 2 { c.to_uppercase() } else { c }),
    };
    let property = Property {
        address: Some(address),
        latitude: wire.latitude.number(),
        longitude: wire.longitude.number(),
        currency: wire.currency.text(),
        room_types: rooms.iter().map(|room| room.id.clone()).collect(),
        raw: Some(raw.get().to_owned()),
        // A house nobody has named yet is known by its number.
        ..Property::new(id.clone(), wire.name.text().unwrap_or_else(|| id.clone()))
    };
    let mut changes = vec![change(Some(&id), News::Property(property))];
    changes.extend(rooms.into_iter().map(|room| change(Some(&id), News::RoomType(room))));
    Ok(changes)
}

fn room_type(raw: &RawValue, property_id: &str, path: &str) -> Result<RoomType, ChannelError> {
    let wire: WireRoom = read_json(raw.get(), path)?;
    let id = wire.id.unless_zero().ok_or_else(|| malformed(format_args!("{path}/id"), "is missing"))?;
    let property_id = wire.property_id.unless_zero().unwrap_or_else(|| property_id.to_owned());
    let name = wire.name.text().unwrap_or_else(|| id.clone());
    Ok(RoomType {
        max_occupancy: wire.max_people.count().filter(|people| *people > 0),
        quantity: wire.qty.count(),
        raw: Some(raw.get().to_owned()),
        ..RoomType::new(id, property_id, name)
    })
}
