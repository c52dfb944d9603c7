use std::sync::Arc;

use gassync_domain::CoreId;
use jiff::SignedDuration;

use super::job::{Job, JobContext, RunningJob, each, failed};
use crate::{
    app::App,
    channel::ChannelCallError,
    outbound::{
        booking::{self, PushOutcome},
        push_tally::PushTally,
    },
    schedule::{JobOutcome, JobSpec, PushBooking, PushCalendar},
    store::{queue::BatchPolicy, sources::Source, sync_runs::SyncRunKind},
};

/// Delay of bookings that were not pushed because an earlier call failed.
const AFTER_FAILED_CALL: SignedDuration = SignedDuration::from_secs(2);

impl Job for PushBooking {
    /// The calendar is pushed behind the bookings; it would starve otherwise.
    const BATCH: BatchPolicy = BatchPolicy { kinds: &[Self::NAME, PushCalendar::NAME], max: 20, independent: false };

    /// Pushes bookings, in calls of the manifest's batch size.
    async fn run(
        JobContext { app, source, pushes }: JobContext<'_>,
        jobs: &[RunningJob<'_, Self>],
    ) -> Result<Vec<JobOutcome>, ChannelCallError> {
        let plugin = app.plugins.get(&source.source_type);
        let batch = plugin.and_then(|plugin| plugin.manifest().batches.reservations);
        let most = batch.map_or(jobs.len(), |batch| batch.items as usize);
        let mut outcomes = Vec::with_capacity(jobs.len());
        let mut tally = PushTally::begin(source, SyncRunKind::BookingExport, app.now());
        for of_call in jobs.chunks(most.max(1)) {
            let outcomes_of_call = in_one_call(app, source, of_call, &mut tally)
                .await
                .unwrap_or_else(|error| each(of_call, || failed(&error)));
            let is_well = outcomes_of_call
                .iter()
                .all(|outcome| !matches!(outcome, JobOutcome::Failed { .. } | JobOutcome::RetryAfter(..)));
            outcomes.extend(outcomes_of_call);
            if !is_well {
                break; // Do not call the channel again at once.
            }
        }
        pushes.lock().extend(tally.into_run(app.now()));
        let unsent = || JobOutcome::Snooze(AFTER_FAILED_CALL, "an earlier call failed".to_owned());
        outcomes.resize_with(jobs.len(), unsent);
        Ok(outcomes)
    }
}

async fn in_one_call(
    app: &Arc<App>,
    source: &Source,
    jobs: &[RunningJob<'_, PushBooking>],
    tally: &mut PushTally,
) -> Result<Vec<JobOutcome>, ChannelCallError> {
    if source.listening_since.is_some() {
        // Going live finds what has to be pushed.
        return Ok(each(jobs, || JobOutcome::Done));
    }
    let named: Vec<CoreId> = jobs.iter().map(|job| job.args.booking).collect();
    let outcomes = booking::push(app, source, &named, tally).await?.into_iter();
    let outcome = |outcome: PushOutcome| match outcome {
        PushOutcome::Done => JobOutcome::Done,
        PushOutcome::Rejected(why) => JobOutcome::Discard(why),
        PushOutcome::Retry(Some(SignedDuration::ZERO), _) => JobOutcome::Continue,
        PushOutcome::Retry(wait, why) => JobOutcome::RetryAfter(wait, why),
    };
    Ok(outcomes.map(outcome).collect())
}
