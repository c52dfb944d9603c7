//! Replays: one message, or all that match a filter. Replayed messages keep their ids.

use std::collections::BTreeMap;

use gassync_domain::{EventFilter, FieldError, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::fan_out::SubscriptionFilter;
use crate::{
    schedule::{Deliver, priority},
    store::{
        self, Tx,
        queue::{self, JobState, NewJob},
        webhooks::{self, Delivery, PastState, Webhook},
    },
};

/// Maximum messages per run.
pub const MAX_REPLAYED: usize = 10_000;
/// Maximum feed entries scanned per run.
pub const MAX_SCANNED: i64 = 50_000;
/// Feed entries read at once.
const PAGE: i64 = 1_000;

gassync_domain::words! {
    /// Which messages a replay can select.
    #[derive(ToSchema)]
    pub enum ReplayState {
        /// All attempts failed.
        Dead = "dead",
        /// Never enqueued, or discarded.
        Missed = "missed",
        /// Received.
        Delivered = "delivered",
    }
}

/// Which messages to replay.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplayRequest {
    /// Events at or after this time.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Events before this time. Default: now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    pub until: Option<Timestamp>,
    /// Only these events, by either name. Empty: all.
    #[serde(default)]
    #[schema(required = false, max_items = 64)]
    pub events: Vec<String>,
    /// `dead`: all attempts failed. `missed`: never enqueued, or discarded. `delivered`: received. Empty: `dead` and
    /// `missed`.
    #[serde(default)]
    #[schema(required = false, max_items = 3)]
    pub states: Vec<ReplayState>,
    /// `nextCursor` of the previous run of the same request.
    #[serde(default)]
    #[schema(required = false, example = json!(null))]
    pub cursor: Option<String>,
    /// Only return what would be replayed.
    #[serde(default)]
    #[schema(required = false)]
    pub dry_run: bool,
}

/// What a replay sends.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayPlan {
    /// Identifier of the run. Null for a dry run and if nothing matches.
    pub run: Option<i64>,
    /// Number of messages.
    pub messages: usize,
    /// Number of messages per event.
    pub by_event: BTreeMap<String, usize>,
    /// Set if there may be more: a run sends up to 10,000 messages and scans up to 50,000 feed entries. Repeat the
    /// request with this value as `cursor`.
    pub next_cursor: Option<String>,
}

/// Where a run ends and the next one continues: event time and sequence number. The number alone is not enough, because
/// an earlier event may get a later number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ReplayCursor(Timestamp, i64);

impl ReplayCursor {
    fn cursor(self) -> String {
        format!("{:x}-{:x}", self.0.as_millisecond(), self.1)
    }

    fn parse(cursor: &str) -> Option<Self> {
        let (at, sequence) = cursor.split_once('-')?;
        let at = Timestamp::from_millisecond(i64::from_str_radix(at, 16).ok()?).ok()?;
        Some(Self(at, i64::from_str_radix(sequence, 16).ok()?))
    }
}

/// Validates the request.
fn check(asked: &ReplayRequest) -> Result<(EventFilter, ReplayCursor), Vec<FieldError>> {
    let mut errors = Vec::new();
    let most = ReplayState::ALL.len();
    if asked.states.len() > most {
        errors.push(FieldError::new("/states", format!("has more than {most} names")));
    }
    // Times are stored in milliseconds.
    let is_since = |at: Timestamp| at.as_millisecond() >= asked.since.as_millisecond();
    let from = match &asked.cursor {
        None => Some(ReplayCursor(asked.since, 0)),
        Some(cursor) => ReplayCursor::parse(cursor).filter(|reached| is_since(reached.0) && reached.1 >= 0),
    };
    if from.is_none() {
        errors.push(FieldError::new("/cursor", "is not a cursor of a replay with this start time"));
    }
    match (EventFilter::parse(asked.events.clone()), from) {
        (Ok(events), Some(from)) if errors.is_empty() => Ok((events, from)),
        (events, _) => {
            errors.extend(events.err().into_iter().flatten());
            Err(errors)
        }
    }
}

/// The matching messages and their sequence numbers, in order.
pub async fn plan(
    tx: &mut Tx,
    webhook: &Webhook,
    asked: &ReplayRequest,
    now: Timestamp,
) -> store::Result<Result<(ReplayPlan, Vec<i64>), Vec<FieldError>>> {
    let (events, from) = match check(asked) {
        Ok(checked) => checked,
        Err(errors) => return Ok(Err(errors)),
    };
    let is_asked = |state: ReplayState| match asked.states.as_slice() {
        [] => state != ReplayState::Delivered,
        states => states.contains(&state),
    };
    let filter = SubscriptionFilter::of(webhook);
    let mut plan = ReplayPlan { run: None, messages: 0, by_event: BTreeMap::new(), next_cursor: None };
    let mut places = Vec::new();
    let (mut reached, mut scanned) = (from, 0);
    let until = asked.until.unwrap_or(now);
    let ended = 'pages: loop {
        let span = ((reached.0, reached.1), until);
        let page = webhooks::past_facts(tx, webhook.account, webhook.id, span, PAGE).await?;
        let count = i64::try_from(page.len()).unwrap_or(PAGE);
        for past in page {
            let name = past.candidate.fact.name();
            let state = match past.state {
                PastState::Delivered => Some(ReplayState::Delivered),
                PastState::Dead => Some(ReplayState::Dead),
                PastState::Missed => Some(ReplayState::Missed),
                PastState::Waiting => None,
            };
            if state.is_some_and(is_asked) && events.wants(&name) && filter.matches(&past.candidate) {
                if places.len() == MAX_REPLAYED {
                    break 'pages false;
                }
                *plan.by_event.entry(name.record.into_owned()).or_default() += 1;
                places.push(past.candidate.sequence);
            }
            reached = ReplayCursor(past.candidate.created_at.into(), past.candidate.sequence);
        }
        scanned += count;
        if count < PAGE || scanned >= MAX_SCANNED {
            break count < PAGE;
        }
    };
    plan.next_cursor = Some(reached.cursor()).filter(|_| !ended);
    plan.messages = places.len();
    places.sort_unstable();
    Ok(Ok((plan, places)))
}

/// Enqueues the planned messages; returns the run id.
pub async fn enqueue_replay(
    tx: &mut Tx,
    webhook: &Webhook,
    (asked, places): (&ReplayRequest, &[i64]),
    now: Timestamp,
) -> store::Result<RunId> {
    let shown = serde_json::to_value(asked).unwrap_or_default();
    let jobs = i64::try_from(places.len()).unwrap_or(i64::MAX);
    let run = webhooks::begin_run(tx, webhook.account, webhook.id, (&shown, jobs), now).await?;
    // Lower priority than new events.
    let again = |sequence: &i64| Deliver::fact(webhook, *sequence).with_priority(priority::BACKFILLS).in_run(run);
    let work: Vec<NewJob> = places.iter().map(again).collect();
    // Lock order: queues before jobs.
    queue::enqueue(tx, &work, now).await?;
    webhooks::supersede(tx, webhook.account, webhook.id, places, now).await?;
    Ok(run)
}

/// Enqueues one message again, whatever its outcome; false if its event has expired or it is still waiting.
pub async fn redeliver(tx: &mut Tx, webhook: &Webhook, delivery: &Delivery, now: Timestamp) -> store::Result<bool> {
    let Some(sequence) =
        delivery.sequence.filter(|_| delivery.entity_type.is_some() && delivery.state != JobState::Waiting)
    else {
        return Ok(false);
    };
    queue::enqueue(tx, &[Deliver::fact(webhook, sequence)], now).await?;
    webhooks::supersede(tx, webhook.account, webhook.id, &[sequence], now).await?;
    Ok(true)
}

/// Enqueues a test message; returns its id.
pub async fn enqueue_test(tx: &mut Tx, webhook: &Webhook, id: Uuid, now: Timestamp) -> store::Result<String> {
    let id = format!("msg_{}", id.simple());
    queue::enqueue(tx, &[Deliver::test(webhook, id.clone())], now).await?;
    Ok(id)
}
