//! Tests of reservations and blocks that are written.

use gassync_plugin::{
    Accepted, Attempt, Block, ChannelError, FieldError, GuestDetails, Operation, OperationKind, Outcome,
    PushReservations, Reservation, ReservationStatus, RoomStay, Subject, money, state, testing::FakeHost,
};
use serde_json::{Value, json};

use super::{asked, begin, booking, list, nights, webhook};
use crate::{Smoobu, mark::OUR_BLOCK};

const REFERENCE: &str = "gas-3-17";

fn wanted(room: &str, start: &str, until: &str) -> Reservation {
    let guest = GuestDetails {
        first_name: Some("Amara".to_owned()),
        last_name: Some("Lindqvist".to_owned()),
        email: Some("amara@example.org".to_owned()),
        country: Some("SE".to_owned()),
        ..GuestDetails::unknown()
    };
    Reservation {
        rooms: vec![RoomStay { adults: Some(2), ..RoomStay::new(Some(room.to_owned())) }],
        stay: Some(nights(start, until)),
        guest: Some(guest),
        children: Some(1),
        total: Some(money("390.00", Some("EUR"))),
        notes: Some("Arrives late".to_owned()),
        ..Reservation::new("", ReservationStatus::Confirmed)
    }
}

fn operation(kind: OperationKind, id: Option<&str>, reservation: Reservation) -> Operation {
    Operation {
        kind,
        attempt: Attempt::First,
        reference: REFERENCE.to_owned(),
        channel_id: id.map(str::to_owned),
        subject: Subject::Reservation(reservation),
    }
}

fn create() -> Operation {
    operation(OperationKind::Create, None, wanted("7301", "2027-06-01", "2027-06-04"))
}

fn push(operation: Operation) -> Result<Outcome, ChannelError> {
    Smoobu::push_reservations(vec![operation]).map(|mut outcomes| outcomes.remove(0))
}

fn accepted(outcome: Result<Outcome, ChannelError>) -> Accepted {
    match outcome {
        Ok(Outcome::Accepted(accepted)) => accepted,
        other => panic!("{other:?}"),
    }
}

fn refused(outcome: Result<Outcome, ChannelError>) -> Vec<FieldError> {
    match outcome {
        Ok(Outcome::Refused(errors)) => errors,
        other => panic!("{other:?}"),
    }
}

/// A booking there, with our reference.
fn there(id: u32, (apartment, start, until): (u32, &str, &str), members: &[(&str, &str)]) -> String {
    let notice = Value::from(format!("Arrives late\n[GasSync {REFERENCE}]")).to_string();
    let (id, apartment) = (id.to_string(), json!({ "id": apartment }).to_string());
    let (start, until) = (Value::from(start).to_string(), Value::from(until).to_string());
    let own = [("id", &id), ("apartment", &apartment), ("arrival", &start), ("departure", &until), ("notice", &notice)];
    let own = own.iter().map(|(name, value)| (*name, value.as_str()));
    booking(&own.chain(members.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn a_booking_is_written_with_the_names_of_writing() {
    begin();
    FakeHost::answer(200, &list(&[]));
    FakeHost::answer(200, r#"{"id":294}"#);
    let outcome = accepted(push(create()));
    assert_eq!((outcome.channel_id.as_deref(), outcome.confirmed), (Some("294"), true));
    let asked = asked();
    assert!(asked[0].1.contains("apartmentId=7301&arrivalTo=2027-06-04&departureFrom=2027-06-01"));
    assert_eq!(
        asked[1],
        (
            "POST".to_owned(),
            "/api/reservations".to_owned(),
            json!({
                "arrivalDate": "2027-06-01", "departureDate": "2027-06-04", "channelId": 70, "apartmentId": 7301,
                "firstName": "Amara", "lastName": "Lindqvist", "email": "amara@example.org", "country": "SE",
                "notice": "Arrives late\n[GasSync gas-3-17]", "adults": 2, "children": 1, "price": 390.00
            })
        )
    );
}

#[test]
fn the_channel_of_our_bookings_is_a_setting() {
    begin();
    FakeHost::set_settings(r#"{"channelId":940882}"#);
    FakeHost::answer(200, &list(&[]));
    FakeHost::answer(200, r#"{"id":294}"#);
    accepted(push(create()));
    assert_eq!(asked()[1].2["channelId"], 940_882);
}

#[test]
fn a_booking_that_may_be_there_is_looked_for_and_made_once() {
    begin();
    FakeHost::answer(200, &list(&[]));
    FakeHost::answer(504, "<html>");
    assert_eq!(push(create()), Ok(Outcome::Unknown));
    asked();
    FakeHost::answer(503, "");
    let again = || Operation { attempt: Attempt::AfterUnknown, ..create() };
    assert_eq!(push(again()), Ok(Outcome::Unknown), "still nobody knows");
    FakeHost::answer(200, &list(&[booking(&[]), there(294, (7301, "2027-06-01", "2027-06-04"), &[])]));
    let found = accepted(push(again()));
    assert_eq!((found.channel_id.as_deref(), found.confirmed), (Some("294"), true));
    assert!(asked().iter().all(|(method, ..)| method == "GET"));
    FakeHost::answer(200, &list(&[there(294, (7301, "2027-06-01", "2027-06-05"), &[])]));
    assert!(!accepted(push(again())).confirmed, "somebody has moved it in Smoobu");
}

#[test]
fn a_refusal_says_why() {
    begin();
    FakeHost::answer(200, &list(&[]));
    FakeHost::answer(
        422,
        r#"{"title":"x","detail":"y","validation_messages":{"error":"The apartment is not available"}}"#,
    );
    assert_eq!(refused(push(create())), [FieldError::new("", "The apartment is not available")]);
}

#[test]
fn nights_that_we_closed_ourselves_are_opened_for_a_booking() {
    let ours = || {
        let block = [("notice", r#""Closed by GasSync""#), ("is-blocked-booking", "true")];
        there(900, (7301, "2027-06-02", "2027-06-08"), &block)
    };
    begin();
    FakeHost::answer(200, &list(&[ours()]));
    FakeHost::answer(200, r#"{"success":true}"#);
    FakeHost::answer(200, r#"{"id":294}"#);
    FakeHost::answer(200, r#"{"id":901}"#);
    assert_eq!(accepted(push(create())).channel_id.as_deref(), Some("294"));
    let sent = asked();
    assert_eq!((sent[1].0.as_str(), sent[1].1.as_str()), ("DELETE", "/api/reservations/900"));
    assert_eq!(sent[2].2["arrivalDate"], "2027-06-01");
    let rest = json!({
        "arrivalDate": "2027-06-04", "departureDate": "2027-06-08", "channelId": 11, "apartmentId": 7301,
        "notice": OUR_BLOCK
    });
    assert_eq!((&sent[3].2, state::keys("")), (&rest, vec!["ours/7301/901".to_owned()]));
    // If the booking is refused nevertheless, all of them are closed again.
    begin();
    FakeHost::answer(200, &list(&[ours()]));
    FakeHost::answer(200, r#"{"success":true}"#);
    FakeHost::answer(400, r#"{"detail":"lastName is required"}"#);
    FakeHost::answer(200, r#"{"id":902}"#);
    FakeHost::answer(200, r#"{"id":903}"#);
    assert_eq!(refused(push(create())), [FieldError::new("", "lastName is required")]);
    assert_eq!(state::keys(""), ["ours/7301/902", "ours/7301/903"]);
    // If nobody knows, they stay owed until the next calendar is written.
    begin();
    FakeHost::answer(200, &list(&[ours()]));
    FakeHost::answer(200, r#"{"success":true}"#);
    FakeHost::answer(500, "");
    assert_eq!(push(create()), Ok(Outcome::Unknown));
    assert_eq!(state::keys(""), ["owed/7301/2027-06-02/2027-06-04", "owed/7301/2027-06-04/2027-06-08"]);
}

#[test]
fn a_change_writes_only_what_can_be_changed() {
    begin();
    FakeHost::answer(200, &there(294, (7301, "2027-06-01", "2027-06-04"), &[]));
    FakeHost::answer(200, "{}");
    let outcome =
        accepted(push(operation(OperationKind::Change, Some("294"), wanted("7301", "2027-06-01", "2027-06-04"))));
    assert_eq!((outcome.channel_id.as_deref(), outcome.confirmed), (Some("294"), false));
    let asked = asked();
    assert_eq!((asked[1].0.as_str(), asked[1].1.as_str()), ("PUT", "/api/reservations/294"));
    let body = json!({
        "guestName": "Amara Lindqvist", "guestEmail": "amara@example.org", "adults": 2, "children": 1, "price": 390.00
    });
    assert_eq!(asked[1].2, body, "no notice: our reference is in it");
    FakeHost::answer(200, &there(294, (7301, "2027-06-01", "2027-06-04"), &[]));
    let silent = Reservation::new("", ReservationStatus::Confirmed);
    assert!(accepted(push(operation(OperationKind::Change, Some("294"), silent))).confirmed);
    FakeHost::answer(404, "<!DOCTYPE html>");
    let gone = push(operation(OperationKind::Change, Some("294"), wanted("7301", "2027-06-01", "2027-06-04")));
    assert_eq!(refused(gone)[0].path, "/id");
}

#[test]
fn a_booking_cannot_be_moved_so_it_is_made_anew_before_the_former_one_goes() {
    let moved = |room: &str, start: &str, until: &str| {
        push(operation(OperationKind::Change, Some("294"), wanted(room, start, until)))
    };
    for (room, start, until) in [("7301", "2027-06-04", "2027-06-06"), ("7302", "2027-06-02", "2027-06-05")] {
        begin();
        FakeHost::answer(200, &there(294, (7301, "2027-06-01", "2027-06-04"), &[]));
        FakeHost::answer(200, &list(&[]));
        FakeHost::answer(200, r#"{"id":295}"#);
        FakeHost::answer(200, r#"{"success":true}"#);
        let outcome = accepted(moved(room, start, until));
        assert_eq!((outcome.channel_id.as_deref(), outcome.replaces.as_deref()), (Some("295"), Some("294")));
        let methods: Vec<String> = asked().into_iter().map(|(method, ..)| method).collect();
        assert_eq!(methods, ["GET", "GET", "POST", "DELETE"]);
        let cancelled = there(294, (7301, "2027-06-01", "2027-06-04"), &[("type", r#""cancellation""#)]);
        assert_eq!(webhook("cancelReservation", &cancelled).map(|changes| changes.len()), Ok(0), "our own doing");
        let kept = there(294, (7301, "2027-06-01", "2027-06-04"), &[]);
        assert_eq!(webhook("updateReservation", &kept).map(|changes| changes.len()), Ok(1), "it holds its nights");
    }
    begin();
    FakeHost::answer(200, &there(294, (7301, "2027-06-01", "2027-06-04"), &[]));
    assert_eq!(refused(moved("7301", "2027-06-02", "2027-06-05"))[0].path, "/arrivalDate", "a person has to do it");
    assert_eq!(asked().len(), 1);
    begin();
    FakeHost::answer(200, &there(294, (7301, "2027-06-01", "2027-06-04"), &[]));
    FakeHost::answer(200, &list(&[]));
    FakeHost::answer(422, r#"{"detail":"overlap"}"#);
    assert_eq!(refused(moved("7302", "2027-06-01", "2027-06-04"))[0].problem, "overlap");
    assert!(asked().iter().all(|(method, ..)| method != "DELETE"), "and the former one stays");
    begin();
    FakeHost::answer(200, &there(294, (7301, "2027-06-01", "2027-06-04"), &[]));
    FakeHost::answer(200, &list(&[]));
    FakeHost::answer(200, r#"{"id":295}"#);
    FakeHost::answer(500, "");
    let both = accepted(moved("7302", "2027-06-01", "2027-06-04"));
    assert!(!both.confirmed && both.warnings[0].contains("294"), "{both:?}");
}

#[test]
fn a_booking_that_was_cancelled_there_is_made_anew() {
    begin();
    FakeHost::answer(200, &there(294, (7301, "2027-06-01", "2027-06-04"), &[("type", r#""cancellation""#)]));
    FakeHost::answer(200, &list(&[]));
    FakeHost::answer(200, r#"{"id":295}"#);
    let again = operation(OperationKind::Change, Some("294"), wanted("7301", "2027-06-01", "2027-06-04"));
    let outcome = accepted(push(again));
    assert_eq!((outcome.channel_id.as_deref(), outcome.replaces.as_deref()), (Some("295"), Some("294")));
    assert_eq!(asked().len(), 3);
}

#[test]
fn deleting_a_booking_cancels_it() {
    let cancel =
        |id: Option<&str>| push(operation(OperationKind::Cancel, id, wanted("7301", "2027-06-01", "2027-06-04")));
    begin();
    FakeHost::answer(200, r#"{"success":true}"#);
    let outcome = accepted(cancel(Some("294")));
    assert_eq!((outcome.channel_id.as_deref(), outcome.confirmed), (Some("294"), true));
    assert_eq!(asked()[0], ("DELETE".to_owned(), "/api/reservations/294".to_owned(), Value::Null));
    FakeHost::answer(200, "<html>");
    assert!(!accepted(cancel(Some("294"))).confirmed, "read back what says nothing");
    FakeHost::answer(200, r#"{"success":false}"#);
    assert_eq!(refused(cancel(Some("294"))).len(), 1);
    FakeHost::answer(404, "<!DOCTYPE html>");
    assert_eq!(accepted(cancel(Some("294"))).warnings.len(), 1, "it is gone already");
    asked();
    // Without its id it is found by our reference, or is not there.
    FakeHost::answer(200, &list(&[booking(&[]), there(296, (7301, "2027-06-01", "2027-06-04"), &[])]));
    FakeHost::answer(200, r#"{"success":true}"#);
    assert_eq!(accepted(cancel(None)).channel_id.as_deref(), Some("296"));
    FakeHost::answer(200, &list(&[]));
    assert_eq!(refused(cancel(None))[0].path, "/id");
}

#[test]
fn what_smoobu_has_no_form_for_is_refused_before_anything_is_sent() {
    begin();
    let one = || wanted("7301", "2027-06-01", "2027-06-04");
    let two = Reservation { rooms: [one().rooms, one().rooms].concat(), ..one() };
    let none = Reservation { rooms: Vec::new(), ..one() };
    let elsewhere = wanted("Boathouse", "2027-06-01", "2027-06-04");
    let backwards = wanted("7301", "2027-06-04", "2027-06-04");
    let odd = Reservation { total: Some(money("a lot", None)), ..one() };
    let gone = Reservation { status: ReservationStatus::Cancelled, ..one() };
    for (reservation, path) in [
        (two, "/apartmentId"),
        (none, "/apartmentId"),
        (elsewhere, "/apartmentId"),
        (backwards, "/departureDate"),
        (odd, "/price"),
        (gone, "/type"),
    ] {
        assert_eq!(refused(push(operation(OperationKind::Create, None, reservation)))[0].path, path);
    }
    for kind in [OperationKind::Accept, OperationKind::Decline, OperationKind::Block] {
        assert_eq!(refused(push(operation(kind, Some("294"), one()))).len(), 1, "{kind:?}");
    }
    assert!(FakeHost::take_requests().is_empty());
}

#[test]
fn blocks_are_bookings_of_the_blocked_channel() {
    let block = || Block {
        property_id: Some("7301".to_owned()),
        reason: Some("painters".to_owned()),
        ..Block::new(Vec::new(), nights("2027-02-01", "2027-02-04"))
    };
    let of = |kind, id: Option<&str>| Operation {
        subject: Subject::Block(block()),
        ..operation(kind, id, Reservation::new("", ReservationStatus::Confirmed))
    };
    begin();
    FakeHost::answer(200, &list(&[]));
    FakeHost::answer(200, r#"{"id":297}"#);
    assert_eq!(accepted(push(of(OperationKind::Block, None))).channel_id.as_deref(), Some("297"));
    let expected = json!({
        "arrivalDate": "2027-02-01", "departureDate": "2027-02-04", "channelId": 11, "apartmentId": 7301,
        "notice": "painters\n[GasSync gas-3-17]"
    });
    assert_eq!(asked()[1].2, expected);
    FakeHost::answer(200, r#"{"success":true}"#);
    assert!(accepted(push(of(OperationKind::Unblock, Some("297")))).confirmed);
    assert_eq!(asked()[0].1, "/api/reservations/297");
}

#[test]
fn a_rejected_key_hides_no_booking_that_was_made() {
    begin();
    FakeHost::answer(401, "{}");
    assert!(matches!(push(create()), Err(ChannelError::Unauthorized(_))));
    FakeHost::answer(200, &list(&[]));
    FakeHost::answer(200, r#"{"id":294}"#);
    FakeHost::answer(401, "{}");
    let outcomes = Smoobu::push_reservations(vec![create(), create()]).expect("outcomes");
    assert!(matches!(&outcomes[..], [Outcome::Accepted(_), Outcome::Retry(None)]), "{outcomes:?}");
}
