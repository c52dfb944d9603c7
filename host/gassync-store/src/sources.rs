//! Sources, and where their next fetch begins.

use std::collections::HashMap;

use gassync_domain::{
    AccountId, Authority, ConnectionId, Direction, Owner, ResumePoint, SourceId, Timestamp, lossless_instant,
};
use sqlx::{FromRow, types::Json};

use super::{
    Result, Time, Tx, on,
    rows::{ColumnType, Rows},
};

/// One account's share of a connection.
#[derive(Debug, Clone)]
pub struct Source {
    /// The tenant.
    pub account: AccountId,
    /// Its key.
    pub id: SourceId,
    /// Where its channel is reached; none for a partner who calls us.
    pub connection: Option<ConnectionId>,
    /// The channel.
    pub source_type: String,
    /// What people call it; unique in the account.
    pub name: String,
    /// Its settings.
    pub config: serde_json::Value,
    /// `active`, `paused`, …
    pub status: String,
    /// Whether it creates core entities, or only links them.
    pub creates: bool,
    /// What it has the say over.
    pub authority: Authority,
    /// Since when it listens: nothing is told to its channel before somebody has it go live. None where it is live.
    pub listening_since: Option<Timestamp>,
    /// Whether its channel is fetched from and told at all.
    pub sync_enabled: bool,
    /// Which ways it talks with the core.
    pub direction: Direction,
    /// Minutes between two polls of its bookings; none where the plugin's manifest says.
    pub poll_minutes: Option<i64>,
    /// When something was last tried, either way.
    pub last_sync_at: Option<Timestamp>,
    /// When something last went well, either way.
    pub last_successful_sync_at: Option<Timestamp>,
    /// How many attempts in a row have failed since then.
    pub error_count: i64,
    /// Why the last one did.
    pub error_message: Option<String>,
    /// When that was.
    pub last_error_at: Option<Timestamp>,
}

/// What a new source is made of.
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
    status: String,
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
            // The database checks the word.
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
    /// What it has the say over just now: one that is only told has none.
    pub fn effective_authority(&self) -> Authority {
        if self.direction.is_inward() {
            return self.authority;
        }
        Authority { bookings: Some(Owner::None), calendar: Some(Owner::None), content: Some(Owner::None) }
    }

    /// Whose word counts in what it is told: of one that is only told the core's.
    pub fn push_authority(&self) -> Authority {
        if self.direction.is_inward() { self.authority } else { Authority::default() }
    }
}

/// Makes an active source. One with a connection listens: it is told nothing yet.
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

/// A source listens from now on; one that was live is so again when its credentials show the rooms that it knows now.
pub async fn listen(tx: &mut Tx, account: AccountId, id: SourceId, now: Timestamp) -> Result<()> {
    let text = "update int_sources set listening_since = $3, live_up_to = (
            select coalesce(max(r.id), 0) from int_room_types r where r.account_id = $1 and r.source_id = $2)
        where account_id = $1 and id = $2 and listening_since is null and connection_id is not null";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Time::from(now)).execute(c).await.map(drop))
}

/// A source is live from now on.
pub async fn go_live(tx: &mut Tx, account: AccountId, id: SourceId) -> Result<()> {
    let text = "update int_sources set listening_since = null, live_up_to = null where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).execute(c).await.map(drop))
}

/// Whether a source that listens since its credentials changed has been shown, since an instant, the rooms that it had and no
/// others; none where it was not live before, or stays listening already.
pub async fn shows_its_rooms(tx: &mut Tx, account: AccountId, id: SourceId, since: Timestamp) -> Result<Option<bool>> {
    let text = "select not exists (select 1 from int_room_types r
            where r.account_id = s.account_id and r.source_id = s.id and r.deleted_at is null
                and (r.id > s.live_up_to or (r.gas_unit_id is not null and r.observed_at < $3)))
        from int_sources s
        where s.account_id = $1 and s.id = $2 and s.listening_since is not null and s.live_up_to is not null";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(id.0).bind(Time::from(since)).fetch_optional(c).await)
}

/// It stays listening: its credentials show other rooms than it had.
pub async fn stay_listening(tx: &mut Tx, account: AccountId, id: SourceId) -> Result<()> {
    let text = "update int_sources set live_up_to = null where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).execute(c).await.map(drop))
}

/// Whether the account has a source that creates core entities already.
pub async fn has_creating(tx: &mut Tx, account: AccountId) -> Result<bool> {
    let text = "select exists (select 1 from int_sources where account_id = $1 and creates = $2)";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(true).fetch_one(c).await)
}

/// By its key.
pub async fn get(tx: &mut Tx, account: AccountId, id: SourceId) -> Result<Option<Source>> {
    let text = select(" from int_sources where account_id = $1 and id = $2");
    let row: Option<Row> =
        on!(tx, c => sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(account.0).bind(id.0).fetch_optional(c).await)?;
    Ok(row.map(Source::from))
}

/// These sources, as far as they are there. A platform query.
pub async fn get_all(tx: &mut Tx, asked: &[(AccountId, SourceId)]) -> Result<HashMap<(AccountId, SourceId), Source>> {
    let mut new = Rows::new([("of_account", ColumnType::Int), ("key", ColumnType::Int)]);
    for (account, id) in asked {
        new.push([account.0.into(), id.0.into()]);
    }
    let text = select(" from new cross join int_sources where account_id = new.of_account and id = new.key");
    let rows: Vec<Row> = new.read(tx, &[], &text).await?;
    Ok(rows.into_iter().map(Source::from).map(|source| ((source.account, source.id), source)).collect())
}

/// All sources of every account with this name. A platform query.
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

/// The sources of a channel that are at work and have a connection. A platform query.
pub async fn active_of_channel(tx: &mut Tx, channel: &str) -> Result<Vec<(AccountId, SourceId)>> {
    let text = "select account_id, id from int_sources
        where source_type = $1 and status in ('active', 'error') and connection_id is not null order by account_id, id";
    let rows: Vec<(i64, i64)> = on!(tx, c => sqlx::query_as(text).bind(channel).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(account, id)| (AccountId(account), SourceId(id))).collect())
}

/// Notes that a pull ended well.
pub async fn synced(tx: &mut Tx, account: AccountId, id: SourceId, now: Timestamp) -> Result<()> {
    let text = "update int_sources set last_sync_at = $3, last_successful_sync_at = $3, error_count = 0
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Notes that an attempt to synchronise failed.
pub async fn failed(tx: &mut Tx, account: AccountId, id: SourceId, why: &str, now: Timestamp) -> Result<()> {
    let text = "update int_sources set last_sync_at = $4, error_count = error_count + 1, error_message = $3,
            last_error_at = $4
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(why).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Says what a source has the say over.
pub async fn set_authority(tx: &mut Tx, account: AccountId, id: SourceId, authority: Authority) -> Result<()> {
    let text = "update int_sources set authority = $3 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Json(authority)).execute(c).await.map(drop))
}

/// Changes where a source stands.
pub async fn set_status(tx: &mut Tx, account: AccountId, id: SourceId, status: &str) -> Result<()> {
    let text = "update int_sources set status = $3 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(status).execute(c).await.map(drop))
}

/// Changes where a source stands if it stands so; whether it did.
pub async fn change_status(tx: &mut Tx, account: AccountId, id: SourceId, (from, to): (&str, &str)) -> Result<bool> {
    let text = "update int_sources set status = $4 where account_id = $1 and id = $2 and status = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(from).bind(to).execute(c).await
        .map(|changed| changed.rows_affected() > 0))
}

fn select(rest: &str) -> String {
    format!("select {COLUMNS}{rest}")
}

/// Where the next fetch of an entity begins.
pub async fn resume_point(tx: &mut Tx, account: AccountId, id: SourceId, entity: &str) -> Result<Option<ResumePoint>> {
    let text = "select kind, cursor from int_sync_cursors where account_id = $1 and source_id = $2 and entity = $3";
    let row: Option<(String, String)> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).bind(entity).fetch_optional(c).await)?;
    Ok(row.and_then(|(kind, resume)| match kind.as_str() {
        "token" => Some(ResumePoint::Token(resume)),
        _ => lossless_instant(&resume).map(ResumePoint::Instant),
    }))
}

/// A poll begins anew: all that there is is fetched.
pub async fn forget_resume_point(tx: &mut Tx, account: AccountId, id: SourceId, entity: &str) -> Result<()> {
    let text = "delete from int_sync_cursors where account_id = $1 and source_id = $2 and entity = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(entity).execute(c).await.map(drop))
}

/// Keeps where the next fetch of an entity begins.
pub async fn set_resume_point(
    tx: &mut Tx,
    account: AccountId,
    id: SourceId,
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

/// Changes where all sources of a connection stand that are in one of these states.
pub async fn set_status_of_connection(
    tx: &mut Tx,
    account: AccountId,
    connection: ConnectionId,
    (from, to): (&[&str], &str),
) -> Result<()> {
    for status in from {
        let text = "update int_sources set status = $4 where account_id = $1 and connection_id = $2 and status = $3";
        on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(connection.0).bind(*status).bind(to).execute(c).await
            .map(drop))?;
    }
    Ok(())
}

/// Takes back a source and its connection that never came to work: nothing refers to them yet.
pub async fn discard(tx: &mut Tx, account: AccountId, id: SourceId, connection: ConnectionId) -> Result<()> {
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
