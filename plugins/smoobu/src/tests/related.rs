//! Tests of apartments that a booking of another one closes.

use gassync_plugin::{Block, Change, ChangeKind, Entity, EntityRef, Selection, state, testing::FakeHost};

use super::{begin, booking, fetch, list, nights, webhook};

const FLOORS: (&str, &str) = ("related", r#"[{"id":7303,"name":"Floor 1"},{"id":7301,"name":"itself"},{"id":"7304"}]"#);

fn beside(action: &str, members: &[(&str, &str)]) -> Option<ChangeKind> {
    let mut changes = webhook(action, &booking(members)).expect("decoded");
    assert!(changes.len() <= 2, "{changes:?}");
    changes.pop().filter(|_| changes.len() == 1).map(|Change { data, .. }| data)
}

fn gone() -> Option<ChangeKind> {
    Some(ChangeKind::Removed(EntityRef { entity: Entity::Block, id: "48101-related".to_owned() }))
}

#[test]
fn the_floors_of_a_booked_house_are_closed_until_the_booking_ends() {
    begin();
    assert_eq!(beside("newReservation", &[]), None);
    let Some(ChangeKind::Block(block)) = beside("newReservation", &[FLOORS]) else { panic!("a block") };
    let Block { id, room_type_ids, stay, .. } = block;
    assert_eq!((id.as_deref(), stay), (Some("48101-related"), nights("2027-09-05", "2027-09-09")));
    assert_eq!(room_type_ids, ["7303", "7304"], "the others");
    assert_eq!(beside("cancelReservation", &[FLOORS, ("type", r#""cancellation""#)]), gone());
    assert_eq!(beside("cancelReservation", &[("type", r#""cancellation""#)]), None, "once");
}

#[test]
fn what_a_record_does_not_say_changes_nothing() {
    begin();
    assert!(beside("newReservation", &[FLOORS]).is_some());
    assert_eq!(beside("updateReservation", &[("related", "null")]), None, "a list without it, or a short webhook");
    assert_eq!(beside("updateReservation", &[("arrival", "null"), FLOORS]), None);
    assert_eq!(beside("updateReservation", &[]), gone(), "moved to an apartment that closes no other");
    assert!(beside("newReservation", &[FLOORS]).is_some());
    let changes = webhook("deleteReservation", r#"{"id":48101}"#).expect("decoded");
    assert_eq!(changes.into_iter().nth(1).map(|change| change.data), gone());
}

#[test]
fn past_stays_close_nothing() {
    begin();
    FakeHost::set_now("2027-09-15T12:00:00Z");
    assert!(beside("newReservation", &[FLOORS]).is_some(), "a few days later somebody may still correct it");
    FakeHost::set_now("2027-09-16T12:00:00Z");
    assert_eq!(beside("updateReservation", &[FLOORS]), None);
    assert_eq!(state::keys(""), ["related/48101"]);
    FakeHost::answer(200, &list(&[]));
    fetch(Entity::Reservation, Selection::Everything, None).expect("a page");
    assert!(state::keys("").is_empty(), "and are forgotten");
}

#[test]
fn a_block_closes_the_related_apartments_too() {
    begin();
    let changes = webhook("newReservation", &booking(&[("is-blocked-booking", "true"), FLOORS])).expect("decoded");
    let [Change { data: ChangeKind::Block(block), .. }] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(block.room_type_ids, ["7301", "7303", "7304"]);
}
