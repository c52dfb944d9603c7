//! Tests of apartments.

use gassync_plugin::{ChangeKind, ChannelError, Entity, Page, Property, RoomType, Selection, testing::FakeHost};
use serde_json::json;

use super::{asked, begin, fetch};

const DETAILS: &str = r#"{"location":{"street":"Strandvej 4","zip":"3100","city":"Hornbæk","country":"Denmark",
    "latitude":"56.0901","longitude":"12.4567"},"timeZone":"Europe/Copenhagen",
    "rooms":{"maxOccupancy":4,"bedrooms":2,"bathrooms":1,"sofaBeds":null,"kingSizeBeds":0},
    "equipments":["Internet","Sauna"],"currency":"DKK","price":{"minimal":"700.00","maximal":"1450.00"},
    "type":{"id":2,"name":"Villa"}}"#;

fn apartments(ids: std::ops::Range<u32>) -> String {
    let apartments: Vec<_> = ids.map(|id| json!({ "id": id, "name": format!("House {id}") })).collect();
    json!({ "apartments": apartments }).to_string()
}

fn one(details: &str) -> (Property, RoomType) {
    begin();
    FakeHost::answer(200, &apartments(7301..7302));
    FakeHost::answer(200, r#"{"id":912}"#);
    FakeHost::answer(200, details);
    let page = fetch(Entity::Property, Selection::Everything, None).expect("a page");
    match page.changes.into_iter().map(|change| change.data).collect::<Vec<_>>().as_slice() {
        [ChangeKind::Property(property), ChangeKind::RoomType(room)] => (property.clone(), room.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_apartment_is_a_property_and_its_only_room_type() {
    let (property, room) = one(DETAILS);
    let asked: Vec<String> = asked().into_iter().map(|(_, path, _)| path).collect();
    assert_eq!(asked, ["/api/apartments", "/api/me", "/api/apartments/7301"]);
    assert_eq!((property.id.as_str(), property.name.as_str()), ("7301", "House 7301"), "the details repeat neither");
    assert_eq!((property.room_types.as_slice(), room.property_id.as_str()), (&["7301".to_owned()][..], "7301"));
    assert_eq!((room.id.as_str(), room.quantity, room.max_occupancy), ("7301", Some(1), Some(4)));
    assert_eq!((property.currency.as_deref(), property.time_zone.as_deref()), (Some("DKK"), Some("Europe/Copenhagen")));
    assert_eq!((property.latitude, property.longitude), (Some(56.0901), Some(12.4567)), "sent as texts");
    let address = property.address.expect("an address");
    assert_eq!((address.postcode.as_deref(), address.country.as_deref()), (Some("3100"), Some("Denmark")));
    assert_eq!(room.amenities, ["Internet", "Sauna"]);
    assert!(room.extra.contains(&("kingSizeBeds".to_owned(), "0".to_owned())), "none is not unknown");
    assert!(!room.extra.iter().any(|(name, _)| name == "sofaBeds"));
}

#[test]
fn odd_details_are_left_out() {
    let odd = r#"{"location":{"postalCode":"3100","country":"dk","latitude":"north"},"rooms":[],"equipments":null,
        "price":null,"type":"Villa","currency":"","timeZone":null}"#;
    let (property, room) = one(odd);
    let address = property.address.expect("an address");
    assert_eq!((address.postcode.as_deref(), address.country.as_deref()), (Some("3100"), Some("DK")));
    assert_eq!((property.latitude, property.currency, room.max_occupancy), (None, None, None));
    assert_eq!(one(r#"{"location":[]}"#).0.address, None);
}

#[test]
fn one_apartment_without_details_stops_no_other() {
    begin();
    FakeHost::answer(
        200,
        r#"{"apartments":[{"id":7301,"name":"Boathouse"},{"name":"?"},{"id":7302,"name":"Hayloft"}]}"#,
    );
    FakeHost::answer(200, r#"{"id":912}"#);
    FakeHost::answer(404, "<!DOCTYPE html>");
    FakeHost::answer(200, DETAILS);
    let page = fetch(Entity::Property, Selection::Everything, None).expect("a page");
    let ids = page.changes.iter().map(|change| match &change.data {
        ChangeKind::Unreadable(record) => record.id.as_deref(),
        ChangeKind::Property(property) => Some(property.name.as_str()),
        ChangeKind::RoomType(room) => Some(room.id.as_str()),
        other => panic!("{other:?}"),
    });
    let ids: Vec<_> = ids.collect();
    assert_eq!(ids, [Some("7301"), None, Some("Hayloft"), Some("7302")]);
    FakeHost::answer(200, &apartments(1..2));
    FakeHost::answer(200, r#"{"id":912}"#);
    FakeHost::answer(503, "");
    let gone = fetch(Entity::Property, Selection::Everything, None);
    assert!(matches!(gone, Err(ChannelError::Unavailable(_))), "what is known of it is not wiped");
}

#[test]
fn many_apartments_come_in_pages_within_the_budget_of_a_call() {
    begin();
    let mut cursor = None;
    let mut pages: Vec<Page> = Vec::new();
    loop {
        FakeHost::answer(200, &apartments(1..36));
        (0..16).for_each(|_| FakeHost::answer(200, r#"{"id":912}"#));
        let page = fetch(Entity::RoomType, Selection::Everything, cursor.as_deref()).expect("a page");
        let requests = FakeHost::take_requests().len();
        assert!(requests <= 20, "{requests}");
        cursor = page.next.clone();
        pages.push(page);
        FakeHost::reset();
        begin();
        if cursor.is_none() {
            break;
        }
    }
    let counts: Vec<usize> = pages.iter().map(|page| page.changes.len()).collect();
    assert_eq!(counts, [15, 15, 5]);
}

#[test]
fn only_the_wanted_apartments_are_asked_for() {
    begin();
    FakeHost::answer(200, &apartments(1..36));
    FakeHost::answer(200, r#"{"id":912}"#);
    FakeHost::answer(200, DETAILS);
    let some = Selection::Some(vec!["7".to_owned(), "99".to_owned()]);
    let page = fetch(Entity::Property, some, None).expect("a page");
    assert_eq!((asked().last().expect("asked").1.as_str(), page.changes.len()), ("/api/apartments/7", 2));
    FakeHost::answer(200, r#"{"title":"?"}"#);
    assert!(matches!(fetch(Entity::Property, Selection::Everything, None), Err(ChannelError::Malformed(_))));
}
