//! Tests of pushing nights.

use gassync_plugin::{
    Accepted, Attempt, CalendarNights, CalendarPart, ChannelError, Nights, Outcome, Price, PushCalendar, money,
    testing::FakeHost,
};
use serde_json::{Value, json};

use super::{asked, day};
use crate::Beds24;

fn nights(room: &str, from: &str, last: &str) -> CalendarNights {
    let stay = Nights::through(day(from), day(last));
    CalendarNights { changed: CalendarPart::all(), ..CalendarNights::new(room, stay) }
}

fn priced(room: &str, from: &str, last: &str, amount: &str) -> CalendarNights {
    let price = Price { rate_plan_id: None, occupancy: None, amount: money(amount, Some("EUR")), tax_included: None };
    CalendarNights { prices: vec![price], ..nights(room, from, last) }
}

fn push(updates: Vec<CalendarNights>, status: u16, answer: &Value) -> Result<Vec<Outcome>, ChannelError> {
    FakeHost::reset();
    FakeHost::answer(status, &answer.to_string());
    Beds24::push_calendar(updates, Attempt::First)
}

fn accepted(outcome: &Outcome) -> &Accepted {
    match outcome {
        Outcome::Accepted(accepted) => accepted,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rooms_are_written_in_one_list_each_with_its_ranges() {
    let mut closed = nights("5200", "2027-06-03", "2027-06-03");
    closed.available = Some(false);
    let mut open = nights("5200", "2027-06-04", "2027-06-04");
    (open.available, open.units_available, open.rules.closed_to_departure) = (Some(true), Some(1), Some(true));
    let updates = vec![
        priced("5200", "2027-06-01", "2027-06-01", "120"),
        priced("5201", "2027-06-01", "2027-06-01", "80"),
        priced("5200", "2027-06-02", "2027-06-02", "120"),
        closed,
        open,
    ];
    let modified = json!([
        { "success": true, "modified": { "roomId": 5200, "calendar": [
            { "from": "2027-06-01", "to": "2027-06-02", "price1": "120.00" },
            { "from": "2027-06-03", "to": "2027-06-03", "override": "blackout" },
            { "from": "2027-06-04", "to": "2027-06-04", "override": "noCheckOut" }
        ] } },
        { "success": true, "modified": { "roomId": 5201, "calendar": [{ "from": "2027-06-01", "to": "2027-06-01", "price1": 80 }] } }
    ]);
    let outcomes = push(updates, 201, &modified).expect("pushed");
    let (method, path, body) = asked().remove(0);
    assert_eq!((method.as_str(), path.as_str()), ("POST", "/inventory/rooms/calendar"));
    let expected = json!([
        { "roomId": 5200, "calendar": [
            { "from": "2027-06-01", "to": "2027-06-02", "price1": 120 },
            { "from": "2027-06-03", "to": "2027-06-03", "override": "blackout" },
            { "from": "2027-06-04", "to": "2027-06-04", "override": "noCheckOut" }
        ] },
        { "roomId": 5201, "calendar": [{ "from": "2027-06-01", "to": "2027-06-01", "price1": 80 }] }
    ]);
    assert_eq!(body, expected, "how many units are left is not written");
    assert!(outcomes.iter().all(|outcome| accepted(outcome).confirmed && accepted(outcome).warnings.is_empty()));
}

#[test]
fn a_success_that_repeats_nothing_may_have_changed_nothing() {
    let update = || vec![priced("5200", "2027-06-01", "2027-06-03", "120")];
    let confirmed = |answer: &Value| accepted(&push(update(), 201, answer).expect("pushed")[0]).confirmed;
    assert!(!confirmed(&json!([{ "success": true }])));
    assert!(!confirmed(&json!([{ "success": true, "modified": { "roomId": 5200 } }])));
    let two_of_three = json!([{ "success": true, "modified": { "calendar": [
        { "from": "2027-06-01", "to": "2027-06-02", "price1": 120 }] } }]);
    assert!(!confirmed(&two_of_three));
    let other_key = json!([{ "success": true, "modified": { "calendar": [{ "from": "2027-06-01", "to": "2027-06-03", "minStay": 2 }] } }]);
    assert!(!confirmed(&other_key));
    let all = json!([{ "success": true, "modified": { "calendar": [{ "from": "2027-06-01", "to": "2027-06-03", "price1": "120.0" }] } }]);
    assert!(confirmed(&all));
}

#[test]
fn capped_values_are_reported() {
    let mut capped = nights("5200", "2027-06-01", "2027-06-02");
    capped.rules.max_stay = Some(400);
    let other = priced("5200", "2027-06-05", "2027-06-05", "90");
    let answer = json!([{
        "success": true,
        "modified": { "roomId": 5200, "calendar": [
            { "from": "2027-06-01", "to": "2027-06-02", "maxStay": "365" },
            { "from": "2027-06-05", "to": "2027-06-05", "price1": 90 }
        ] },
        "warnings": [{ "action": "process inventory rooms calendar", "message": "maxStay capped to 365" }]
    }]);
    let outcomes = push(vec![capped, other], 201, &answer).expect("pushed");
    let reported = accepted(&outcomes[0]);
    let expected = ["maxStay capped to 365", "maxStay is 365 at Beds24 and not 400, from 2027-06-01 on"];
    assert_eq!((reported.confirmed, reported.warnings.as_slice()), (false, &expected.map(str::to_owned)[..]));
    // The warning applies to the room; only the echoed values identify the night.
    assert!(accepted(&outcomes[1]).confirmed && accepted(&outcomes[1]).warnings.len() == 1);
}

#[test]
fn each_room_has_an_answer_of_its_own() {
    let updates = vec![
        priced("5200", "2027-06-01", "2027-06-01", "120"),
        priced("5999", "2027-06-01", "2027-06-01", "80"),
        priced("5201", "2027-06-01", "2027-06-01", "80"),
    ];
    let answer = json!([
        { "success": true, "modified": { "calendar": [{ "from": "2027-06-01", "price1": 120 }] } },
        { "success": false, "errors": [{ "action": "process", "field": "roomId", "message": "no access" }] }
    ]);
    let outcomes = push(updates, 201, &answer).expect("pushed");
    assert!(accepted(&outcomes[0]).confirmed);
    assert!(matches!(&outcomes[1], Outcome::Refused(errors) if errors[0].path == "/1/roomId"));
    assert!(matches!(outcomes[2], Outcome::Unknown), "of the last nothing is said");
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is_sent() {
    let mut backwards = priced("5200", "2027-06-01", "2027-06-01", "80");
    backwards.stay.until = backwards.stay.start;
    let nothing = nights("5200", "2027-06-01", "2027-06-01");
    let updates = vec![
        priced("attic", "2027-06-01", "2027-06-01", "80"),
        backwards,
        priced("5200", "2027-06-01", "2027-06-01", "-1"),
        nothing,
    ];
    let outcomes = push(updates, 201, &json!([])).expect("pushed");
    let paths: Vec<&str> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Refused(errors) => errors[0].path.as_str(),
            _ => "",
        })
        .collect();
    assert_eq!(paths, ["/roomId", "/to", "/price1", ""]);
    assert!(accepted(&outcomes[3]).confirmed, "what says nothing is there already");
    assert!(asked().is_empty());
}

#[test]
fn prices_for_guests_go_where_the_admin_says() {
    FakeHost::reset();
    FakeHost::set_settings(r#"{"guestsOfPrices":{"price1":2,"price2":4}}"#);
    FakeHost::answer(201, r#"[{"success":true}]"#);
    let mut update = priced("5200", "2027-06-01", "2027-06-01", "0");
    let price = |guests: u32, amount: &str| Price {
        rate_plan_id: None,
        occupancy: Some(guests),
        amount: money(amount, None),
        tax_included: None,
    };
    update.prices = vec![price(4, "150"), price(2, "120"), price(3, "140")];
    let outcomes = Beds24::push_calendar(vec![update], Attempt::AfterUnknown).expect("pushed");
    assert_eq!(
        asked()[0].2[0]["calendar"][0],
        json!({ "from": "2027-06-01", "to": "2027-06-01", "price1": 120, "price2": 150 })
    );
    assert_eq!(accepted(&outcomes[0]).warnings, ["Beds24 has no daily price for 3 guests: it was not sent"]);
}

#[test]
fn refusals_of_all_nights_have_names() {
    let update = || vec![priced("5200", "2027-06-01", "2027-06-01", "120")];
    let error = json!({ "success": false, "type": "error", "code": 400, "error": "so it is" });
    assert!(matches!(push(update(), 400, &error).expect("pushed")[0], Outcome::Refused(_)));
    assert!(matches!(push(update(), 201, &error).expect("pushed")[0], Outcome::Refused(_)), "an object, and no list");
    assert!(matches!(push(update(), 429, &error).expect("pushed")[0], Outcome::Retry(None)));
    assert!(matches!(push(update(), 503, &error).expect("pushed")[0], Outcome::Unknown));
    assert!(matches!(push(update(), 401, &error), Err(ChannelError::Unauthorized(_))));
    assert!(push(Vec::new(), 201, &error).expect("pushed").is_empty() && asked().is_empty());
}
