//! Message bodies: `thin` identifies the entity, `full` adds its record.

use std::collections::HashMap;

use gassync_domain::{AccountId, CoreId, EventName, Timestamp};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{
    http::scope::{GuestsRead, KeyScope as _, PropertiesRead, RatePlansRead, ReservationsRead, RoomTypesRead},
    store::{
        self, Tx,
        core::snapshot,
        installation, mappings,
        outbox::{self, FeedEntry},
        webhooks::{self, Webhook, WebhookPayload},
    },
};

/// A message ready to be signed.
pub(super) struct OutgoingMessage {
    /// Message id, the same for every attempt.
    pub id: String,
    /// Body.
    pub body: Vec<u8>,
}

/// Data shared by the messages of a batch.
pub(super) struct MessageContext {
    installation: String,
    /// Records read later are at least as new as this feed position.
    reached: i64,
    host: String,
    /// Records already read, by entity type and id.
    records: HashMap<(String, i64), Value>,
}

/// The message id of a feed entry: the same for every subscriber, attempt and replay, and unique across databases. A
/// database restored from a backup reuses sequence numbers; the event time keeps the ids apart.
pub(super) fn message_id(installation: &str, account: AccountId, (sequence, at): (i64, Timestamp)) -> String {
    let fact = format!("{account}/{sequence}/{}", at.as_millisecond());
    let hash = Sha256::digest(format!("gassync message {installation}/{fact}"));
    format!("msg_{}", hex::encode(&hash[..16]))
}

/// The read scopes that a `full` message of this event requires.
pub(super) fn required_scopes(name: &EventName) -> &'static [&'static str] {
    match name.record.split('.').next().unwrap_or_default() {
        // A booking carries its guest.
        "reservation" => &[ReservationsRead::NAME, GuestsRead::NAME],
        "guest" => &[GuestsRead::NAME],
        "property" => &[PropertiesRead::NAME],
        "room-type" => &[RoomTypesRead::NAME],
        "rate-plan" => &[RatePlansRead::NAME],
        _ => &[],
    }
}

impl MessageContext {
    pub(super) async fn load(tx: &mut Tx, account: AccountId, host: String) -> store::Result<Self> {
        let reached = outbox::last_sequence(tx, account).await?;
        Ok(Self { installation: installation::id(tx).await?, reached, host, records: HashMap::new() })
    }
}

/// The media type of message bodies.
pub(super) fn media_type(webhook: &Webhook) -> &'static str {
    if webhook.spec.envelope == webhooks::WebhookEnvelope::CloudEvents {
        "application/cloudevents+json"
    } else {
        "application/json"
    }
}

/// The message of a feed entry.
pub(super) async fn for_entry(
    tx: &mut Tx,
    webhook: &Webhook,
    entry: &FeedEntry,
    batch: &mut MessageContext,
) -> store::Result<OutgoingMessage> {
    let name = entry.fact.name();
    let entity = name.record.split('.').next().unwrap_or_default();
    let mut data = Map::new();
    data.insert("event".to_owned(), (*name.event).into());
    data.insert("entity".to_owned(), entity.into());
    data.insert("id".to_owned(), entry.external_id.clone().into());
    data.insert("gasId".to_owned(), entry.fact.entity_id.into());
    data.insert("sequence".to_owned(), entry.sequence.into());
    data.insert("own".to_owned(), (entry.fact.origin_source_id == Some(webhook.source.0)).into());
    if let Some((first, last)) = entry.fact.span() {
        data.insert("from".to_owned(), first.to_string().into());
        data.insert("to".to_owned(), last.to_string().into());
    }
    let is_full = webhook.spec.payload == WebhookPayload::Full;
    let version = if is_full { batch.reached.max(entry.sequence) } else { entry.sequence };
    data.insert("version".to_owned(), version.into());
    if is_full {
        data.insert("record".to_owned(), record(tx, webhook, entry, &mut batch.records).await?);
    }
    let at = entry.created_at.into();
    let id = message_id(&batch.installation, webhook.account, (entry.sequence, at));
    let subject = format!("{entity}/{}", entry.fact.entity_id);
    let about = Envelope { kind: &name.record, subject: &subject, at, host: &batch.host };
    Ok(about.message(webhook, id, data.into()))
}

/// The test message.
pub(super) fn test(webhook: &Webhook, id: &str, at: Timestamp, host: &str) -> OutgoingMessage {
    let data = json!({ "event": "webhook.test", "entity": "webhook", "id": webhook.id.to_string(), "gasId": null,
        "sequence": null, "version": null, "own": true });
    Envelope { kind: "webhook.test", subject: &format!("webhook/{}", webhook.id), at, host }.message(
        webhook,
        id.to_owned(),
        data,
    )
}

struct Envelope<'a> {
    kind: &'a str,
    subject: &'a str,
    at: Timestamp,
    host: &'a str,
}

impl Envelope<'_> {
    fn message(self, webhook: &Webhook, id: String, data: Value) -> OutgoingMessage {
        let Self { kind, subject, at, host } = self;
        let whole = if webhook.spec.envelope == webhooks::WebhookEnvelope::CloudEvents {
            json!({ "specversion": "1.0", "id": id, "source": host, "type": kind, "subject": subject, "time": at,
                "datacontenttype": "application/json", "data": data })
        } else {
            json!({ "type": kind, "timestamp": at, "data": data })
        };
        OutgoingMessage { id, body: whole.to_string().into_bytes() }
    }
}

/// The current core record. Null if it was deleted, has no record, or is not linked to the subscriber's source.
async fn record(
    tx: &mut Tx,
    webhook: &Webhook,
    entry: &FeedEntry,
    records: &mut HashMap<(String, i64), Value>,
) -> store::Result<Value> {
    if entry.external_id.is_none() {
        return Ok(Value::Null);
    }
    let (account, id) = (webhook.account, CoreId(entry.fact.entity_id));
    let place = (entry.fact.entity_type.clone(), id.0);
    if let Some(read) = records.get(&place) {
        return Ok(read.clone());
    }
    let record = match entry.fact.entity_type.as_str() {
        "booking" => booking(tx, webhook, id).await,
        "property" => snapshot::property(tx, account, id).await,
        "bookable_unit" => snapshot::unit(tx, account, id).await,
        "rate_plan" => snapshot::rate_plan(tx, account, id).await,
        "guest" => snapshot::guest(tx, account, id).await,
        _ => Ok(Value::Null),
    }?;
    records.insert(place, record.clone());
    Ok(record)
}

/// Includes the guest only if the source knows it: the core may hold another source's guest.
async fn booking(tx: &mut Tx, webhook: &Webhook, id: CoreId) -> store::Result<Value> {
    let mut booking = snapshot::booking(tx, webhook.account, id).await?;
    if booking["guest"].is_object() && !mappings::has_guest_of(tx, webhook.key(), id).await? {
        booking["guest"] = Value::Null;
    }
    Ok(booking)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_are_unique_per_fact_and_database() {
        let at = |millisecond| Timestamp::from_millisecond(millisecond).expect("an instant");
        let id = |installation, account, sequence, millisecond| {
            message_id(installation, AccountId(account), (sequence, at(millisecond)))
        };
        let ids = [id("a", 1, 7, 5), id("b", 1, 7, 5), id("a", 2, 7, 5), id("a", 1, 8, 5), id("a", 1, 7, 6)];
        for (place, one) in ids.iter().enumerate() {
            assert!(!ids[..place].contains(one), "{ids:?}");
        }
        assert_eq!(id("a", 1, 7, 5), ids[0]);
    }

    #[test]
    fn every_record_requires_a_scope() {
        let unguarded: Vec<String> = EventName::all()
            .filter(|name| required_scopes(name).is_empty())
            .map(|name| name.record.into_owned())
            .collect();
        let without: Vec<&str> = unguarded.iter().map(|name| name.split('.').next().unwrap_or_default()).collect();
        let known = ["availability", "overbooking", "rate", "webhook", "website"];
        assert!(without.iter().all(|entity| known.contains(entity)), "{unguarded:?}");
    }
}
