//! Tests of inbound calls.

use gassync_plugin::{
    ChangeKind, ChannelError, Entity, HttpRequest, Inbound, Reservation,
    testing::{FakeHost, get, post},
};

use super::decode;
use crate::Beds24;

#[test]
fn hints_ask_for_a_look() {
    let v1 = decode(get("/v1?propid=4100&bookid=71000001&status=modify")).expect("decoded");
    assert!(
        matches!(&v1[0], ChangeKind::Refetch(hint) if hint.id.as_deref() == Some("71000001") && hint.entity == Entity::Reservation)
    );
    let room = r#"{"roomId":"5200","propId":"4100","ownerId":"77","action":"SYNC_ROOM"}"#;
    let inventory = decode(post("/", room)).expect("decoded");
    assert!(
        matches!(&inventory[0], ChangeKind::Refetch(hint) if hint.id.as_deref() == Some("5200") && hint.entity == Entity::Calendar)
    );
}

#[test]
fn what_is_not_understood_says_where() {
    for (body, place) in [("[1]", "/0"), (r#"{"hello":1}"#, "/booking"), ("{", "")] {
        let Err(ChannelError::Malformed(text)) = decode(post("/", body)) else { panic!("{body}") };
        assert!(text.starts_with(place), "{text}");
    }
}

#[test]
fn a_booking_that_cannot_be_read_stops_no_other_and_keeps_its_id() {
    for (body, id, place) in [
        (r#"{"booking":{"status":"new"}}"#, None, "/booking/id"),
        (r#"{"booking":{"id":1,"status":"black","arrival":"05.03.2027"}}"#, Some("1"), "/booking/arrival"),
        (r#"[{"hello":1}]"#, None, "/0/booking"),
    ] {
        let reported = decode(post("/", body)).expect("decoded").remove(0);
        let ChangeKind::Unreadable(record) = reported else { panic!("{body}: {reported:?}") };
        assert_eq!(record.id.as_deref(), id, "{body}");
        assert!(record.problem.starts_with(place), "{}", record.problem);
    }
    let list = r#"[{"booking":{"status":"new"}},{"booking":{"id":2,"status":"new"}}]"#;
    let reported = decode(post("/", list)).expect("decoded");
    assert!(matches!(reported.as_slice(), [ChangeKind::Unreadable(_), ChangeKind::Reservation(_)]), "{reported:?}");
}

#[test]
fn what_a_booking_can_do_without_goes_to_the_host_as_it_is() {
    let odd = r#"{"booking":{"id":1,"status":"new","modifiedTime":"2027-02-30","bookingTime":99,"price":"a lot"}}"#;
    let odd = booking(odd);
    assert_eq!(odd.total.map(|total| total.amount).as_deref(), Some("a lot"));
    assert_eq!((odd.modified_at.as_deref(), odd.booked_at.as_deref()), (Some("2027-02-30"), Some("99")));
}

fn hint(call: HttpRequest) -> (Option<String>, Entity, Option<String>) {
    let decoded = Beds24::decode(call).expect("decoded");
    let [change] = decoded.changes.as_slice() else { panic!("{:?}", decoded.changes) };
    let ChangeKind::Refetch(hint) = &change.data else { panic!("{:?}", change.data) };
    (change.route.property_id.clone(), hint.entity, hint.id.clone())
}

fn booking(body: &str) -> Reservation {
    FakeHost::reset();
    match decode(post("/", body)).expect("decoded").remove(0) {
        ChangeKind::Reservation(reservation) => reservation,
        other => panic!("not a reservation: {other:?}"),
    }
}

#[test]
fn a_guests_message_changes_nothing_about_the_booking() {
    let raw = |booking| Reservation { raw: None, ..booking };
    let before = raw(booking(include_str!("../../samples/calls/booked.json")));
    assert_eq!(raw(booking(include_str!("../../samples/calls/guest-message.json"))), before);
}

#[test]
fn a_message_has_no_id_of_its_own_and_is_acknowledged() {
    let decoded = Beds24::decode(post("/", include_str!("../../samples/calls/booked.json"))).expect("decoded");
    assert_eq!(decoded.event_id, None, "the same words can mean a new event");
    assert_eq!(decoded.reply.map(|reply| reply.status), Some(200));
    assert_eq!(decoded.changes[0].route.property_id.as_deref(), Some("4100"));
}

#[test]
fn the_older_webhook_is_a_hint_whatever_it_says_and_however_it_comes() {
    let expected = (Some("4100".to_owned()), Entity::Reservation, Some("71000001".to_owned()));
    for status in ["new", "modify", "cancel", "message", "", "anything"] {
        let query = format!("propid=4100&bookid=71000001&status={status}");
        assert_eq!(hint(get(&format!("/v1?{query}"))), expected, "{status}");
        assert_eq!(hint(post(&format!("/v1?{query}"), "")), expected, "{status}");
        assert_eq!(hint(post("/v1", query)), expected, "{status}");
    }
    let card = "cardNumber=0000&bookid=71000001&propid=4100";
    assert_eq!(hint(post("/v1?x=1", card)), expected, "what a form carries besides is not read");
    let with_query = HttpRequest { method: "GET".to_owned(), ..post("/v1?BookId=71000001&propid=4100", "{}") };
    assert_eq!(hint(with_query), expected);
}

#[test]
fn an_address_that_names_a_booking_hides_no_newer_webhook() {
    let call = post("/?bookid=5&status=new", include_str!("../../samples/calls/booked.json"));
    let ChangeKind::Reservation(reported) = decode(call).expect("decoded").remove(0) else { panic!("a reservation") };
    assert_eq!(reported.id, "71000001");
}

#[test]
fn what_was_never_filled_in_names_no_booking() {
    for call in [get("/v1?bookid=[BOOKID]&status=new"), get("/v1?bookid="), get("/v1"), post("/v1", "status=new")] {
        assert!(matches!(Beds24::decode(call.clone()), Err(ChannelError::Malformed(_))), "{}", call.url);
    }
}

#[test]
fn an_inventory_webhook_asks_for_a_look_at_the_rooms_calendar() {
    let sync = |body: &str| hint(post("/inventory", body));
    let house = Some("4100".to_owned());
    let all = r#"{"roomId":"5200","propId":"4100","ownerId":"77","action":"SYNC_ROOM"}"#;
    assert_eq!(sync(all), (house.clone(), Entity::Calendar, Some("5200".to_owned())));
    assert_eq!(sync(r#"{"propId":4100,"action":"sync_room"}"#), (house, Entity::Calendar, None));
    let other = decode(post("/", r#"{"roomId":"5200","action":"SOMETHING_ELSE"}"#));
    assert!(matches!(other, Err(ChannelError::Malformed(why)) if why.starts_with("/booking: ")));
}
