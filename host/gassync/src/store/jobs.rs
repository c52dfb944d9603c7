//! Durable work that waits for its time.

use gassync_domain::{AccountId, SourceId, Timestamp};
use sqlx::{FromRow, types::Json};

use super::{Result, Time, Tx, on};

/// Durable work for a source.
#[derive(Debug, Clone)]
pub struct Job {
    /// The tenant.
    pub account: AccountId,
    /// Its key.
    pub id: i64,
    /// For whom.
    pub source: SourceId,
    /// Which work.
    pub kind: String,
    /// On what.
    pub payload: serde_json::Value,
    /// How often it was begun, this time included.
    pub attempts: u32,
}

#[derive(FromRow)]
struct Row {
    account_id: i64,
    id: i64,
    source_id: i64,
    kind: String,
    payload: Json<serde_json::Value>,
    attempts: i64,
}

/// Adds work, to be begun at `run_at`. The same work waits only once, at the earlier of the two times.
pub async fn enqueue(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    kind: &str,
    payload: &serde_json::Value,
    run_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let text = "insert into int_jobs (account_id, source_id, kind, payload, state, attempts, run_at, created_at)
        values ($1, $2, $3, $4, 'waiting', 0, $5, $6)
        on conflict (account_id, source_id, kind, payload) where state = 'waiting' do update set
            run_at = case when excluded.run_at < int_jobs.run_at then excluded.run_at else int_jobs.run_at end,
            attempts = 0";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(kind).bind(Json(payload))
        .bind(Time::from(run_at)).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Adds work for all active sources of a channel that do not have it waiting already. A platform query.
pub async fn enqueue_for_all(
    tx: &mut Tx,
    channel: &str,
    kind: &str,
    payload: &serde_json::Value,
    now: Timestamp,
) -> Result<()> {
    let text = "insert into int_jobs (account_id, source_id, kind, payload, state, attempts, run_at, created_at)
        select s.account_id, s.id, $2, $3, 'waiting', 0, $4, $4 from int_sources s
        where s.source_type = $1 and s.status = 'active' and s.connection_id is not null
        on conflict (account_id, source_id, kind, payload) where state = 'waiting' do nothing";
    on!(tx, c => sqlx::query(text).bind(channel).bind(kind).bind(Json(payload)).bind(Time::from(now)).execute(c).await
        .map(drop))
}

/// Whether a job may be due. A platform query.
pub async fn is_waiting(tx: &mut Tx, now: Timestamp) -> Result<bool> {
    let text = "select exists (select 1 from int_jobs where state = 'waiting' and run_at <= $1)";
    on!(tx, c => sqlx::query_scalar(text).bind(Time::from(now)).fetch_one(c).await)
}

/// Takes work that is due and keeps others off it until `until`; one job per source at a time, since channels ask
/// not to be called twice at once. What needs a plugin waits while that is disabled. A platform query.
pub async fn claim(tx: &mut Tx, now: Timestamp, until: Timestamp, limit: i64) -> Result<Vec<Job>> {
    let text = tx.dialect(
        "update int_jobs set run_at = $2, attempts = attempts + 1 where (account_id, id) in (
            select j.account_id, min(j.id) from int_jobs j
            join int_sources s on s.account_id = j.account_id and s.id = j.source_id and s.status = 'active'
            left join int_plugins p on p.id = s.source_type
            where j.state = 'waiting' and j.run_at <= $1 and ((p.status = 'enabled' and p.serving is not null) or j.kind = 'drive-parked')
            group by j.account_id, j.source_id order by min(j.run_at) limit $3)
        returning account_id, id, source_id, kind, payload, attempts",
        "update int_jobs set run_at = $2, attempts = attempts + 1 where (account_id, id) in (
            select w.account_id, w.id from int_jobs w
            where w.state = 'waiting' and w.run_at <= $1 and (w.account_id, w.id) in (
                select j.account_id, min(j.id) from int_jobs j
                join int_sources s on s.account_id = j.account_id and s.id = j.source_id and s.status = 'active'
                left join int_plugins p on p.id = s.source_type
                where j.state = 'waiting' and j.run_at <= $1 and ((p.status = 'enabled' and p.serving is not null) or j.kind = 'drive-parked')
                group by j.account_id, j.source_id order by min(j.run_at) limit $3)
            for update skip locked)
        returning account_id, id, source_id, kind, payload, attempts",
    );
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(text).bind(Time::from(now)).bind(Time::from(until)).bind(limit)
        .fetch_all(c).await)?;
    Ok(rows.into_iter().map(Job::from).collect())
}

impl From<Row> for Job {
    fn from(row: Row) -> Self {
        Self {
            account: AccountId(row.account_id),
            id: row.id,
            source: SourceId(row.source_id),
            kind: row.kind,
            payload: row.payload.0,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        }
    }
}

/// Takes more work of this kind for the same source that is due and was never tried, and keeps others off it until `until`.
pub async fn claim_alike(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    kind: &str,
    (now, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Job>> {
    let text = tx.dialect(
        "update int_jobs set run_at = $5, attempts = attempts + 1 where account_id = $1 and id in (
            select id from int_jobs where account_id = $1 and source_id = $2 and kind = $3 and state = 'waiting'
                and attempts = 0 and run_at <= $4 order by id limit $6)
        returning account_id, id, source_id, kind, payload, attempts",
        "update int_jobs set run_at = $5, attempts = attempts + 1 where account_id = $1 and id in (
            select id from int_jobs where account_id = $1 and source_id = $2 and kind = $3 and state = 'waiting'
                and attempts = 0 and run_at <= $4 order by id limit $6 for update skip locked)
        returning account_id, id, source_id, kind, payload, attempts",
    );
    let mut rows: Vec<Row> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(kind)
        .bind(Time::from(now)).bind(Time::from(until)).bind(limit).fetch_all(c).await)?;
    rows.sort_by_key(|row| row.id);
    Ok(rows.into_iter().map(Job::from).collect())
}

/// It is still being worked on. Like all that follows it touches no job that was put in the queue anew meanwhile, which
/// counts its attempts from the beginning: that one runs once more.
pub async fn extend(tx: &mut Tx, job: &Job, until: Timestamp) -> Result<()> {
    let text =
        "update int_jobs set run_at = $4 where account_id = $1 and id = $2 and attempts = $3 and state = 'waiting'";
    on!(tx, c => sqlx::query(text).bind(job.account.0).bind(job.id).bind(i64::from(job.attempts)).bind(Time::from(until))
        .execute(c).await.map(drop))
}

/// It is done.
pub async fn done(tx: &mut Tx, job: &Job, now: Timestamp) -> Result<()> {
    finish(tx, job, ("done", None), now).await
}

/// It will not be tried again by itself.
pub async fn dead(tx: &mut Tx, job: &Job, why: &str, now: Timestamp) -> Result<()> {
    finish(tx, job, ("dead", Some(why)), now).await
}

async fn finish(tx: &mut Tx, job: &Job, (state, why): (&str, Option<&str>), now: Timestamp) -> Result<()> {
    let text = "update int_jobs set state = $4, error = $5, finished_at = $6
        where account_id = $1 and id = $2 and attempts = $3 and state = 'waiting'";
    on!(tx, c => sqlx::query(text).bind(job.account.0).bind(job.id).bind(i64::from(job.attempts)).bind(state).bind(why)
        .bind(Time::from(now)).execute(c).await.map(drop))
}

/// It did not work out this time.
pub async fn retry(tx: &mut Tx, job: &Job, why: &str, at: Timestamp) -> Result<()> {
    again(tx, job, (why, job.attempts), at).await
}

/// It could not be tried at all: it comes again, and this time did not count.
pub async fn postpone(tx: &mut Tx, job: &Job, why: &str, at: Timestamp) -> Result<()> {
    again(tx, job, (why, job.attempts.saturating_sub(1)), at).await
}

async fn again(tx: &mut Tx, job: &Job, (why, attempts): (&str, u32), at: Timestamp) -> Result<()> {
    let text = "update int_jobs set run_at = $4, error = $5, attempts = $6
        where account_id = $1 and id = $2 and attempts = $3 and state = 'waiting'";
    on!(tx, c => sqlx::query(text).bind(job.account.0).bind(job.id).bind(i64::from(job.attempts)).bind(Time::from(at))
        .bind(why).bind(i64::from(attempts)).execute(c).await.map(drop))
}

/// How a job stands: `waiting`, `done` or `dead`, and why.
pub async fn latest(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    kind: &str,
) -> Result<Option<(String, Option<String>)>> {
    let text = "select state, error from int_jobs where account_id = $1 and source_id = $2 and kind = $3
        order by id desc limit 1";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(kind).fetch_optional(c).await)
}
