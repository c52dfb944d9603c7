use gassync_domain::{Entity, SourceKey, Timestamp};
use gassync_runtime::{Manifest, Poll};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{ExtendHorizon, JobSpec, invalidate_source, priority, push_due_bookings};
use crate::store::{
    self, Tx,
    outbound::invalidations,
    queue::{self, NewJob},
    sources::{self, Source},
};

/// Time between two polls that an operator asks for, so that they run in order.
const APART: SignedDuration = SignedDuration::from_millis(1);

/// Polls an entity for changes. An entity may have several polls, each with its own queue at the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPoll {
    /// The kind of record.
    pub entity: Entity,
    /// The channel's queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

impl JobSpec for RunPoll {
    const NAME: &'static str = "poll";
    const PRIORITY: i64 = priority::PRICES;
    const MAX_AGE: Option<SignedDuration> = None;
}

impl From<&Poll> for RunPoll {
    fn from(poll: &Poll) -> Self {
        Self { entity: poll.entity, stream: poll.queue.clone() }
    }
}

impl RunPoll {
    /// The manifest's poll, unless the plugin no longer has it.
    pub fn find<'a>(&self, manifest: &'a Manifest) -> Option<&'a Poll> {
        manifest.polls.iter().find(|poll| Self::from(*poll) == *self)
    }
}

/// Seconds between two polls. The source's setting applies to bookings; other entities are not polled more often than
/// the manifest says.
pub fn poll_interval_seconds(minutes: Option<i64>, poll: &Poll) -> i64 {
    let by_manifest = i64::from(poll.interval_seconds);
    match (minutes.map(|minutes| minutes.saturating_mul(60)), poll.entity) {
        (None, _) => by_manifest,
        (Some(seconds), Entity::Reservation | Entity::Guest | Entity::Block) => seconds,
        (Some(seconds), _) => seconds.max(by_manifest),
    }
}

/// After a change of the poll interval: moves waiting polls forward where needed.
pub async fn hasten_polls(tx: &mut Tx, source: &Source, manifest: &Manifest, now: Timestamp) -> store::Result<()> {
    let mut sooner = Vec::new();
    for poll in &manifest.polls {
        let wait = SignedDuration::from_secs(poll_interval_seconds(source.poll_minutes, poll));
        let job = RunPoll::from(poll).of(source.key()).after(wait);
        if queue::is_enqueued(tx, &job).await? {
            sooner.push(job);
        }
    }
    queue::enqueue(tx, &sooner, now).await
}

/// Enqueues a source's polls, properties first, and its calendar push; all due now.
pub async fn begin_polls(tx: &mut Tx, source: SourceKey, manifest: &Manifest, now: Timestamp) -> store::Result<()> {
    queue::enqueue(tx, &recurring_jobs(source, manifest), now).await
}

/// Enqueues recurring jobs that are new after an upgrade; waiting ones stay as they are.
pub async fn begin_new_polls(tx: &mut Tx, manifest: &Manifest, pushes: bool, now: Timestamp) -> store::Result<()> {
    for source in sources::active_of_channel(tx, &manifest.id).await? {
        // Push everything again: the earlier version may have pushed less, or differently.
        if pushes {
            invalidate_source(tx, source, (invalidations::FIRST, false), now).await?;
            push_due_bookings(tx, source, now).await?;
        }
        let mut new = Vec::new();
        for job in recurring_jobs(source, manifest) {
            if !queue::is_enqueued(tx, &job).await? {
                new.push(job);
            }
        }
        queue::enqueue(tx, &new, now).await?;
    }
    Ok(())
}

/// Enqueues the polls that match, due now and in order, properties first; returns them.
pub async fn poll_now(
    tx: &mut Tx,
    source: SourceKey,
    (manifest, matches): (&Manifest, impl Fn(&Poll) -> bool),
    now: Timestamp,
) -> store::Result<Vec<NewJob>> {
    let mut jobs: Vec<NewJob> =
        polls_in_order(manifest).filter(|poll| matches(poll)).map(|poll| RunPoll::from(poll).of(source)).collect();
    for (place, job) in (0..).zip(&mut jobs) {
        *job = job.clone().after(APART * place);
    }
    queue::enqueue(tx, &jobs, now).await?;
    Ok(jobs)
}

fn recurring_jobs(source: SourceKey, manifest: &Manifest) -> Vec<NewJob> {
    let polls = polls_in_order(manifest).map(|poll| RunPoll::from(poll).of(source));
    polls.chain([ExtendHorizon {}.of(source)]).collect()
}

fn polls_in_order(manifest: &Manifest) -> impl Iterator<Item = &Poll> {
    let mut polls: Vec<&Poll> = manifest.polls.iter().collect();
    polls.sort_by_key(|poll| poll.entity);
    polls.into_iter()
}

#[cfg(test)]
mod tests {
    use super::{super::spec::tests::assert_stored, *};

    #[test]
    fn its_arguments_are_stored_as_before() {
        let of_all = RunPoll { entity: Entity::RatePlan, stream: None };
        assert_stored(&of_all, r#"{"entity":"rate-plan"}"#);
        let of_queue = RunPoll { stream: Some("new".to_owned()), ..of_all };
        assert_stored(&of_queue, r#"{"entity":"rate-plan","stream":"new"}"#);
    }
}
