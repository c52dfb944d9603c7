use std::sync::Arc;

use gassync_domain::{Query, Selection, Timestamp};
use gassync_runtime::{Manifest, Poll};
use jiff::{SignedDuration, Span, tz::TimeZone};
use serde_json::{Value, json};

use super::POLL;
use crate::{
    app::App,
    inbound::pull::{self, PullError},
    store::{
        self, Tx,
        sources::{self, Source},
    },
};

/// Fetches what changed since the last time, and puts the next time in the queue.
pub(super) async fn run(app: &Arc<App>, source: &Source, payload: &Value) -> Result<(), PullError> {
    let plugin =
        app.plugins.get(&source.source_type).ok_or_else(|| PullError::NotLoaded(source.source_type.clone()))?;
    let Some(poll) = named(plugin.manifest(), payload) else {
        return Ok(()); // The plugin polls this no more.
    };
    let selection = selection(app, source, poll).await?;
    let tally = pull::run(app, source, Query::new(poll.entity, selection)).await?;
    tracing::debug!(source = %source.id, entity = poll.entity.as_str(), ?tally, "a poll ended");
    Ok(())
}

/// What a poll's job is about: an entity may have several polls, each with a stream of its own.
fn payload_of(poll: &Poll) -> Value {
    match &poll.stream {
        Some(stream) => json!({ "entity": poll.entity, "stream": stream }),
        None => json!({ "entity": poll.entity }),
    }
}

fn named<'a>(manifest: &'a Manifest, payload: &Value) -> Option<&'a Poll> {
    manifest.polls.iter().find(|poll| payload_of(poll) == *payload)
}

/// What a poll asks for now.
pub async fn selection(app: &App, source: &Source, poll: &Poll) -> store::Result<Selection> {
    if let Some(stream) = &poll.stream {
        return Ok(Selection::Pending(stream.clone()));
    }
    if let Some(days) = poll.window {
        let today = app.now().to_zoned(TimeZone::UTC).date();
        let start = today.saturating_sub(Span::new().days(i64::from(days.back)));
        return Ok(Selection::Within { start, until: today.saturating_add(Span::new().days(i64::from(days.ahead))) });
    }
    let mut tx = app.db.read(source.account).await?;
    let resume = sources::resume_point(&mut tx, source.account, source.id, poll.entity.as_str()).await?;
    Ok(pull::since(resume, poll.overlap_seconds))
}

/// When a poll comes again.
pub(super) fn next_time(app: &App, source: &Source, payload: &Value, now: Timestamp) -> Option<Timestamp> {
    let plugin = app.plugins.get(&source.source_type)?;
    let poll = named(plugin.manifest(), payload)?;
    let seconds = match app.config.work.poll_seconds {
        0 => i64::from(poll.interval_seconds),
        shorter => i64::try_from(shorter).unwrap_or(i64::MAX).min(i64::from(poll.interval_seconds)),
    };
    now.checked_add(SignedDuration::from_secs(seconds)).ok()
}

/// Puts a source's polls in the queue, properties before what stands in them; all are due now.
pub async fn begin(tx: &mut Tx, source: &Source, manifest: &Manifest, now: Timestamp) -> store::Result<()> {
    for poll in in_order(manifest) {
        store::jobs::enqueue(tx, source.account, source.id, POLL, &payload_of(poll), now, now).await?;
    }
    Ok(())
}

/// Puts polls in the queue that came with an upgrade; those that wait already go on as they were.
pub async fn begin_new(tx: &mut Tx, manifest: &Manifest, now: Timestamp) -> store::Result<()> {
    for poll in in_order(manifest) {
        store::jobs::enqueue_for_all(tx, &manifest.id, POLL, &payload_of(poll), now).await?;
    }
    Ok(())
}

fn in_order(manifest: &Manifest) -> Vec<&Poll> {
    let mut polls: Vec<&Poll> = manifest.polls.iter().collect();
    polls.sort_by_key(|poll| poll.entity);
    polls
}
