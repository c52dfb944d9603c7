//! Progress of backfills.

use std::collections::BTreeMap;

use gassync_domain::{AccountId, Date, Entity, Ingested, SourceId, SourceKey, Timestamp};
use sqlx::{FromRow, types::Json};

use super::{Day, Result, Time, Tx, on};

/// Record counts by entity, and by what became of the records.
pub type BackfillOutcome = BTreeMap<Entity, BTreeMap<Ingested, i64>>;

gassync_domain::words! {
    /// How far a backfill is.
    pub enum BackfillState {
        /// Its windows are being fetched.
        Running = "running",
        /// All nights are done.
        Done = "done",
        /// It was given up; it can be resumed.
        Failed = "failed",
    }
}

/// A backfill of a date range.
#[derive(Debug, Clone)]
pub struct Backfill {
    /// Its id.
    pub id: i64,
    /// The source.
    pub source: SourceId,
    /// The first night.
    pub starts_on: Date,
    /// The day after the last night.
    pub ends_on: Date,
    /// Nights before this date are done.
    pub reached: Date,
    /// How far it is.
    pub state: BackfillState,
    /// Record counts so far.
    pub outcome: BackfillOutcome,
    /// Error of the last attempt.
    pub error: Option<String>,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    source_id: i64,
    starts_on: Day,
    ends_on: Day,
    reached: Day,
    #[sqlx(try_from = "String")]
    state: BackfillState,
    outcome: Json<BackfillOutcome>,
    error: Option<String>,
}

impl From<Row> for Backfill {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            source: SourceId(row.source_id),
            starts_on: row.starts_on.0,
            ends_on: row.ends_on.0,
            reached: row.reached.0,
            state: row.state,
            outcome: row.outcome.0,
            error: row.error,
        }
    }
}

const COLUMNS: &str = "id, source_id, starts_on, ends_on, reached, state, outcome, error";

/// Creates a backfill; returns its id. A source has at most one running.
pub async fn create(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (starts_on, ends_on): (Date, Date),
    now: Timestamp,
) -> Result<i64> {
    let text = "insert into int_backfills
            (account_id, source_id, starts_on, ends_on, reached, state, outcome, created_at, updated_at)
        values ($1, $2, $3, $4, $3, 'running', $5, $6, $6) returning id";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(Day(starts_on)).bind(Day(ends_on))
        .bind(Json(BackfillOutcome::new())).bind(Time::from(now)).fetch_one(c).await)
}

/// By id.
pub async fn get(tx: &mut Tx, account: AccountId, id: i64) -> Result<Option<Backfill>> {
    let text = format!("select {COLUMNS} from int_backfills where account_id = $1 and id = $2");
    let row: Option<Row> =
        on!(tx, c => sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(account.0).bind(id).fetch_optional(c).await)?;
    Ok(row.map(Backfill::from))
}

/// A source's newest unfinished backfill.
pub async fn unfinished(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Option<Backfill>> {
    let text = format!(
        "select {COLUMNS} from int_backfills where account_id = $1 and source_id = $2 and state <> 'done'
        order by id desc limit 1"
    );
    let row: Option<Row> =
        on!(tx, c => sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(account.0).bind(source.0).fetch_optional(c).await)?;
    Ok(row.map(Backfill::from))
}

/// Records progress and counts.
pub async fn record_progress(
    tx: &mut Tx,
    account: AccountId,
    id: i64,
    (reached, state, outcome): (Date, BackfillState, &BackfillOutcome),
    now: Timestamp,
) -> Result<()> {
    let text = "update int_backfills set reached = $3, state = $4, outcome = $5, error = null, updated_at = $6
        where account_id = $1 and id = $2 and reached <= $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(Day(reached)).bind(state.as_str())
        .bind(Json(outcome))
        .bind(Time::from(now)).execute(c).await.map(drop))
}

/// Records a failure, final or to be retried.
pub async fn record_failure(
    tx: &mut Tx,
    account: AccountId,
    id: i64,
    (state, why): (BackfillState, Option<&str>),
    now: Timestamp,
) -> Result<()> {
    let text = "update int_backfills set state = $3, error = $4, updated_at = $5 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(state.as_str()).bind(why).bind(Time::from(now))
        .execute(c).await.map(drop))
}
