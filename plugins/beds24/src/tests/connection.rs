//! Tests of the connection test.

use gassync_plugin::{ChannelError, Connection, Report, testing::FakeHost};
use serde_json::json;

use super::asked;
use crate::Beds24;

fn check(settings: &str, scopes: &[&str]) -> Report {
    FakeHost::reset();
    FakeHost::set_settings(settings);
    let details = json!({
        "validToken": true,
        "token": {
            "ownerId": 7700, "expiresIn": 86000, "created": "2027-01-04T09:00:01Z", "scopes": scopes, "deviceName": "GasSync",
            "linkedProperties": false, "onlyPropertyId": null, "whiteListOnly": false, "whiteList": []
        },
        "diagnostics": { "requestIp": "203.0.113.9" }
    });
    FakeHost::answer(200, &details.to_string());
    Beds24::check().expect("a report")
}

const READ: [&str; 4] = ["read:bookings", "read:bookings-personal", "read:inventory", "read:properties"];

#[test]
fn a_token_says_who_it_is_and_what_it_lacks() {
    let report = check("{}", &READ);
    assert_eq!(asked()[0].1, "/authentication/details");
    assert_eq!((report.account.as_deref(), report.scopes.len()), (Some("7700"), 4));
    let lacks: Vec<&str> = report.missing.iter().filter_map(|text| Some(text.split_once(": ")?.0)).collect();
    assert_eq!(lacks, ["write:bookings", "write:inventory", "write:properties"]);
    assert!(report.extra.contains(&("requestIp".to_owned(), r#""203.0.113.9""#.to_owned())), "{:?}", report.extra);
    assert!(report.extra.contains(&("linkedProperties".to_owned(), "false".to_owned())));
}

#[test]
fn a_scope_may_cover_more_than_one_deed() {
    let all = ["all:bookings", "read:bookings-personal", "inventory", "all:properties"];
    assert!(check("{}", &all).missing.is_empty());
    let missing = check(r#"{"invoiceLines":true}"#, &all).missing;
    assert_eq!(missing, ["read:bookings-financial: without it invoices are not read"]);
    let without_guests = check("{}", &["all:bookings", "all:inventory", "all:properties"]).missing;
    assert_eq!(without_guests, ["read:bookings-personal: without it bookings come without guests"]);
}

#[test]
fn expired_tokens_are_reported() {
    let error = |status: u16, body: &str| {
        FakeHost::reset();
        FakeHost::answer(status, body);
        Beds24::check().expect_err("an error")
    };
    let refused = r#"{"success":false,"type":"error","code":401,"error":"Token not valid"}"#;
    for (status, body) in
        [(401, refused), (200, refused), (200, r#"{"validToken":false}"#), (200, r#"{"validToken":false,"token":{}}"#)]
    {
        assert!(matches!(error(status, body), ChannelError::Unauthorized(_)), "{body}");
    }
    assert!(matches!(error(200, "{}"), ChannelError::Malformed(_)));
    assert!(matches!(error(200, "<html>"), ChannelError::Malformed(_)));
    assert!(matches!(error(503, ""), ChannelError::Unavailable(_)));
}
