//! Tests of webhook subscriptions beside those of other systems.

use gassync_plugin::{ChannelError, Connection, Subscribed, state, testing::FakeHost};
use serde_json::{Value, json};

use super::{asked, page};
use crate::Beds24;

/// Mark at the end of our lines in these tests.
const MARK: &str = "by=gassync-1970abc";
/// Our URL, after the host filled its placeholders.
const OURS: &str = "https://gas.example/w/9?by=gassync-1970abc";
const OURS_BESIDE: &str = "https://gas.example/w/9/v1?token=t0ken&by=gassync-1970abc";
const OTHER: &str = " https://other.example/hook?key=k1 ";

fn fresh() {
    FakeHost::reset();
    state::set("webhook-mark", &MARK).expect("kept");
}

fn answer_houses(houses: &[Value]) {
    let houses: Vec<String> = houses.iter().map(Value::to_string).collect();
    FakeHost::answer(200, &page(&houses.join(","), false));
}

fn house(webhooks: &Value) -> Value {
    json!({ "id": 4100, "name": "Molen", "webhooks": webhooks })
}

/// Returns the webhook written to one property, if any, and the result if Beds24 accepts it.
fn subscribed_to(webhooks: &Value) -> (Option<Value>, Subscribed) {
    fresh();
    answer_houses(&[house(webhooks)]);
    FakeHost::answer(201, r#"[{"success":true,"modified":{"webhooks":{}}}]"#);
    let subscribed = Beds24::subscribe("{{webhook.url}}".to_owned()).expect("subscribed");
    let written = asked().into_iter().find(|(method, ..)| method == "POST");
    (written.map(|(_, _, body)| body[0]["webhooks"].clone()), subscribed)
}

fn unsubscribed_from(webhooks: &Value) -> (Option<Value>, Vec<String>) {
    fresh();
    answer_houses(&[house(webhooks)]);
    FakeHost::answer(201, r#"[{"success":true,"modified":{"webhooks":{}}}]"#);
    let gone = Beds24::unsubscribe(vec!["4100".to_owned()]).expect("unsubscribed");
    let written = asked().into_iter().find(|(method, ..)| method == "POST");
    (written.map(|(_, _, body)| body[0]["webhooks"].clone()), gone)
}

#[test]
fn webhooks_are_registered_for_every_property_with_placeholders() {
    FakeHost::reset();
    FakeHost::set_now("2027-01-04T09:00:00Z");
    let named = |id: u32, name: &str| json!({ "id": id, "name": name, "webhooks": { "url": "", "customHeader": "" } });
    answer_houses(&[named(4100, "Huis aan Zee"), named(4101, "Schuur"), named(4102, "Molen")]);
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
    let mark: String = state::get("webhook-mark").expect("read").expect("remembered");
    let webhooks = json!({
        "version": "twoWithPersonalData", "url": format!("{{{{webhook.url}}}}?{mark}"), "additionalData": "none",
        "customHeader": "X-GasSync-Token: {{webhook.token}}"
    });
    assert_eq!(body[0], json!({ "id": 4100, "webhooks": webhooks }));
    assert_eq!(subscribed.ids, ["4100", "4101"]);
    let steps = &subscribed.steps;
    assert_eq!(steps.len(), 3, "{steps:?}");
    assert!(steps[0].starts_with("Schuur (4101): Beds24 does not repeat"));
    assert!(steps[1].starts_with("Molen (4102) has no booking webhook of ours yet (no access)"), "{steps:?}");
    assert!(steps[2].contains("inventory webhook"), "which no call can set");
}

#[test]
fn another_systems_webhook_stays_and_ours_is_one_more_line() {
    for version in ["one", "twoNoPersonalData", "twoWithPersonalData"] {
        let there = json!({ "version": version, "url": OTHER, "additionalData": "none", "customHeader": "***" });
        let (written, subscribed) = subscribed_to(&there);
        let ours = format!("{{{{webhook.url}}}}/v1?token={{{{webhook.token}}}}&{MARK}");
        // Version, additional data and header are unchanged: they belong to the other system.
        assert_eq!(written.expect("written"), json!({ "url": format!("{OTHER}\n{ours}") }), "{version}");
        assert_eq!(subscribed.ids, ["4100"]);
        let keeps = subscribed.steps.iter().find(|step| step.contains("keeps its version"));
        assert_eq!(keeps.is_some(), version != "twoWithPersonalData", "{:?}", subscribed.steps);
    }
}

#[test]
fn ours_is_entered_once() {
    for url in [format!("{OTHER}\n{OURS_BESIDE}"), format!("{OURS_BESIDE}\n{OTHER}"), OURS.to_owned()] {
        let there = json!({ "version": "twoWithPersonalData", "url": url, "additionalData": "none" });
        let (written, subscribed) = subscribed_to(&there);
        assert_eq!((written, subscribed.ids), (None, vec!["4100".to_owned()]), "{url}");
    }
    // Our webhook in another version: alone it is corrected; beside another one it stays, with a manual step.
    let alone = json!({ "version": "one", "url": OURS, "additionalData": "CVC" });
    let best = json!({ "version": "twoWithPersonalData", "additionalData": "none" });
    assert_eq!(subscribed_to(&alone).0, Some(best));
    let beside = json!({ "version": "one", "url": format!("{OTHER}\n{OURS_BESIDE}") });
    let (written, subscribed) = subscribed_to(&beside);
    assert!(written.is_none() && subscribed.steps[0].contains("keeps its version 1"), "{:?}", subscribed.steps);
    // The line of another connection of ours is treated like any other system's.
    let theirs = json!({ "version": "twoWithPersonalData", "url": "https://gas.example/w/8?by=gassync-1970def" });
    assert!(
        subscribed_to(&theirs).0.expect("written")["url"].as_str().is_some_and(|url| url.contains("\n{{webhook.url}}"))
    );
}

#[test]
fn what_is_not_shown_is_not_written_over() {
    for (there, why) in [
        (json!({ "version": "one", "url": "***", "customHeader": "***" }), "is not shown to us"),
        (json!({ "url": format!("{OTHER}\n***") }), "is not shown to us"),
        (json!({ "url": OTHER, "additionalData": "CVCAndToken" }), "carry card data"),
        (json!({ "url": "https://other.example/{{webhook.token}}" }), "has an address with {{ in it"),
    ] {
        let (written, subscribed) = subscribed_to(&there);
        assert!(written.is_none() && subscribed.ids.is_empty(), "{there}");
        let step = &subscribed.steps[0];
        assert!(step.starts_with("Molen (4100): ") && step.contains(why) && step.contains("one more line"), "{step}");
    }
    // A header without a URL is kept too: our calls are then authenticated by the token in the URL.
    let header = json!({ "url": "", "customHeader": "***" });
    let written = subscribed_to(&header).0.expect("written");
    let url = format!("{{{{webhook.url}}}}/v1?token={{{{webhook.token}}}}&{MARK}");
    assert_eq!(written, json!({ "version": "twoWithPersonalData", "url": url, "additionalData": "none" }));
}

#[test]
fn only_ours_is_taken_away() {
    let gone = vec!["4100".to_owned()];
    for (there, written) in [
        (json!({ "url": OURS, "customHeader": "X-GasSync-Token: t" }), json!({ "url": "", "customHeader": "" })),
        (
            json!({ "url": OURS, "customHeader": "X-Other: 1\nx-gassync-token: t" }),
            json!({ "url": "", "customHeader": "X-Other: 1" }),
        ),
        // Hidden headers are never overwritten.
        (json!({ "url": OURS, "customHeader": "***" }), json!({ "url": "" })),
        (json!({ "url": format!("{OTHER}\n{OURS_BESIDE}"), "customHeader": "X-Other: 1" }), json!({ "url": OTHER })),
        (
            json!({ "url": format!("a\n{OURS_BESIDE}\r\nb"), "customHeader": "X-GasSync-Token: theirs" }),
            json!({ "url": "a\nb" }),
        ),
    ] {
        assert_eq!(unsubscribed_from(&there), (Some(written), gone.clone()), "{there}");
    }
    assert_eq!(unsubscribed_from(&json!({ "url": OTHER })), (None, gone.clone()), "ours is not there");
    assert_eq!(unsubscribed_from(&json!({ "url": "***" })), (None, Vec::new()), "nobody knows what is there");
}

#[test]
fn a_house_is_let_go_once_beds24_says_so() {
    fresh();
    let named = |id: u32| json!({ "id": id, "webhooks": { "url": OURS } });
    answer_houses(&[named(4100), named(4101), named(4102), named(4103)]);
    let results = json!([{ "success": true, "modified": { "webhooks": { "url": "" } } }, { "success": true }, { "success": false }]);
    FakeHost::answer(201, &results.to_string());
    let gone = Beds24::unsubscribe(["4100", "4101", "4102"].map(str::to_owned).to_vec()).expect("unsubscribed");
    assert_eq!(gone, ["4100"]);
    assert_eq!(asked()[1].2.as_array().map(Vec::len), Some(3), "of the fourth nobody spoke");
    assert_eq!(Beds24::unsubscribe(Vec::new()), Ok(Vec::new()));
    assert!(matches!(Beds24::unsubscribe(vec!["attic".to_owned()]), Err(ChannelError::Malformed(_))));
    FakeHost::answer(429, "{}");
    assert!(matches!(Beds24::unsubscribe(vec!["4100".to_owned()]), Err(ChannelError::RateLimited(None))));
    answer_houses(&[named(4100)]);
    FakeHost::answer(503, "");
    assert!(matches!(Beds24::unsubscribe(vec!["4100".to_owned()]), Err(ChannelError::Unavailable(_))));
    // Without a stored mark, the source recognises no line as its own.
    FakeHost::reset();
    answer_houses(&[named(4100)]);
    assert_eq!(Beds24::unsubscribe(vec!["4100".to_owned()]), Ok(Vec::new()));
}
