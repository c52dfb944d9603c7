//! The `webhooks` section of the OpenAPI document: one entry per event name.

use std::{borrow::Cow, collections::BTreeMap};

use gassync_domain::EventName;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The data of a message. `record` is present only with `full` payloads. `gasId` is unique per `entity` only.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageData {
    /// The other name of the event, such as `booking.confirmed`.
    #[schema(example = "booking.confirmed")]
    event: String,
    /// `reservation`, `property`, `room-type`, `rate-plan`, `guest`, `availability`, `rate`, `overbooking`, `website` or
    /// `webhook`.
    #[schema(example = "reservation")]
    entity: String,
    /// The source's own id. Null if not linked.
    #[schema(example = "res-2027-0417")]
    id: Option<String>,
    /// Core id; for nights, of the unit. Null for a test.
    #[schema(example = 31)]
    gas_id: Option<i64>,
    /// Sequence number in the account's change feed. Null for a test.
    #[schema(example = 1043)]
    sequence: Option<i64>,
    /// Version of the data. Of two messages with the same `entity` and `gasId`, drop the one with the lower version. Do
    /// not drop messages with `from` and `to`: they are about those nights only.
    #[schema(example = 1043)]
    version: Option<i64>,
    /// Whether the subscriber's own source made the change.
    own: bool,
    /// First night, for events about nights.
    #[schema(required = false, value_type = String, format = Date)]
    from: Option<String>,
    /// Last night, inclusive.
    #[schema(required = false, value_type = String, format = Date)]
    to: Option<String>,
    /// With `full`: the core record when the message was built. Null if it was deleted, has no record, or is not linked
    /// to the source (then `id` is null, too). The `guest` of a booking is null if the source does not know the guest.
    #[schema(required = false, value_type = Option<Object>)]
    record: Option<Value>,
}

/// The `webhooks` section.
pub(super) fn described() -> Value {
    let mut names: BTreeMap<Cow<'_, str>, Vec<Cow<'_, str>>> = BTreeMap::new();
    for EventName { event, record } in EventName::all() {
        let others = names.entry(record).or_default();
        if !others.contains(&event) {
            others.push(event);
        }
    }
    names.insert(Cow::from("webhook.test"), vec![Cow::from("webhook.test")]);
    let described =
        names.into_iter().map(|(record, events)| (record.to_string(), json!({ "post": one(&record, &events) })));
    Value::Object(described.collect::<Map<_, _>>())
}

fn one(record: &str, events: &[Cow<'_, str>]) -> Value {
    let entity = record.split('.').next().unwrap_or_default();
    let data = example(entity, events.first().map_or(record, |event| event));
    let id = "msg_5d1b2c7f9e0a4c3b8f6d2e1a7c9b0d4e";
    let at = "2027-05-11T09:30:00Z";
    let about = json!({ "$ref": "#/components/schemas/MessageData" });
    let text = |example: &str| json!({ "type": "string", "example": example });
    let header = |name: &str, description: &str, example: &str| {
        json!({ "name": name, "in": "header", "required": true,
        "description": description, "schema": text(example) })
    };
    let cloud = json!({
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"],
        "properties": { "specversion": { "const": "1.0" }, "id": text(id), "source": { "type": "string", "format": "uri" },
            "type": { "const": record }, "subject": text(&format!("{entity}/31")),
            "time": { "type": "string", "format": "date-time" }, "datacontenttype": { "const": "application/json" },
            "data": &about }
    });
    let standard = json!({
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": { "type": { "const": record }, "timestamp": { "type": "string", "format": "date-time",
            "description": "Event time." }, "data": &about }
    });
    json!({
        "tags": ["webhooks"],
        "operationId": format!("on_{}", record.replace(['.', '-'], "_")),
        "summary": says(entity, record),
        "description": says(entity, record),
        "x-event": events,
        "parameters": [
            header("webhook-id", "Message id, the same for all attempts and replays. Use it to ignore \
                duplicates.", id),
            header("webhook-timestamp", "Time of this attempt in seconds since 1970. Reject messages more than five \
                minutes away from your clock.", "1809941400"),
            header("webhook-signature", "Signatures of `{webhook-id}.{webhook-timestamp}.{body}`, separated by \
                spaces: `v1,` and base64 of HMAC-SHA256, or `v1a,` and base64 of Ed25519. One match is enough.",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ],
        "requestBody": { "required": true, "content": {
            "application/json": { "schema": standard,
                "example": { "type": record, "timestamp": at, "data": &data } },
            "application/cloudevents+json": { "schema": cloud,
                "example": { "specversion": "1.0", "id": id, "source": "https://gassync.example", "type": record,
                    "subject": format!("{entity}/31"), "time": at, "datacontenttype": "application/json", "data": &data } }
        } },
        "responses": {
            "2XX": { "description": "Received; not sent again" },
            "410": { "description": "Gone: the subscription is disabled" },
            "429": { "description": "Slow down; 502 and 504 mean the same. Nothing is sent until `Retry-After` (seconds or a date), \
                at most an hour. Then the message is sent again; during the first day this does not count as an attempt" },
            "default": { "description": "Failed: the message is sent again. Redirects are not followed and count as failures" }
        }
    })
}

fn says(entity: &str, record: &str) -> String {
    match (entity, record.rsplit('.').next().unwrap_or_default()) {
        ("webhook", "test") => "A test message that was requested for the subscription.".to_owned(),
        ("webhook", _) => "A subscription of the account was disabled; gasId is its id.".to_owned(),
        ("availability", _) => "The availability of a unit changed on these nights: read its availability.".to_owned(),
        ("rate", _) => "Prices or rules of a unit changed on these nights: read its availability.".to_owned(),
        ("overbooking", _) => "A unit is overbooked on these nights.".to_owned(),
        (entity, done) => format!("A {} was {done}.", entity.replace('-', " ")),
    }
}

fn example(entity: &str, event: &str) -> Value {
    let mut data = json!({ "event": event, "entity": entity, "id": "res-2027-0417", "gasId": 31, "sequence": 1043,
        "version": 1043, "own": false });
    match entity {
        "availability" | "rate" | "overbooking" => {
            data["id"] = "room-garden".into();
            data["from"] = "2027-06-01".into();
            data["to"] = "2027-06-03".into();
        }
        "webhook" if event == "webhook.test" => {
            data = json!({ "event": event, "entity": entity, "id": "17", "gasId": null, "sequence": null, "version": null,
                "own": true });
        }
        "webhook" => data["id"] = Value::Null,
        "property" => data["id"] = "house-azul".into(),
        "room-type" => data["id"] = "room-garden".into(),
        "rate-plan" => data["id"] = "flex".into(),
        "guest" => data["id"] = "guest-31".into(),
        "website" => data["id"] = "site-1".into(),
        _ => {}
    }
    data
}
