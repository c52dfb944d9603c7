//! Deletes a source.

use std::{sync::Arc, time::Duration};

use gassync_domain::FieldError;

use super::dto::{NewRemoval, RemovalResponse, RemovedRecords};
use crate::{
    app::App,
    core,
    credentials::ConnectionSecrets,
    http::{ApiError, Problem},
    inbound::{apply::IngestContext, manual_closure},
    store::{
        self, Fault,
        source_removal::{self, CONNECTION, CONNECTION_TABLES, SOURCE, SOURCE_TABLES, SourceContents, TableSlice},
        source_switches,
        sources::{self, Source, SourceState},
    },
};

/// Rows deleted per transaction.
const BATCH: i64 = 1_000;
/// Holds released per transaction.
const HOLDS: i64 = 100;
/// Interval of checks whether work for the source is still running.
const LOOK: Duration = Duration::from_millis(100);
/// Maximum number of these checks.
const LOOKS: u32 = 150;
/// Maximum rounds of deletion if data arrives meanwhile.
const ROUNDS: u32 = 3;

/// Deletes a source, or returns what that would affect.
pub(super) async fn remove(app: &Arc<App>, source: &Source, new: NewRemoval) -> Result<RemovalResponse, ApiError> {
    let alone = connection_of_its_own(app, source).await?;
    let mut tx = app.db.read(source.account).await?;
    let kept = source_removal::count(&mut tx, source.key(), alone.connection).await?;
    drop(tx);
    if new.dry_run {
        return Ok(removal_response(source, kept, false));
    }
    if new.confirm.as_deref() != Some(&source.name) {
        let problem = format!("must be the source's name, {}: nothing was deleted", source.name);
        return Err(Problem::Invalid(vec![FieldError::new("/confirm", problem)]).into());
    }
    stop(app, source).await?;
    // The counts are final once no work is running.
    let mut tx = app.db.read(source.account).await?;
    let kept = source_removal::count(&mut tx, source.key(), alone.connection).await?;
    drop(tx);
    let problems = revoke(app, &alone).await?;
    give_back(app, source).await?;
    take_all(app, &alone).await?;
    app.facts.notify_one();
    app.wake.notify_waiters();
    Ok(RemovalResponse { problems, ..removal_response(source, kept, true) })
}

fn removal_response(source: &Source, kept: SourceContents, done: bool) -> RemovalResponse {
    RemovalResponse {
        name: source.name.clone(),
        done,
        creates: source.creates,
        records: RemovedRecords {
            properties: kept.properties,
            room_types: kept.room_types,
            rate_plans: kept.rate_plans,
            reservations: kept.reservations,
            guests: kept.guests,
            blocks: kept.blocks,
            calendar_nights: kept.calendar_nights,
            set_aside: kept.set_aside,
            decisions: kept.decisions,
        },
        links: kept.links,
        bookings_kept: kept.bookings,
        closures_kept: kept.closures,
        closed_nights_opened: kept.closed_nights,
        holds_given_back: kept.holds,
        pushed_bookings: kept.pushed_bookings,
        credentials: kept.credentials,
        keys: kept.keys,
        subscriptions: kept.subscriptions,
        jobs: kept.jobs,
        messages: kept.messages,
        waiting_messages: kept.waiting_messages,
        problems: Vec::new(),
    }
}

/// The source, with its connection unless another source shares it.
async fn connection_of_its_own(app: &App, source: &Source) -> store::Result<Source> {
    let mut tx = app.db.read(source.account).await?;
    let sharing = match source.connection {
        Some(connection) => sources::of_connection(&mut tx, source.account, connection).await?.len(),
        None => 0,
    };
    Ok(Source { connection: source.connection.filter(|_| sharing == 1), ..source.clone() })
}

/// Stops new work for the source and waits for running work.
async fn stop(app: &App, source: &Source) -> Result<(), ApiError> {
    let mut tx = app.db.write(source.account).await?;
    source_switches::stop(&mut tx, source.key(), SourceState::Disabled).await?;
    tx.commit().await?;
    app.keys_changed();
    for _ in 0..LOOKS {
        let mut tx = app.db.read(source.account).await?;
        if !source_removal::is_busy(&mut tx, source.key(), app.now()).await? {
            return Ok(());
        }
        drop(tx);
        tokio::time::sleep(LOOK).await;
    }
    let text = format!("work for {} is still running; the source is disabled now: try again in a moment", source.name);
    Err(Problem::Conflict(text).into())
}

/// Revokes access at the channel and deletes the secrets; returns the channel's errors.
async fn revoke(app: &Arc<App>, source: &Source) -> Result<Vec<String>, ApiError> {
    let Some(connection) = source.connection else { return Ok(Vec::new()) };
    let Some(plugin) = app.plugins.get(&source.source_type) else {
        return Ok(vec![format!(
            "the plugin {} is not loaded: access was not revoked at the channel",
            source.source_type
        )]);
    };
    let settings = source.config.clone();
    let secrets = ConnectionSecrets::new(Arc::clone(app), source.account, connection, plugin, settings);
    secrets.revoke().await.map_err(|error| Problem::Channel(format!("{error:#}")).into())
}

/// Releases the holds of its records and the nights that only this source could open.
async fn give_back(app: &App, source: &Source) -> store::Result<()> {
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    manual_closure::reopen_all(&mut tx, &IngestContext::from_source(source, now, now)).await?;
    tx.commit().await?;
    loop {
        let mut tx = app.db.write(source.account).await?;
        tx.lock_ledger(source.account, true).await?;
        let holds = source_removal::holds(&mut tx, source.key(), HOLDS).await?;
        if holds.is_empty() {
            return Ok(());
        }
        core::drop_holds(&mut tx, source.account, &holds, app.now()).await?;
        source_removal::delete_holds(&mut tx, source.key(), &holds).await?;
        tx.commit().await?;
    }
}

/// Deletes all its data. Data that arrives meanwhile is deleted in another round.
async fn take_all(app: &App, source: &Source) -> store::Result<()> {
    let mut round = 1;
    loop {
        match take_once(app, source).await {
            Err(error) if round < ROUNDS && store::fault(&error) == Fault::Record => round += 1,
            ended => return ended,
        }
    }
}

async fn take_once(app: &App, source: &Source) -> store::Result<()> {
    for piece in SOURCE_TABLES {
        take(app, source, piece, source.id.0).await?;
    }
    if let Some(connection) = source.connection {
        for piece in CONNECTION_TABLES {
            take(app, source, piece, connection.0).await?;
        }
    }
    // One transaction, since a connection must not outlive its source.
    let mut tx = app.db.write(source.account).await?;
    source_removal::delete(&mut tx, SOURCE, source.account, source.id.0, 1).await?;
    if let Some(connection) = source.connection {
        source_removal::delete(&mut tx, CONNECTION, source.account, connection.0, 1).await?;
    }
    tx.commit().await
}

async fn take(app: &App, source: &Source, piece: TableSlice, of: i64) -> store::Result<()> {
    loop {
        let mut tx = app.db.write(source.account).await?;
        let gone = source_removal::delete(&mut tx, piece, source.account, of, BATCH).await?;
        tx.commit().await?;
        if i64::try_from(gone).is_ok_and(|gone| gone < BATCH) {
            return Ok(());
        }
    }
}
