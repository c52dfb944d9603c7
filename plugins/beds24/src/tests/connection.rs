//! How the connection stands, and who tells Beds24 to call us.

use gassync_plugin::{ChannelError, Connection, Report, testing::FakeHost};
use serde_json::json;

use super::{asked, page};
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
fn a_token_that_is_dead_is_told_as_such() {
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

#[test]
fn every_house_is_told_to_call_us_and_secrets_stay_placeholders() {
    FakeHost::reset();
    let house =
        |id: u32, name: &str, url: &str| format!(r#"{{"id":{id},"name":"{name}","webhooks":{{"url":"{url}"}}}}"#);
    let houses = [house(4100, "Huis aan Zee", ""), house(4101, "Schuur", "hidden"), house(4102, "Molen", "")].join(",");
    FakeHost::answer(200, &page(&houses, false));
    let results = json!([
        { "success": true, "modified": { "webhooks": { "version": "twoWithPersonalData" } } },
        { "success": true },
        { "success": false, "errors": [{ "field": "webhooks", "message": "no access" }] }
    ]);
    FakeHost::answer(201, &results.to_string());
    let subscribed = Beds24::subscribe("{{webhook.url}}".to_owned()).expect("subscribed");
    assert_eq!(FakeHost::secrets_meant(), ["beds24.token", "body:webhook.url", "body:webhook.token"]);
    let (method, path, body) = asked().remove(1);
    assert_eq!((method.as_str(), path.as_str()), ("POST", "/properties"));
    let webhooks = json!({
        "version": "twoWithPersonalData", "url": "{{webhook.url}}", "additionalData": "none",
        "customHeader": "X-GasSync-Token: {{webhook.token}}"
    });
    assert_eq!(body[0], json!({ "id": 4100, "webhooks": webhooks }));
    assert_eq!(subscribed.ids, ["4100", "4101"]);
    let steps = &subscribed.steps;
    assert_eq!(steps.len(), 4, "{steps:?}");
    assert!(steps[0].starts_with("Schuur (4101) had a booking webhook") && steps[1].starts_with("Schuur (4101): "));
    assert!(steps[2].starts_with("Molen (4102) has no booking webhook yet (no access)"), "{steps:?}");
    assert!(steps[3].contains("inventory webhook"), "which no call can set");
}

#[test]
fn a_house_is_let_go_once_beds24_says_so() {
    FakeHost::reset();
    let results = json!([{ "success": true, "modified": { "webhooks": { "url": "" } } }, { "success": true }, { "success": false }]);
    FakeHost::answer(201, &results.to_string());
    let gone = Beds24::unsubscribe(["4100", "4101", "4102"].map(str::to_owned).to_vec()).expect("unsubscribed");
    assert_eq!(gone, ["4100"]);
    assert_eq!(asked()[0].2[0], json!({ "id": 4100, "webhooks": { "url": "", "customHeader": "" } }));
    assert_eq!(Beds24::unsubscribe(Vec::new()), Ok(Vec::new()));
    assert!(matches!(Beds24::unsubscribe(vec!["attic".to_owned()]), Err(ChannelError::Malformed(_))));
    FakeHost::answer(429, "{}");
    assert!(matches!(Beds24::unsubscribe(vec!["4100".to_owned()]), Err(ChannelError::RateLimited(None))));
    FakeHost::answer(503, "");
    assert!(matches!(Beds24::unsubscribe(vec!["4100".to_owned()]), Err(ChannelError::Unavailable(_))));
}
