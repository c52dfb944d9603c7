//! What subscribers are sent, for the description of the API: one entry for each name of an event.

use std::{borrow::Cow, collections::BTreeMap};

use gassync_domain::EventName;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// What a message tells of: which entity, and where to read it. `record` is there for those alone who asked for `full`.
/// One `gasId` may be that of a booking, a unit and a property: what a message is about is `entity` and `gasId` together.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageData {
    /// The event's other name, such as `booking.confirmed`.
    #[schema(example = "booking.confirmed")]
    event: String,
    /// `reservation`, `property`, `room-type`, `rate-plan`, `guest`, `availability`, `rate`, `overbooking`, `website` or
    /// `webhook`.
    #[schema(example = "reservation")]
    entity: String,
    /// What the subscriber's source calls it; null where it is not linked with it.
    #[schema(example = "res-2027-0417")]
    id: Option<String>,
    /// The core's id; of nights, their unit. Null of a test.
    #[schema(example = 31)]
    gas_id: Option<i64>,
    /// The place of this in the account's feed. Null of a test.
    #[schema(example = 1043)]
    sequence: Option<i64>,
    /// How new the message is. Of two with the same `entity` and `gasId` the one with the lower version is the older, and is
    /// dropped; never one with `from` and `to`, which tells of those nights alone.
    #[schema(example = 1043)]
    version: Option<i64>,
    /// Whether the subscriber's own source did it.
    own: bool,
    /// The first night, where it is about some nights and no others.
    #[schema(required = false, value_type = String, format = Date)]
    from: Option<String>,
    /// The last night, which is one of them.
    #[schema(required = false, value_type = String, format = Date)]
    to: Option<String>,
    /// With `full`: the entity as the core had it when the message was written. Null where it was gone, or has none, or the
    /// subscriber's source has no link with it, and then `id` is null too; so is a booking's `guest` whom the source does not
    /// know.
    #[schema(required = false, value_type = Option<Object>)]
    record: Option<Value>,
}

/// The `webhooks` of the description.
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
            "description": "When it happened." }, "data": &about }
    });
    json!({
        "tags": ["webhooks"],
        "operationId": format!("told_{}", record.replace(['.', '-'], "_")),
        "summary": says(entity, record),
        "description": says(entity, record),
        "x-event": events,
        "parameters": [
            header("webhook-id", "The message's, the same over attempts and replays: what came under it before is not \
                acted on again.", id),
            header("webhook-timestamp", "When this attempt was sent, in seconds since 1970. Refuse what is more than five \
                minutes away from your clock.", "1809941400"),
            header("webhook-signature", "Signatures of `{webhook-id}.{webhook-timestamp}.{body}`, with a space between \
                them: `v1,` and base64 of HMAC-SHA256, or `v1a,` and base64 of Ed25519. One that fits is enough.",
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
            "2XX": { "description": "It arrived, and is not sent again" },
            "410": { "description": "No more of this, ever: the subscription is disabled" },
            "429": { "description": "Not so fast, as 502 and 504: nothing else is sent until `Retry-After` (seconds or a date), \
                an hour at most, and then this again, for a day without counting as a time that it was tried" },
            "default": { "description": "It did not arrive: it is sent again, as redirects, which are not followed" }
        }
    })
}

fn says(entity: &str, record: &str) -> String {
    match (entity, record.rsplit('.').next().unwrap_or_default()) {
        ("webhook", "test") => "Somebody asked for a test. It tells of nothing.".to_owned(),
        ("webhook", _) => "A subscription of the account is told nothing more; gasId is its number.".to_owned(),
        ("availability", _) => {
            "What can be sold of a unit has changed on these nights: read its availability.".to_owned()
        }
        ("rate", _) => "Prices or rules of a unit have changed on these nights: read its availability.".to_owned(),
        ("overbooking", _) => "A unit is sold more often than it is there, on these nights.".to_owned(),
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
