//! Tests of nights that are read.

use gassync_plugin::{CalendarNights, ChangeKind, ChannelError, Entity, Pull, Query, Selection, testing::FakeHost};

use super::{asked, begin, fetch, nights};
use crate::Smoobu;

fn one(body: &str) -> Result<Vec<CalendarNights>, ChannelError> {
    begin();
    FakeHost::answer(200, body);
    let within = Selection::Within(nights("2027-11-14", "2027-11-18"));
    let page = Smoobu::fetch(Query { room_type_id: Some("7301".to_owned()), ..Query::new(Entity::Calendar, within) })?;
    let rows = page.changes.into_iter().flat_map(|change| match change.data {
        ChangeKind::Calendar(rows) => rows,
        other => panic!("{other:?}"),
    });
    Ok(rows.collect())
}

#[test]
fn nights_of_an_apartment_come_with_one_request_and_none_too_many() {
    let night = r#"{"price":90,"min_length_of_stay":2,"available":1}"#;
    let other = r#"{"price":90,"min_length_of_stay":3,"available":1}"#;
    let rows = one(&format!(
        r#"{{"data":{{"7301":{{"2027-11-14":{night},"2027-11-15":{night},"2027-11-16":{other},"2027-11-18":{night}}}}}}}"#
    ));
    assert_eq!(
        asked()[0].1,
        "/api/rates?apartments[]=7301&end_date=2027-11-18&start_date=2027-11-14",
        "brackets as they are signed, and an end that may be left out"
    );
    let rows = rows.expect("nights");
    let stays: Vec<_> = rows.iter().map(|row| (row.stay, row.rules.min_stay_arrival)).collect();
    assert_eq!(
        stays,
        [(nights("2027-11-14", "2027-11-16"), Some(2)), (nights("2027-11-16", "2027-11-17"), Some(3))],
        "the night of the end is another's"
    );
    assert_eq!((rows[0].property_id.as_deref(), rows[0].room_type_id.as_str()), (Some("7301"), "7301"));
}

#[test]
fn a_night_that_is_not_free_is_booked_or_blocked_and_not_closed_by_hand() {
    let units = |available: &str| {
        let rows = one(&format!(r#"{{"data":{{"7301":{{"2027-11-14":{{"price":90,"available":{available}}}}}}}}}"#));
        let rows = rows.expect("nights");
        assert_eq!(rows[0].available, rows[0].units_available.map(|_| true), "never closed: {available}");
        rows[0].units_available
    };
    for (available, expected) in
        [("0", Some(0)), ("1", Some(1)), ("2", Some(1)), (r#""1""#, Some(1)), ("false", Some(0)), ("null", None)]
    {
        assert_eq!(units(available), expected, "{available}");
    }
    assert_eq!(units(r#""perhaps""#), None);
}

#[test]
fn no_price_is_not_a_price_of_zero() {
    let rows = one(r#"{"data":{"7301":{"2027-11-14":{"price":null,"min_length_of_stay":null,"available":1},
        "2027-11-15":{"price":0,"min_length_of_stay":1,"available":1},"2027-11-16":null}}}"#);
    let rows = rows.expect("nights");
    assert_eq!((rows[0].prices.len(), rows[0].rules.min_stay_arrival), (0, None));
    assert_eq!((rows[1].prices[0].amount.amount.as_str(), rows[1].prices[0].amount.currency.as_deref()), ("0", None));
    assert_eq!((rows[2].units_available, rows[2].prices.len()), (None, 0));
}

#[test]
fn nights_without_their_wrapper_are_an_error_and_not_none() {
    let night = r#"{"7301":{"2027-11-14":{"price":90,"available":1}}}"#;
    assert!(matches!(one(night), Err(ChannelError::Malformed(why)) if why.starts_with("/data")));
    for none in [r#"{"data":{}}"#, r#"{"data":[]}"#, r#"{"data":{"7301":[]}}"#] {
        assert_eq!(one(none).map(|rows| rows.len()), Ok(0), "an empty object may be written as a list: {none}");
    }
    for odd in ["<html>", "", r#"{"data":7}"#] {
        assert!(matches!(one(odd), Err(ChannelError::Malformed(_))), "{odd}");
    }
}

#[test]
fn all_apartments_come_in_pages() {
    begin();
    let listed: Vec<String> = (1..=25).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
    let listed = format!(r#"{{"apartments":[{},{{"name":"without an id"}}]}}"#, listed.join(","));
    let within = || Selection::Within(nights("2027-11-14", "2027-11-16"));
    let nights_of = |id: u32| format!(r#"{{"data":{{"{id}":{{"2027-11-14":{{"available":1}}}}}}}}"#);
    FakeHost::answer(200, &listed);
    FakeHost::answer(200, &nights_of(1));
    let first = fetch(Entity::Calendar, within(), None).expect("a page");
    let requests = asked();
    assert_eq!((requests[0].1.as_str(), requests[1].1.matches("apartments[]=").count()), ("/api/apartments", 20));
    assert_eq!((first.changes.len(), first.next.as_deref()), (1, Some("2")));
    FakeHost::answer(200, &listed);
    FakeHost::answer(200, &nights_of(21));
    let second = fetch(Entity::Calendar, within(), Some("2")).expect("a page");
    assert!(asked()[1].1.starts_with("/api/rates?apartments[]=21&apartments[]=22&"));
    assert_eq!(second.next, None);
    FakeHost::answer(200, r#"{"apartments":[]}"#);
    assert_eq!(fetch(Entity::Calendar, within(), None).map(|page| page.changes.len()), Ok(0));
    assert_eq!(asked().len(), 1, "without an apartment there is nothing to ask for");
}
