//! The audit trail.

use gassync_domain::{AccountId, SourceId, SourceKey, Timestamp};
use sqlx::FromRow;

use super::{
    Result, Time, Tx,
    buffer::PageCursor,
    on,
    rows::{ColumnType, Rows},
};

pub use gassync_domain::{LogAction, LogDirection, LogStatus};

/// A new line of the audit trail. It names records by id and never contains guest data.
#[derive(Debug, Clone)]
pub struct NewSyncLogLine<'a> {
    /// The source.
    pub source: SourceId,
    /// `property`, `room_type`, `reservation`, `connection`.
    pub entity_type: &'a str,
    /// The channel's id.
    pub entity_id: &'a str,
    /// What was done.
    pub action: LogAction,
    /// How it ended.
    pub status: LogStatus,
    /// The reason, unless it simply succeeded.
    pub message: Option<String>,
}

/// A stored line of the audit trail.
#[derive(Debug, Clone, FromRow)]
pub struct SyncLogLine {
    /// Its id.
    pub id: i64,
    /// The account.
    pub account_id: i64,
    /// The source.
    pub source_id: Option<i64>,
    /// Which way the record went.
    #[sqlx(try_from = "String")]
    pub direction: LogDirection,
    /// Kind of record.
    pub entity_type: String,
    /// The channel's id.
    pub entity_id: String,
    /// What was done.
    #[sqlx(try_from = "String")]
    pub action: LogAction,
    /// How it ended.
    #[sqlx(try_from = "String")]
    pub status: LogStatus,
    /// The reason, unless it simply succeeded.
    pub error_message: Option<String>,
    /// Time of creation.
    pub created_at: Time,
}

/// Adds inbound lines.
pub async fn inbound(tx: &mut Tx, account: AccountId, entries: &[NewSyncLogLine<'_>], now: Timestamp) -> Result<()> {
    add(tx, account, (LogDirection::Inbound, entries), now).await
}

/// Adds outbound lines.
pub async fn outbound(tx: &mut Tx, account: AccountId, entries: &[NewSyncLogLine<'_>], now: Timestamp) -> Result<()> {
    add(tx, account, (LogDirection::Outbound, entries), now).await
}

async fn add(
    tx: &mut Tx,
    account: AccountId,
    (direction, entries): (LogDirection, &[NewSyncLogLine<'_>]),
    now: Timestamp,
) -> Result<()> {
    let mut new = Rows::new([
        ("source_id", ColumnType::Int),
        ("entity_type", ColumnType::Text),
        ("entity_id", ColumnType::Text),
        ("action", ColumnType::Text),
        ("status", ColumnType::Text),
        ("error_message", ColumnType::Text),
    ]);
    for NewSyncLogLine { source, entity_type, entity_id, action, status, message } in entries {
        new.push([
            source.0.into(),
            (*entity_type).into(),
            (*entity_id).into(),
            action.as_str().into(),
            status.as_str().into(),
            message.into(),
        ]);
    }
    let text = "insert into int_sync_log (account_id, created_at, direction, source_id, entity_type, entity_id, action,
            status, error_message)
        select $1, $2, $3, source_id, entity_type, entity_id, action, status, error_message from new";
    new.write(tx, &[account.0.into(), now.into(), direction.as_str().into()], text).await
}

/// A filter of audit lines.
#[derive(Debug, Clone, Default)]
pub struct SyncLogFilter {
    /// Kind of record.
    pub entity_type: Option<String>,
    /// External id.
    pub entity_id: Option<String>,
    /// How it ended.
    pub status: Option<LogStatus>,
    /// Only lines created at or after this time.
    pub since: Option<Timestamp>,
}

/// The lines of a source after a row, oldest first.
pub async fn of_source(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    filter: &SyncLogFilter,
    slice: PageCursor,
) -> Result<Vec<SyncLogLine>> {
    let text =
        "select id, account_id, source_id, direction, entity_type, entity_id, action, status, error_message, created_at
        from int_sync_log
        where account_id = $1 and source_id = $2 and id > $3 and ($4 is null or entity_type = $4)
          and ($5 is null or entity_id = $5) and ($6 is null or status = $6) and ($7 is null or created_at >= $7)
        order by id limit $8";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(slice.after).bind(&filter.entity_type)
        .bind(&filter.entity_id).bind(filter.status.map(LogStatus::as_str)).bind(filter.since.map(Time::from)).bind(slice.limit)
        .fetch_all(c).await)
}

/// The newest lines of every account. A platform query.
pub async fn newest(tx: &mut Tx, limit: i64) -> Result<Vec<SyncLogLine>> {
    let text =
        "select id, account_id, source_id, direction, entity_type, entity_id, action, status, error_message, created_at
        from int_sync_log order by id desc limit $1";
    on!(tx, c => sqlx::query_as(text).bind(limit).fetch_all(c).await)
}

/// Lines after this one, oldest first. A platform query.
pub async fn after(tx: &mut Tx, id: i64, limit: i64) -> Result<Vec<SyncLogLine>> {
    let text =
        "select id, account_id, source_id, direction, entity_type, entity_id, action, status, error_message, created_at
        from int_sync_log where id > $1 order by id limit $2";
    on!(tx, c => sqlx::query_as(text).bind(id).bind(limit).fetch_all(c).await)
}
