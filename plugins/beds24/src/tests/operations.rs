//! Tests of pushing bookings and blocks.

use gassync_plugin::{
    Accepted, Address, Attempt, Block, ChannelError, FieldError, GuestDetails, Header, HttpResponse, Nights, Operation,
    OperationKind, Outcome, Property, PushReservations, Reservation, ReservationStatus, RoomStay, RoomType, Subject,
    http::HttpError,
    money,
    testing::{CoreData, FakeHost},
};
use serde_json::{Value, json};

use super::{asked, day, page};
use crate::Beds24;

pub(super) fn stay() -> Option<Nights> {
    Some(Nights { start: day("2027-06-01"), until: day("2027-06-04") })
}

pub(super) fn room(id: &str) -> RoomStay {
    RoomStay { adults: Some(2), ..RoomStay::new(Some(id.to_owned())) }
}

pub(super) fn reservation(rooms: Vec<RoomStay>) -> Reservation {
    let guest = GuestDetails {
        first_name: Some("Amara".to_owned()),
        last_name: Some("Lindqvist".to_owned()),
        email: Some("amara@example.org".to_owned()),
        ..GuestDetails::unknown()
    };
    Reservation {
        rooms,
        stay: stay(),
        guest: Some(guest),
        total: Some(money("390.00", Some("EUR"))),
        notes: Some("Late".to_owned()),
        ..Reservation::new("", ReservationStatus::Confirmed)
    }
}

pub(super) fn operation(kind: OperationKind, channel_id: Option<&str>, reservation: Reservation) -> Operation {
    Operation {
        kind,
        attempt: Attempt::First,
        reference: "GAS-100045".to_owned(),
        channel_id: channel_id.map(str::to_owned),
        subject: Subject::Reservation(reservation),
    }
}

fn create() -> Operation {
    operation(OperationKind::Create, None, reservation(vec![room("5200")]))
}

fn again(operation: Operation) -> Operation {
    Operation { attempt: Attempt::AfterUnknown, ..operation }
}

/// Pushes operations; the channel returns these responses in order.
pub(super) fn push(operations: Vec<Operation>, answers: &[(u16, String)]) -> Result<Vec<Outcome>, ChannelError> {
    FakeHost::reset();
    answers.iter().for_each(|(status, body)| FakeHost::answer(*status, body));
    Beds24::push_reservations(operations)
}

pub(super) fn one(operation: Operation, answers: &[(u16, String)]) -> Outcome {
    push(vec![operation], answers).expect("pushed").remove(0)
}

pub(super) fn accepted(outcome: &Outcome) -> &Accepted {
    match outcome {
        Outcome::Accepted(accepted) => accepted,
        other => panic!("{other:?}"),
    }
}

pub(super) fn refused(outcome: &Outcome) -> &[FieldError] {
    match outcome {
        Outcome::Refused(errors) => errors,
        other => panic!("{other:?}"),
    }
}

pub(super) fn results(results: &Value) -> (u16, String) {
    (201, results.to_string())
}

fn made(id: u32) -> Value {
    json!({ "success": true, "new": { "id": id, "status": "confirmed" }, "info": [{ "action": "new booking", "id": id }] })
}

#[test]
fn a_booking_is_made_so_that_nothing_is_oversold() {
    let outcome = one(create(), &[results(&json!([made(71000101)]))]);
    let (method, path, body) = asked().remove(0);
    assert_eq!((method.as_str(), path.as_str()), ("POST", "/bookings"));
    let expected = json!([{
        "actions": { "checkAvailability": true }, "roomId": 5200, "status": "confirmed", "arrival": "2027-06-01",
        "departure": "2027-06-04", "numAdult": 2, "firstName": "Amara", "lastName": "Lindqvist",
        "email": "amara@example.org", "price": 390.0, "reference": "GAS-100045", "comments": "Late"
    }]);
    assert_eq!(body, expected, "what is not known is not said, and no word of the channel's own is");
    let reported = accepted(&outcome);
    assert_eq!(
        (reported.channel_id.as_deref(), reported.confirmed, reported.warnings.len()),
        (Some("71000101"), true, 0)
    );
}

#[test]
fn a_name_that_is_one_text_is_not_split_and_an_address_is_written_whole() {
    let mut stay = reservation(vec![room("5200")]);
    stay.status = ReservationStatus::Pending(None);
    stay.guests = Some(5);
    stay.rooms[0].adults = None;
    stay.guest = Some(GuestDetails {
        name: Some("Jun Okafor".to_owned()),
        country: Some("NG".to_owned()),
        address: Some(Address { city: Some("Lagos".to_owned()), ..Address::unknown() }),
        ..GuestDetails::unknown()
    });
    one(operation(OperationKind::Create, None, stay), &[results(&json!([made(7)]))]);
    let body = asked().remove(0).2.take();
    assert_eq!(
        (&body[0]["lastName"], &body[0]["city"], &body[0]["country"]),
        (&json!("Jun Okafor"), &json!("Lagos"), &json!("NG"))
    );
    assert_eq!((&body[0]["numAdult"], &body[0]["status"]), (&json!(5), &json!("request")));
    assert!(body[0].get("firstName").is_none() && body[0].get("numChild").is_none(), "{body}");
}

#[test]
fn what_is_changed_is_what_is_known() {
    let partial = Reservation { stay: stay(), ..Reservation::new("", ReservationStatus::Confirmed) };
    let modified =
        json!([{ "success": true, "modified": { "id": 71000001, "status": "confirmed", "departure": "2027-06-04" } }]);
    let outcome = one(operation(OperationKind::Change, Some("71000001"), partial), &[results(&modified)]);
    let expected =
        json!([{ "id": 71000001, "status": "confirmed", "arrival": "2027-06-01", "departure": "2027-06-04" }]);
    assert_eq!(asked()[0].2, expected, "nothing is to be done with it besides");
    assert!(accepted(&outcome).confirmed);
    let whole = operation(OperationKind::Change, Some("71000001"), reservation(vec![room("5200")]));
    one(whole, &[results(&modified)]);
    let body = asked().remove(0).2.take();
    assert!(body[0].get("comments").is_none() && body[0].get("reference").is_none(), "notes would grow: {body}");
}

#[test]
fn a_bare_id_is_never_sent() {
    let nothing = Reservation::new("", ReservationStatus::Other("waitlisted".to_owned()));
    let outcome = one(operation(OperationKind::Change, Some("71000001"), nothing), &[]);
    assert_eq!(refused(&outcome)[0].problem, "says nothing that could be changed");
    assert!(asked().is_empty());
}

#[test]
fn a_cancellation_is_a_status_and_no_deletion() {
    let cancelled = || Reservation::new("", ReservationStatus::Cancelled);
    let modified = json!([{ "success": true, "modified": { "id": 71000001, "status": "cancelled" } }]);
    let outcome = one(operation(OperationKind::Cancel, Some("71000001"), cancelled()), &[results(&modified)]);
    let (method, path, body) = asked().remove(0);
    assert_eq!((method.as_str(), path.as_str()), ("POST", "/bookings"));
    assert_eq!(body, json!([{ "id": 71000001, "status": "cancelled" }]));
    assert_eq!((accepted(&outcome).confirmed, accepted(&outcome).channel_id.as_deref()), (true, Some("71000001")));
    let otherwise = json!([{ "success": true, "modified": { "id": 71000001, "status": "confirmed" } }]);
    let outcome = one(operation(OperationKind::Cancel, Some("71000001"), cancelled()), &[results(&otherwise)]);
    assert_eq!(accepted(&outcome).warnings, ["status is confirmed at Beds24 and not cancelled"]);
    assert!(!accepted(&outcome).confirmed);
}

#[test]
fn several_operations_go_in_one_list_and_each_has_its_result() {
    let change = operation(OperationKind::Change, Some("71000001"), reservation(vec![room("5200")]));
    let cancel = operation(OperationKind::Cancel, Some("71000002"), Reservation::new("", ReservationStatus::Cancelled));
    let answer = json!([
        { "success": false, "errors": [{ "action": "new booking", "field": "arrival", "message": "invalid" }] },
        { "success": true },
        { "success": false, "warnings": [{ "message": "is locked" }] },
        { "success": true, "info": [{ "action": "new booking", "id": 71000103 }] }
    ]);
    let outcomes = push(vec![create(), change, cancel, create(), create()], &[results(&answer)]).expect("pushed");
    assert_eq!(asked()[0].2.as_array().map(Vec::len), Some(5));
    assert_eq!(refused(&outcomes[0]), [FieldError::new("/0/arrival", "invalid")]);
    let bare = accepted(&outcomes[1]);
    assert_eq!((bare.confirmed, bare.channel_id.as_deref()), (false, Some("71000001")), "a bare success may be none");
    assert_eq!(refused(&outcomes[2]), [FieldError::new("/2", "is locked")]);
    let noticed = accepted(&outcomes[3]);
    assert_eq!((noticed.confirmed, noticed.channel_id.as_deref()), (true, Some("71000103")));
    assert!(matches!(outcomes[4], Outcome::Unknown), "of the last nothing is said");
}

#[test]
fn a_booking_that_is_taken_without_an_id_is_to_be_read_back() {
    let outcome = one(create(), &[results(&json!([{ "success": true }]))]);
    assert_eq!((accepted(&outcome).confirmed, accepted(&outcome).channel_id.as_deref()), (false, None));
    let request =
        json!([{ "success": true, "new": { "id": 7, "status": "request" }, "warnings": [{ "message": "no price" }] }]);
    let outcome = one(create(), &[results(&request)]);
    let expected = ["no price", "status is request at Beds24 and not confirmed"];
    assert_eq!(
        (accepted(&outcome).confirmed, accepted(&outcome).warnings.as_slice()),
        (false, &expected.map(str::to_owned)[..])
    );
}

#[test]
fn half_of_a_new_booking_is_taken_back() {
    let half = json!([{ "success": false, "new": { "id": 71000104 }, "errors": [{ "field": "infoItems", "message": "invalid" }] }]);
    let outcome =
        one(create(), &[results(&half), results(&json!([{ "success": true, "modified": { "id": 71000104 } }]))]);
    assert_eq!(refused(&outcome)[0].path, "/0/infoItems");
    // Without our reference, so that a later lookup does not find it.
    assert_eq!(asked()[1].2, json!([{ "id": 71000104, "status": "cancelled", "reference": "" }]));
    assert!(matches!(one(create(), &[results(&half)]), Outcome::Unknown), "nobody knows what is there");
}

#[test]
fn whether_it_was_taken_is_unknown_after_a_call_that_did_not_end() {
    for answer in
        [(500, "<html>".to_owned()), (504, String::new()), (201, r#"[{"success":tr"#.to_owned()), (201, String::new())]
    {
        assert!(matches!(one(create(), std::slice::from_ref(&answer)), Outcome::Unknown), "{answer:?}");
    }
    FakeHost::reset();
    FakeHost::answer_with(Err(HttpError::TimedOut));
    assert!(matches!(Beds24::push_reservations(vec![create()]).expect("pushed")[0], Outcome::Unknown));
}

#[test]
fn refusals_of_the_whole_call_have_names() {
    let error = |code: u16| format!(r#"{{"success":false,"type":"error","code":{code},"error":"so it is"}}"#);
    assert_eq!(
        push(vec![create()], &[(401, error(401))]).err(),
        Some(ChannelError::Unauthorized("so it is".to_owned()))
    );
    assert_eq!(refused(&one(create(), &[(403, error(403))]))[0].problem, "so it is", "other deeds may be allowed");
    let outcomes = push(vec![create(), create()], &[(201, error(400))]).expect("pushed");
    assert!(outcomes.iter().all(|outcome| refused(outcome).len() == 1), "an object, and no list");
    FakeHost::reset();
    let headers = vec![Header { name: "X-Five-Min-Limit-Resets-In".to_owned(), value: "116.4".to_owned() }];
    FakeHost::answer_with(Ok(HttpResponse { status: 429, headers, body: error(429).into_bytes() }));
    assert!(matches!(Beds24::push_reservations(vec![create()]).expect("pushed")[0], Outcome::Retry(Some(117))));
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is_sent() {
    let path = |reservation: Reservation| {
        let outcome = one(operation(OperationKind::Create, None, reservation), &[]);
        assert!(asked().is_empty());
        refused(&outcome)[0].path.clone()
    };
    assert_eq!(path(reservation(Vec::new())), "/roomId");
    assert_eq!(path(reservation(vec![room("attic")])), "/roomId");
    assert_eq!(path(reservation(vec![RoomStay::new(None)])), "/roomId");
    assert_eq!(path(Reservation { stay: None, ..reservation(vec![room("5200")]) }), "/arrival");
    assert_eq!(path(Reservation { total: Some(money("a lot", None)), ..reservation(vec![room("5200")]) }), "/price");
    for status in [ReservationStatus::Cancelled, ReservationStatus::Declined, ReservationStatus::Other("x".to_owned())]
    {
        assert_eq!(path(Reservation { status, ..reservation(vec![room("5200")]) }), "/status");
    }
    let block = Operation { kind: OperationKind::Block, ..create() };
    assert_eq!(refused(&one(block, &[]))[0].path, "", "a block is no reservation");
}

#[test]
fn an_amount_in_another_currency_than_the_houses_is_left_out() {
    FakeHost::reset();
    let house = Property { currency: Some("EUR".to_owned()), ..Property::new("4100", "Huis aan Zee") };
    FakeHost::set_core_data(CoreData { properties: vec![house], ..CoreData::default() });
    FakeHost::answer(201, &json!([made(7), made(8)]).to_string());
    let in_house = |reservation: Reservation| {
        operation(OperationKind::Create, None, Reservation { property_id: Some("4100".to_owned()), ..reservation })
    };
    let dollars = Reservation { total: Some(money("400.00", Some("USD"))), ..reservation(vec![room("5200")]) };
    let operations = vec![in_house(dollars), in_house(reservation(vec![room("5200")]))];
    let outcomes = Beds24::push_reservations(operations).expect("pushed");
    let body = asked().remove(0).2.take();
    assert!(body[0].get("price").is_none() && body[1]["price"] == json!(390.0), "{body}");
    assert_eq!(accepted(&outcomes[0]).warnings, ["400.00 USD was left out: the house has EUR"]);
}

#[test]
fn after_an_unknown_end_what_is_there_is_adopted() {
    let there = r#"{"id":71000105,"roomId":5200,"arrival":"2027-06-01","status":"new","reference":"GAS-100045"}"#;
    let other = r#"{"id":71000106,"roomId":5200,"arrival":"2027-06-01","status":"new","reference":"gas-100045"}"#;
    let outcome = one(again(create()), &[(200, page(&format!("{other},{there}"), false))]);
    assert_eq!(accepted(&outcome).channel_id.as_deref(), Some("71000105"), "references are compared letter for letter");
    assert!(accepted(&outcome).confirmed && accepted(&outcome).warnings.is_empty());
    let asked = asked();
    assert_eq!(asked.len(), 1, "nothing is written again");
    let path = &asked[0].1;
    assert!(
        path.contains("roomId=5200&arrivalFrom=2027-05-31&arrivalTo=2027-06-02") && path.contains("status=cancelled"),
        "{path}"
    );
}

#[test]
fn what_somebody_has_moved_since_is_found_by_its_reference() {
    let moved = r#"{"id":71000105,"roomId":5201,"arrival":"2027-08-01","status":"new","reference":"GAS-100045"}"#;
    let outcome = one(again(create()), &[(200, page("", false)), (200, page(moved, false))]);
    assert_eq!(accepted(&outcome).channel_id.as_deref(), Some("71000105"));
    let search = asked().remove(1).1;
    assert!(search.contains("searchString=GAS-100045&departureFrom=2000-01-01"), "{search}");
    let gone = moved.replace("new", "cancelled");
    let outcome = one(again(create()), &[(200, page("", false)), (200, page(&gone, false))]);
    assert_eq!(accepted(&outcome).warnings, ["a booking of this reference is there, and is cancelled"]);
}

#[test]
fn what_is_not_there_is_made_after_all() {
    let none = (200, page(r#"{"id":1,"roomId":5200,"arrival":"2027-06-01","reference":""}"#, false));
    let outcome = one(again(create()), &[none.clone(), none, results(&json!([made(71000107)]))]);
    assert_eq!(accepted(&outcome).channel_id.as_deref(), Some("71000107"));
    assert_eq!(asked()[2].2[0]["reference"], "GAS-100045");
}

#[test]
fn while_nobody_can_look_nothing_is_written() {
    for answer in [(503, String::new()), (200, "<html>".to_owned()), (400, "{}".to_owned())] {
        assert!(matches!(one(again(create()), std::slice::from_ref(&answer)), Outcome::Unknown), "{answer:?}");
        assert_eq!(asked().len(), 1, "{answer:?}");
    }
    let endless = page(r#"{"id":1,"reference":"x"}"#, true);
    let pages: Vec<_> = std::iter::repeat_n((200, endless), 3).collect();
    assert!(matches!(one(again(create()), &pages), Outcome::Unknown), "what stands on further pages nobody has seen");
    assert!(matches!(one(again(create()), &[(429, "{}".to_owned())]), Outcome::Retry(None)));
    assert!(matches!(push(vec![again(create())], &[(401, "{}".to_owned())]), Err(ChannelError::Unauthorized(_))));
}

#[test]
fn a_call_asks_no_more_than_it_may() {
    let many = || (0..20).map(|_| again(create())).collect::<Vec<_>>();
    let nothing: Vec<_> = std::iter::repeat_n((200, page("", false)), 30).collect();
    let outcomes = push(many(), &nothing).expect("pushed");
    let asked_for = asked();
    let written = asked_for.iter().filter(|(method, ..)| method == "POST").count();
    assert!(asked_for.len() < 20 && written == 1, "{}", asked_for.len());
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Unknown)), "what is not looked for stays unknown");
    let groups =
        || (0..20).map(|_| operation(OperationKind::Create, None, reservation(vec![room("5200"), room("5201")])));
    let half = results(&json!([made(71), { "success": false }]));
    let undone = results(&json!([{ "success": true }]));
    let answers: Vec<_> = (0..40).map(|at| if at % 2 == 0 { half.clone() } else { undone.clone() }).collect();
    let outcomes = push(groups().collect(), &answers).expect("pushed");
    assert!(asked().len() < 20);
    assert!(matches!((&outcomes[0], &outcomes[19]), (Outcome::Refused(_), Outcome::Retry(None))), "the rest waits");
}

#[test]
fn a_channel_that_is_not_there_is_not_asked_again_and_again() {
    let outcomes = push((0..5).map(|_| again(create())).collect(), &[(503, String::new())]).expect("pushed");
    assert!(asked().len() == 1 && outcomes.iter().all(|outcome| matches!(outcome, Outcome::Unknown)));
    let mut operations = vec![again(create()), create()];
    let outcomes = push(operations.clone(), &[(429, "{}".to_owned())]).expect("pushed");
    assert!(asked().len() == 1 && outcomes.iter().all(|outcome| matches!(outcome, Outcome::Retry(None))));
    operations.reverse();
    let outcomes = push(operations, &[(504, String::new())]).expect("pushed");
    assert!(asked().len() == 1 && matches!(outcomes[..], [Outcome::Retry(None), Outcome::Unknown]), "{outcomes:?}");
}

#[test]
fn a_unit_that_beds24_cannot_know_keeps_no_booking_away() {
    let in_unit = |unit: &str| {
        let room = RoomStay { unit_id: Some(unit.to_owned()), ..room("5200") };
        let outcome =
            one(operation(OperationKind::Create, None, reservation(vec![room])), &[results(&json!([made(7)]))]);
        (asked()[0].2[0].get("unitId").cloned(), accepted(&outcome).warnings.len())
    };
    assert_eq!((in_unit("2"), in_unit("Attic")), ((Some(json!(2)), 0), (None, 1)));
}

#[test]
fn without_an_id_a_booking_is_known_by_our_reference() {
    let there = r#"{"id":71000105,"roomId":5200,"arrival":"2027-06-01","status":"new","reference":"GAS-100045"}"#;
    let cancel = || operation(OperationKind::Cancel, None, reservation(vec![room("5200")]));
    let modified = json!([{ "success": true, "modified": { "id": 71000105, "status": "cancelled" } }]);
    let outcome = one(cancel(), &[(200, page(there, false)), results(&modified)]);
    assert_eq!(accepted(&outcome).channel_id.as_deref(), Some("71000105"));
    let outcome = one(cancel(), &[(200, page("", false)), (200, page("", false))]);
    assert_eq!(refused(&outcome)[0].path, "/id");
    assert!(matches!(one(cancel(), &[(503, String::new())]), Outcome::Retry(None)), "nothing was written");
}

fn answered(kind: OperationKind, booking: &str, answers: &[(u16, String)]) -> (Outcome, Vec<Value>) {
    let mut all = vec![(200, page(booking, false))];
    all.extend(answers.iter().cloned());
    let outcome = one(operation(kind, Some("71000001"), reservation(vec![room("5200")])), &all);
    let written = asked().into_iter().filter(|(method, ..)| method == "POST").map(|(_, _, body)| body);
    (outcome, written.collect())
}

#[test]
fn a_request_is_answered_while_it_is_one() {
    let booking =
        |status: &str, channel: &str| format!(r#"{{"id":71000001,"status":"{status}","channel":"{channel}"}}"#);
    let modified =
        |status: &str| results(&json!([{ "success": true, "modified": { "id": 71000001, "status": status } }]));
    let (outcome, written) = answered(OperationKind::Accept, &booking("request", "direct"), &[modified("confirmed")]);
    assert_eq!(written, [json!([{ "id": 71000001, "status": "confirmed" }])]);
    assert!(accepted(&outcome).confirmed && accepted(&outcome).warnings.is_empty());
    let (outcome, written) = answered(OperationKind::Decline, &booking("Request", "airbnb"), &[modified("cancelled")]);
    assert_eq!(written, [json!([{ "id": 71000001, "status": "cancelled" }])]);
    assert!(accepted(&outcome).warnings[0].starts_with("whether airbnb hears of the answer"), "{outcome:?}");
    for (kind, status) in
        [(OperationKind::Accept, "new"), (OperationKind::Accept, "confirmed"), (OperationKind::Decline, "cancelled")]
    {
        let (outcome, written) = answered(kind, &booking(status, "direct"), &[]);
        assert!(accepted(&outcome).confirmed && written.is_empty(), "it is as it should be: {status}");
    }
    for (kind, status) in
        [(OperationKind::Accept, "cancelled"), (OperationKind::Decline, "confirmed"), (OperationKind::Accept, "black")]
    {
        let (outcome, written) = answered(kind, &booking(status, "direct"), &[]);
        assert!(refused(&outcome)[0].path == "/status" && written.is_empty(), "{status}");
    }
    let (outcome, _) = answered(OperationKind::Accept, "", &[]);
    assert_eq!(refused(&outcome)[0].path, "/id");
}

fn block(kind: OperationKind, channel_id: Option<&str>, block: Block) -> Operation {
    let subject = Subject::Block(block);
    Operation {
        kind,
        subject,
        channel_id: channel_id.map(str::to_owned),
        reference: "GAS-B7".to_owned(),
        attempt: Attempt::First,
    }
}

fn nights_of(rooms: &[&str]) -> Block {
    let rooms = rooms.iter().map(|id| (*id).to_owned()).collect();
    Block { reason: Some("painters".to_owned()), ..Block::new(rooms, stay().expect("nights")) }
}

#[test]
fn nights_are_taken_out_of_sale_by_a_black_booking() {
    let one_unit = Block { unit_id: Some("2".to_owned()), ..nights_of(&["5200"]) };
    let outcome = one(
        block(OperationKind::Block, None, one_unit),
        &[results(&json!([{ "success": true, "new": { "id": 71000201 } }]))],
    );
    let expected = json!([{
        "roomId": 5200, "unitId": 2, "status": "black", "arrival": "2027-06-01", "departure": "2027-06-04", "roomQty": 1,
        "notes": "painters", "reference": "GAS-B7"
    }]);
    assert_eq!(asked()[0].2, expected, "whoever sleeps there, they are to be closed");
    assert_eq!(accepted(&outcome).channel_id.as_deref(), Some("71000201"));
}

#[test]
fn of_a_whole_room_type_or_house_the_host_knows_the_units() {
    FakeHost::reset();
    let known = |id: &str, units| RoomType { quantity: units, ..RoomType::new(id, "4100", "Duin") };
    let room_types = vec![known("5200", Some(2)), known("5201", Some(3))];
    FakeHost::set_core_data(CoreData { room_types, ..CoreData::default() });
    let two = json!([{ "success": true, "new": { "id": 71 } }, { "success": true, "new": { "id": 72 } }]);
    FakeHost::answer(201, &two.to_string());
    let house = || Block { property_id: Some("4100".to_owned()), ..nights_of(&[]) };
    let outcomes = Beds24::push_reservations(vec![block(OperationKind::Block, None, house())]).expect("pushed");
    let body = asked().remove(0).2.take();
    assert_eq!((&body[0]["roomQty"], &body[1]["roomQty"], &body[1]["roomId"]), (&json!(2), &json!(3), &json!(5201)));
    assert!(body[0].get("actions").is_none(), "blocks need no group: {body}");
    assert_eq!(accepted(&outcomes[0]).channel_id.as_deref(), Some("71"));
    // All of them are found by our reference when the block is lifted.
    let there = |id: u32, room: u32, status: &str| {
        format!(r#"{{"id":{id},"roomId":{room},"arrival":"2027-06-01","status":"{status}","reference":"GAS-B7"}}"#)
    };
    FakeHost::answer(
        200,
        &page(&[there(71, 5200, "black"), there(72, 5201, "black"), there(70, 5201, "cancelled")].join(","), false),
    );
    FakeHost::answer(
        201,
        &json!([{ "success": true, "modified": { "id": 71 } }, { "success": true, "modified": { "id": 72 } }])
            .to_string(),
    );
    let outcomes = Beds24::push_reservations(vec![block(OperationKind::Unblock, Some("71"), house())]).expect("pushed");
    let expected = json!([{ "id": 71, "status": "cancelled" }, { "id": 72, "status": "cancelled" }]);
    assert_eq!(asked()[1].2, expected);
    assert!(accepted(&outcomes[0]).confirmed);
    let path = |block_: Block| refused(&one(block(OperationKind::Block, None, block_), &[]))[0].path.clone();
    assert_eq!((path(house()), path(nights_of(&["5200"]))), ("/roomId".to_owned(), "/roomQty".to_owned()));
    assert_eq!(path(Block { units: Some(0), ..nights_of(&["5200"]) }), "/roomQty");
}

#[test]
fn a_block_is_lifted_by_its_id_or_our_reference() {
    let lift = |id: Option<&str>| block(OperationKind::Unblock, id, nights_of(&["5200"]));
    let gone = results(&json!([{ "success": true, "modified": { "id": 71, "status": "cancelled" } }]));
    assert!(accepted(&one(lift(Some("71")), std::slice::from_ref(&gone))).confirmed);
    assert_eq!(asked()[0].2, json!([{ "id": 71, "status": "cancelled" }]));
    let there = |status: &str| {
        page(
            &format!(r#"{{"id":71,"roomId":5200,"arrival":"2027-06-01","status":"{status}","reference":"GAS-B7"}}"#),
            false,
        )
    };
    assert!(accepted(&one(lift(None), &[(200, there("black")), gone])).confirmed);
    assert!(accepted(&one(lift(None), &[(200, there("cancelled"))])).confirmed, "somebody has opened the nights");
    assert_eq!(refused(&one(lift(None), &[(200, page("", false)), (200, page("", false))]))[0].path, "/id");
}

#[test]
fn what_was_written_is_not_forgotten_for_what_comes_after() {
    let group = || operation(OperationKind::Create, None, reservation(vec![room("5200"), room("5201")]));
    let answers = [results(&json!([made(71)])), (401, "{}".to_owned())];
    let outcomes = push(vec![create(), group(), create()], &answers).expect("pushed");
    assert!(accepted(&outcomes[0]).confirmed);
    assert!(matches!(outcomes[1..], [Outcome::Retry(None), Outcome::Retry(None)]), "{outcomes:?}");
    assert_eq!(asked().len(), 2);
    let answers = [results(&json!([made(71)])), (503, String::new())];
    let outcomes = push(vec![create(), group(), create()], &answers).expect("pushed");
    assert!(matches!(outcomes[1..], [Outcome::Unknown, Outcome::Retry(None)]), "what is not sent is not unknown");
}
