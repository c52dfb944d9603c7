//! The OpenAPI document of the standard API, generated from the code.

use std::sync::LazyLock;

use axum::{
    Router,
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};
use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{
    ApiState, availability, changes, core_events, decisions, guests, properties, rate_plans,
    records::RecordOutcome,
    reservations, room_types, sync, webhook_deliveries,
    webhook_messages::{self, MessageData},
    webhooks,
};
use crate::http::problem::Document;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "GasSync standard API",
        description = "Send and read properties, room types, rate plans, reservations, guests and calendars. Send \
                       properties first, then room types and rate plans, then reservations: a record that \
                       references an unknown one is parked and applied once that arrives. Unknown fields are stored and \
                       never an error. Money may be a number or a string. Values that do not match a request schema \
                       are mended and listed in `warnings` if the record reports a fact, \
                       and rejected with `strict=true` or a strict key. \
                       See `/docs` for a guide.",
        contact(name = "The platform team of this host"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This host")),
    tags(
        (name = "properties", description = "Houses and hotels."),
        (name = "room-types", description = "Room types of a property."),
        (name = "rate-plans", description = "Rate plans and their conditions."),
        (name = "reservations", description = "Reservations of the source."),
        (name = "availability", description = "Availability, prices and rules by night."),
        (name = "guests", description = "Guests and bookers."),
        (name = "changes", description = "The change feed."),
        (name = "sync", description = "Status of synchronisation and sync log."),
        (name = "webhooks", description = "Webhook subscriptions and their deliveries."),
        (name = "core", description = "For the property-management system itself."),
    ),
    paths(
        properties::post, properties::list, properties::one, properties::withdraw,
        room_types::post, room_types::list, room_types::one, room_types::withdraw,
        rate_plans::post, rate_plans::list, rate_plans::one, rate_plans::withdraw,
        reservations::post, reservations::list, reservations::one, reservations::withdraw, decisions::decide,
        availability::post, availability::list,
        guests::post, guests::list, guests::one, guests::withdraw,
        changes::list,
        sync::log, sync::source_status, core_events::publish,
        webhooks::create, webhooks::list, webhooks::one, webhooks::change, webhooks::delete, webhooks::test,
        webhooks::rotate,
        webhook_deliveries::list, webhook_deliveries::one, webhook_deliveries::redeliver, webhook_deliveries::replay,
        webhook_deliveries::progress, webhook_deliveries::cancel,
    ),
    components(schemas(Document, RecordOutcome, MessageData)),
    modifiers(&Key)
)]
struct Description;

struct Key;

impl Modify for Key {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("gsk_…").build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

/// The document as served. Serializing it cannot fail.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut document = serde_json::to_value(Description::openapi()).unwrap_or_default();
    let schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
    if let Some(components) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        components.values_mut().for_each(|schema| refer_inside(schema, &schemas));
    }
    for operation in operations(&mut document) {
        if operation.get("description").is_none() {
            operation["description"] = operation.get("summary").cloned().unwrap_or_default();
        }
        for place in ["requestBody", "responses"] {
            if let Some(part) = operation.get_mut(place) {
                give_examples(part, &schemas);
                refer_inside(part, &schemas);
            }
        }
    }
    document["webhooks"] = webhook_messages::described();
    drop_unused(&mut document);
    document.to_string()
});

/// Replaces schemas equal to a named one by a reference.
fn refer(value: &mut Value, schemas: &Value) {
    let named = schemas.as_object().into_iter().flatten().find(|(_, schema)| *schema == value);
    match named {
        Some((name, _)) if value.get("properties").is_some() => {
            *value = json!({ "$ref": format!("#/components/schemas/{name}") });
        }
        _ => refer_inside(value, schemas),
    }
}

fn refer_inside(value: &mut Value, schemas: &Value) {
    match value {
        Value::Object(fields) => {
            let others = fields.iter_mut().filter(|(name, _)| *name != "example");
            others.for_each(|(_, field)| refer(field, schemas));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, schemas)),
        _ => {}
    }
}

/// Removes unreferenced schemas.
fn drop_unused(document: &mut Value) {
    loop {
        let text = document.to_string();
        let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
        let before = schemas.len();
        schemas.retain(|name, _| text.contains(&format!("#/components/schemas/{name}\"")));
        if schemas.len() == before {
            return;
        }
    }
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    paths.filter_map(|(_, path)| path.as_object_mut()).flatten().map(|(_, operation)| operation)
}

/// Gives every body an example, its own or one built from its schema.
fn give_examples(part: &mut Value, schemas: &Value) {
    match part {
        Value::Object(fields) => {
            if let Some(content) = fields.get_mut("content").and_then(Value::as_object_mut) {
                for (kind, media) in content {
                    let example = media.get("schema").map(|schema| example(schema, schemas, 0));
                    if let Some(example) = example.filter(|_| kind.ends_with("json")) {
                        media["example"] = example;
                    }
                }
            }
            fields
                .iter_mut()
                .filter(|(name, _)| *name != "content")
                .for_each(|(_, value)| give_examples(value, schemas));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| give_examples(item, schemas)),
        _ => {}
    }
}

fn example(schema: &Value, schemas: &Value, depth: usize) -> Value {
    /// Limit of schema nesting.
    const MAX_DEPTH: usize = 12;
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    let next = |schema: &Value| example(schema, schemas, depth + 1);
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return schemas.get(name.rsplit('/').next().unwrap_or_default()).map(next).unwrap_or_default();
    }
    if let Some(given) = schema.get("example").or_else(|| schema.pointer("/examples/0")) {
        return given.clone();
    }
    if let Some(word) = schema.pointer("/enum/0") {
        return word.clone();
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let mut whole = serde_json::Map::new();
        for part in parts {
            if let Value::Object(fields) = next(part) {
                whole.extend(fields);
            }
        }
        return Value::Object(whole);
    }
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        let real = choices.iter().find(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        return real.map(next).unwrap_or_default();
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first(),
        kind => kind,
    };
    match kind.and_then(Value::as_str) {
        Some("object") => {
            let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            Value::Object(fields.map(|(name, field)| (name.clone(), next(field))).collect())
        }
        Some("array") => json!([schema.get("items").map(next).unwrap_or_default()]),
        Some("integer") => json!(1),
        Some("number") => json!(129.5),
        Some("boolean") => json!(false),
        Some("string") => match schema.get("format").and_then(Value::as_str) {
            Some("date") => json!("2027-06-01"),
            Some("date-time") => json!("2027-05-11T09:30:00Z"),
            _ => json!("text"),
        },
        _ => Value::Null,
    }
}

pub(super) fn router() -> Router<ApiState> {
    let json = || async { ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response() };
    Router::new().route("/openapi.json", get(json)).route("/docs", get(|| async { Html(DOCS) }))
}

/// The guide and reference for partners; the page renders `/openapi.json`.
const DOCS: &str = include_str!("../../assets/docs.html");
