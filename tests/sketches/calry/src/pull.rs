//! Fetches Calry's records, one page per call.

use gassync_plugin::{
    Address, Change, ChangeKind, ChannelError, Entity, Lenient, Page, Property, Query, RoomType, Scope, Selection,
    change, http, malformed, percent_encode, read_each, read_json, to_date_text,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    envelope::{Envelope, ask, configured},
    reservation,
};

/// Calry's maximum page size.
const PAGE_SIZE: &str = "200";

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct House {
    id: Lenient,
    name: Lenient,
    description: Lenient,
    thumbnail_url: Lenient,
    address: Place,
    currency: Lenient,
    time_zone: Lenient,
    room_types: Vec<Room>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Place {
    line1: Lenient,
    postal_code: Lenient,
    city: Lenient,
    state: Lenient,
    country: Lenient,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Room {
    id: Lenient,
    name: Lenient,
}

pub(crate) fn fetch(query: &Query) -> Result<Page, ChannelError> {
    let settings = configured()?;
    let (path, mut parameters, scope) = request(query)?;
    parameters.push(("limit", PAGE_SIZE.to_owned()));
    // The cursor is Calry's own, and is returned unchanged.
    parameters.extend(query.cursor.clone().map(|cursor| ("cursor", cursor)));
    let parameters: Vec<String> =
        parameters.iter().map(|(key, value)| format!("{key}={}", percent_encode(value))).collect();
    let url = format!("{}/api/v2/vrs{path}?{}", settings.base_url.trim_end_matches('/'), parameters.join("&"));
    let Envelope { data, meta }: Envelope<Vec<Box<RawValue>>> = ask(http::Request::get(url), &settings)?;
    let mut changes = read_each(query.entity, &data, "/data", &["id"], |raw, place| match query.entity {
        Entity::Property => house(raw, place),
        _ => Ok(vec![reservation::read(raw, place)?]),
    })?;
    if let Selection::Some(ids) = &query.selection {
        changes.retain(|change| id_of(change).is_some_and(|id| ids.iter().any(|asked| asked == id)));
    }
    let next = meta.cursors.next.text().filter(|next| query.cursor.as_ref() != Some(next));
    Ok(Page { next, scope, ..Page::of(changes) })
}

type Parameters = Vec<(&'static str, String)>;

fn request(query: &Query) -> Result<(&'static str, Parameters, Scope), ChannelError> {
    Ok(match (query.entity, &query.selection) {
        (Entity::Property, Selection::Everything) => ("/properties", Vec::new(), Scope::WholeEntity),
        // Stays that overlap these nights depart after the first day and arrive before the last. Whether the bounds are
        // inclusive is not documented; an extra booking does no harm.
        (Entity::Reservation, Selection::Within(nights)) => {
            let bounds = vec![
                ("departureStartDate", to_date_text(nights.start)),
                ("arrivalEndDate", to_date_text(nights.until)),
            ];
            ("/reservations", bounds, Scope::Whole(*nights))
        }
        // How far back a full list goes is not documented, so a missing booking may only be old. Requests by id do not
        // exist either: the full list is searched.
        (Entity::Reservation, Selection::Everything | Selection::Some(_)) => {
            ("/reservations", Vec::new(), Scope::Delta)
        }
        _ => return Err(ChannelError::Unsupported),
    })
}

/// A property, and the room types that the property list contains.
fn house(raw: &RawValue, path: &str) -> Result<Vec<Change>, ChannelError> {
    let house: House = read_json(raw.get(), path)?;
    let id = house.id.text().ok_or_else(|| malformed(format_args!("{path}/id"), "is missing"))?;
    let rooms: Vec<(String, String)> = house
        .room_types
        .iter()
        .filter_map(|room| Some((room.id.text()?, room.name.text().or_else(|| room.id.text())?)))
        .collect();
    let property = Property {
        description: house.description.text(),
        address: Some(Address {
            street: house.address.line1.text(),
            city: house.address.city.text(),
            state: house.address.state.text(),
            postcode: house.address.postal_code.text(),
            country: house.address.country.text(),
        }),
        currency: house.currency.text(),
        time_zone: house.time_zone.text(),
        thumbnail: house.thumbnail_url.text(),
        room_types: rooms.iter().map(|(id, _)| id.clone()).collect(),
        raw: Some(raw.get().to_owned()),
        ..Property::new(&id, house.name.text().unwrap_or_else(|| id.clone()))
    };
    let mut changes = vec![change(Some(&id), ChangeKind::Property(property))];
    let room = |(room, name)| change(Some(&id), ChangeKind::RoomType(RoomType::new(room, &id, name)));
    changes.extend(rooms.into_iter().map(room));
    Ok(changes)
}

fn id_of(change: &Change) -> Option<&str> {
    match &change.data {
        ChangeKind::Reservation(reservation) => Some(&reservation.id),
        ChangeKind::Block(block) => block.id.as_deref(),
        ChangeKind::Unreadable(record) => record.id.as_deref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use gassync_plugin::{Nights, parse_date, testing::FakeHost};

    use super::*;

    #[test]
    fn what_a_window_does_not_name_is_gone_and_what_a_search_does_not_name_is_not() {
        let day = |text| parse_date(text).expect("a date");
        let within = Selection::Within(Nights { start: day("2027-06-01"), until: day("2027-09-01") });
        for (selection, named, is_whole) in [
            (within, 3, true),
            (Selection::Everything, 3, false),
            (Selection::Some(vec!["88402".to_owned()]), 1, false),
            (Selection::Some(vec!["88403".to_owned()]), 1, false),
        ] {
            FakeHost::reset();
            FakeHost::set_settings(include_str!("../../../fixtures/calry/settings.json"));
            FakeHost::answer(200, include_str!("../../../fixtures/calry/reservations-page.json"));
            let page = fetch(&Query::new(Entity::Reservation, selection)).expect("a page");
            assert_eq!(page.changes.len(), named);
            assert_eq!(matches!(page.scope, Scope::Whole(_)), is_whole);
            assert_eq!(page.next.as_deref(), Some("cB/="));
        }
    }
}
