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
        backfills::{self, Backfill},
        queue::Job,
        sources::Source,
    },
};

/// Nights that are fetched at once: what is behind them is not fetched again after a crash.
const WINDOW_DAYS: i64 = 30;

/// A try that fails so shortly before its job's deadline is the last.
const FINAL_ATTEMPT_WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// What is read by its nights.
const BY_NIGHTS: [Entity; 3] = [Entity::Reservation, Entity::Block, Entity::Calendar];

/// Fetches the next window, notes that it is done, and puts the one after it in the queue.
pub(super) async fn run(app: &Arc<App>, source: &Source, job: &Job) -> Result<(), ChannelCallError> {
    let Some(id) = job.payload.get("backfill").and_then(Value::as_i64) else { return Ok(()) };
    let result = next_window(app, source, id).await;
    if let Err(error) = &result {
        // One that nothing can be fetched for is not tried again, and one whose time is over was tried long enough.
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
    let Some(mut backfill) = backfill.filter(|backfill| backfill.state == "running") else { return Ok(()) };
    if backfill.reached == backfill.starts_on {
        // Rooms come before what stands in them.
        fetch(app, source, &mut backfill, Query::new(Entity::Property, Selection::Everything)).await?;
    }
    let until = backfill.reached.saturating_add(Span::new().days(WINDOW_DAYS)).min(backfill.ends_on);
    let mut any = false;
    for entity in BY_NIGHTS {
        let selection = Selection::Within { start: backfill.reached, until };
        any |= fetch(app, source, &mut backfill, Query::new(entity, selection)).await?;
    }
    if !any {
        // Nothing it has can be asked for so: to say that it is done would be a lie.
        return Err(ChannelCallError::Call(CallError::Channel(ChannelError::Unsupported)));
    }
    note(app, source, &backfill, until).await?;
    Ok(())
}

async fn note(app: &App, source: &Source, backfill: &Backfill, reached: Date) -> store::Result<()> {
    let now = app.now();
    let done = reached == backfill.ends_on;
    let state = if done { "done" } else { "running" };
    let mut tx = app.db.write(source.account).await?;
    backfills::record_progress(&mut tx, source.account, backfill.id, (reached, state, &backfill.outcome), now).await?;
    if !done {
        // This very job is put in the queue anew: there is never a second one for the same nights.
        schedule::continue_backfill(&mut tx, source.account, backfill, now).await?;
    }
    tx.commit().await
}

/// Fetches what a query asks for; false where the plugin has no way to ask for it.
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
    let counts = backfill.outcome.entry(entity.as_str().to_owned()).or_default();
    for (word, count) in outcomes {
        *counts.entry(word.to_owned()).or_default() += count;
    }
    Ok(true)
}

/// Notes on the backfill why its job came to nothing; `for_good` where it is not tried again by itself.
async fn record_failure(app: &App, account: AccountId, id: i64, (why, for_good): (&str, bool)) -> store::Result<()> {
    let state = if for_good { "failed" } else { "running" };
    let mut tx = app.db.write(account).await?;
    backfills::record_failure(&mut tx, account, id, (state, Some(why)), app.now()).await?;
    tx.commit().await
}
