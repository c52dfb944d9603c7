use gassync_plugin::{
    Answer, Applied, ChannelError, Entity, Fate, HttpRequest, Inbound, News, Pull, Query, Receipt, ReceiptFate,
    Receipts, Refusal, Refused, Reservation, ReservationStatus, Selection, Verdict, testing::FakeHost,
};

use crate::{Expedia, xml::Element};

const NEW: &str = include_str!("../../../fixtures/expedia/notification-new.xml");
const CANCELLED: &str = include_str!("../../../fixtures/expedia/notification-cancelled.xml");

fn post(body: &str) -> HttpRequest {
    let body = Some(body.as_bytes().to_vec());
    HttpRequest { method: "POST".into(), url: "/notifications".into(), headers: Vec::new(), body }
}

fn told(body: &str) -> Reservation {
    match Expedia::decode(post(body)).expect("decoded").changes.remove(0).news {
        News::Reservation(reservation) => reservation,
        other => panic!("{other:?}"),
    }
}

fn answer(body: &str, fate: Option<Fate>) -> Result<Element, ChannelError> {
    let reply = Expedia::respond(post(body), Vec::new(), fate.into_iter().collect())?;
    let envelope = Element::parse(&reply.body)?;
    Ok(envelope.find("Body").and_then(|body| body.children.first()).cloned().expect("a body"))
}

#[test]
fn a_cancellation_carries_ids_and_changes_nothing_else() {
    let cancelled = told(CANCELLED);
    assert_eq!((cancelled.id.as_str(), cancelled.property_id.as_deref()), ("9020000451", Some("4400")));
    assert!(cancelled.rooms.is_empty() && cancelled.total.is_none() && cancelled.guest.is_none());
    assert!(cancelled.stay.is_none() && cancelled.adults.is_none());
}

#[test]
fn what_cannot_be_read_is_refused_at_once_and_what_is_none_is_malformed() {
    let decoded = Expedia::decode(post(&NEW.replace("Start=\"2027-05-30\"", "Start=\"soon\""))).expect("decoded");
    assert!(decoded.changes.is_empty());
    let reply = decoded.reply.expect("a reply");
    let text = String::from_utf8(reply.body).expect("text");
    assert!(text.contains(r#"ShortText="2002""#) && text.contains("Ignored"), "{text}");
    for (right, wrong) in [("2027-04-02T03:00:05-07:00", "2027-04-31T03:00:05-07:00"), ("263.80", "1e999")] {
        let decoded = Expedia::decode(post(&NEW.replace(right, wrong))).expect("decoded");
        assert!(decoded.changes.is_empty() && decoded.reply.is_some(), "{wrong}");
    }
    assert!(matches!(Expedia::decode(post("<Envelope/>")), Err(ChannelError::Malformed(_))));
}

#[test]
fn reasons_have_numbers_and_price_is_none_of_them() {
    let refused = |why, path: &str| {
        Some(Fate::Refused(vec![Refused { why, path: Some(path.to_owned()), text: "because".to_owned() }]))
    };
    for (why, path, code) in [
        (Refusal::UnknownProperty, "/propertyId", "3202"),
        (Refusal::UnknownRoomType, "/rooms/0/roomTypeId", "3203"),
        (Refusal::Invalid, "/rooms/0/ratePlanId", "3204"),
        (Refusal::Invalid, "/checkOut", "3207"),
    ] {
        let body = answer(NEW, refused(why, path)).expect("an answer");
        let error = body.find("Errors/Error").expect("an error");
        assert_eq!(error.attribute("ShortText"), Some(code));
        assert_eq!(body.attribute("ResResponseType"), Some("Ignored"));
    }
    for fate in [refused(Refusal::SoldOut, "/checkIn"), refused(Refusal::NoRate, ""), None] {
        assert!(answer(NEW, fate).is_err(), "Expedia tells it again");
    }
}

#[test]
fn a_cancellation_is_answered_with_our_number() {
    let at = "2027-04-04T10:00:06Z".to_owned();
    let applied = Applied { verdict: Verdict::Updated, our_reference: "GAS-300".to_owned(), at };
    let body = answer(CANCELLED, Some(Fate::Applied(applied))).expect("an answer");
    assert_eq!(body.name, "OTA_CancelRS");
    assert_eq!(body.attribute("Status"), Some("Cancelled"));
    let ours = body.find("CancelInfoRS/UniqueID").expect("a number");
    assert_eq!((ours.attribute("Type"), ours.attribute("ID")), (Some("10"), Some("GAS-300")));
}

fn fetch(query: &Query, answer: &str) -> Result<gassync_plugin::Page, ChannelError> {
    FakeHost::reset();
    FakeHost::answer(200, answer);
    Expedia::fetch(query.clone())
}

#[test]
fn errors_behind_a_success_are_told_apart() {
    let query = Query::new(Entity::Reservation, Selection::Pending("bookings".to_owned()));
    let error = |code: &str| {
        let body = format!(r#"<BookingRetrievalRS><Error code="{code}">x</Error></BookingRetrievalRS>"#);
        fetch(&query, &body).expect_err("an error")
    };
    assert!(matches!(error("1001"), ChannelError::Unauthorized(_)));
    assert!(matches!(error("4002"), ChannelError::Unavailable(_)));
    assert!(matches!(error("3010"), ChannelError::Rejected(_)));
    let property =
        Query { property_id: Some("4400".to_owned()), ..Query::new(Entity::Reservation, Selection::Everything) };
    let refused = fetch(&property, include_str!("../../../fixtures/expedia/graphql-refused.json"));
    assert!(matches!(refused, Err(ChannelError::Rejected(errors)) if errors[0].path == "/property"));
}

#[test]
fn a_web_page_is_no_empty_queue_and_confirms_nothing() {
    let page = "<html><body>Back soon.</body></html>";
    let query = Query::new(Entity::Reservation, Selection::Pending("bookings".to_owned()));
    assert!(matches!(fetch(&query, page), Err(ChannelError::Malformed(why)) if why.starts_with("html: ")));
    FakeHost::answer(200, page);
    let at = "2027-04-02T10:20:00Z".to_owned();
    let receipt = Receipt {
        token: "4400/Book".to_owned(),
        external_id: "1".to_owned(),
        our_reference: Some("GAS-1".to_owned()),
        fate: ReceiptFate::Applied,
        at,
    };
    assert!(matches!(Expedia::acknowledge(vec![receipt]), Err(ChannelError::Malformed(_))));
}

#[test]
fn one_booking_a_request() {
    let ids = vec!["1".to_owned(), "2".to_owned()];
    let mut query = Query::new(Entity::Reservation, Selection::Some(ids));
    let empty = "<BookingRetrievalRS><Bookings/></BookingRetrievalRS>";
    let first = fetch(&query, empty).expect("a page");
    assert_eq!(first.next.as_deref(), Some("1"));
    query.cursor = first.next;
    assert_eq!(fetch(&query, empty).expect("a page").next, None);
    let sent = FakeHost::take_requests();
    let body = String::from_utf8(sent[0].body.clone().unwrap_or_default()).expect("text");
    assert!(body.contains(r#"<Booking id="2"/>"#), "{body}");
    assert!(body.contains(r#"username="{{expedia.username|xml}}""#), "{body}");
}

#[test]
fn what_a_channel_wrote_names_no_secret() {
    let braces = "a{{expedia.password}}";
    let mut query = Query::new(Entity::Reservation, Selection::Everything);
    query.property_id = Some("4400".to_owned());
    query.cursor = Some(braces.to_owned());
    fetch(&query, include_str!("../../../fixtures/expedia/graphql-page.json")).expect("a page");
    let sent = FakeHost::take_requests().remove(0).body.unwrap_or_default();
    // The token is meant in the header alone: between braces in the body stands what the channel wrote.
    assert_eq!(FakeHost::secrets_meant(), ["graphql.token"]);
    let read: serde_json::Value = serde_json::from_slice(&sent).expect("JSON");
    assert_eq!(read["variables"]["cursor"], braces);
}

#[test]
fn a_word_nobody_knows_is_passed_on() {
    let booking = r#"<BookingRetrievalRS><Bookings><Booking id="1" type="Hold"><Hotel id="4400"/></Booking></Bookings>
        </BookingRetrievalRS>"#;
    let query = Query::new(Entity::Reservation, Selection::Everything);
    let page = fetch(&query, booking).expect("a page");
    assert!(matches!(&page.changes[0].news, News::Reservation(r)
        if matches!(&r.status, ReservationStatus::Other(word) if word == "Hold")));
}

#[test]
fn without_a_number_of_ours_nothing_is_confirmed() {
    FakeHost::reset();
    let receipt = Receipt {
        token: "4400/Book".to_owned(),
        external_id: "1".to_owned(),
        our_reference: None,
        fate: ReceiptFate::Applied,
        at: "2027-04-02T10:20:00Z".to_owned(),
    };
    let said = Expedia::acknowledge(vec![receipt]).expect("said");
    assert!(said[0].is_some() && FakeHost::take_requests().is_empty());
}
