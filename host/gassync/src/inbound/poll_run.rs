//! Runs polls and records their results: a source whose polls keep failing is set to error, and back to active by the first
//! success. Its queued work continues meanwhile.

use std::sync::Arc;

use gassync_domain::{ChannelError, Date, Entity, Ingested, Query, Selection, SourceKey, Timestamp, today_at};
use gassync_runtime::{CallError, Poll};
use jiff::{SignedDuration, Span};

use super::fetch::{self, OutcomeCounts};
use crate::{
    app::App,
    channel::ChannelCallError,
    store::{
        self, Tx, connections,
        poll_failures::{self, PollFailure},
        queue::{self, ClaimedJob},
        sources::{self, Source, SourceState},
        time_zones,
    },
};

/// Number of consecutive failures after which a poll sets its source to error; the first failure must also be older than
/// [`MAX_FAILING`] or, if the poll was only rate limited, [`MAX_LIMITED`].
const MAX_FAILURES: i64 = 5;
/// Minimum age of the first failure.
const MAX_FAILING: SignedDuration = SignedDuration::from_mins(1);
/// Minimum age of the first failure if the poll was only rate limited.
const MAX_LIMITED: SignedDuration = SignedDuration::from_hours(1);

/// The name of a poll.
pub fn poll_name(entity: Entity, queue: Option<&str>) -> String {
    match queue {
        Some(queue) => format!("{}/{queue}", entity.as_str()),
        None => entity.as_str().to_owned(),
    }
}

/// The selection that a poll requests now.
pub async fn selection(app: &App, source: &Source, poll: &Poll) -> store::Result<Selection> {
    if let Some(queue) = &poll.queue {
        return Ok(Selection::Queue(queue.clone()));
    }
    if let Some(days) = poll.window {
        let today = today(app, source).await?;
        let start = today.saturating_sub(Span::new().days(i64::from(days.back)));
        return Ok(Selection::Within { start, until: today.saturating_add(Span::new().days(i64::from(days.ahead))) });
    }
    let mut tx = app.db.read(source.account).await?;
    let resume = sources::resume_point(&mut tx, source.key(), poll.entity.as_str()).await?;
    Ok(fetch::since(resume, poll.overlap_seconds, app.now()))
}

/// The current date at a source's houses; with several time zones, the earliest.
pub async fn today(app: &App, source: &Source) -> store::Result<Date> {
    let now = app.now();
    let mut tx = app.db.read(source.account).await?;
    let zones = time_zones::of_source(&mut tx, source.key()).await?;
    let days = zones.iter().map(|zone| today_at(now, zone.as_deref()));
    Ok(days.min().unwrap_or_else(|| today_at(now, None)))
}

/// Runs a poll and records the result at its source, and at the job that runs it.
pub async fn run(
    app: &Arc<App>,
    source: &Source,
    (poll, job): (&Poll, Option<&ClaimedJob>),
    query: Query,
) -> Result<OutcomeCounts, ChannelCallError> {
    let entity = query.entity;
    let result = fetch::run(app, source, query).await;
    let name = poll_name(entity, poll.queue.as_deref());
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    match &result {
        Ok(outcomes) => {
            record_success(&mut tx, source.key(), &name).await?;
            let changed = |ingested| outcomes.get(&ingested).copied().unwrap_or_default();
            if entity == Entity::Reservation
                && changed(Ingested::Created) + changed(Ingested::Updated) > 0
                && let Some(connection) = source.connection
            {
                connections::count_unannounced_poll(&mut tx, source.account, connection, now).await?;
            }
            // At last, since rows of jobs are locked behind others.
            if let Some(job) = job {
                queue::record_report(&mut tx, job, &serde_json::json!(outcomes)).await?;
            }
        }
        Err(error) if counts(error) => record_failure(&mut tx, source, (&name, error), now).await?,
        Err(_) => {}
    }
    tx.commit().await?;
    result
}

/// Clears the failures of a poll that no longer runs.
pub async fn record_end(app: &App, source: &Source, name: &str) -> store::Result<()> {
    let mut tx = app.db.write(source.account).await?;
    record_success(&mut tx, source.key(), name).await?;
    tx.commit().await
}

async fn record_success(tx: &mut Tx, source: SourceKey, name: &str) -> store::Result<()> {
    if !poll_failures::clear(tx, source, name).await? {
        return Ok(());
    }
    let rest = poll_failures::of_source(tx, source).await?;
    if !rest.iter().any(|failure| failure.bad) {
        sources::change_status(tx, source, (SourceState::Error, SourceState::Active)).await?;
    }
    Ok(())
}

async fn record_failure(
    tx: &mut Tx,
    source: &Source,
    (name, error): (&str, &ChannelCallError),
    now: Timestamp,
) -> store::Result<()> {
    let failure = poll_failures::record(tx, source.key(), (name, &error.to_string()), now).await?;
    if failure.bad || is_bad(&failure, error, now) {
        poll_failures::mark_bad(tx, source.key(), name).await?;
        if sources::change_status(tx, source.key(), (SourceState::Active, SourceState::Error)).await? {
            tracing::error!(source = %source.id, poll = name, failures = failure.failures, "polling failed; source set to error");
        }
    }
    Ok(())
}

fn is_bad(failure: &PollFailure, error: &ChannelCallError, now: Timestamp) -> bool {
    let longest = match error {
        // Repeating the poll would give the same result.
        ChannelCallError::Endless(_) => return true,
        ChannelCallError::Call(CallError::Channel(ChannelError::RateLimited(_))) => MAX_LIMITED,
        _ => MAX_FAILING,
    };
    failure.failures >= MAX_FAILURES && now.duration_since(failure.first_failed_at.into()) >= longest
}

/// True if an error counts as a failure of the source. An unsupported query or a missing connection does not.
fn counts(error: &ChannelCallError) -> bool {
    !matches!(
        error,
        ChannelCallError::Call(CallError::Channel(ChannelError::Unsupported)) | ChannelCallError::NoConnection
    )
}
