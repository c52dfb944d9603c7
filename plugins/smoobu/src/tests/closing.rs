//! Tests of nights that are written.

use gassync_plugin::{
    Accepted, Attempt, CalendarNights, CalendarPart, ChannelError, FieldError, HttpResponse, Outcome, Price,
    PushCalendar, money, state, testing::FakeHost,
};
use serde_json::{Value, json};

use super::{asked, begin, booking, list, nights};
use crate::{Smoobu, mark::OUR_BLOCK};

fn update(start: &str, until: &str, available: bool) -> CalendarNights {
    let mut update = CalendarNights::new("7301", nights(start, until));
    update.available = Some(available);
    update.changed = CalendarPart::AVAILABILITY;
    update
}

fn push(update: CalendarNights, attempt: Attempt) -> Result<Outcome, ChannelError> {
    Smoobu::push_calendar(vec![update], attempt).map(|mut outcomes| outcomes.remove(0))
}

fn accepted(outcome: Result<Outcome, ChannelError>) -> Accepted {
    match outcome {
        Ok(Outcome::Accepted(accepted)) => accepted,
        other => panic!("{other:?}"),
    }
}

fn rates(nights: &[(&str, u8)]) -> String {
    let nights: serde_json::Map<String, Value> =
        nights.iter().map(|(night, open)| ((*night).to_owned(), json!({ "price": 90, "available": open }))).collect();
    json!({ "data": { "7301": nights } }).to_string()
}

fn block(id: u32, (start, until): (&str, &str), notice: &str) -> String {
    let text = |text: &str| Value::from(text).to_string();
    booking(&[
        ("id", &id.to_string()),
        ("type", r#""reservation""#),
        ("arrival", &text(start)),
        ("departure", &text(until)),
        ("notice", &text(notice)),
        ("is-blocked-booking", "true"),
    ])
}

fn new_block(start: &str, until: &str) -> Value {
    json!({
        "arrivalDate": start, "departureDate": until, "channelId": 11, "apartmentId": 7301, "notice": OUR_BLOCK
    })
}

fn close_four_nights() {
    begin();
    FakeHost::answer(200, &rates(&[("2027-05-01", 1), ("2027-05-02", 1), ("2027-05-03", 1), ("2027-05-04", 1)]));
    FakeHost::answer(200, r#"{"id":900}"#);
    assert!(accepted(push(update("2027-05-01", "2027-05-05", false), Attempt::First)).confirmed);
    FakeHost::take_requests();
}

#[test]
fn nights_are_closed_by_blocked_bookings_where_they_are_open() {
    begin();
    FakeHost::answer(200, &rates(&[("2027-05-01", 1), ("2027-05-02", 0), ("2027-05-03", 2), ("2027-05-04", 1)]));
    FakeHost::answer(201, r#"{"id":901}"#);
    FakeHost::answer(422, r#"{"title":"Error occurred","detail":"overlap"}"#);
    let outcome = accepted(push(update("2027-05-01", "2027-05-05", false), Attempt::First));
    let asked = asked();
    assert_eq!(asked[0].1, "/api/rates?apartments[]=7301&end_date=2027-05-05&start_date=2027-05-01");
    assert_eq!(asked[1], ("POST".into(), "/api/reservations".into(), new_block("2027-05-01", "2027-05-02")));
    assert_eq!(asked[2].2, new_block("2027-05-03", "2027-05-05"));
    assert!(!outcome.confirmed && outcome.warnings.len() == 1, "a refusal is read back: {outcome:?}");
    assert_eq!(state::keys(""), ["ours/7301/901"]);
}

#[test]
fn opening_some_nights_of_a_block_closes_the_others_again() {
    close_four_nights();
    FakeHost::answer(200, &list(&[block(900, ("2027-05-01", "2027-05-05"), OUR_BLOCK)]));
    FakeHost::answer(200, r#"{"success":true}"#);
    FakeHost::answer(200, r#"{"id":902}"#);
    FakeHost::answer(200, r#"{"id":903}"#);
    let outcome = accepted(push(update("2027-05-02", "2027-05-03", true), Attempt::First));
    assert!(!outcome.confirmed && outcome.warnings.is_empty(), "another block may be there: {outcome:?}");
    let asked = asked();
    assert_eq!((&*asked[1].0, &*asked[1].1), ("DELETE", "/api/reservations/900"));
    assert_eq!(asked[2].2, new_block("2027-05-01", "2027-05-02"));
    assert_eq!(asked[3].2, new_block("2027-05-03", "2027-05-05"));
    assert_eq!(state::keys(""), ["ours/7301/902", "ours/7301/903"]);
}

#[test]
fn what_others_closed_stays_theirs_and_is_named() {
    begin();
    let there = [
        block(905, ("2027-05-01", "2027-05-02"), "new floor"),
        block(906, ("2027-05-02", "2027-05-03"), OUR_BLOCK),
        booking(&[("id", "907"), ("arrival", r#""2027-05-03""#), ("departure", r#""2027-05-04""#)]),
        booking(&[("id", "908"), ("arrival", r#""2027-05-04""#), ("departure", r#""2027-05-06""#)]),
    ];
    FakeHost::answer(200, &list(&there));
    FakeHost::answer(200, r#"{"success":true}"#);
    let outcome = accepted(push(update("2027-05-01", "2027-05-04", true), Attempt::First));
    let asked = asked();
    let looked = "/api/reservations?apartmentId=7301&arrivalTo=2027-05-04&departureFrom=2027-05-01&page=1&pageSize=100";
    assert_eq!(asked[0].1, looked);
    assert_eq!((asked.len(), asked[1].1.as_str()), (2, "/api/reservations/906"), "ours is known by its mark");
    assert_eq!(
        outcome.warnings,
        [
            "2027-05-01 to 2027-05-02 stays closed: Smoobu has the block 905",
            "2027-05-03 to 2027-05-04 stays closed: Smoobu has the booking 907",
        ]
    );
    assert!(state::keys("").is_empty());
}

#[test]
fn a_block_that_may_be_there_is_looked_for_before_it_is_made_again() {
    begin();
    FakeHost::answer(200, &rates(&[("2027-05-01", 1)]));
    FakeHost::answer(502, "<html>");
    let closed = || update("2027-05-01", "2027-05-02", false);
    assert_eq!(push(closed(), Attempt::First), Ok(Outcome::Unknown));
    FakeHost::take_requests();
    FakeHost::answer(200, &list(&[block(904, ("2027-05-01", "2027-05-02"), OUR_BLOCK)]));
    FakeHost::answer(200, &list(&[block(904, ("2027-05-01", "2027-05-02"), OUR_BLOCK)]));
    FakeHost::answer(200, &rates(&[("2027-05-01", 0)]));
    assert!(accepted(push(closed(), Attempt::AfterUnknown)).confirmed);
    assert!(asked().iter().all(|(method, ..)| method == "GET"), "nothing is closed twice");
    assert_eq!(state::keys(""), ["ours/7301/904"]);
}

#[test]
fn what_a_call_that_did_not_end_has_closed_is_known_by_its_mark() {
    begin();
    let nights = ("2027-05-01", "2027-05-02");
    FakeHost::answer(200, &list(&[block(905, nights, OUR_BLOCK), block(906, nights, "new floor")]));
    FakeHost::answer(200, &rates(&[("2027-05-01", 0)]));
    accepted(push(update("2027-05-01", "2027-05-02", false), Attempt::AfterUnknown));
    assert_eq!(asked().len(), 2, "nothing is closed twice");
    assert_eq!(state::keys(""), ["ours/7301/905"], "and what others closed stays theirs");
}

#[test]
fn a_rejected_key_is_reported_and_the_attempt_remembered() {
    begin();
    FakeHost::answer(200, &rates(&[("2027-05-01", 1)]));
    FakeHost::answer(401, "{}");
    let outcome = push(update("2027-05-01", "2027-05-02", false), Attempt::First);
    assert!(matches!(outcome, Err(ChannelError::Unauthorized(_))));
    assert_eq!(state::keys(""), ["owed/7301/2027-05-01/2027-05-02"], "what may be there is looked for the next time");
}

#[test]
fn prices_name_every_night_and_wait_to_be_read_back() {
    begin();
    FakeHost::answer(200, r#"{"success":true}"#);
    let mut priced = update("2027-05-01", "2027-05-03", true);
    priced.changed = CalendarPart::PRICE;
    priced.rules.min_stay_arrival = Some(2);
    let amount = money("119.50", Some("EUR"));
    priced.prices.push(Price { rate_plan_id: None, occupancy: None, amount, tax_included: None });
    assert!(!accepted(push(priced.clone(), Attempt::First)).confirmed);
    let sent = FakeHost::take_requests();
    assert_eq!(sent.len(), 1, "what has not changed is neither opened nor closed");
    let body = r#"{"apartments":[7301],"operations":[{"dates":["2027-05-01","2027-05-02"],"daily_price":119.50,"min_length_of_stay":2}]}"#;
    assert_eq!(sent[0].body.as_deref(), Some(body.as_bytes()), "with the digits of the price");
    for odd in ["-5", "a lot", ".5e99", ""] {
        priced.prices[0].amount = money(odd, None);
        let path = "/operations/0/daily_price";
        let refused = push(priced.clone(), Attempt::First);
        assert!(matches!(refused, Ok(Outcome::Refused(errors)) if errors[0].path == path), "{odd}");
    }
    FakeHost::answer(500, "");
    priced.prices[0].amount = money("90", None);
    assert_eq!(push(priced, Attempt::First), Ok(Outcome::Unknown));
}

#[test]
fn rules_without_a_place_there_are_named() {
    begin();
    FakeHost::answer(200, "{}");
    let mut ruled = update("2027-05-01", "2027-05-02", true);
    ruled.changed = CalendarPart::RULES;
    (ruled.rules.min_stay_arrival, ruled.rules.max_stay) = (Some(0), Some(14));
    ruled.rules.closed_to_arrival = Some(true);
    let outcome = accepted(push(ruled.clone(), Attempt::First));
    assert_eq!(outcome.warnings, ["Smoobu has a shortest stay and no longest stay, no closing to arrival"]);
    assert_eq!(asked()[0].2["operations"][0]["min_length_of_stay"], 1, "none is one night");
    (ruled.rules.min_stay_arrival, ruled.rules.max_stay, ruled.rules.closed_to_arrival) = (None, Some(0), Some(false));
    assert!(accepted(push(ruled, Attempt::First)).warnings.is_empty());
    assert!(asked().is_empty(), "nothing to say");
}

#[test]
fn a_sold_out_night_is_closed_whatever_the_word() {
    begin();
    FakeHost::answer(200, &rates(&[("2027-05-01", 0)]));
    let mut sold = update("2027-05-01", "2027-05-02", true);
    sold.units_available = Some(0);
    assert!(accepted(push(sold.clone(), Attempt::First)).confirmed);
    assert!(asked()[0].1.starts_with("/api/rates"), "it is looked at, and nothing is opened");
    sold.room_type_id = "Boathouse".to_owned();
    let refused = push(sold, Attempt::First);
    assert_eq!(refused, Ok(Outcome::Refused(vec![FieldError::new("/apartments/0", "Boathouse is not a number")])));
}

#[test]
fn after_a_limit_nothing_more_is_asked_in_a_call() {
    begin();
    let header = gassync_plugin::Header { name: "X-RateLimit-Retry-After".to_owned(), value: "40".to_owned() };
    FakeHost::answer_with(Ok(HttpResponse { status: 429, headers: vec![header], body: Vec::new() }));
    let updates = ["2027-05-01", "2027-06-01"].map(|start| update(start, "2027-07-01", false));
    let outcomes = Smoobu::push_calendar(updates.to_vec(), Attempt::First).expect("outcomes");
    assert_eq!(outcomes, [Outcome::Retry(Some(40)), Outcome::Retry(Some(40))]);
    assert_eq!(FakeHost::take_requests().len(), 1);
}

#[test]
fn a_call_stays_within_its_budget_and_goes_on_the_next_time() {
    begin();
    let every_other: Vec<(String, u8)> = (1..=30).map(|day| (format!("2027-06-{day:02}"), (day % 2) as u8)).collect();
    let every_other: Vec<(&str, u8)> = every_other.iter().map(|(night, open)| (night.as_str(), *open)).collect();
    FakeHost::answer(200, &rates(&every_other));
    (0..15).for_each(|id| FakeHost::answer(200, &format!(r#"{{"id":{}}}"#, 900 + id)));
    let all = || update("2027-06-01", "2027-07-01", false);
    let fifteen = accepted(push(all(), Attempt::First));
    assert!(fifteen.confirmed && asked().len() == 16, "{fifteen:?}");
    (0..18).for_each(|_| FakeHost::answer(200, &rates(&[("2027-08-01", 0)])));
    let outcomes = Smoobu::push_calendar(vec![update("2027-08-01", "2027-08-02", false); 19], Attempt::First);
    let outcomes = outcomes.expect("outcomes");
    assert!(outcomes[..18].iter().all(|outcome| matches!(outcome, Outcome::Accepted(_))), "{outcomes:?}");
    assert_eq!((&outcomes[18], FakeHost::take_requests().len()), (&Outcome::Retry(Some(0)), 18));
}
