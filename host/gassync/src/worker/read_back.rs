use std::sync::Arc;

use gassync_domain::{Date, Entity, Query, Selection, Stay, SyncStatus};
use gassync_runtime::Interface;

use super::job::{Job, JobContext, RunningJob, done};
use crate::{
    app::App,
    channel::{ChannelCallError, ChannelSession},
    inbound::fetch,
    outbound::night_runs::is_for_sale,
    schedule::{JobOutcome, JobSpec, PushCalendar, ReadBack},
    store::{
        self,
        buffer::availability,
        outbound::nights::{self, ReadBackResult},
        queue,
        sources::Source,
    },
};

impl Job for ReadBack {
    /// Reads back what was sent and is not confirmed.
    async fn run(context: JobContext<'_>, jobs: &[RunningJob<'_, Self>]) -> Result<Vec<JobOutcome>, ChannelCallError> {
        run(context.app, context.source).await?;
        done(jobs)
    }
}

async fn run(app: &Arc<App>, source: &Source) -> Result<(), ChannelCallError> {
    let session = ChannelSession::open(app, source)?;
    let mut tx = app.db.read(source.account).await?;
    let spans = nights::awaiting_confirmation(&mut tx, source.key()).await?;
    drop(tx);
    if !session.plugin.exports().contains(&Interface::Pull) {
        // A channel that cannot be read is trusted.
        return Ok(confirm_unread(app, source, &spans).await?);
    }
    let Some(start) = spans.iter().map(|(_, first, _)| *first).min() else { return Ok(()) };
    let last = spans.iter().map(|(.., last)| *last).max().unwrap_or(start);
    let until = last.tomorrow().unwrap_or(last);
    // One request for all nights, which may return more.
    let room_type_id = if let [(only, ..)] = spans.as_slice() { Some(only.clone()) } else { None };
    let query = Query { room_type_id, ..Query::new(Entity::Calendar, Selection::Within { start, until }) };
    let asked_at = app.now();
    fetch::run(app, source, query).await?;
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    if nights::record_not_shown(&mut tx, source.key(), asked_at).await? > 0 {
        queue::enqueue(&mut tx, &[PushCalendar {}.of(source.key())], now).await?;
    }
    Ok(tx.commit().await?)
}

async fn confirm_unread(app: &App, source: &Source, spans: &[(String, Date, Date)]) -> store::Result<()> {
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    for (room_type_id, first, last) in spans {
        let room_type = availability::room_type(&mut tx, source.key(), room_type_id).await?;
        let Some(room_type) = room_type else { continue };
        let stay = Stay::spanning(*first, last.tomorrow().unwrap_or(*last));
        let known = nights::find(&mut tx, source.key(), room_type, stay.as_slice()).await?;
        let sent = || known.iter().filter(|known| known.state.status == SyncStatus::Unconfirmed);
        // No reading will ever show that a closing word of ours is gone.
        let opened: Vec<_> = sent().filter(|known| is_for_sale(known)).map(|known| &known.key).collect();
        nights::clear_closed_by_us(&mut tx, source.key(), &opened).await?;
        let sent: Vec<ReadBackResult<'_>> = sent().map(ReadBackResult::shown).collect();
        nights::record_read_back(&mut tx, source.key(), &sent, (now, now)).await?;
    }
    tx.commit().await
}
