//! What the host answers, word for word: the OpenAPI document in short, and what operators see of a host with one channel.
//! A changed name, type or word shows as a difference of a file in `snapshots`; `INSTA_UPDATE=always tests/run answers`
//! accepts it.

use std::fmt::Write as _;

use gassync_simulator::beds24::Settings;
use gassync_tests::{
    database::Database,
    host::{self, ACCOUNT, Host, records},
};
use serde_json::{Map, Value};

/// One database is enough: no answer depends on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_standard_api_is_described_as_before() {
    let host = Host::start(Database::sqlite(), &[], None).await;
    let document: Value = host
        .http
        .get(format!("{}/openapi.json", host.base))
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    insta::assert_snapshot!("openapi", in_short(&document));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_see_the_same_words_as_before() {
    let channel = host::channel(Settings { bookings: 3, properties: 1, ..Settings::default() }).await;
    let host = Host::start(Database::sqlite(), &["beds24"], Some(channel.address)).await;
    host.connect(&channel).await;
    let key = host.key(ACCOUNT, "partner").await;
    for (entity, record) in records() {
        host.post(&key, entity, &record).await;
    }
    host.until("the bookings are in the core", async || {
        let links = host.look("sources/beds24/links").await;
        links.as_array().is_some_and(|links| links.iter().filter(|link| link["kind"] == "reservation").count() >= 3)
    })
    .await;
    for (name, path) in
        [("source", "sources/beds24"), ("plugin", "plugins/beds24"), ("keys", "keys"), ("alarms", "alarms")]
    {
        let answer = host.look(path).await;
        // Of a list the form of its first entry, which is the same however many there are.
        let shown = answer.as_array().and_then(|list| list.first()).unwrap_or(&answer);
        insta::assert_json_snapshot!(name, lasting(shown));
    }
    host.stop().await;
}

/// Replaces what differs from run to run.
fn lasting(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            // Whether something has happened yet is a matter of time.
            let shown =
                |key: &str, value| if key.ends_with("At") { "[instant, if any]".into() } else { lasting(value) };
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), shown(key, value))).collect())
        }
        Value::Array(list) => list.iter().map(lasting).collect(),
        Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => "[instant]".into(),
        Value::String(text) if text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit()) => "[hash]".into(),
        Value::String(text) if text.starts_with("gsk_") => "[prefix]".into(),
        Value::String(text) if text.contains("127.0.0.1:") => "[address]".into(),
        Value::Number(_) => "[number]".into(),
        other => other.clone(),
    }
}

/// Each operation with its parameters, bodies and statuses, and each schema with its fields, one per line.
fn in_short(document: &Value) -> String {
    let mut text = String::new();
    let none = Map::new();
    let object = |value: &'_ Value| value.as_object().cloned().unwrap_or_default();
    for (path, methods) in document["paths"].as_object().unwrap_or(&none) {
        for (method, operation) in object(methods) {
            let parameters: Vec<String> =
                operation["parameters"].as_array().into_iter().flatten().map(parameter).collect();
            let body = operation["requestBody"]["content"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(_, body)| kind(&body["schema"]));
            let body = body.collect::<Vec<_>>().join(" | ");
            let responses = object(&operation["responses"]).keys().cloned().collect::<Vec<_>>().join(" ");
            let success = object(&operation["responses"]).iter().find(|(status, _)| status.starts_with('2')).map(
                |(_, response)| {
                    response["content"]
                        .as_object()
                        .into_iter()
                        .flatten()
                        .map(|(_, content)| kind(&content["schema"]))
                        .collect::<Vec<_>>()
                        .join(" | ")
                },
            );
            let _ = writeln!(
                text,
                "{} {path} ({}) {body} -> {} [{responses}]",
                method.to_uppercase(),
                parameters.join(", "),
                success.unwrap_or_default()
            );
        }
    }
    for (name, schema) in object(&document["components"]["schemas"]) {
        let _ = writeln!(text, "{name}: {}", kind(&schema));
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (field, schema) in object(&schema["properties"]) {
            let mark = if required.contains(&field.as_str()) { "" } else { "?" };
            let _ = writeln!(text, "  {field}{mark}: {}", kind(&schema));
        }
    }
    text
}

fn parameter(parameter: &Value) -> String {
    let mark = if parameter["required"] == true { "" } else { "?" };
    format!("{}{mark}: {}", parameter["name"].as_str().unwrap_or_default(), kind(&parameter["schema"]))
}

/// A schema in a few words.
fn kind(schema: &Value) -> String {
    if let Some(target) = schema["$ref"].as_str() {
        return target.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
    }
    for (keyword, sign) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
        if let Some(parts) = schema[keyword].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(sign);
        }
    }
    let base = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|"),
        Value::String(one) => one.clone(),
        _ => "any".to_owned(),
    };
    match (base.as_str(), schema["format"].as_str()) {
        ("array", _) => format!("[{}]", kind(&schema["items"])),
        (_, Some(format)) => format!("{base}({format})"),
        _ => base,
    }
}
