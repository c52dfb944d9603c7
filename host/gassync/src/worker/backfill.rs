use std::sync::Arc;

use gassync_domain::{AccountId, ChannelError, Date, Entity, Query, Selection, SourceKey, Timestamp};
use gassync_runtime::CallError;
use jiff::{SignedDuration, Span};
use serde::{Deserialize, Serialize};

use super::job::{Job, JobContext, RunningJob, done, each};
use crate::{
    app::App,
    channel::ChannelCallError,
    inbound::fetch,
    schedule::{JobOutcome, JobSpec, priority},
    store::{
        self,
        backfills::{self, Backfill, BackfillState},
        queue::{self, NewJob},
        sources::Source,
    },
};

/// Nights fetched per window; completed windows are not fetched again after a crash.
const WINDOW_DAYS: i64 = 30;

/// An attempt that fails this close to the deadline is the last.
const FINAL_ATTEMPT_WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// Delay while the source is outbound only.
const UNTIL_INWARD: SignedDuration = SignedDuration::from_mins(10);

/// Entities fetched by date range.
const BY_NIGHTS: [Entity; 3] = [Entity::Reservation, Entity::Block, Entity::Calendar];

/// Fetches one window of a backfill, records the progress, and enqueues the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContinueBackfill {
    backfill: i64,
}

impl JobSpec for ContinueBackfill {
    const NAME: &'static str = "backfill";
    const PRIORITY: i64 = priority::BACKFILLS;
    const MAX_AGE: Option<SignedDuration> = Some(SignedDuration::from_hours(72));
}

impl ContinueBackfill {
    /// The job that fetches the next window.
    pub fn next_window(account: AccountId, backfill: &Backfill) -> NewJob {
        Self { backfill: backfill.id }.of(SourceKey { account, source: backfill.source })
    }
}

impl Job for ContinueBackfill {
    async fn run(
        JobContext { app, source, .. }: JobContext<'_>,
        jobs: &[RunningJob<'_, Self>],
    ) -> Result<Vec<JobOutcome>, ChannelCallError> {
        if !source.direction.is_inward() {
            return Ok(each(jobs, || JobOutcome::Snooze(UNTIL_INWARD, "the source is outbound only".to_owned())));
        }
        for RunningJob { args, claimed } in jobs {
            run(app, source, args.backfill, claimed.deadline).await?;
        }
        done(jobs)
    }
}

async fn run(app: &Arc<App>, source: &Source, id: i64, deadline: Option<Timestamp>) -> Result<(), ChannelCallError> {
    let result = next_window(app, source, id).await;
    if let Err(error) = &result {
        // Permanent errors are not retried, and neither is a job at its deadline.
        let for_good = deadline.is_some_and(|deadline| app.now() + FINAL_ATTEMPT_WINDOW > deadline)
            || matches!(
                error,
                ChannelCallError::NoConnection | ChannelCallError::Call(CallError::Channel(ChannelError::Unsupported))
            );
        record_failure(app, source.account, id, (&error.to_string(), for_good)).await?;
    }
    result
}

async fn next_window(app: &Arc<App>, source: &Source, id: i64) -> Result<(), ChannelCallError> {
    let mut tx = app.db.read(source.account).await?;
    let backfill = backfills::get(&mut tx, source.account, id).await?;
    drop(tx);
    let Some(mut backfill) = backfill.filter(|backfill| backfill.state == BackfillState::Running) else {
        return Ok(());
    };
    if backfill.reached == backfill.starts_on {
        // Properties first: the other records refer to them.
        fetch(app, source, &mut backfill, Query::new(Entity::Property, Selection::Everything)).await?;
    }
    let until = backfill.reached.saturating_add(Span::new().days(WINDOW_DAYS)).min(backfill.ends_on);
    let mut any = false;
    for entity in BY_NIGHTS {
        let selection = Selection::Within { start: backfill.reached, until };
        any |= fetch(app, source, &mut backfill, Query::new(entity, selection)).await?;
    }
    if !any {
        // The channel supports none of the queries, so the backfill must not count as done.
        return Err(ChannelCallError::Call(CallError::Channel(ChannelError::Unsupported)));
    }
    note(app, source, &backfill, until).await?;
    Ok(())
}

async fn note(app: &App, source: &Source, backfill: &Backfill, reached: Date) -> store::Result<()> {
    let now = app.now();
    let done = reached == backfill.ends_on;
    let state = if done { BackfillState::Done } else { BackfillState::Running };
    let mut tx = app.db.write(source.account).await?;
    backfills::record_progress(&mut tx, source.account, backfill.id, (reached, state, &backfill.outcome), now).await?;
    if !done {
        // Enqueueing the same job again ensures that there is never a second one for the same nights.
        queue::enqueue(&mut tx, &[ContinueBackfill::next_window(source.account, backfill)], now).await?;
    }
    tx.commit().await
}

/// Runs a query; `false` if the plugin does not support it.
async fn fetch(
    app: &Arc<App>,
    source: &Source,
    backfill: &mut Backfill,
    query: Query,
) -> Result<bool, ChannelCallError> {
    let entity = query.entity;
    let outcomes = match fetch::run(app, source, query).await {
        Ok(outcomes) => outcomes,
        Err(ChannelCallError::Call(CallError::Channel(ChannelError::Unsupported))) => return Ok(false),
        Err(error) => return Err(error),
    };
    let counts = backfill.outcome.entry(entity).or_default();
    for (word, count) in outcomes {
        *counts.entry(word).or_default() += count;
    }
    Ok(true)
}

/// Records the failure on the backfill; `for_good` if the job is not retried.
async fn record_failure(app: &App, account: AccountId, id: i64, (why, for_good): (&str, bool)) -> store::Result<()> {
    let state = if for_good { BackfillState::Failed } else { BackfillState::Running };
    let mut tx = app.db.write(account).await?;
    backfills::record_failure(&mut tx, account, id, (state, Some(why)), app.now()).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_arguments_are_stored_as_before() {
        let job = ContinueBackfill { backfill: 3 };
        assert_eq!(serde_json::to_string(&job).expect("JSON"), r#"{"backfill":3}"#);
        assert_eq!(serde_json::from_str::<ContinueBackfill>(r#"{"backfill":3}"#).expect("arguments"), job);
    }
}
