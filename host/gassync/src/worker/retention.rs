//! Deletes expired rows, class by class, in small transactions.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    store::{self, retention},
};

/// Interval.
const PERIOD: Duration = Duration::from_secs(3_600);
/// Rows deleted in one transaction, so that locks are short.
const BATCH: i64 = 1_000;

/// Runs until shutdown.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(error) = once(&app, &shutdown).await {
            tracing::error!(%error, "retention failed");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = (app.sleep)(PERIOD) => {}
        }
    }
}

async fn once(app: &App, shutdown: &CancellationToken) -> store::Result<()> {
    let days = &app.config.retention;
    let classes = [
        (retention::INBOX, days.inbox_days),
        (retention::ANSWERS, days.inbox_days),
        (retention::SYNC_LOG, days.sync_log_days),
        (retention::SYNC_RUNS, days.sync_runs_days),
        (retention::FEED, days.feed_days),
        // After the events: an event whose delivery is deleted would look undelivered.
        (retention::DELIVERIES, days.feed_days),
        (retention::JOB_RUNS, days.feed_days),
        (retention::QUEUES, days.feed_days),
        (retention::WEBHOOKS, days.feed_days),
        (retention::JOBS, days.jobs_days),
        (retention::CALLS, days.calls_days),
        (retention::TAKEN_BACK_RESERVATIONS, days.taken_back_days),
        (retention::TAKEN_BACK_GUESTS, days.taken_back_days),
        (retention::TAKEN_BACK_RATE_PLANS, days.taken_back_days),
    ];
    // One time for all classes: no delivery may be deleted before its event.
    let now = app.now();
    for (class, days) in classes {
        let before = now - SignedDuration::from_hours(24 * i64::from(days));
        let mut all = 0;
        while !shutdown.is_cancelled() {
            let mut tx = app.db.platform_write().await?;
            let gone = retention::forget(&mut tx, class, before, BATCH).await?;
            tx.commit().await?;
            all += gone;
            if i64::try_from(gone).is_ok_and(|gone| gone < BATCH) {
                break;
            }
        }
        if all > 0 {
            tracing::info!(class = class.name, rows = all, "deleted expired rows");
        }
    }
    Ok(())
}
