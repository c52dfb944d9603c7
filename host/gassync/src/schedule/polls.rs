use gassync_domain::{AccountId, Entity, SourceId, Timestamp};
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

/// What a poll's job is about: an entity may have several polls, each with a stream of its own.
fn payload_of(poll: &Poll) -> Value {
    match &poll.queue {
        Some(queue) => json!({ "entity": poll.entity, "stream": queue }),
        None => json!({ "entity": poll.entity }),
    }
}

/// The poll of the manifest that a job is about.
pub fn named<'a>(manifest: &'a Manifest, payload: &Value) -> Option<&'a Poll> {
    manifest.polls.iter().find(|poll| payload_of(poll) == *payload)
}

/// How many seconds lie between two polls. What a source says counts for bookings; what changes less often is not asked for
/// more often than the plugin's manifest says.
pub fn interval_seconds(minutes: Option<i64>, poll: &Poll) -> i64 {
    let by_manifest = i64::from(poll.interval_seconds);
    match (minutes.map(|minutes| minutes.saturating_mul(60)), poll.entity) {
        (None, _) => by_manifest,
        (Some(seconds), Entity::Reservation | Entity::Guest | Entity::Block) => seconds,
        (Some(seconds), _) => seconds.max(by_manifest),
    }
}

/// How often a source is asked has changed: its polls that wait come no later than that from now on.
pub async fn hasten(tx: &mut Tx, source: &Source, manifest: &Manifest, now: Timestamp) -> store::Result<()> {
    let mut sooner = Vec::new();
    for poll in &manifest.polls {
        let wait = SignedDuration::from_secs(interval_seconds(source.poll_minutes, poll));
        let payload = payload_of(poll);
        if store::queue::is_enqueued(tx, source.account, source.id, JobKind::Poll.name(), &payload).await? {
            sooner.push(JobKind::Poll.job((source.account, source.id), payload, (now + wait, now)));
        }
    }
    store::queue::enqueue(tx, &sooner, now).await
}

/// Puts a source's polls in the queue, properties before what stands in them, and what has its calendar told; all are due
/// now.
pub async fn begin(tx: &mut Tx, source: &Source, manifest: &Manifest, now: Timestamp) -> store::Result<()> {
    store::queue::enqueue(tx, &of_source((source.account, source.id), manifest, now), now).await
}

/// Puts what comes again in the queue that came with an upgrade; what waits already goes on as it was.
pub async fn begin_new(tx: &mut Tx, manifest: &Manifest, pushes: bool, now: Timestamp) -> store::Result<()> {
    for source_key in sources::active_of_channel(tx, &manifest.id).await? {
        // What a version before could not be told, or was told otherwise, is reckoned anew.
        if pushes {
            pushes::invalidate_source(tx, source_key, (invalidations::FIRST, false), now).await?;
            pushes::due_bookings(tx, source_key, now).await?;
        }
        let mut new = Vec::new();
        for work in of_source(source_key, manifest, now) {
            if !store::queue::is_enqueued(tx, work.account, work.source, work.kind, &work.payload).await? {
                new.push(work);
            }
        }
        store::queue::enqueue(tx, &new, now).await?;
    }
    Ok(())
}

/// The polls that read a source's bookings, due now.
pub fn of_bookings(source_key: (AccountId, SourceId), manifest: &Manifest, now: Timestamp) -> Vec<NewJob<'static>> {
    let polls = manifest.polls.iter().filter(|poll| poll.entity == Entity::Reservation);
    polls.map(|poll| JobKind::Poll.job(source_key, payload_of(poll), (now, now))).collect()
}

fn of_source(source_key: (AccountId, SourceId), manifest: &Manifest, now: Timestamp) -> Vec<NewJob<'static>> {
    let polls = in_order(manifest).into_iter().map(|poll| JobKind::Poll.job(source_key, payload_of(poll), (now, now)));
    polls.chain([JobKind::ExtendHorizon.job(source_key, json!({}), (now, now))]).collect()
}

fn in_order(manifest: &Manifest) -> Vec<&Poll> {
    let mut polls: Vec<&Poll> = manifest.polls.iter().collect();
    polls.sort_by_key(|poll| poll.entity);
    polls
}
