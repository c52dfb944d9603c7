use gassync_plugin::{Nights, parse_date, testing::FakeHost};

use super::*;

fn begin() {
    FakeHost::reset();
    FakeHost::set_settings(r#"{"baseUrl":"https://login.smoobu.example"}"#);
    FakeHost::sign_with(|_, _, _, _| vec![1, 2, 3]);
}

fn nights_from(start: &str, until: &str, available: bool) -> CalendarNights {
    let day = |text| parse_date(text).expect("a date");
    let mut update = CalendarNights::new("7301", Nights { start: day(start), until: day(until) });
    update.available = Some(available);
    update.changed = CalendarPart::AVAILABILITY;
    update
}

fn rates(nights: &[(&str, u8)]) -> String {
    let nights: Vec<String> =
        nights.iter().map(|(night, open)| format!(r#""{night}":{{"price":90,"available":{open}}}"#)).collect();
    format!(r#"{{"data":{{"7301":{{{}}}}}}}"#, nights.join(","))
}

fn said(start: &str, until: &str) -> String {
    format!(
        r#"{{"arrivalDate":"{start}","departureDate":"{until}","channelId":11,"apartmentId":7301,"notice":"{OUR_MARK}"}}"#
    )
}

/// Method, path and body of the requests.
fn asked() -> Vec<(String, String, String)> {
    let requests = FakeHost::take_requests().into_iter();
    let body = |body: Option<Vec<u8>>| String::from_utf8(body.unwrap_or_default()).expect("text");
    requests
        .map(|r| (r.method, r.url.trim_start_matches("https://login.smoobu.example").to_owned(), body(r.body)))
        .collect()
}

fn close_four_nights() {
    begin();
    FakeHost::answer(200, &rates(&[("2027-05-01", 1), ("2027-05-02", 1), ("2027-05-03", 1), ("2027-05-04", 1)]));
    FakeHost::answer(200, r#"{"id":900}"#);
    let outcomes = push(&[nights_from("2027-05-01", "2027-05-05", false)], Attempt::First).expect("pushed");
    assert!(matches!(&outcomes[..], [Outcome::Accepted(accepted)] if accepted.confirmed));
    FakeHost::take_requests();
}

#[test]
fn only_what_is_open_is_closed() {
    begin();
    FakeHost::answer(200, &rates(&[("2027-05-01", 1), ("2027-05-02", 0), ("2027-05-03", 1), ("2027-05-04", 1)]));
    FakeHost::answer(200, r#"{"id":901}"#);
    FakeHost::answer(422, r#"{"title":"Error occurred","detail":"overlap"}"#);
    let outcomes = push(&[nights_from("2027-05-01", "2027-05-05", false)], Attempt::First).expect("pushed");
    let asked = asked();
    assert_eq!(asked[0].1, "/api/rates?apartments[]=7301&end_date=2027-05-05&start_date=2027-05-01");
    assert_eq!(asked[1], ("POST".into(), "/api/reservations".into(), said("2027-05-01", "2027-05-02")));
    assert_eq!(asked[2].2, said("2027-05-03", "2027-05-05"));
    assert!(
        matches!(&outcomes[..], [Outcome::Accepted(accepted)] if !accepted.confirmed && accepted.warnings.len() == 1),
        "a refusal is read back: {outcomes:?}"
    );
    assert_eq!(state::keys(""), ["ours/7301/901"]);
}

#[test]
fn opening_some_nights_of_a_block_closes_the_others_again() {
    close_four_nights();
    FakeHost::answer(200, r#"{"success":true}"#);
    FakeHost::answer(200, r#"{"id":902}"#);
    FakeHost::answer(200, r#"{"id":903}"#);
    push(&[nights_from("2027-05-02", "2027-05-03", true)], Attempt::First).expect("pushed");
    let asked = asked();
    assert_eq!((&*asked[0].0, &*asked[0].1), ("DELETE", "/api/reservations/900"));
    assert_eq!(asked[1].2, said("2027-05-01", "2027-05-02"));
    assert_eq!(asked[2].2, said("2027-05-03", "2027-05-05"));
    assert_eq!(state::keys(""), ["ours/7301/902", "ours/7301/903"]);
    push(&[nights_from("2027-06-01", "2027-06-03", true)], Attempt::First).expect("pushed");
    assert!(FakeHost::take_requests().is_empty(), "what is not closed by us needs no opening");
}

#[test]
fn a_block_that_may_be_there_is_looked_for_before_it_is_made_again() {
    begin();
    FakeHost::answer(200, &rates(&[("2027-05-01", 1)]));
    FakeHost::answer(502, "<html>");
    let update = nights_from("2027-05-01", "2027-05-02", false);
    let outcomes =
        push(std::slice::from_ref(&update), Attempt::First).expect("a retry, or the attempt would be forgotten");
    assert!(matches!(outcomes[..], [Outcome::Retry(None)]));
    FakeHost::take_requests();
    FakeHost::answer(
        200,
        r#"{"page_count":1,"page":1,"bookings":[{"id":904,"type":"reservation","arrival":"2027-05-01",
            "departure":"2027-05-02","is-blocked-booking":true}]}"#,
    );
    FakeHost::answer(200, &rates(&[("2027-05-01", 0)]));
    push(&[update], Attempt::First).expect("pushed");
    let asked = asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].1.contains("arrivalFrom=2027-05-01"));
    assert_eq!(state::keys(""), ["ours/7301/904"]);
}

#[test]
fn what_a_call_that_did_not_end_has_closed_is_known_by_its_mark() {
    begin();
    let block = |id: u32, notice: &str| {
        format!(
            r#"{{"id":{id},"type":"reservation","arrival":"2027-05-01","departure":"2027-05-02","notice":"{notice}",
                "is-blocked-booking":true}}"#
        )
    };
    let list = format!(r#"{{"bookings":[{},{}]}}"#, block(905, OUR_MARK), block(906, "new floor"));
    FakeHost::answer(200, &list);
    FakeHost::answer(200, &rates(&[("2027-05-01", 0)]));
    let closed = nights_from("2027-05-01", "2027-05-02", false);
    push(std::slice::from_ref(&closed), Attempt::AfterUnknown).expect("pushed");
    let looked = asked();
    assert_eq!(
        looked[0].1,
        "/api/reservations?apartmentId=7301&arrivalTo=2027-05-02&departureFrom=2027-05-01&pageSize=100"
    );
    assert_eq!(looked.len(), 2, "nothing is closed twice: {looked:?}");
    assert_eq!(state::keys(""), ["ours/7301/905"], "and what others closed stays theirs");
    FakeHost::answer(200, r#"{"success":true}"#);
    push(&[nights_from("2027-05-01", "2027-05-02", true)], Attempt::First).expect("pushed");
    assert_eq!(asked()[0].1, "/api/reservations/905");
}

#[test]
fn a_rejected_key_is_reported_even_after_a_partial_write() {
    begin();
    FakeHost::answer(200, &rates(&[("2027-05-01", 1)]));
    FakeHost::answer(401, "{}");
    let update = nights_from("2027-05-01", "2027-05-02", false);
    assert!(matches!(push(&[update], Attempt::First), Err(ChannelError::Unauthorized(_))));
    assert_eq!(state::keys(""), ["owed/7301/2027-05-01/2027-05-02"], "what may be there is looked for the next time");
}

#[test]
fn prices_name_every_night_and_wait_to_be_read_back() {
    begin();
    FakeHost::answer(200, r#"{"success":true}"#);
    let mut update = nights_from("2027-05-01", "2027-05-03", true);
    update.available = None;
    update.changed = CalendarPart::PRICE;
    update.rules.min_stay_arrival = Some(2);
    let amount = gassync_plugin::money("119.50", Some("EUR"));
    update.prices.push(gassync_plugin::Price { rate_plan_id: None, occupancy: None, amount, tax_included: None });
    let outcomes = push(&[update], Attempt::First).expect("pushed");
    let body = r#"{"apartments":[7301],"operations":[{"dates":["2027-05-01","2027-05-02"],"daily_price":119.50,"min_length_of_stay":2}]}"#;
    assert_eq!(asked()[0].2, body);
    assert!(matches!(&outcomes[..], [Outcome::Accepted(accepted)] if !accepted.confirmed));
}
