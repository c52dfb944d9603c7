//! Sync runs and their results.

use gassync_domain::{AccountId, Ingested, SourceId, SourceKey, Timestamp};
use sqlx::FromRow;

use super::{
    Result, Time, Tx, on,
    rows::{self, Rows},
};

pub use gassync_domain::{SyncRunKind, SyncRunStatus};

/// Record counts by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// New in the core.
    pub created: i64,
    /// Changed.
    pub updated: i64,
    /// Refused, parked, or set aside.
    pub failed: i64,
    /// Unchanged.
    pub skipped: i64,
}

impl Counters {
    /// Adds records by what became of them.
    pub fn count(&mut self, ingested: Ingested, records: i64) {
        let counter = match ingested {
            Ingested::Created => &mut self.created,
            Ingested::Updated => &mut self.updated,
            Ingested::Parked | Ingested::Rejected | Ingested::SetAside => &mut self.failed,
            Ingested::Unchanged | Ingested::Fetching | Ingested::Gone | Ingested::NotKept => &mut self.skipped,
        };
        *counter += records;
    }

    fn processed(&self) -> i64 {
        self.created + self.updated + self.failed + self.skipped
    }
}

/// Whether a run of this kind has ever succeeded, at least partly.
pub async fn any_success(tx: &mut Tx, SourceKey { account, source }: SourceKey, kind: SyncRunKind) -> Result<bool> {
    let text = "select exists (select 1 from int_sync_runs
        where account_id = $1 and source_id = $2 and sync_type = $3 and status in ('success', 'partial_success'))";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(kind.as_str()).fetch_one(c).await)
}

/// A sync run.
#[derive(Debug, Clone, FromRow)]
pub struct SyncRun {
    /// Its id.
    pub id: i64,
    /// What was synchronised.
    #[sqlx(rename = "sync_type", try_from = "String")]
    pub kind: SyncRunKind,
    /// How it ended.
    #[sqlx(try_from = "String")]
    pub status: SyncRunStatus,
    /// Records processed.
    pub records_processed: i64,
    /// Records created.
    pub records_created: i64,
    /// Records updated.
    pub records_updated: i64,
    /// Records rejected or parked.
    pub records_failed: i64,
    /// Records unchanged.
    pub records_skipped: i64,
    /// Pushed records confirmed by the channel.
    pub records_confirmed: i64,
    /// Pushed records in doubt.
    pub records_in_doubt: i64,
    /// Why it failed.
    pub error_message: Option<String>,
    /// When it began.
    pub started_at: Time,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
}

/// Records the start of a run. A run without an end was interrupted.
pub async fn start(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    kind: SyncRunKind,
    now: Timestamp,
) -> Result<i64> {
    let text = "insert into int_sync_runs (account_id, source_id, sync_type, direction, status, records_processed,
            records_created, records_updated, records_failed, records_skipped, started_at)
        values ($1, $2, $3, $4, 'started', 0, 0, 0, 0, 0, $5) returning id";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(kind.as_str())
        .bind(kind.direction().as_str()).bind(Time::from(now)).fetch_one(c).await)
}

/// Records the end of a run.
pub async fn finish(
    tx: &mut Tx,
    account: AccountId,
    id: i64,
    (counters, error): (&Counters, Option<&str>),
    (began, now): (Timestamp, Timestamp),
) -> Result<()> {
    let status = match (error, counters.failed) {
        (Some(_), _) if counters.processed() > 0 => SyncRunStatus::Partial,
        (Some(_), _) => SyncRunStatus::Failure,
        (None, 0) => SyncRunStatus::Success,
        (None, _) => SyncRunStatus::Partial,
    };
    let took = i64::try_from(now.duration_since(began).as_millis()).unwrap_or(i64::MAX);
    let text = "update int_sync_runs set status = $3, records_processed = $4, records_created = $5,
            records_updated = $6, records_failed = $7, records_skipped = $8, error_message = $9, completed_at = $10,
            duration_ms = $11
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(status.as_str()).bind(counters.processed())
        .bind(counters.created).bind(counters.updated).bind(counters.failed).bind(counters.skipped).bind(error)
        .bind(Time::from(now)).bind(took).execute(c).await.map(drop))
}

/// The newest runs of a source, newest first.
pub async fn newest(tx: &mut Tx, SourceKey { account, source }: SourceKey, limit: i64) -> Result<Vec<SyncRun>> {
    let text = "select id, sync_type, status, records_processed, records_created, records_updated, records_failed,
            records_skipped, records_confirmed, records_in_doubt, error_message, started_at, duration_ms
        from int_sync_runs where account_id = $1 and source_id = $2 order by id desc limit $3";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(limit).fetch_all(c).await)
}

/// Results of pushed records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushCounters {
    /// Nights or bookings sent.
    pub sent: i64,
    /// Accepted by the channel.
    pub taken: i64,
    /// Confirmed; other accepted ones await read-back.
    pub confirmed: i64,
    /// Rejected by the channel.
    pub refused: i64,
    /// In doubt.
    pub unknown: i64,
    /// Why the push ended early, if it did.
    pub error: Option<String>,
}

impl PushCounters {
    fn status(&self) -> SyncRunStatus {
        match (&self.error, self.refused + self.unknown) {
            (None, 0) => SyncRunStatus::Success,
            (Some(_), _) if self.taken == 0 => SyncRunStatus::Failure,
            (None, bad) if bad == self.sent => SyncRunStatus::Failure,
            _ => SyncRunStatus::Partial,
        }
    }
}

/// A finished push run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushRun {
    /// The tenant.
    pub account: AccountId,
    /// The source.
    pub source: SourceId,
    /// What was pushed.
    pub kind: SyncRunKind,
    /// The results.
    pub counters: PushCounters,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}

/// Inserts finished push runs, except those of deleted sources. A platform query.
pub async fn insert_push_runs(tx: &mut Tx, runs: &[PushRun]) -> Result<()> {
    let mut new = Rows::new([
        ("account_id", rows::ColumnType::Int),
        ("source_id", rows::ColumnType::Int),
        ("sync_type", rows::ColumnType::Text),
        ("status", rows::ColumnType::Text),
        ("sent", rows::ColumnType::Int),
        ("taken", rows::ColumnType::Int),
        ("confirmed", rows::ColumnType::Int),
        ("refused", rows::ColumnType::Int),
        ("unknown", rows::ColumnType::Int),
        ("error", rows::ColumnType::Text),
        ("began", rows::ColumnType::Time),
        ("ended", rows::ColumnType::Time),
        ("took", rows::ColumnType::Int),
    ]);
    for PushRun { account, source, kind, counters, began, ended } in runs {
        let took = i64::try_from(ended.duration_since(*began).as_millis()).unwrap_or(i64::MAX);
        new.push([
            account.0.into(),
            source.0.into(),
            kind.as_str().into(),
            counters.status().as_str().into(),
            counters.sent.into(),
            counters.taken.into(),
            counters.confirmed.into(),
            counters.refused.into(),
            counters.unknown.into(),
            (&counters.error).into(),
            (*began).into(),
            (*ended).into(),
            took.into(),
        ]);
    }
    let text = "insert into int_sync_runs (account_id, source_id, sync_type, direction, status, records_processed,
            records_created, records_updated, records_failed, records_skipped, records_confirmed, records_in_doubt,
            error_message, started_at, completed_at, duration_ms)
        select new.account_id, new.source_id, new.sync_type, 'outbound', new.status, new.sent,
            0, new.taken, new.refused, 0, new.confirmed, new.unknown, new.error, new.began, new.ended, new.took
        from new cross join int_sources s where s.account_id = new.account_id and s.id = new.source_id";
    new.write(tx, &[], text).await
}
