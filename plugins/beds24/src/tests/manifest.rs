//! Tests of the manifest.

use gassync_plugin::Adapter;
use serde_json::Value;

use crate::{Beds24, webhooks};

fn manifest() -> Value {
    serde_json::from_str(&Beds24::manifest()).expect("JSON")
}

#[test]
fn calls_are_verified_by_the_registered_header() {
    let manifest = manifest();
    let routes = manifest["routes"].as_array().expect("routes");
    let root = routes.iter().find(|route| route["path"] == "/").expect("the address itself");
    assert_eq!(root["verification"]["header"], webhooks::HEADER);
    let tokens = routes.iter().filter(|route| route["verification"]["kind"] == "url-token");
    let tokens: Vec<&Value> = tokens.collect();
    assert_eq!(tokens.iter().map(|route| route["path"].clone()).collect::<Vec<_>>(), ["/v1", "/inventory"]);
    let either = tokens.iter().find(|route| route["path"] == webhooks::EITHER_VERSION).expect("beside other systems");
    assert_eq!(either["methods"], serde_json::json!(["GET", "POST"]), "version 1 and version 2");
}

#[test]
fn houses_bookings_and_a_year_of_nights_are_polled() {
    let manifest = manifest();
    let poll = |entity: &str| {
        let polls = manifest["polls"].as_array().expect("polls");
        polls.iter().find(|poll| poll["entity"] == entity).expect(entity).clone()
    };
    assert_eq!(poll("property")["intervalSeconds"], 86_400);
    assert_eq!(
        (&poll("reservation")["intervalSeconds"], &poll("reservation")["overlapSeconds"]),
        (&300.into(), &120.into())
    );
    assert_eq!(
        (&poll("calendar")["intervalSeconds"], &poll("calendar")["window"]["ahead"]),
        (&86_400.into(), &365.into())
    );
}

#[test]
fn credits_are_counted_in_both_spellings_and_one_call_at_a_time() {
    let limit = &manifest()["rateLimits"][0];
    assert_eq!((&limit["windows"][0]["limit"], &limit["oneAtATime"]), (&100.into(), &true.into()));
    for (what, names) in [
        ("remaining", ["x-five-min-limit-remaining", "x-fivemincreditlimit-remaining"]),
        ("resetsIn", ["x-five-min-limit-resets-in", "x-fivemincreditlimit-resetsin"]),
        ("cost", ["x-request-cost", "x-requestcost"]),
    ] {
        assert_eq!(limit["headers"][what], serde_json::json!(names));
    }
}

#[test]
fn what_nobody_may_keep_is_hidden_in_every_shape_it_comes_in() {
    let manifest = manifest();
    let hidden: Vec<&str> =
        manifest["sensitive"].as_array().expect("places").iter().filter_map(Value::as_str).collect();
    for around in ["", "/*", "/booking", "/*/booking", "/data/*"] {
        for inside in ["stripeToken", "pcibookingToken", "infoItems/*/text"] {
            assert!(hidden.contains(&&*format!("{around}/{inside}")), "{around}/{inside}");
        }
    }
    for around in ["/data/*", "/*/modified"] {
        // Other systems' URLs may contain tokens, as ours does.
        for what in ["customHeader", "url"] {
            assert!(hidden.contains(&&*format!("{around}/webhooks/{what}")), "{around}/{what}");
        }
    }
}
