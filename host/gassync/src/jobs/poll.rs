use std::sync::Arc;

use gassync_domain::{Entity, Selection, Timestamp};
use gassync_runtime::{Manifest, Poll};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::POLL;
use crate::{
    app::App,
    inbound::pull::{self, PullError},
    store::{
        self, Tx,
        sources::{self, Source},
    },
};

/// Fetches what changed since the last time, and puts the next time in the queue.
pub(super) async fn run(app: &Arc<App>, source: &Source, payload: &Value) -> Result<(), PullError> {
    let plugin =
        app.plugins.get(&source.source_type).ok_or_else(|| PullError::NotLoaded(source.source_type.clone()))?;
    let entity = payload.get("entity").and_then(|entity| serde_json::from_value::<Entity>(entity.clone()).ok());
    let poll = plugin.manifest().polls.iter().find(|poll| Some(poll.entity) == entity).cloned();
    let Some(poll) = poll else {
        return Ok(()); // The plugin polls this no more.
    };
    let selection = selection(app, source, &poll).await?;
    let tally = pull::run(app, source, poll.entity, selection).await?;
    tracing::debug!(source = %source.id, entity = poll.entity.as_str(), ?tally, "a poll ended");
    Ok(())
}

/// What a poll asks for now.
pub async fn selection(app: &App, source: &Source, poll: &Poll) -> store::Result<Selection> {
    let mut tx = app.db.read(source.account).await?;
    let resume = sources::resume_point(&mut tx, source.account, source.id, poll.entity.as_str()).await?;
    Ok(pull::since(resume.as_deref(), poll.overlap_seconds))
}

/// When a poll comes again.
pub(super) fn next_time(app: &App, source: &Source, payload: &Value, now: Timestamp) -> Option<Timestamp> {
    let plugin = app.plugins.get(&source.source_type)?;
    let named = |poll: &&Poll| payload.get("entity").and_then(Value::as_str) == Some(poll.entity.as_str());
    let poll = plugin.manifest().polls.iter().find(named)?;
    let seconds = match app.config.work.poll_seconds {
        0 => i64::from(poll.interval_seconds),
        shorter => i64::try_from(shorter).unwrap_or(i64::MAX).min(i64::from(poll.interval_seconds)),
    };
    now.checked_add(SignedDuration::from_secs(seconds)).ok()
}

/// Puts a new source's polls in the queue, properties before what stands in them.
pub async fn begin(tx: &mut Tx, source: &Source, manifest: &Manifest, now: Timestamp) -> store::Result<()> {
    let mut polls: Vec<&Poll> = manifest.polls.iter().collect();
    polls.sort_by_key(|poll| poll.entity);
    for poll in polls {
        let payload = json!({ "entity": poll.entity });
        store::jobs::enqueue(tx, source.account, source.id, POLL, &payload, now, now).await?;
    }
    Ok(())
}
