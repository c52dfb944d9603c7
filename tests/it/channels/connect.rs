//! Connecting: what the channel sells becomes known, and wrong credentials are refused.

use gassync_simulator::SimulatedChannel;
use gassync_tests::{database::Database, host::read};
use serde_json::json;

use super::stage::{Stage, settings};

pub async fn properties_and_rooms_are_linked(channel: &SimulatedChannel, database: Database) {
    let stage = Stage::open(channel, database, "0", settings(channel)).await;
    let links = stage.links().await;
    let mut expected = Vec::new();
    for property in stage.account().properties() {
        expected.push(("property".to_owned(), property.id));
        expected.extend(property.room_types.into_iter().map(|room| ("room_type".to_owned(), room.id)));
    }
    expected.sort();
    assert_eq!(links.into_keys().collect::<Vec<_>>(), expected);
    let source = stage.host.look(&format!("sources/{}", stage.name())).await;
    assert_eq!((&source["status"], &source["listening"]), (&json!("active"), &json!(true)), "{source}");
    stage.host.stop().await;
}

pub async fn wrong_credentials_are_refused_or_reported(channel: &SimulatedChannel, database: Database) {
    let stage = Stage::open(channel, database, "0", settings(channel)).await;
    let wrong = stage.account().credentials().into_keys().map(|field| (field, json!("wrong")));
    let new = json!({
        "account": "Other Holidays", "channel": stage.name(), "name": "wrong",
        "settings": stage.account().settings(stage.channel.address),
        "credentials": serde_json::Value::Object(wrong.collect()),
    });
    let (status, answer) = read(stage.host.operate("sources", &new).await).await;
    if status < 400 {
        // Credentials that are not exchanged for a token prove wrong when they are used.
        let is_reported = async || {
            let source = stage.host.look("sources/wrong").await;
            source["status"] != "active" || source["failing"][0].is_object()
        };
        stage.host.until("they are reported", is_reported).await;
    } else {
        let sources = stage.host.look("sources").await;
        assert_eq!(sources.as_array().map(Vec::len), Some(1), "nothing is left of it: {answer}: {sources}");
    }
    stage.host.stop().await;
}
