//! Jobs that tell channels.

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
        booking::{self, Told},
        calendar::{self, Left},
        visit::Visit,
    },
    schedule::Outcome,
    store::{
        outbound::invalidations,
        queue::Job,
        sources::Source,
        sync_runs::{self, OutwardRun},
    },
};

/// How soon it is looked again whether a channel's own bookings have been read.
const UNTIL_READ: SignedDuration = SignedDuration::from_secs(2);
/// How long bookings wait that were not told because the call before theirs did not work out.
const UNTIL_WELL: SignedDuration = SignedDuration::from_secs(2);

/// Tells a channel what it does not surely have of its calendar.
pub(super) async fn calendar(
    app: &Arc<App>,
    source: &Source,
    runs: &mut Vec<OutwardRun>,
) -> Result<Outcome, ChannelCallError> {
    let plugin = app.plugins.get(&source.source_type);
    let plugin = plugin.ok_or_else(|| ChannelCallError::NotLoaded(source.source_type.clone()))?;
    let listens = source.listening_since.is_some();
    if source.connection.is_none() || listens || !plugin.exports().contains(&Interface::PushCalendar) {
        let mut tx = app.db.write(source.account).await?;
        invalidations::forget(&mut tx, source.account, source.id).await?;
        tx.commit().await?;
        return Ok(Outcome::Done);
    }
    let mut visit = Visit::begin(source, sync_runs::SyncRunKind::AvailabilityExport, app.now());
    let left = calendar::push(app, source, &mut visit).await;
    runs.extend(visit.over(app.now()));
    Ok(match left? {
        Left::Nothing => Outcome::Done,
        Left::More => Outcome::More,
        // What is sold there already must not be offered.
        Left::Unread => Outcome::NotYet(UNTIL_READ, "the channel's own bookings have not been read yet".to_owned()),
        Left::Later(wait, why) => Outcome::Again(wait, why),
    })
}

/// Tells a channel of bookings, as many in one call as the plugin's manifest lets, else all; of each job what came of it.
pub(super) async fn bookings(
    app: &Arc<App>,
    source: &Source,
    jobs: &[Job],
    runs: &mut Vec<OutwardRun>,
) -> Vec<Outcome> {
    let plugin = app.plugins.get(&source.source_type);
    let batch = plugin.and_then(|plugin| plugin.manifest().batches.reservations);
    let most = batch.map_or(jobs.len(), |batch| batch.items as usize);
    let mut outcomes = Vec::with_capacity(jobs.len());
    let mut visit = Visit::begin(source, sync_runs::SyncRunKind::BookingExport, app.now());
    for of_call in jobs.chunks(most.max(1)) {
        let told = in_one_call(app, source, of_call, &mut visit)
            .await
            .unwrap_or_else(|error| of_call.iter().map(|_| failed(&error)).collect());
        let is_well = told.iter().all(|told| !matches!(told, Outcome::Failed { .. } | Outcome::Again(..)));
        outcomes.extend(told);
        if !is_well {
            break; // It is not called at once again.
        }
    }
    runs.extend(visit.over(app.now()));
    outcomes.resize_with(jobs.len(), || Outcome::NotYet(UNTIL_WELL, "a call before it did not work out".to_owned()));
    outcomes
}

async fn in_one_call(
    app: &Arc<App>,
    source: &Source,
    jobs: &[Job],
    visit: &mut Visit,
) -> Result<Vec<Outcome>, ChannelCallError> {
    if source.listening_since.is_some() {
        // What is to be told when it goes live is found then.
        return Ok(jobs.iter().map(|_| Outcome::Done).collect());
    }
    let ids: Vec<Option<CoreId>> =
        jobs.iter().map(|job| job.payload.get("booking").and_then(Value::as_i64).map(CoreId)).collect();
    let named: Vec<CoreId> = ids.iter().flatten().copied().collect();
    let mut told = booking::push(app, source, &named, visit).await?.into_iter();
    let outcome = |id: Option<CoreId>| match id.and_then(|_| told.next()) {
        Some(Told::Done) => Outcome::Done,
        Some(Told::Refused(why)) => Outcome::Hopeless(why),
        Some(Told::Later(Some(SignedDuration::ZERO), _)) => Outcome::More,
        Some(Told::Later(wait, why)) => Outcome::Again(wait, why),
        // Only this program writes payloads; one it cannot read is of another version.
        None => Outcome::Hopeless("it names no booking".to_owned()),
    };
    Ok(ids.into_iter().map(outcome).collect())
}
