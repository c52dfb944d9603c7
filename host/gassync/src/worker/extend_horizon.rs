use gassync_domain::{Timestamp, utc_day};
use jiff::{SignedDuration, Span};

use super::job::{Job, JobContext, RunningJob, done};
use crate::{
    app::App,
    channel::ChannelCallError,
    schedule::{self, ExtendHorizon, JobOutcome},
    store::{
        self, missing,
        outbound::{invalidations, nights, push_settings},
        sources::Source,
    },
};

/// Interval: a day begins at any hour somewhere.
const PERIOD: SignedDuration = SignedDuration::from_hours(6);

/// How long a past reservation that the channel did not return stays recorded.
const MISSING_KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Job for ExtendHorizon {
    const RECURS: bool = true;

    async fn run(context: JobContext<'_>, jobs: &[RunningJob<'_, Self>]) -> Result<Vec<JobOutcome>, ChannelCallError> {
        run(context.app, context.source).await?;
        done(jobs)
    }

    fn next_time(&self, _: &App, _: &Source, now: Timestamp) -> Option<Timestamp> {
        now.checked_add(PERIOD).ok()
    }
}

/// Invalidates the nights that have entered a source's horizon since the last run, and deletes past ones.
async fn run(app: &App, source: &Source) -> store::Result<()> {
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    // It may still be the day before in some time zone.
    let over = utc_day(now - SignedDuration::from_hours(48));
    nights::delete_before(&mut tx, source.key(), over).await?;
    missing::delete_before(&mut tx, source.key(), now - MISSING_KEPT_FOR).await?;
    let from = push_settings::computed_until(&mut tx, source.key()).await?.unwrap_or(invalidations::FIRST);
    let days = push_settings::get(&mut tx, source.key()).await?.unwrap_or_default().horizon_days;
    // A day that has begun in every time zone.
    let today = utc_day(now - SignedDuration::from_hours(14));
    let until = today.saturating_add(Span::new().days(i64::from(days)));
    push_settings::set_computed_until(&mut tx, source.key(), until).await?;
    schedule::invalidate_source(&mut tx, source.key(), (from, false), now).await?;
    tx.commit().await
}
