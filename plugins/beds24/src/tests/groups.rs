//! Tests of reservations of several rooms.

use gassync_plugin::{Attempt, Operation, OperationKind, Outcome, ReservationStatus, RoomStay, money};
use serde_json::{Value, json};

use super::{
    asked,
    operations::{accepted, one, operation, push, refused, reservation, results, room},
    page,
};

fn two_rooms() -> Operation {
    operation(OperationKind::Create, None, reservation(vec![room("5200"), room("5201")]))
}

fn again(operation: Operation) -> Operation {
    Operation { attempt: Attempt::AfterUnknown, ..operation }
}

fn there(id: u32, room: u32, status: &str) -> String {
    format!(
        r#"{{"id":{id},"roomId":{room},"arrival":"2027-06-01","status":"{status}","reference":"GAS-100045",
            "bookingGroup":{{"master":71,"ids":[71,72]}}}}"#
    )
}

fn written() -> Vec<Value> {
    asked().into_iter().filter(|(method, ..)| method == "POST").map(|(_, _, body)| body).collect()
}

#[test]
fn each_room_is_a_booking_and_all_form_a_group() {
    let answer = json!([{ "success": true, "new": { "id": 71 } }, { "success": true, "new": { "id": 72 } }]);
    let outcome = one(two_rooms(), &[results(&answer)]);
    let body = written().remove(0);
    for (index, room_id) in [5200, 5201].iter().enumerate() {
        assert_eq!(body[index]["roomId"], json!(room_id));
        assert_eq!(body[index]["actions"], json!({ "checkAvailability": true, "makeGroup": true }));
        assert_eq!((&body[index]["numAdult"], &body[index]["reference"]), (&json!(2), &json!("GAS-100045")));
    }
    assert_eq!((&body[0]["price"], body[1].get("price")), (&json!(390.0), None), "the price of both stands once");
    assert_eq!((accepted(&outcome).channel_id.as_deref(), accepted(&outcome).confirmed), (Some("71"), true));
    let mut own = reservation(vec![room("5200"), room("5201")]);
    own.rooms[1].total = Some(money("160.50", None));
    one(operation(OperationKind::Create, None, own), &[results(&answer)]);
    let body = written().remove(0);
    assert_eq!((body[0].get("price"), &body[1]["price"]), (None, &json!(160.5)), "what each costs is known of one");
}

#[test]
fn a_group_is_made_by_itself() {
    let single = || operation(OperationKind::Create, None, reservation(vec![room("5200")]));
    let one = |id: u32| json!({ "success": true, "new": { "id": id } });
    let answers = [json!([one(1), one(2)]), json!([one(71), one(72)]), json!([one(3)])].map(|answer| results(&answer));
    let outcomes = push(vec![single(), single(), two_rooms(), single()], &answers).expect("pushed");
    let ids: Vec<_> = outcomes.iter().map(|outcome| accepted(outcome).channel_id.as_deref()).collect();
    assert_eq!(ids, [Some("1"), Some("2"), Some("71"), Some("3")]);
    let lengths: Vec<_> = written().iter().map(|body| body.as_array().map(Vec::len)).collect();
    assert_eq!(lengths, [Some(2), Some(2), Some(1)], "or Beds24 would make one group of all");
}

#[test]
fn half_a_group_is_none() {
    let half =
        json!([{ "success": true, "new": { "id": 71 } }, { "success": false, "warnings": [{ "message": "is full" }] }]);
    let undone = json!([{ "success": true, "modified": { "id": 71, "status": "cancelled" } }]);
    let outcome = one(two_rooms(), &[results(&half), results(&undone)]);
    assert_eq!(refused(&outcome)[0].problem, "is full");
    assert_eq!(written()[1], json!([{ "id": 71, "status": "cancelled", "reference": "" }]));
    for failure in [results(&json!([{ "success": false }])), (503, String::new()), results(&json!([]))] {
        assert!(matches!(one(two_rooms(), &[results(&half), failure]), Outcome::Unknown), "the other half may stand");
    }
}

#[test]
fn after_an_unknown_end_the_rooms_that_are_missing_join_those_that_are_there() {
    let outcome = one(
        again(two_rooms()),
        &[(200, page(&there(72, 5201, "new"), false)), results(&json!([{ "success": true, "new": { "id": 73 } }]))],
    );
    let body = written().remove(0);
    assert_eq!((&body[0]["roomId"], &body[0]["masterId"]), (&json!(5200), &json!(72)));
    assert_eq!(body[0]["actions"], json!({ "checkAvailability": true }));
    assert_eq!(accepted(&outcome).channel_id.as_deref(), Some("72"));
    let both = page(&[there(71, 5200, "new"), there(72, 5201, "new")].join(","), false);
    assert!(accepted(&one(again(two_rooms()), &[(200, both)])).confirmed && written().is_empty());
    // Bookings of an earlier attempt are cancelled too.
    let refusal = results(&json!([{ "success": false, "errors": [{ "message": "is full" }] }]));
    let undone = results(&json!([{ "success": true, "modified": { "id": 72 } }]));
    let outcome = one(again(two_rooms()), &[(200, page(&there(72, 5201, "new"), false)), refusal, undone]);
    assert_eq!(refused(&outcome)[0].problem, "is full");
    assert_eq!(written()[1], json!([{ "id": 72, "status": "cancelled", "reference": "" }]));
}

#[test]
fn all_rooms_of_a_group_are_cancelled() {
    let mut all = reservation(vec![room("5200"), room("5201")]);
    all.status = ReservationStatus::Cancelled;
    let gone = json!([{ "success": true, "modified": { "id": 71 } }, { "success": true, "modified": { "id": 72 } }]);
    let cancel = operation(OperationKind::Cancel, Some("71"), all);
    let outcome = one(cancel, &[(200, page(&there(71, 5200, "new"), false)), results(&gone)]);
    assert_eq!(written()[0], json!([{ "id": 71, "status": "cancelled" }, { "id": 72, "status": "cancelled" }]));
    assert!(accepted(&outcome).confirmed);
}

#[test]
fn a_change_finds_each_room_its_booking() {
    let named = RoomStay { id: Some("72".to_owned()), ..room("5202") };
    let changed = operation(OperationKind::Change, Some("71"), reservation(vec![named, room("5200"), room("5203")]));
    let members = page(&[there(71, 5200, "new"), there(72, 5201, "new")].join(","), false);
    let each = json!([{ "success": true, "modified": { "id": 72 } }, { "success": true, "modified": { "id": 71 } }, { "success": true, "new": { "id": 73 } }]);
    one(changed, &[(200, page(&there(71, 5200, "new"), false)), (200, members.clone()), results(&each)]);
    let body = written().remove(0);
    let reported: Vec<_> = (0..3).map(|at| (body[at]["id"].clone(), body[at]["roomId"].clone())).collect();
    assert_eq!(reported, [(json!(72), json!(5202)), (json!(71), json!(5200)), (Value::Null, json!(5203))]);
    assert_eq!((&body[2]["masterId"], &body[2]["reference"]), (&json!(71), &json!("GAS-100045")));
    assert!(body[0].get("actions").is_none() && body[2]["actions"]["checkAvailability"] == json!(true), "{body}");
    let moved = operation(OperationKind::Change, Some("71"), reservation(vec![room("5209"), room("5200")]));
    one(moved, &[(200, page(&there(71, 5200, "new"), false)), (200, members), results(&each)]);
    let body = written().remove(0);
    let reported: Vec<_> = (0..2).map(|at| (body[at]["id"].clone(), body[at]["roomId"].clone())).collect();
    assert_eq!(reported, [(json!(71), json!(5200)), (json!(72), json!(5209))], "what is left goes in its order");
}

#[test]
fn a_booking_that_no_room_is_left_for_is_cancelled() {
    let three = r#"{"id":73,"roomId":5202,"status":"new"},{"id":74,"roomId":5200,"status":"cancelled"}"#;
    let members = page(&[&there(71, 5200, "new"), &there(72, 5201, "new"), three].map(str::to_owned).join(","), false);
    let fewer = operation(OperationKind::Change, Some("71"), reservation(vec![room("5202"), room("5200")]));
    one(fewer, &[(200, page(&there(71, 5200, "new"), false)), (200, members), results(&json!([]))]);
    let body = written().remove(0);
    assert_eq!((&body[0]["id"], &body[1]["id"]), (&json!(73), &json!(71)));
    assert_eq!(body[2], json!({ "id": 72, "status": "cancelled" }));
    assert_eq!(body.as_array().map(Vec::len), Some(3), "what is cancelled stays so");
}

#[test]
fn one_booking_may_be_over_several_units() {
    let alone = |rooms: Vec<RoomStay>| {
        let change = operation(OperationKind::Change, Some("71"), reservation(rooms));
        let there = r#"{"id":71,"roomId":5200,"status":"new","bookingGroup":{"master":null,"ids":[71]}}"#;
        one(change, &[(200, page(there, false)), results(&json!([{ "success": true, "modified": { "id": 71 } }]))])
    };
    assert!(accepted(&alone(vec![room("5200"), room("5200")])).confirmed);
    let body = written().remove(0);
    assert_eq!((&body[0]["roomQty"], &body[0]["price"], body[0].get("numAdult")), (&json!(2), &json!(390.0), None));
    assert_eq!(refused(&alone(vec![room("5200"), room("5201")]))[0].path, "/roomId");
    let gone = operation(OperationKind::Change, Some("71"), reservation(vec![room("5200"), room("5201")]));
    assert_eq!(refused(&one(gone, &[(200, page("", false))]))[0].path, "/id");
}
