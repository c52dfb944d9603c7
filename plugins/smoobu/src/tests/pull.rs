//! Tests of fetches of bookings.

use gassync_plugin::{
    ChangeKind, ChannelError, Entity, EntityRef, Pull, Query, ResumePoint, Selection, testing::FakeHost,
};

use super::{asked, begin, booking, fetch, list, nights};
use crate::Smoobu;

fn since(instant: &str) -> Selection {
    Selection::ChangedSince(instant.to_owned())
}

#[test]
fn parameters_are_spelt_as_documented_since_others_are_ignored() {
    begin();
    FakeHost::answer(200, &list(&[booking(&[])]));
    fetch(Entity::Reservation, since("2027-04-10T22:30:00Z"), None).expect("a page");
    let all = "includePriceElements=true&includeRelated=true&";
    let (method, path, _) = asked().remove(0);
    assert_eq!(method, "GET");
    assert_eq!(
        path,
        format!("/api/reservations?{all}modifiedFrom=2027-04-09&page=1&pageSize=100&showCancellation=true"),
        "cancelled bookings too, and a day earlier: neither zone nor bounds are documented"
    );
    FakeHost::answer(200, &list(&[]));
    let within = Selection::Within(nights("2027-06-01", "2027-07-01"));
    let query = Query { room_type_id: Some("7301".to_owned()), ..Query::new(Entity::Reservation, within) };
    Smoobu::fetch(query).expect("a page");
    let expected = "apartmentId=7301&arrivalTo=2027-07-01&departureFrom=2027-06-01&includePriceElements=true";
    assert!(asked()[0].1.starts_with(&format!("/api/reservations?{expected}&")));
    FakeHost::answer(200, &list(&[]));
    fetch(Entity::Reservation, Selection::Everything, None).expect("a page");
    assert_eq!(asked()[0].1, format!("/api/reservations?{all}page=1&pageSize=100&showCancellation=true"));
    let odd = Query { property_id: Some("x".to_owned()), ..Query::new(Entity::Reservation, Selection::Everything) };
    assert!(matches!(Smoobu::fetch(odd), Err(ChannelError::Malformed(_))), "ids are signed as they are");
}

#[test]
fn the_last_page_says_where_the_next_run_goes_on() {
    begin();
    FakeHost::answer(200, &format!(r#"{{"page_count":2,"page":1,"bookings":[{}]}}"#, booking(&[])));
    let first = fetch(Entity::Reservation, since("2027-04-10T22:30:00Z"), None).expect("a page");
    assert_eq!((first.resume, first.next.as_deref()), (None, Some("2/2027-04-12T08:30:45Z")), "what follows may fail");
    FakeHost::answer(200, r#"{"page_count":2,"page":2,"bookings":[]}"#);
    let last = fetch(Entity::Reservation, since("2027-04-10T22:30:00Z"), first.next.as_deref()).expect("a page");
    assert!(asked()[1].1.contains("&page=2&"));
    assert_eq!(last.next, None);
    assert_eq!(last.resume, Some(ResumePoint::Instant("2027-04-12T08:30:45Z".to_owned())));
}

#[test]
fn pages_end_where_the_count_says_and_where_nothing_comes() {
    begin();
    let next = |body: &str| {
        FakeHost::answer(200, body);
        fetch(Entity::Reservation, Selection::Everything, None).expect("a page").next
    };
    let one = booking(&[("modifiedAt", "null")]);
    assert_eq!(next(r#"{"page_count":0,"page_size":25,"total_items":0,"page":1,"bookings":[]}"#), None);
    assert_eq!(next(r#"{"page_count":9,"page":1,"bookings":[]}"#), None, "no endless pages");
    assert_eq!(next(&format!(r#"{{"page_count":"2","page":"1","bookings":[{one}]}}"#)).as_deref(), Some("2"));
    assert_eq!(next(&format!(r#"{{"bookings":[{one}]}}"#)), None);
}

#[test]
fn one_odd_booking_stops_no_other() {
    begin();
    FakeHost::answer(200, &list(&[r#"{"type":"reservation"}"#.to_owned(), "7".to_owned(), booking(&[])]));
    let page = fetch(Entity::Reservation, Selection::Everything, None).expect("a page");
    let unreadable =
        |at: usize| matches!(&page.changes[at].data, ChangeKind::Unreadable(record) if record.raw.is_some());
    assert!(page.changes.len() == 3 && unreadable(0) && unreadable(1) && !unreadable(2), "{page:?}");
}

#[test]
fn a_booking_by_id_is_not_wrapped_and_a_missing_one_is_gone() {
    begin();
    let some = || Selection::Some(vec!["48101".to_owned(), "48103".to_owned()]);
    FakeHost::answer(200, &booking(&[]));
    let first = fetch(Entity::Reservation, some(), None).expect("a page");
    assert_eq!(asked()[0].1, "/api/reservations/48101?includePriceElements=true&includeRelated=true");
    assert!(matches!(&first.changes[0].data, ChangeKind::Reservation(booking) if booking.id == "48101"));
    FakeHost::answer(404, "<!DOCTYPE html>");
    let second = fetch(Entity::Reservation, some(), first.next.as_deref()).expect("a page");
    let gone = |entity| ChangeKind::Removed(EntityRef { entity, id: "48103".to_owned() });
    let said: Vec<ChangeKind> = second.changes.into_iter().map(|change| change.data).collect();
    assert_eq!(said, [gone(Entity::Reservation), gone(Entity::Block)], "it may have been a block");
    assert_eq!(second.next, None);
    assert_eq!(fetch(Entity::Reservation, Selection::Some(Vec::new()), None).map(|page| page.changes.len()), Ok(0));
}

#[test]
fn what_is_no_answer_is_no_empty_page() {
    begin();
    let error = |status: u16, body: &str| {
        FakeHost::answer(status, body);
        fetch(Entity::Reservation, Selection::Everything, None).expect_err("an error")
    };
    for nothing in ["", "<html>Back soon</html>", "{}", "[]", r#"{"page":1,"bookings":[{"id":1"#, "5"] {
        assert!(matches!(error(200, nothing), ChannelError::Malformed(_)), "{nothing}");
    }
    let refused = r#"{"title":"Error occurred","detail":"verification error"}"#;
    assert_eq!(error(401, refused), ChannelError::Unauthorized("verification error".to_owned()));
    assert!(matches!(error(503, "<html>"), ChannelError::Unavailable(_)));
    let queue = fetch(Entity::Reservation, Selection::Queue("new".to_owned()), None);
    assert_eq!(queue.err(), Some(ChannelError::Unsupported));
    assert_eq!(fetch(Entity::Guest, Selection::Everything, None).err(), Some(ChannelError::Unsupported));
}
