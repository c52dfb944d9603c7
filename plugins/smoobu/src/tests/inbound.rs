//! Tests of webhooks.

use gassync_plugin::{
    ChangeKind, ChannelError, Entity, EntityRef, Inbound,
    testing::{FakeHost, post},
};

use super::{begin, booking, day, webhook};
use crate::Smoobu;

#[test]
fn calls_are_answered_at_once_and_asked_nothing_for() {
    begin();
    let body = format!(r#"{{"action":"newReservation","user":912,"data":{}}}"#, booking(&[]));
    let decoded = Smoobu::decode(post("/", body)).expect("decoded");
    assert_eq!((decoded.event_id, decoded.reply.map(|reply| reply.status)), (None, Some(200)));
    assert_eq!(decoded.changes[0].route.account.as_deref(), Some("912"));
    assert!(FakeHost::take_requests().is_empty());
}

#[test]
fn a_deletion_needs_no_more_than_an_id() {
    begin();
    let removed = |data: &str| webhook("deleteReservation", data).expect("decoded").remove(0).data;
    let of = |entity| ChangeKind::Removed(EntityRef { entity, id: "48103".to_owned() });
    assert_eq!(removed(r#"{"id":48103}"#), of(Entity::Reservation));
    assert_eq!(removed(r#"{"id":"48103","is-blocked-booking":true}"#), of(Entity::Block));
    assert!(matches!(webhook("deleteReservation", "{}"), Err(ChannelError::Malformed(_))));
}

#[test]
fn rates_are_nights_by_apartment_and_date() {
    begin();
    let data = r#"{"7301":{"2027-11-14":{"price":88.5,"min_length_of_stay":2,"available":1},
        "2027-11-15":{"price":null,"min_length_of_stay":null,"available":0}},"7302":{"soon":{"available":1}},"7303":7}"#;
    let changes = webhook("updateRates", data).expect("decoded");
    assert_eq!(changes[0].route.property_id.as_deref(), Some("7301"));
    let ChangeKind::Calendar(rows) = &changes[0].data else { panic!("{changes:?}") };
    assert_eq!((rows[0].room_type_id.as_str(), rows[0].stay.start), ("7301", day("2027-11-14")));
    assert_eq!((rows[0].prices[0].amount.amount.as_str(), rows[0].rules.min_stay_arrival), ("88.5", Some(2)));
    assert_eq!((rows[1].prices.len(), rows[1].units_available), (0, Some(0)), "no price is not a price of zero");
    assert!(changes[1].notes.iter().any(|note| note.path == "/data/7302/soon"), "{:?}", changes[1]);
    assert!(matches!(&changes[2].data, ChangeKind::Unreadable(record) if record.id.as_deref() == Some("7303")));
}

#[test]
fn messages_and_check_ins_change_nothing() {
    begin();
    for action in ["newMessage", "onlineCheckInUpdate", "somethingNew"] {
        assert!(webhook(action, r#"{"id":5}"#).expect("decoded").is_empty(), "{action}");
    }
}

#[test]
fn flat_messages_of_wrong_examples_are_errors() {
    begin();
    for wrong in [
        r#"{"action":"newReservation","id":5,"channelName":"Airbnb","apartmentId":7301}"#,
        r#"{"action":"newReservation","data":[]}"#,
        r#"{"action":"updateRates","data":null}"#,
        r#"{"id":5}"#,
        "",
        "<html>",
    ] {
        assert!(matches!(Smoobu::decode(post("/", wrong)), Err(ChannelError::Malformed(_))), "{wrong}");
    }
}
