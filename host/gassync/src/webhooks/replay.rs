//! Telling a subscriber again: one message, or all that fit a filter. What it is told has the ids it had.

use std::collections::BTreeMap;

use gassync_domain::{EventFilter, FieldError, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::fan_out::Wants;
use crate::{
    jobs::Kind,
    store::{
        self, Tx,
        queue::{self, Put},
        webhooks::{self, Delivery, Webhook},
    },
};

/// The most messages of one run.
pub const MAX_REPLAYED: usize = 10_000;
/// Facts that are looked at together.
const PAGE: i64 = 1_000;

/// What is to be told again.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    /// What happened since.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// What happened before; now where it is not said.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    pub until: Option<Timestamp>,
    /// Only these events, by either name; all where none is named.
    #[serde(default)]
    #[schema(required = false)]
    pub events: Vec<String>,
    /// `dead`: was given up. `missed`: was never told. `delivered`: arrived. Without any: what is dead or was missed.
    #[serde(default)]
    #[schema(required = false)]
    pub states: Vec<String>,
    /// Nothing is sent: the answer says what would be.
    #[serde(default)]
    #[schema(required = false)]
    pub dry_run: bool,
}

/// What is told again.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// The run, to be followed; none of a plan.
    pub run: Option<i64>,
    /// How many messages.
    pub messages: usize,
    /// How many of each event.
    pub by_event: BTreeMap<String, usize>,
    /// There is more than one run takes: the next one begins where this one ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub more_since: Option<Timestamp>,
}

/// What fits, and the places of its facts in the feed.
pub async fn plan(
    tx: &mut Tx,
    webhook: &Webhook,
    asked: &Asked,
    now: Timestamp,
) -> store::Result<Result<(Replayed, Vec<i64>), Vec<FieldError>>> {
    let events = match EventFilter::parse(asked.events.clone()) {
        Ok(events) => events,
        Err(errors) => return Ok(Err(errors)),
    };
    let known = ["dead", "missed", "delivered"];
    let wrong = asked.states.iter().enumerate().filter(|(_, state)| !known.contains(&state.as_str()));
    let errors: Vec<FieldError> = wrong
        .map(|(place, _)| FieldError {
            path: format!("/states/{place}"),
            problem: format!("is none of {}", known.join(", ")),
        })
        .collect();
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let is_asked = |state: &str| match asked.states.as_slice() {
        [] => state != "delivered",
        states => states.iter().any(|asked| asked == state),
    };
    let wants = Wants::of(webhook);
    let mut plan = Replayed { run: None, messages: 0, by_event: BTreeMap::new(), more_since: None };
    let mut places = Vec::new();
    let mut after = 0;
    let span = (asked.since, asked.until.unwrap_or(now));
    'pages: loop {
        let page = webhooks::past(tx, webhook.account, webhook.id, span, (after, PAGE)).await?;
        let Some(last) = page.last() else { break };
        after = last.happened.sequence;
        for past in page {
            let name = past.happened.fact.name();
            let state = match past.state.as_deref() {
                Some("done") => "delivered",
                Some("dead") => "dead",
                // It is on its way.
                Some("waiting") => continue,
                _ => "missed",
            };
            if !(is_asked(state) && events.wants(&name) && wants.fact(&past.happened)) {
                continue;
            }
            if places.len() == MAX_REPLAYED {
                plan.more_since = Some(past.happened.created_at.into());
                break 'pages;
            }
            *plan.by_event.entry(name.record.into_owned()).or_default() += 1;
            places.push(past.happened.sequence);
        }
    }
    plan.messages = places.len();
    Ok(Ok((plan, places)))
}

/// Tells again what was planned; the run's key.
pub async fn replay(
    tx: &mut Tx,
    webhook: &Webhook,
    (asked, places): (&Asked, &[i64]),
    now: Timestamp,
) -> store::Result<i64> {
    let shown = serde_json::to_value(asked).unwrap_or_default();
    let jobs = i64::try_from(places.len()).unwrap_or(i64::MAX);
    let run = webhooks::begin_run(tx, webhook.account, webhook.id, (&shown, jobs), now).await?;
    let work: Vec<Put<'_>> =
        places.iter().map(|sequence| Put { run: Some(run), ..Kind::delivery(webhook, *sequence, now) }).collect();
    // Lanes before jobs, as everywhere: what is put in the queue writes both.
    queue::put(tx, &work, now).await?;
    webhooks::supersede(tx, webhook.account, (webhook.source, webhook.id), places, now).await?;
    Ok(run)
}

/// Tells one message again, whatever came of it; false where its fact is kept no more, or it is on its way.
pub async fn again(tx: &mut Tx, webhook: &Webhook, delivery: &Delivery, now: Timestamp) -> store::Result<bool> {
    let Some(sequence) = delivery.sequence.filter(|_| delivery.entity_type.is_some() && delivery.state != "waiting")
    else {
        return Ok(false);
    };
    queue::put(tx, &[Kind::delivery(webhook, sequence, now)], now).await?;
    webhooks::supersede(tx, webhook.account, (webhook.source, webhook.id), &[sequence], now).await?;
    Ok(true)
}

/// Sends a message that tells of nothing; its id.
pub async fn test(tx: &mut Tx, webhook: &Webhook, id: Uuid, now: Timestamp) -> store::Result<String> {
    let id = format!("msg_{}", id.simple());
    let payload = json!({ "webhook": webhook.id, "test": id });
    queue::put(tx, &[Put { payload, sequence: None, ..Kind::delivery(webhook, 0, now) }], now).await?;
    Ok(id)
}
