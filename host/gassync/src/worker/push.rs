//! Jobs that push to channels.

use std::sync::Arc;

use gassync_domain::CoreId;
use gassync_runtime::Interface;
use jiff::SignedDuration;
use serde_json::Value;

use super::failed;
use crate::{
    app::App,
    channel::ChannelCallError,
    outbound::{
        booking::{self, PushOutcome},
        calendar::{self, PushProgress},
        push_tally::PushTally,
    },
    schedule::JobOutcome,
    store::{
        outbound::invalidations,
        queue::Job,
        sources::Source,
        sync_runs::{self, PushRun},
    },
};

/// Delay before checking again whether the channel's bookings are imported.
const IMPORT_CHECK_INTERVAL: SignedDuration = SignedDuration::from_secs(2);
/// Delay of bookings that were not pushed because an earlier call failed.
const AFTER_FAILED_CALL: SignedDuration = SignedDuration::from_secs(2);

/// Pushes unconfirmed calendar nights.
pub(super) async fn calendar(
    app: &Arc<App>,
    source: &Source,
    runs: &mut Vec<PushRun>,
) -> Result<JobOutcome, ChannelCallError> {
    let plugin = app.plugins.require(&source.source_type)?;
    let listens = source.listening_since.is_some();
    if source.connection.is_none() || listens || !plugin.exports().contains(&Interface::PushCalendar) {
        let mut tx = app.db.write(source.account).await?;
        invalidations::delete(&mut tx, source.key()).await?;
        tx.commit().await?;
        return Ok(JobOutcome::Done);
    }
    let mut tally = PushTally::begin(source, sync_runs::SyncRunKind::AvailabilityExport, app.now());
    let left = calendar::push(app, source, &mut tally).await;
    runs.extend(tally.into_run(app.now()));
    Ok(match left? {
        PushProgress::Complete => JobOutcome::Done,
        PushProgress::Partial => JobOutcome::Continue,
        // Nights already sold there must not be offered.
        PushProgress::BookingsUnread => {
            JobOutcome::Snooze(IMPORT_CHECK_INTERVAL, "the channel's own bookings are not imported yet".to_owned())
        }
        PushProgress::Retry(wait, why) => JobOutcome::RetryAfter(wait, why),
    })
}

/// Pushes bookings, in calls of the manifest's batch size; returns one outcome per job.
pub(super) async fn bookings(
    app: &Arc<App>,
    source: &Source,
    jobs: &[Job],
    runs: &mut Vec<PushRun>,
) -> Vec<JobOutcome> {
    let plugin = app.plugins.get(&source.source_type);
    let batch = plugin.and_then(|plugin| plugin.manifest().batches.reservations);
    let most = batch.map_or(jobs.len(), |batch| batch.items as usize);
    let mut outcomes = Vec::with_capacity(jobs.len());
    let mut tally = PushTally::begin(source, sync_runs::SyncRunKind::BookingExport, app.now());
    for of_call in jobs.chunks(most.max(1)) {
        let outcomes_of_call = in_one_call(app, source, of_call, &mut tally)
            .await
            .unwrap_or_else(|error| of_call.iter().map(|_| failed(&error)).collect());
        let is_well = outcomes_of_call
            .iter()
            .all(|outcome| !matches!(outcome, JobOutcome::Failed { .. } | JobOutcome::RetryAfter(..)));
        outcomes.extend(outcomes_of_call);
        if !is_well {
            break; // Do not call the channel again at once.
        }
    }
    runs.extend(tally.into_run(app.now()));
    outcomes.resize_with(jobs.len(), || JobOutcome::Snooze(AFTER_FAILED_CALL, "an earlier call failed".to_owned()));
    outcomes
}

async fn in_one_call(
    app: &Arc<App>,
    source: &Source,
    jobs: &[Job],
    tally: &mut PushTally,
) -> Result<Vec<JobOutcome>, ChannelCallError> {
    if source.listening_since.is_some() {
        // Going live finds what has to be pushed.
        return Ok(jobs.iter().map(|_| JobOutcome::Done).collect());
    }
    let ids: Vec<Option<CoreId>> =
        jobs.iter().map(|job| job.payload.get("booking").and_then(Value::as_i64).map(CoreId)).collect();
    let named: Vec<CoreId> = ids.iter().flatten().copied().collect();
    let mut outcomes_of_call = booking::push(app, source, &named, tally).await?.into_iter();
    let outcome = |id: Option<CoreId>| match id.and_then(|_| outcomes_of_call.next()) {
        Some(PushOutcome::Done) => JobOutcome::Done,
        Some(PushOutcome::Rejected(why)) => JobOutcome::Discard(why),
        Some(PushOutcome::Retry(Some(SignedDuration::ZERO), _)) => JobOutcome::Continue,
        Some(PushOutcome::Retry(wait, why)) => JobOutcome::RetryAfter(wait, why),
        // Payloads are written by this program; an unreadable one is of another version.
        None => JobOutcome::Discard("the payload has no booking id".to_owned()),
    };
    Ok(ids.into_iter().map(outcome).collect())
}
