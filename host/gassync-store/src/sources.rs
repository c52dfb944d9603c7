//! Sources and their resume points.

use std::collections::HashMap;

use gassync_domain::{
    AccountId, Authority, ConnectionId, Direction, Owner, ResumePoint, SourceId, SourceKey, Timestamp, lossless_instant,
};
use sqlx::{FromRow, types::Json};

use super::{
    Result, Time, Tx, on,
    rows::{ColumnType, Rows},
};

pub use gassync_domain::SourceState;

/// A source: one account's use of a connection.
#[derive(Debug, Clone)]
pub struct Source {
    /// The tenant.
    pub account: AccountId,
    /// The source's id.
    pub id: SourceId,
    /// Its connection; `None` for a partner that calls the API.
    pub connection: Option<ConnectionId>,
    /// The channel.
    pub source_type: String,
    /// Its name, unique in the account.
    pub name: String,
    /// Its settings.
    pub config: serde_json::Value,
    /// Where it stands.
    pub status: SourceState,
    /// Whether it creates core entities; otherwise it only links them.
    pub creates: bool,
    /// Its authority.
    pub authority: Authority,
    /// Since when it listens: nothing is pushed until a person has it go live. `None` if it is live.
    pub listening_since: Option<Timestamp>,
    /// Whether it syncs with its channel at all.
    pub sync_enabled: bool,
    /// The directions in which it syncs.
    pub direction: Direction,
    /// Minutes between two polls of its bookings; `None` for the manifest's interval.
    pub poll_minutes: Option<i64>,
    /// Time of the last sync attempt, in either direction.
    pub last_sync_at: Option<Timestamp>,
    /// Time of the last successful sync, in either direction.
    pub last_successful_sync_at: Option<Timestamp>,
    /// Consecutive failures since then.
    pub error_count: i64,
    /// Error of the last failure.
    pub error_message: Option<String>,
    /// Time of the last failure.
    pub last_error_at: Option<Timestamp>,
}

/// A source to create.
#[derive(Debug)]
pub struct NewSourceRecord<'a> {
    /// The connection.
    pub connection: Option<ConnectionId>,
    /// The channel.
    pub source_type: &'a str,
    /// Unique in the account.
    pub name: &'a str,
    /// Its settings.
    pub config: &'a serde_json::Value,
    /// Whether it creates core entities.
    pub creates: bool,
}

#[derive(FromRow)]
struct Row {
    account_id: i64,
    id: i64,
    connection_id: Option<i64>,
    source_type: String,
    source_name: String,
    config: Json<serde_json::Value>,
    #[sqlx(try_from = "String")]
    status: SourceState,
    creates: bool,
    authority: Json<Authority>,
    listening_since: Option<Time>,
    sync_enabled: bool,
    sync_direction: String,
    sync_frequency_minutes: Option<i64>,
    last_sync_at: Option<Time>,
    last_successful_sync_at: Option<Time>,
    error_count: i64,
    error_message: Option<String>,
    last_error_at: Option<Time>,
}

impl From<Row> for Source {
    fn from(row: Row) -> Self {
        Self {
            account: AccountId(row.account_id),
            id: SourceId(row.id),
            connection: row.connection_id.map(ConnectionId),
            source_type: row.source_type,
            name: row.source_name,
            config: row.config.0,
            status: row.status,
            creates: row.creates,
            authority: row.authority.0,
            listening_since: row.listening_since.map(Timestamp::from),
            sync_enabled: row.sync_enabled,
            // The database checks the value.
            direction: row.sync_direction.parse().unwrap_or_default(),
            poll_minutes: row.sync_frequency_minutes,
            last_sync_at: row.last_sync_at.map(Timestamp::from),
            last_successful_sync_at: row.last_successful_sync_at.map(Timestamp::from),
            error_count: row.error_count,
            error_message: row.error_message,
            last_error_at: row.last_error_at.map(Timestamp::from),
        }
    }
}

const COLUMNS: &str =
    "account_id, id, connection_id, source_type, source_name, config, status, creates, authority, listening_since,
    sync_enabled, sync_direction, sync_frequency_minutes, last_sync_at, last_successful_sync_at, error_count, error_message,
    last_error_at";

impl Source {
    /// The source with its account.
    pub fn key(&self) -> SourceKey {
        SourceKey { account: self.account, source: self.id }
    }

    /// Authority in effect: a source that is only pushed to owns nothing.
    pub fn effective_authority(&self) -> Authority {
        if self.direction.is_inward() {
            return self.authority;
        }
        Authority { bookings: Some(Owner::None), calendar: Some(Owner::None), content: Some(Owner::None) }
    }

    /// Authority that decides what is pushed: for a source that is only pushed to, the core owns everything.
    pub fn push_authority(&self) -> Authority {
        if self.direction.is_inward() { self.authority } else { Authority::default() }
    }
}

/// Creates an active source. With a connection it listens: nothing is pushed yet.
pub async fn create(tx: &mut Tx, account: AccountId, source: &NewSourceRecord<'_>, now: Timestamp) -> Result<SourceId> {
    let text = "insert into int_sources
            (account_id, connection_id, source_type, source_name, config, status, creates, created_at, listening_since)
        values ($1, $2, $3, $4, $5, 'active', $6, $7, $8) returning id";
    let listening_since = source.connection.map(|_| Time::from(now));
    let id = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.connection.map(|id| id.0))
        .bind(source.source_type).bind(source.name).bind(Json(source.config)).bind(source.creates)
        .bind(Time::from(now)).bind(listening_since).fetch_one(c).await)?;
    Ok(SourceId(id))
}

/// Puts a source into listening. If it was live, it goes live again once its credentials show the rooms known now.
pub async fn listen(tx: &mut Tx, SourceKey { account, source: id }: SourceKey, now: Timestamp) -> Result<()> {
    let text = "update int_sources set listening_since = $3, live_up_to = (
            select coalesce(max(r.id), 0) from int_room_types r where r.account_id = $1 and r.source_id = $2)
        where account_id = $1 and id = $2 and listening_since is null and connection_id is not null";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Sets a source live.
pub async fn go_live(tx: &mut Tx, SourceKey { account, source: id }: SourceKey) -> Result<()> {
    let text = "update int_sources set listening_since = null, live_up_to = null where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).execute(c).await.map(drop))
}

/// Whether a source that listens because its credentials changed has, since `since`, shown exactly its former rooms;
/// `None` if it was not live before, or must stay listening.
pub async fn shows_its_rooms(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    since: Timestamp,
) -> Result<Option<bool>> {
    let text = "select not exists (select 1 from int_room_types r
            where r.account_id = s.account_id and r.source_id = s.id and r.deleted_at is null
                and (r.id > s.live_up_to or (r.gas_unit_id is not null and r.observed_at < $3)))
        from int_sources s
        where s.account_id = $1 and s.id = $2 and s.listening_since is not null and s.live_up_to is not null";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(id.0).bind(Time::from(since)).fetch_optional(c).await)
}

/// Keeps a source listening, because its credentials show other rooms.
pub async fn stay_listening(tx: &mut Tx, SourceKey { account, source: id }: SourceKey) -> Result<()> {
    let text = "update int_sources set live_up_to = null where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).execute(c).await.map(drop))
}

/// Whether the account already has a source that creates core entities.
pub async fn has_creating(tx: &mut Tx, account: AccountId) -> Result<bool> {
    let text = "select exists (select 1 from int_sources where account_id = $1 and creates = $2)";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(true).fetch_one(c).await)
}

/// A source by its id.
pub async fn get(tx: &mut Tx, SourceKey { account, source: id }: SourceKey) -> Result<Option<Source>> {
    let text = select(" from int_sources where account_id = $1 and id = $2");
    let row: Option<Row> =
        on!(tx, c => sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(account.0).bind(id.0).fetch_optional(c).await)?;
    Ok(row.map(Source::from))
}

/// These sources, without those that do not exist. A platform query.
pub async fn get_all(tx: &mut Tx, asked: &[SourceKey]) -> Result<HashMap<SourceKey, Source>> {
    let mut new = Rows::new([("of_account", ColumnType::Int), ("key", ColumnType::Int)]);
    for SourceKey { account, source: id } in asked {
        new.push([account.0.into(), id.0.into()]);
    }
    let text = select(" from new cross join int_sources where account_id = new.of_account and id = new.key");
    let rows: Vec<Row> = new.read(tx, &[], &text).await?;
    Ok(rows.into_iter().map(Source::from).map(|source| (source.key(), source)).collect())
}

/// A source by its id, whatever its account. A platform query.
pub async fn by_id(tx: &mut Tx, id: SourceId) -> Result<Option<Source>> {
    let text = select(" from int_sources where id = $1");
    let row: Option<Row> = on!(tx, c => sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(id.0).fetch_optional(c).await)?;
    Ok(row.map(Source::from))
}

/// All sources with this name in every account. A platform query.
pub async fn named(tx: &mut Tx, name: &str) -> Result<Vec<Source>> {
    let text = select(" from int_sources where source_name = $1 order by id");
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(name).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Source::from).collect())
}

/// All sources of every account. A platform query.
pub async fn all(tx: &mut Tx) -> Result<Vec<Source>> {
    let text = select(" from int_sources order by id");
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(sqlx::AssertSqlSafe(text)).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Source::from).collect())
}

/// The sources that share a connection.
pub async fn of_connection(tx: &mut Tx, account: AccountId, connection: ConnectionId) -> Result<Vec<Source>> {
    let text = select(" from int_sources where account_id = $1 and connection_id = $2 order by id");
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(account.0).bind(connection.0)
        .fetch_all(c).await)?;
    Ok(rows.into_iter().map(Source::from).collect())
}

/// The active sources of a channel that have a connection. A platform query.
pub async fn active_of_channel(tx: &mut Tx, channel: &str) -> Result<Vec<SourceKey>> {
    let text = "select account_id, id from int_sources
        where source_type = $1 and status in ('active', 'error') and connection_id is not null order by account_id, id";
    let rows: Vec<(i64, i64)> = on!(tx, c => sqlx::query_as(text).bind(channel).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(account, id)| SourceKey { account: AccountId(account), source: SourceId(id) }).collect())
}

/// Records that a pull succeeded.
pub async fn synced(tx: &mut Tx, SourceKey { account, source: id }: SourceKey, now: Timestamp) -> Result<()> {
    let text = "update int_sources set last_sync_at = $3, last_successful_sync_at = $3, error_count = 0
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Records a failed sync attempt.
pub async fn failed(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    why: &str,
    now: Timestamp,
) -> Result<()> {
    let text = "update int_sources set last_sync_at = $4, error_count = error_count + 1, error_message = $3,
            last_error_at = $4
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(why).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Sets the authority of a source.
pub async fn set_authority(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    authority: Authority,
) -> Result<()> {
    let text = "update int_sources set authority = $3 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Json(authority)).execute(c).await.map(drop))
}

/// Sets the status of a source.
pub async fn set_status(tx: &mut Tx, SourceKey { account, source: id }: SourceKey, status: SourceState) -> Result<()> {
    let text = "update int_sources set status = $3 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(status.as_str()).execute(c).await.map(drop))
}

/// Changes the status of a source from one value to another; returns whether it did.
pub async fn change_status(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    (from, to): (SourceState, SourceState),
) -> Result<bool> {
    let text = "update int_sources set status = $4 where account_id = $1 and id = $2 and status = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(from.as_str()).bind(to.as_str())
        .execute(c).await
        .map(|changed| changed.rows_affected() > 0))
}

fn select(rest: &str) -> String {
    format!("select {COLUMNS}{rest}")
}

/// The resume point of an entity.
pub async fn resume_point(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    entity: &str,
) -> Result<Option<ResumePoint>> {
    let text = "select kind, cursor from int_sync_cursors where account_id = $1 and source_id = $2 and entity = $3";
    let row: Option<(String, String)> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).bind(entity).fetch_optional(c).await)?;
    Ok(row.and_then(|(kind, resume)| match kind.as_str() {
        "token" => Some(ResumePoint::Token(resume)),
        _ => lossless_instant(&resume).map(ResumePoint::Instant),
    }))
}

/// Deletes the resume point of an entity, so that the next poll fetches everything.
pub async fn forget_resume_point(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    entity: &str,
) -> Result<()> {
    let text = "delete from int_sync_cursors where account_id = $1 and source_id = $2 and entity = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(entity).execute(c).await.map(drop))
}

/// Stores the resume point of an entity.
pub async fn set_resume_point(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    (entity, resume): (&str, &ResumePoint),
    now: Timestamp,
) -> Result<()> {
    let (kind, resume) = match resume {
        ResumePoint::Instant(instant) => ("instant", instant.to_string()),
        ResumePoint::Token(token) => ("token", token.clone()),
    };
    let text = "insert into int_sync_cursors (account_id, source_id, entity, kind, cursor, updated_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (account_id, source_id, entity) do update set
            kind = excluded.kind, cursor = excluded.cursor, updated_at = excluded.updated_at";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(entity).bind(kind).bind(resume)
        .bind(Time::from(now)).execute(c).await.map(drop))
}

/// Changes the status of all sources of a connection that are in one of these states.
pub async fn set_status_of_connection(
    tx: &mut Tx,
    account: AccountId,
    connection: ConnectionId,
    (from, to): (&[SourceState], SourceState),
) -> Result<()> {
    for status in from {
        let text = "update int_sources set status = $4 where account_id = $1 and connection_id = $2 and status = $3";
        on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(connection.0).bind(status.as_str()).bind(to.as_str())
            .execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Deletes a source and its connection that never became active and have no references yet.
pub async fn discard(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    connection: ConnectionId,
) -> Result<()> {
    for (text, key) in [
        ("delete from int_credentials where account_id = $1 and connection_id = $2", connection.0),
        ("delete from int_consents where account_id = $1 and connection_id = $2", connection.0),
        ("delete from int_plugin_state where account_id = $1 and source_id = $2", id.0),
        ("delete from int_sources where account_id = $1 and id = $2", id.0),
        ("delete from int_connections where account_id = $1 and id = $2", connection.0),
    ] {
        on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(key).execute(c).await.map(drop))?;
    }
    Ok(())
}
