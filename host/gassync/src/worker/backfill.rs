use std::sync::Arc;

use gassync_domain::{AccountId, ChannelError, Date, Entity, Query, Selection};
use gassync_runtime::CallError;
use jiff::{SignedDuration, Span};
use serde_json::Value;

use crate::{
    app::App,
    channel::ChannelCallError,
    inbound::fetch,
    schedule,
    store::{
        self,
        backfills::{self, Backfill, BackfillState},
        queue::Job,
        sources::Source,
    },
};

/// Nights fetched per window; completed windows are not fetched again after a crash.
const WINDOW_DAYS: i64 = 30;

/// An attempt that fails this close to the deadline is the last.
const FINAL_ATTEMPT_WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// Entities fetched by date range.
const BY_NIGHTS: [Entity; 3] = [Entity::Reservation, Entity::Block, Entity::Calendar];

/// Fetches the next window, records the progress, and enqueues the one after.
pub(super) async fn run(app: &Arc<App>, source: &Source, job: &Job) -> Result<(), ChannelCallError> {
    let Some(id) = job.payload.get("backfill").and_then(Value::as_i64) else { return Ok(()) };
    let result = next_window(app, source, id).await;
    if let Err(error) = &result {
        // Permanent errors are not retried, and neither is a job at its deadline.
        let for_good = job.deadline.is_some_and(|deadline| app.now() + FINAL_ATTEMPT_WINDOW > deadline)
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
        schedule::continue_backfill(&mut tx, source.account, backfill, now).await?;
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
