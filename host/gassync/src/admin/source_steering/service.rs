//! What is done to control sources.

use gassync_domain::FieldError;
use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::dto::{
    MAX_POLL_MINUTES, NewPoll, NewSettings, NewSwitches, SettingsChange, SourceRun, StatusChange, Switches,
};
use crate::{
    app::App,
    http::{ApiError, Problem},
    schedule::{self, JobSpec as _, RetryParked},
    store::{
        self, Tx,
        outbound::invalidations,
        queue, source_switches,
        sources::{self, Source, SourceState},
        sync_runs,
    },
};

/// Minimum time that work is retried after its source is resumed.
const PATIENCE: SignedDuration = SignedDuration::from_hours(72);
/// Number of runs shown.
const RUNS: i64 = 50;

/// Pauses or disables a source.
pub(super) async fn halt(app: &App, source: &Source, status: SourceState) -> Result<StatusChange, ApiError> {
    let mut tx = app.db.write(source.account).await?;
    source_switches::stop(&mut tx, source.key(), status).await?;
    if status == SourceState::Paused && source.status == SourceState::Disabled {
        source_switches::release_deferred_messages(&mut tx, source.key(), app.now()).await?;
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(StatusChange { was: source.status, status })
}

/// Resumes a source at its cursors, with the pushes that are pending.
pub(super) async fn resume(app: &App, source: &Source) -> Result<StatusChange, ApiError> {
    let mut tx = app.db.write(source.account).await?;
    go_on(app, &mut tx, source, false).await?;
    source_switches::release_deferred_messages(&mut tx, source.key(), app.now()).await?;
    let Some(status) = source_switches::resume(&mut tx, source.key()).await? else {
        let text = format!("{} is {}: only a paused or disabled source can be resumed", source.name, source.status);
        return Err(Problem::Conflict(text).into());
    };
    tx.commit().await?;
    app.facts.notify_one();
    app.wake.notify_waiters();
    Ok(StatusChange { was: source.status, status })
}

/// Enqueues the work that a stopped source missed; `whole` pushes confirmed nights, too.
async fn go_on(app: &App, tx: &mut Tx, source: &Source, whole: bool) -> store::Result<()> {
    let (now, source_key) = (app.now(), source.key());
    if source.connection.is_none() {
        return Ok(());
    }
    if let Some(plugin) = app.plugins.get(&source.source_type) {
        schedule::begin_polls(tx, source.key(), plugin.manifest(), now).await?;
    }
    queue::enqueue(tx, &[RetryParked {}.of(source_key)], now).await?;
    schedule::invalidate_source(tx, source_key, (invalidations::FIRST, whole), now).await?;
    schedule::push_due_bookings(tx, source_key, now).await?;
    source_switches::extend_deadline(tx, source.key(), now + PATIENCE).await
}

/// The switches of a source.
pub(super) fn shown(source: &Source) -> Switches {
    Switches { sync_enabled: source.sync_enabled, sync_direction: source.direction, poll_minutes: source.poll_minutes }
}

/// Changes the switches.
pub(super) async fn set_switches(app: &App, source: &Source, new: NewSwitches) -> Result<Switches, ApiError> {
    has_channel(source)?;
    let enabled = new.sync_enabled.unwrap_or(source.sync_enabled);
    let direction = new.sync_direction.unwrap_or(source.direction);
    let mut tx = app.db.write(source.account).await?;
    // The channel's state of data that was not pushed is unknown.
    let widens = direction.is_outward() && !source.direction.is_outward();
    go_on(app, &mut tx, source, widens).await?;
    source_switches::set_sync(&mut tx, source.key(), (enabled, direction)).await?;
    tx.commit().await?;
    app.facts.notify_one();
    app.wake.notify_waiters();
    Ok(Switches { sync_enabled: enabled, sync_direction: direction, ..shown(source) })
}

/// Rejects sources without a channel.
fn has_channel(source: &Source) -> Result<(), Problem> {
    if source.connection.is_some() {
        return Ok(());
    }
    let text = format!("{} is a partner source without a channel: pause or disable it instead", source.name);
    Err(Problem::Malformed(text))
}

/// Sets the poll interval; a shorter one takes effect at once.
pub(super) async fn set_poll(app: &App, source: &Source, NewPoll { minutes }: NewPoll) -> Result<Switches, ApiError> {
    if let Some(wrong) = minutes.filter(|minutes| !(1..=MAX_POLL_MINUTES).contains(minutes)) {
        let problem = format!("is {wrong}; allowed are 1 to {MAX_POLL_MINUTES}");
        return Err(Problem::Invalid(vec![FieldError::new("/minutes", problem)]).into());
    }
    has_channel(source)?;
    let source = Source { poll_minutes: minutes, ..source.clone() };
    let mut tx = app.db.write(source.account).await?;
    if let Some(plugin) = app.plugins.get(&source.source_type) {
        schedule::hasten_polls(&mut tx, &source, plugin.manifest(), app.now()).await?;
    }
    source_switches::set_poll_minutes(&mut tx, source.key(), minutes).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(shown(&source))
}

/// Changes settings; they apply from the next plugin call.
pub(super) async fn set_settings(app: &App, source: &Source, new: NewSettings) -> Result<SettingsChange, ApiError> {
    if let Some(both) = new.unset.iter().find(|name| new.set.contains_key(*name)) {
        return Err(Problem::Malformed(format!("unset: {both} is also in set")).into());
    }
    has_channel(source)?;
    let plugin = app.plugins.require(&source.source_type)?;
    let mut tx = app.db.write(source.account).await?;
    // Locks the row, so that concurrent changes do not overwrite each other.
    source_switches::lock(&mut tx, source.key()).await?;
    let before = sources::get(&mut tx, source.key()).await?.ok_or(Problem::NotFound)?.config;
    let mut after: Map<String, Value> = before.as_object().cloned().unwrap_or_default();
    for name in &new.unset {
        if after.remove(name).is_none() {
            let problem = "is not set".to_owned();
            return Err(Problem::Invalid(vec![FieldError::new(format!("settings.{name}"), problem)]).into());
        }
    }
    after.extend(new.set);
    let after = Value::Object(after);
    let wrong = plugin.manifest().wrong_settings(&after);
    if !wrong.is_empty() {
        let named = |(place, problem)| FieldError::new(format!("settings.{place}"), problem);
        return Err(Problem::Invalid(wrong.into_iter().map(named).collect()).into());
    }
    source_switches::set_settings(&mut tx, source.key(), &after).await?;
    tx.commit().await?;
    Ok(SettingsChange { before, after })
}

/// The newest runs, newest first.
pub(super) async fn runs(app: &App, source: &Source) -> Result<Vec<SourceRun>, ApiError> {
    let mut tx = app.db.read(source.account).await?;
    let runs = sync_runs::newest(&mut tx, source.key(), RUNS).await?;
    Ok(runs.into_iter().map(SourceRun::from).collect())
}
