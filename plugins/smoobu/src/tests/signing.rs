//! Tests of signatures, and of what refusals mean.

use gassync_plugin::{ChannelError, FieldError, Header, HttpResponse, http, testing::FakeHost};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{json, value::RawValue};
use sha2::Sha256;

use crate::{
    refusal,
    signature::{Request, uuid},
};

const AT: &str = "2027-03-04T05:06:07Z";
const NONCE: &str = "0f8a1c52-9d3e-4b67-8a10-3c5e7d9f1b24";

/// Signs as the host does: with the secret, over the text with the key filled in.
fn signed(base_url: &str, request: Request) -> (String, String) {
    FakeHost::reset();
    FakeHost::set_settings(&json!({ "baseUrl": base_url }).to_string());
    FakeHost::sign_with(|slot, field, algorithm, text| {
        assert_eq!((slot, field, algorithm), ("smoobu", "apiSecret", "hmac-sha256"));
        let text = String::from_utf8(text.to_vec()).expect("text");
        let text = text.replace("{{smoobu.apiKey}}", "usr_live_k7m2sketch");
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Xx-not-a-real-secret-91").expect("a key");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    });
    drop(request.send_as(AT, NONCE));
    assert_eq!(FakeHost::secrets_meant(), ["smoobu.apiKey"]);
    let sent = FakeHost::take_requests().remove(0);
    assert!(!format!("{sent:?}").contains("usr_live"), "the key stays a placeholder");
    let header = |name: &str| sent.headers.iter().find(|header| header.name == name).expect("signed").value.clone();
    assert_eq!((header("X-Timestamp"), header("X-Nonce")), (AT.to_owned(), NONCE.to_owned()));
    (sent.url.clone(), header("X-Signature"))
}

/// The expected signatures were computed independently of this code.
#[test]
fn signatures_are_those_of_the_rule() {
    let list = || {
        let list = Request::get("/api/reservations").query("pageSize", "100").query("page", "2");
        list.query("modifiedFrom", "2027-03-01")
    };
    let expected = "TnRFjjqEViYUTaos4QXbQQQHja15DoqzWLrgCwlFQj8=";
    let sorted = "/api/reservations?modifiedFrom=2027-03-01&page=2&pageSize=100";
    for base in ["https://login.smoobu.example", "https://login.smoobu.example/", "http://127.0.0.1:8099"] {
        let (url, signature) = signed(base, list());
        assert_eq!((url, signature.as_str()), (format!("{}{sorted}", base.trim_end_matches('/')), expected));
    }
    let block = r#"{"arrivalDate":"2027-05-02","departureDate":"2027-05-04","channelId":11,"apartmentId":7301}"#;
    let block = RawValue::from_string(block.to_owned()).expect("JSON");
    let made = Request::post("/api/reservations", &block).expect("a request");
    let (_, signature) = signed("https://login.smoobu.example", made);
    assert_eq!(signature, "0ZhS0wICRVejRbQhBxO7cZ6VE6hbx6PEiLIT3OFzB5w=");
}

#[test]
fn each_attempt_is_signed_anew() {
    super::begin();
    let nonce = || {
        drop(Request::get("/api/me").send());
        let sent = FakeHost::take_requests().remove(0);
        let header =
            |name: &str| sent.headers.iter().find(|header| header.name == name).expect("a header").value.clone();
        assert_eq!(header("X-Timestamp"), AT, "whole seconds");
        header("X-Nonce")
    };
    assert_ne!(nonce(), nonce());
    assert!(uuid([255; 16]).starts_with("ffffffff-ffff-4fff-bfff-"));
}

#[test]
fn without_key_and_secret_nothing_is_sent() {
    FakeHost::reset();
    assert!(matches!(Request::get("/api/me").send(), Err(ChannelError::Unauthorized(_))));
    assert!(FakeHost::take_requests().is_empty());
}

fn refused(status: u16, headers: &[(&str, &str)], body: &str) -> ChannelError {
    FakeHost::reset();
    let headers = headers.iter().map(|(name, value)| Header { name: (*name).into(), value: (*value).into() });
    FakeHost::answer_with(Ok(HttpResponse { status, headers: headers.collect(), body: body.into() }));
    FakeHost::set_now(AT);
    refusal::of(&http::Request::get("https://login.smoobu.example").send().expect("an answer"))
}

#[test]
fn a_wait_is_seconds_or_its_end() {
    let wait = |headers: &[(&str, &str)]| match refused(429, headers, "") {
        ChannelError::RateLimited(seconds) => seconds,
        other => panic!("{other:?}"),
    };
    let own = "X-RateLimit-Retry-After";
    assert_eq!(wait(&[("Retry-After", "120"), (own, "30")]), Some(30), "its own word first");
    assert_eq!(wait(&[(own, "1804136800")]), Some(33), "a point in time");
    assert_eq!(wait(&[(own, "1000000001")]), Some(0), "one that is past");
    assert_eq!((wait(&[("retry-after", "120"), (own, "soon")]), wait(&[])), (Some(120), None));
}

#[test]
fn the_words_of_a_refusal_stand_in_either_place() {
    let said = |status: u16, body: &str| match refused(status, &[], body) {
        ChannelError::Rejected(errors) => errors,
        other => panic!("{other:?}"),
    };
    let detail = r#"{"title":"Error occurred","detail":"apartment is not available"}"#;
    for status in [400, 422] {
        assert_eq!(said(status, detail), [FieldError::new("", "apartment is not available")]);
    }
    let inside = r#"{"title":"x","detail":"Failed","validation_messages":{"error":"not available"}}"#;
    assert_eq!(said(422, inside), [FieldError::new("", "not available")]);
    let fields = r#"{"validation_messages":{"email":["is no address"],"lastName":{"isEmpty":"is required"},"x":7}}"#;
    assert_eq!(
        said(400, fields),
        [FieldError::new("/email", "is no address"), FieldError::new("/lastName", "is required")]
    );
    assert_eq!(said(400, r#"{"title":"Bad","validation_messages":[]}"#), [FieldError::new("", "Bad")]);
    assert_eq!(said(404, "<!DOCTYPE html><h1>Oops</h1>"), [FieldError::new("", "status 404")], "no page is shown");
    let key = r#"{"title":"Error occurred","detail":"verification error"}"#;
    assert_eq!(refused(401, &[], key), ChannelError::Unauthorized("verification error".to_owned()));
    assert!(matches!(refused(502, &[], "<html>"), ChannelError::Unavailable(_)));
}
