use std::sync::Arc;

use gassync_domain::{AccountId, Date, Entity, Query, Selection, SourceId, Timestamp, today_at};
use gassync_runtime::{Manifest, Poll};
use jiff::{SignedDuration, Span};
use serde_json::{Value, json};

use super::Kind;
use crate::{
    app::App,
    inbound::{polled, pull},
    outbound,
    store::{
        self, Tx,
        outbound::touches,
        queue::Put,
        sources::{self, Source},
        time_zones,
    },
    talk::TalkError,
};

/// Fetches what changed since the last time, and puts the next time in the queue.
pub(super) async fn run(app: &Arc<App>, source: &Source, payload: &Value) -> Result<(), TalkError> {
    let plugin =
        app.plugins.get(&source.source_type).ok_or_else(|| TalkError::NotLoaded(source.source_type.clone()))?;
    let Some(poll) = named(plugin.manifest(), payload) else {
        // The plugin polls this no more.
        if let Ok(entity) = serde_json::from_value(payload.get("entity").cloned().unwrap_or_default()) {
            let queue = payload.get("stream").and_then(Value::as_str);
            polled::ended(app, source, &polled::name_of(entity, queue)).await?;
        }
        return Ok(());
    };
    if !source.direction.is_inward() {
        return Ok(());
    }
    let selection = selection(app, source, poll).await?;
    let tally = polled::run(app, source, poll, Query::new(poll.entity, selection)).await?;
    tracing::debug!(source = %source.id, entity = poll.entity.as_str(), ?tally, "a poll ended");
    Ok(())
}

/// What a poll's job is about: an entity may have several polls, each with a stream of its own.
fn payload_of(poll: &Poll) -> Value {
    match &poll.queue {
        Some(queue) => json!({ "entity": poll.entity, "stream": queue }),
        None => json!({ "entity": poll.entity }),
    }
}

fn named<'a>(manifest: &'a Manifest, payload: &Value) -> Option<&'a Poll> {
    manifest.polls.iter().find(|poll| payload_of(poll) == *payload)
}

/// What a poll asks for now.
pub async fn selection(app: &App, source: &Source, poll: &Poll) -> store::Result<Selection> {
    if let Some(queue) = &poll.queue {
        return Ok(Selection::Queue(queue.clone()));
    }
    if let Some(days) = poll.window {
        let today = today(app, source).await?;
        let start = today.saturating_sub(Span::new().days(i64::from(days.back)));
        return Ok(Selection::Within { start, until: today.saturating_add(Span::new().days(i64::from(days.ahead))) });
    }
    let mut tx = app.db.read(source.account).await?;
    let resume = sources::resume_point(&mut tx, source.account, source.id, poll.entity.as_str()).await?;
    Ok(pull::since(resume, poll.overlap_seconds, app.now()))
}

/// The day that it is at a source's houses; where they are in several zones, the earliest.
pub(super) async fn today(app: &App, source: &Source) -> store::Result<Date> {
    let now = app.now();
    let mut tx = app.db.read(source.account).await?;
    let zones = time_zones::of_source(&mut tx, source.account, source.id).await?;
    let days = zones.iter().map(|zone| today_at(now, zone.as_deref()));
    Ok(days.min().unwrap_or_else(|| today_at(now, None)))
}

/// When a poll comes again.
pub(super) fn next_time(app: &App, source: &Source, payload: &Value, now: Timestamp) -> Option<Timestamp> {
    let plugin = app.plugins.get(&source.source_type)?;
    let poll = named(plugin.manifest(), payload)?;
    let regular = interval_seconds(source.poll_minutes, poll);
    let seconds = match app.config.work.poll_seconds {
        0 => regular,
        shorter => i64::try_from(shorter).unwrap_or(i64::MAX).min(regular),
    };
    now.checked_add(SignedDuration::from_secs(seconds)).ok()
}

/// How many seconds lie between two polls. What a source says counts for bookings; what changes less often is not asked for
/// more often than the plugin's manifest says.
fn interval_seconds(minutes: Option<i64>, poll: &Poll) -> i64 {
    let by_manifest = i64::from(poll.interval_seconds);
    match (minutes.map(|minutes| minutes.saturating_mul(60)), poll.entity) {
        (None, _) => by_manifest,
        (Some(seconds), Entity::Reservation | Entity::Guest | Entity::Block) => seconds,
        (Some(seconds), _) => seconds.max(by_manifest),
    }
}

/// How often a source is asked has changed: its polls that wait come no later than that from now on.
pub async fn hasten(tx: &mut Tx, source: &Source, manifest: &Manifest, now: Timestamp) -> store::Result<()> {
    let mut sooner = Vec::new();
    for poll in &manifest.polls {
        let wait = SignedDuration::from_secs(interval_seconds(source.poll_minutes, poll));
        let payload = payload_of(poll);
        if store::queue::waits(tx, source.account, source.id, Kind::Poll.name(), &payload).await? {
            sooner.push(Kind::Poll.put((source.account, source.id), payload, (now + wait, now)));
        }
    }
    store::queue::put(tx, &sooner, now).await
}

/// Puts a source's polls in the queue, properties before what stands in them, and what has its calendar told; all are due
/// now.
pub async fn begin(tx: &mut Tx, source: &Source, manifest: &Manifest, now: Timestamp) -> store::Result<()> {
    store::queue::put(tx, &of_source((source.account, source.id), manifest, now), now).await
}

/// Puts what comes again in the queue that came with an upgrade; what waits already goes on as it was.
pub async fn begin_new(tx: &mut Tx, manifest: &Manifest, pushes: bool, now: Timestamp) -> store::Result<()> {
    for whom in sources::active_of_channel(tx, &manifest.id).await? {
        // What a version before could not be told, or was told otherwise, is reckoned anew.
        if pushes {
            outbound::fan_out::source(tx, whom, (touches::FIRST, false), now).await?;
            outbound::fan_out::due_bookings(tx, whom, now).await?;
        }
        let mut new = Vec::new();
        for work in of_source(whom, manifest, now) {
            if !store::queue::waits(tx, work.account, work.source, work.kind, &work.payload).await? {
                new.push(work);
            }
        }
        store::queue::put(tx, &new, now).await?;
    }
    Ok(())
}

/// The polls that read a source's bookings, due now.
pub fn of_bookings(whom: (AccountId, SourceId), manifest: &Manifest, now: Timestamp) -> Vec<Put<'static>> {
    let polls = manifest.polls.iter().filter(|poll| poll.entity == Entity::Reservation);
    polls.map(|poll| Kind::Poll.put(whom, payload_of(poll), (now, now))).collect()
}

fn of_source(whom: (AccountId, SourceId), manifest: &Manifest, now: Timestamp) -> Vec<Put<'static>> {
    let polls = in_order(manifest).into_iter().map(|poll| Kind::Poll.put(whom, payload_of(poll), (now, now)));
    polls.chain([Kind::Horizon.put(whom, json!({}), (now, now))]).collect()
}

fn in_order(manifest: &Manifest) -> Vec<&Poll> {
    let mut polls: Vec<&Poll> = manifest.polls.iter().collect();
    polls.sort_by_key(|poll| poll.entity);
    polls
}
