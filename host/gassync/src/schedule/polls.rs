use gassync_domain::{Entity, SourceKey, Timestamp};
use gassync_runtime::{Manifest, Poll};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{JobKind, pushes};
use crate::store::{
    self, Tx,
    outbound::invalidations,
    queue::NewJob,
    sources::{self, Source},
};

/// Payload of a poll's job. An entity may have several polls, each with its own queue.
fn payload_of(poll: &Poll) -> Value {
    match &poll.queue {
        Some(queue) => json!({ "entity": poll.entity, "stream": queue }),
        None => json!({ "entity": poll.entity }),
    }
}

/// Finds the manifest's poll for a job's payload.
pub fn named<'a>(manifest: &'a Manifest, payload: &Value) -> Option<&'a Poll> {
    manifest.polls.iter().find(|poll| payload_of(poll) == *payload)
}

/// Seconds between two polls. The source's setting applies to bookings; other entities are not polled more often than
/// the manifest says.
pub fn interval_seconds(minutes: Option<i64>, poll: &Poll) -> i64 {
    let by_manifest = i64::from(poll.interval_seconds);
    match (minutes.map(|minutes| minutes.saturating_mul(60)), poll.entity) {
        (None, _) => by_manifest,
        (Some(seconds), Entity::Reservation | Entity::Guest | Entity::Block) => seconds,
        (Some(seconds), _) => seconds.max(by_manifest),
    }
}

/// After a change of the poll interval: moves waiting polls forward where needed.
pub async fn hasten(tx: &mut Tx, source: &Source, manifest: &Manifest, now: Timestamp) -> store::Result<()> {
    let mut sooner = Vec::new();
    for poll in &manifest.polls {
        let wait = SignedDuration::from_secs(interval_seconds(source.poll_minutes, poll));
        let payload = payload_of(poll);
        if store::queue::is_enqueued(tx, source.key(), JobKind::Poll.name(), &payload).await? {
            sooner.push(JobKind::Poll.job(source.key(), payload, (now + wait, now)));
        }
    }
    store::queue::enqueue(tx, &sooner, now).await
}

/// Enqueues a source's polls, properties first, and its calendar push; all due now.
pub async fn begin(tx: &mut Tx, source: &Source, manifest: &Manifest, now: Timestamp) -> store::Result<()> {
    store::queue::enqueue(tx, &of_source(source.key(), manifest, now), now).await
}

/// Enqueues recurring jobs that are new after an upgrade; waiting ones stay as they are.
pub async fn begin_new(tx: &mut Tx, manifest: &Manifest, pushes: bool, now: Timestamp) -> store::Result<()> {
    for source_key in sources::active_of_channel(tx, &manifest.id).await? {
        // Push everything again: the earlier version may have pushed less, or differently.
        if pushes {
            pushes::invalidate_source(tx, source_key, (invalidations::FIRST, false), now).await?;
            pushes::due_bookings(tx, source_key, now).await?;
        }
        let mut new = Vec::new();
        for work in of_source(source_key, manifest, now) {
            if !store::queue::is_enqueued(tx, work.key(), work.kind, &work.payload).await? {
                new.push(work);
            }
        }
        store::queue::enqueue(tx, &new, now).await?;
    }
    Ok(())
}

/// Jobs of the polls that import a source's bookings, due now.
pub fn of_bookings(source_key: SourceKey, manifest: &Manifest, now: Timestamp) -> Vec<NewJob<'static>> {
    let polls = manifest.polls.iter().filter(|poll| poll.entity == Entity::Reservation);
    polls.map(|poll| JobKind::Poll.job(source_key, payload_of(poll), (now, now))).collect()
}

fn of_source(source_key: SourceKey, manifest: &Manifest, now: Timestamp) -> Vec<NewJob<'static>> {
    let polls = in_order(manifest).into_iter().map(|poll| JobKind::Poll.job(source_key, payload_of(poll), (now, now)));
    polls.chain([JobKind::ExtendHorizon.job(source_key, json!({}), (now, now))]).collect()
}

fn in_order(manifest: &Manifest) -> Vec<&Poll> {
    let mut polls: Vec<&Poll> = manifest.polls.iter().collect();
    polls.sort_by_key(|poll| poll.entity);
    polls
}
