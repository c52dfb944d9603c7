use std::collections::BTreeMap;

use gassync_domain::{Change, ChangeKind, Missing, Parked, RawJson, Timestamp, today_at};

use super::job::{Job, JobContext, RunningJob, done};
use crate::{
    app::App,
    channel::ChannelCallError,
    inbound::{
        apply::{self, IngestContext},
        calendar, manual_closure,
    },
    schedule::{JobOutcome, RetryParked},
    store::{
        self,
        buffer::{
            PageCursor, Stored, blocks,
            parked_reservations::{self, ParkedReservation},
            properties, rate_plans, room_types,
        },
        mappings::{self, EntityKind, Mappings},
        sources::Source,
    },
};

/// Records per transaction.
const BATCH: i64 = 100;

impl Job for RetryParked {
    async fn run(context: JobContext<'_>, jobs: &[RunningJob<'_, Self>]) -> Result<Vec<JobOutcome>, ChannelCallError> {
        run(context.app, context.source).await?;
        done(jobs)
    }
}

/// Retries every parked record of a source in the order of their kinds, since later kinds depend on earlier ones.
async fn run(app: &App, source: &Source) -> store::Result<()> {
    macro_rules! retry {
        ($table:ident, $kind:expr, $data:expr) => {
            let mut after = 0;
            loop {
                let mut tx = app.db.write_for(source.key()).await?;
                let slice = PageCursor { after, limit: BATCH };
                let rows = $table::parked(&mut tx, source.key(), slice).await?;
                let Some((last, _)) = rows.last() else { break };
                after = last.row;
                let links = linked(&mut tx, source, $kind, rows.iter().map(|(stored, _)| &*stored.record.id)).await?;
                for (stored, raw) in rows {
                    let is_linked = links.get($kind, &stored.record.id).is_some();
                    if is_linked || may_apply_now(source, stored.parked.as_ref()) {
                        again(&mut tx, app, source, stored, raw, $data).await?;
                    }
                }
                tx.commit().await?;
            }
        };
    }
    retry!(properties, EntityKind::Property, ChangeKind::Property);
    retry!(room_types, EntityKind::RoomType, ChangeKind::RoomType);
    retry!(rate_plans, EntityKind::RatePlan, ChangeKind::RatePlan);
    retry_reservations(app, source).await?;
    retry_blocks(app, source).await?;
    judge_calendars(app, source).await
}

/// Applies observed calendars of rooms that were not linked before, or that the source had no authority over.
async fn judge_calendars(app: &App, source: &Source) -> store::Result<()> {
    let now = app.now();
    let counts = app.plugins.get(&source.source_type).map(|plugin| plugin.manifest().unit_count()).unwrap_or_default();
    let context = IngestContext::from_source(source, now, now).with_unit_count(counts);
    // The earliest current date in any time zone.
    let today = today_at(now, None);
    let mut tx = app.db.write_for(source.key()).await?;
    manual_closure::recheck(&mut tx, &context, today).await?;
    calendar::apply_buffered(&mut tx, &context, today).await?;
    tx.commit().await
}

/// A parked update may exist next to an applied one; the parked update is retried.
async fn retry_reservations(app: &App, source: &Source) -> store::Result<()> {
    let mut after = 0;
    loop {
        let mut tx = app.db.write_for(source.key()).await?;
        let slice = PageCursor { after, limit: BATCH };
        let words = parked_reservations::page(&mut tx, source.key(), slice).await?;
        let Some((last, ..)) = words.last() else { return Ok(()) };
        after = *last;
        // A record linked meanwhile has a booking, which holds the nights.
        let ids = words.iter().map(|(_, word, _)| &*word.record.id);
        let links = linked(&mut tx, source, EntityKind::Reservation, ids).await?;
        let is_driven = |word: &ParkedReservation| {
            may_apply_now(source, Some(&word.missing)) || links.get(EntityKind::Reservation, &word.record.id).is_some()
        };
        let mut changes: BTreeMap<Timestamp, Vec<Change>> = BTreeMap::new();
        for (_, word, raw) in words.into_iter().filter(|(_, word, _)| is_driven(word)) {
            let change = Change {
                mended: word.mended,
                ..Change::new(ChangeKind::Reservation(Box::new(word.record)), Some(raw))
            };
            changes.entry(word.version.observed_at).or_default().push(change);
        }
        // They take nights several times, so lock the ledger exclusively.
        tx.lock_ledger(source.account, true).await?;
        for (observed_at, changes) in changes {
            let context = IngestContext::from_source(source, observed_at, app.now());
            apply::changes(&mut tx, &context, changes).await?;
        }
        tx.commit().await?;
    }
}

async fn retry_blocks(app: &App, source: &Source) -> store::Result<()> {
    let mut after = 0;
    loop {
        let mut tx = app.db.write_for(source.key()).await?;
        let rows = blocks::parked(&mut tx, source.key(), PageCursor { after, limit: BATCH }).await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after = last.row;
        for (stored, raw) in rows.into_iter().filter(|(stored, _)| may_apply_now(source, stored.parked.as_ref())) {
            let context = IngestContext::from_source(source, stored.version.observed_at, app.now());
            let change = Change { mended: stored.mended, ..Change::new(ChangeKind::Block(stored.record), Some(raw)) };
            apply::changes(&mut tx, &context, vec![change]).await?;
        }
        tx.commit().await?;
    }
}

/// Which of these reservations are linked, manually or by an import of links.
async fn linked<'a>(
    tx: &mut store::Tx,
    source: &Source,
    kind: EntityKind,
    ids: impl Iterator<Item = &'a str>,
) -> store::Result<Mappings> {
    let records: Vec<(EntityKind, &str)> = ids.map(|id| (kind, id)).collect();
    mappings::find_all(tx, source.key(), &records).await
}

/// True if a retry can succeed: a link or a switch may resolve it, but not what waits for a decision.
fn may_apply_now(source: &Source, parked: Option<&Parked>) -> bool {
    let is_curable = |missing: &Missing| match missing {
        Missing::Property { .. } | Missing::RoomType { .. } | Missing::SwitchedOff { .. } => true,
        // Received while the source was outbound only.
        Missing::Authority => source.effective_authority().source_owns_bookings(),
        Missing::Link => source.creates && source.direction.is_inward(),
        _ => false,
    };
    parked.is_some_and(|Parked(missing)| missing.iter().any(is_curable))
}

async fn again<T>(
    tx: &mut store::Tx,
    app: &App,
    source: &Source,
    stored: Stored<T>,
    raw: RawJson,
    data: impl FnOnce(T) -> ChangeKind,
) -> store::Result<()> {
    let observed_at: Timestamp = stored.version.observed_at;
    let context = IngestContext::from_source(source, observed_at, app.now());
    let change = Change { mended: stored.mended, ..Change::new(data(stored.record), Some(raw)) };
    apply::changes(tx, &context, vec![change]).await.map(drop)
}
