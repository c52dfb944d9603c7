use gassync_runtime::Interface;
use jiff::SignedDuration;

use super::job::{Job, JobContext, RunningJob, done, each};
use crate::{
    channel::ChannelCallError,
    outbound::{
        calendar::{self, PushProgress},
        push_tally::PushTally,
    },
    schedule::{JobOutcome, PushCalendar},
    store::{outbound::invalidations, sync_runs::SyncRunKind},
};

/// Delay before checking again whether the channel's bookings are imported.
const IMPORT_CHECK_INTERVAL: SignedDuration = SignedDuration::from_secs(2);

impl Job for PushCalendar {
    async fn run(
        JobContext { app, source, pushes }: JobContext<'_>,
        jobs: &[RunningJob<'_, Self>],
    ) -> Result<Vec<JobOutcome>, ChannelCallError> {
        let plugin = app.plugins.require(&source.source_type)?;
        let listens = source.listening_since.is_some();
        if source.connection.is_none() || listens || !plugin.exports().contains(&Interface::PushCalendar) {
            let mut tx = app.db.write(source.account).await?;
            invalidations::delete(&mut tx, source.key()).await?;
            tx.commit().await?;
            return done(jobs);
        }
        let mut tally = PushTally::begin(source, SyncRunKind::AvailabilityExport, app.now());
        let left = calendar::push(app, source, &mut tally).await;
        pushes.lock().extend(tally.into_run(app.now()));
        let left = left?;
        Ok(each(jobs, || match &left {
            PushProgress::Complete => JobOutcome::Done,
            PushProgress::Partial => JobOutcome::Continue,
            // Nights already sold there must not be offered.
            PushProgress::BookingsUnread => {
                JobOutcome::Snooze(IMPORT_CHECK_INTERVAL, "the channel's own bookings are not imported yet".to_owned())
            }
            PushProgress::Retry(wait, why) => JobOutcome::RetryAfter(*wait, why.clone()),
        }))
    }
}
