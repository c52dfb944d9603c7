//! Tests of the connection test, and of what a person has to do.

use gassync_plugin::{ChannelError, Connection, testing::FakeHost};

use super::{asked, begin, booking, webhook};
use crate::Smoobu;

#[test]
fn a_key_is_tested_by_asking_whose_it_is() {
    begin();
    FakeHost::answer(200, r#"{"id":912,"firstName":"Signe","lastName":"Holm","email":"signe@example.org"}"#);
    let report = Smoobu::check().expect("a report");
    assert_eq!(asked()[0].1, "/api/me");
    assert_eq!((report.account.as_deref(), report.missing.len()), (Some("912"), 0));
    assert!(report.extra.contains(&("name".to_owned(), r#""Signe Holm""#.to_owned())), "{:?}", report.extra);
    let error = |status: u16, body: &str| {
        FakeHost::answer(status, body);
        Smoobu::check().expect_err("an error")
    };
    let refused = r#"{"title":"Error occurred","detail":"verification error"}"#;
    assert_eq!(error(401, refused), ChannelError::Unauthorized("verification error".to_owned()));
    assert!(matches!(error(200, "<html>"), ChannelError::Malformed(_)));
    assert!(matches!(error(200, "{}"), ChannelError::Malformed(_)));
    assert!(matches!(error(503, ""), ChannelError::Unavailable(_)));
}

#[test]
fn webhooks_are_entered_by_hand() {
    begin();
    let subscribed = Smoobu::subscribe("{{webhook.url}}".to_owned()).expect("steps");
    assert!(subscribed.ids.is_empty() && subscribed.steps[0].contains("API Keys"), "{subscribed:?}");
    assert_eq!(Smoobu::unsubscribe(vec!["1".to_owned()]), Ok(Vec::new()));
    assert!(FakeHost::take_requests().is_empty());
}

#[test]
fn calls_of_another_user_are_refused() {
    begin();
    assert_eq!(webhook("newReservation", &booking(&[])).expect("decoded").len(), 1, "not known yet");
    FakeHost::answer(200, r#"{"id":912}"#);
    Smoobu::check().expect("a report");
    let ours = webhook("newReservation", &booking(&[])).expect("decoded");
    assert_eq!(ours[0].route.account.as_deref(), Some("912"));
    FakeHost::answer(200, r#"{"id":"913"}"#);
    Smoobu::check().expect("a report");
    let theirs = webhook("newReservation", &booking(&[]));
    assert!(matches!(theirs, Err(ChannelError::Malformed(why)) if why.starts_with("/user: ")));
}
