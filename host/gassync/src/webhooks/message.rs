//! What a subscriber is told: which entity, never more than that, or the record too where it wants all.

use gassync_domain::{AccountId, CoreId, Timestamp};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::store::{self, Tx, core::snapshot, outbox::Told, webhooks::Webhook};

/// A message, ready to be signed.
pub(super) struct Message {
    /// The same whenever it is sent.
    pub id: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// The id of what is told of a fact: the same for every subscriber, attempt and replay, and of no other fact.
pub fn message_id(account: AccountId, sequence: i64) -> String {
    let hash = Sha256::digest(format!("gassync message {account}/{sequence}"));
    format!("msg_{}", hex::encode(&hash[..16]))
}

/// The media type of what a subscriber is sent.
pub(super) fn media_type(webhook: &Webhook) -> &'static str {
    if webhook.wanted.envelope == "cloudevents" { "application/cloudevents+json" } else { "application/json" }
}

/// What is told of a fact.
pub(super) async fn of_fact(
    tx: &mut Tx,
    webhook: &Webhook,
    told: &Told,
    (reached, host): (i64, &str),
) -> store::Result<Message> {
    let name = told.fact.name();
    let entity = name.record.split('.').next().unwrap_or_default();
    let mut data = Map::new();
    data.insert("event".to_owned(), (*name.event).into());
    data.insert("entity".to_owned(), entity.into());
    data.insert("id".to_owned(), told.external_id.clone().into());
    data.insert("gasId".to_owned(), told.fact.entity_id.into());
    data.insert("sequence".to_owned(), told.sequence.into());
    data.insert("own".to_owned(), (told.fact.origin_source_id == Some(webhook.source.0)).into());
    if let Some((first, last)) = told.fact.span() {
        data.insert("from".to_owned(), first.to_string().into());
        data.insert("to".to_owned(), last.to_string().into());
    }
    let is_full = webhook.wanted.payload == "full";
    data.insert("version".to_owned(), if is_full { reached.max(told.sequence) } else { told.sequence }.into());
    if is_full {
        data.insert("record".to_owned(), record(tx, webhook.account, told).await?);
    }
    let id = message_id(webhook.account, told.sequence);
    let subject = format!("{entity}/{}", told.fact.entity_id);
    let about = About { kind: &name.record, subject: &subject, at: told.created_at.into(), host };
    Ok(about.message(webhook, id, data.into()))
}

/// What is sent to see whether it arrives.
pub(super) fn of_test(webhook: &Webhook, id: &str, at: Timestamp, host: &str) -> Message {
    let data = json!({ "event": "webhook.test", "entity": "webhook", "id": webhook.id.to_string(), "gasId": null,
        "sequence": null, "version": null, "own": true });
    About { kind: "webhook.test", subject: &format!("webhook/{}", webhook.id), at, host }.message(
        webhook,
        id.to_owned(),
        data,
    )
}

struct About<'a> {
    kind: &'a str,
    subject: &'a str,
    at: Timestamp,
    host: &'a str,
}

impl About<'_> {
    fn message(self, webhook: &Webhook, id: String, data: Value) -> Message {
        let Self { kind, subject, at, host } = self;
        let whole = if webhook.wanted.envelope == "cloudevents" {
            json!({ "specversion": "1.0", "id": id, "source": host, "type": kind, "subject": subject, "time": at,
                "datacontenttype": "application/json", "data": data })
        } else {
            json!({ "type": kind, "timestamp": at, "data": data })
        };
        Message { id, body: whole.to_string().into_bytes() }
    }
}

/// The entity as the core has it now; null where it is gone, or has no record.
async fn record(tx: &mut Tx, account: AccountId, told: &Told) -> store::Result<Value> {
    let id = CoreId(told.fact.entity_id);
    match told.fact.entity_type.as_str() {
        "booking" => snapshot::booking(tx, account, id).await,
        "property" => snapshot::property(tx, account, id).await,
        "bookable_unit" => snapshot::unit(tx, account, id).await,
        "rate_plan" => snapshot::rate_plan(tx, account, id).await,
        "guest" => snapshot::guest(tx, account, id).await,
        _ => Ok(Value::Null),
    }
}
