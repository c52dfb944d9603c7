//! Tests of the manifest.

use gassync_plugin::Adapter;
use serde_json::{Value, json};

use crate::{Smoobu, settings::Settings};

fn manifest() -> Value {
    serde_json::from_str(&Smoobu::manifest()).expect("JSON")
}

#[test]
fn the_address_is_a_setting_and_secrets_go_nowhere_else() {
    let manifest = manifest();
    let defaults = Settings::default();
    assert_eq!(manifest["settings"]["properties"]["baseUrl"]["default"], defaults.base_url);
    assert_eq!(manifest["settings"]["properties"]["channelId"]["default"], defaults.channel_id);
    assert_eq!(manifest["hosts"], json!(["GET,POST,PUT,DELETE setting:baseUrl"]));
    let slot = &manifest["credentials"][0];
    assert_eq!((&slot["slot"], &slot["hosts"]), (&json!("smoobu"), &json!(["setting:baseUrl"])));
    let fields: Vec<&Value> = slot["inputs"].as_array().expect("inputs").iter().map(|input| &input["field"]).collect();
    assert_eq!(fields, ["apiKey", "apiSecret"]);
}

#[test]
fn calls_that_nobody_signs_carry_a_token_in_their_address() {
    let manifest = manifest();
    assert_eq!(manifest["routes"].as_array().map(Vec::len), Some(1));
    let route = &manifest["routes"][0];
    assert_eq!((&route["path"], &route["kind"]), (&json!("/"), &json!("ack")));
    assert_eq!(route["verification"], json!({ "kind": "url-token" }));
}

#[test]
fn apartments_bookings_and_a_year_of_nights_are_polled() {
    let manifest = manifest();
    let poll = |entity: &str| {
        let polls = manifest["polls"].as_array().expect("polls");
        polls.iter().find(|poll| poll["entity"] == entity).expect(entity).clone()
    };
    assert_eq!(poll("property")["intervalSeconds"], 86_400);
    let reservation = poll("reservation");
    assert_eq!((&reservation["intervalSeconds"], &reservation["overlapSeconds"]), (&json!(300), &json!(7_200)));
    assert_eq!(poll("calendar")["window"], json!({ "ahead": 365 }));
}

#[test]
fn the_documented_limit_counts_and_its_wait_is_read_by_the_plugin_alone() {
    let limit = &manifest()["rateLimits"][0];
    assert_eq!(
        (&limit["scope"], &limit["windows"]),
        (&json!("credential"), &json!([{ "seconds": 60, "limit": 1000 }]))
    );
    // X-RateLimit-Retry-After may be a point in time: no `resetsIn`, which is a number of seconds.
    assert_eq!(limit["headers"], json!({ "remaining": ["x-ratelimit-remaining"] }));
}

#[test]
fn free_or_taken_is_what_smoobu_makes_of_its_bookings() {
    let manifest = manifest();
    assert_eq!(manifest["decrementsOwnAvailability"], true);
    // Blocks of ours would count as somebody's closings.
    assert_eq!(manifest["computesAvailability"], Value::Null);
}

#[test]
fn the_guests_page_is_hidden_in_every_shape_it_comes_in() {
    let manifest = manifest();
    for around in ["", "/data", "/bookings/*", "/*"] {
        let place = json!(format!("{around}/guest-app-url"));
        assert!(manifest["sensitive"].as_array().expect("places").contains(&place), "{place}");
    }
}
