//! Records that could not be read or kept, in their own words. A row goes when its record was read well, when it was not seen
//! again after it was asked for anew, or by a person's word.

use gassync_domain::{AccountId, Entity, SourceId, Timestamp};
use sqlx::FromRow;

use super::{Result, Time, Tx, on};

/// What is written of a record that is set aside.
#[derive(Debug)]
pub struct NewSetAside<'a> {
    /// Which kind of record it is.
    pub entity: Entity,
    /// The channel's id, where it is known.
    pub external_id: Option<&'a str>,
    /// What the same odd record has again: its id, or a hash of its words.
    pub identity: &'a str,
    /// Where in the record, and what was expected there.
    pub problem: &'a str,
    /// The record as it came.
    pub raw: Option<&'a str>,
    /// The message it came by, where it came by one.
    pub message: Option<i64>,
    /// The version of the plugin that read it.
    pub plugin_hash: &'a str,
}

/// A record that is set aside.
#[derive(Debug, Clone, FromRow)]
pub struct SetAside {
    /// The tenant.
    pub account_id: i64,
    /// Its key.
    pub id: i64,
    /// Who sent it.
    pub source_id: i64,
    /// The source's name.
    pub source_name: String,
    /// The channel.
    pub channel: String,
    /// Which kind of record it is.
    pub entity: String,
    /// The channel's id, where it is known.
    pub external_id: Option<String>,
    /// Where in the record, and what was expected there.
    pub problem: String,
    /// The message it came by, where it came by one.
    pub inbox_id: Option<i64>,
    /// The version of the plugin that read it.
    pub plugin_hash: String,
    /// How often it was seen.
    pub times_seen: i64,
    /// When it was seen first.
    pub first_seen_at: Time,
    /// When it was seen last.
    pub last_seen_at: Time,
    /// Since when it is asked for anew.
    pub retried_at: Option<Time>,
}

/// Sets a record aside, or notes that the same one was seen again; how often it was seen.
pub async fn put(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    new: &NewSetAside<'_>,
    now: Timestamp,
) -> Result<i64> {
    let text = "insert into int_set_aside (account_id, source_id, entity, external_id, identity, problem, raw_data,
            inbox_id, plugin_hash, times_seen, first_seen_at, last_seen_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10)
        on conflict (account_id, source_id, entity, identity) do update set
            problem = excluded.problem, raw_data = excluded.raw_data, inbox_id = excluded.inbox_id,
            plugin_hash = excluded.plugin_hash, times_seen = int_set_aside.times_seen + 1,
            last_seen_at = excluded.last_seen_at, retried_at = null
        returning times_seen";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(new.entity.as_str()).bind(new.external_id)
        .bind(new.identity).bind(new.problem).bind(new.raw).bind(new.message).bind(new.plugin_hash)
        .bind(Time::from(now)).fetch_one(c).await)
}

/// The kinds and ids of a source's records that are set aside, as far as their ids are known, and their rows.
pub async fn known_ids(tx: &mut Tx, account: AccountId, source: SourceId) -> Result<Vec<(i64, String, String)>> {
    let text = "select id, entity, external_id from int_set_aside
        where account_id = $1 and source_id = $2 and external_id is not null";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_all(c).await)
}

/// Those that came by a message and were not in it when it was read after this time.
pub async fn not_in_message(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    message: i64,
    before: Timestamp,
) -> Result<Vec<SetAside>> {
    let text =
        "select a.account_id, a.id, a.source_id, s.source_name, s.source_type as channel, a.entity, a.external_id,
            a.problem, a.inbox_id, a.plugin_hash, a.times_seen, a.first_seen_at, a.last_seen_at, a.retried_at
        from int_set_aside a join int_sources s on s.account_id = a.account_id and s.id = a.source_id
        where a.account_id = $1 and a.source_id = $2 and a.inbox_id = $3 and a.last_seen_at < $4 order by a.id";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(message).bind(Time::from(before))
        .fetch_all(c).await)
}

/// Those of a kind that a channel was asked for anew before this time, and that were not seen since.
pub async fn not_seen_again(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    entity: Entity,
    asked_before: Timestamp,
) -> Result<Vec<SetAside>> {
    let text =
        "select a.account_id, a.id, a.source_id, s.source_name, s.source_type as channel, a.entity, a.external_id,
            a.problem, a.inbox_id, a.plugin_hash, a.times_seen, a.first_seen_at, a.last_seen_at, a.retried_at
        from int_set_aside a join int_sources s on s.account_id = a.account_id and s.id = a.source_id
        where a.account_id = $1 and a.source_id = $2 and a.entity = $3 and a.retried_at <= $4 and a.last_seen_at < $4
        order by a.id";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(entity.as_str()).bind(Time::from(asked_before))
        .fetch_all(c).await)
}

/// Notes that a record is asked for anew.
pub async fn retried(tx: &mut Tx, account: AccountId, id: i64, now: Timestamp) -> Result<()> {
    let text = "update int_set_aside set retried_at = $3 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(Time::from(now)).execute(c).await.map(drop))
}

/// A record is set aside no more.
pub async fn remove(tx: &mut Tx, account: AccountId, id: i64) -> Result<()> {
    let text = "delete from int_set_aside where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).execute(c).await.map(drop))
}

/// All that are set aside, the oldest first: each waits for its record to be read, or for a person. A platform query.
pub async fn waiting(tx: &mut Tx) -> Result<Vec<SetAside>> {
    let text =
        "select a.account_id, a.id, a.source_id, s.source_name, s.source_type as channel, a.entity, a.external_id,
            a.problem, a.inbox_id, a.plugin_hash, a.times_seen, a.first_seen_at, a.last_seen_at, a.retried_at
        from int_set_aside a join int_sources s on s.account_id = a.account_id and s.id = a.source_id
        order by a.first_seen_at, a.id";
    on!(tx, c => sqlx::query_as(text).fetch_all(c).await)
}

/// Those of a channel that another version of its plugin read, the oldest first. A platform query.
pub async fn of_other_versions(tx: &mut Tx, channel: &str, hash: &str, limit: i64) -> Result<Vec<SetAside>> {
    let text =
        "select a.account_id, a.id, a.source_id, s.source_name, s.source_type as channel, a.entity, a.external_id,
            a.problem, a.inbox_id, a.plugin_hash, a.times_seen, a.first_seen_at, a.last_seen_at, a.retried_at
        from int_set_aside a join int_sources s on s.account_id = a.account_id and s.id = a.source_id
        where s.source_type = $1 and a.plugin_hash <> $2 order by a.id limit $3";
    on!(tx, c => sqlx::query_as(text).bind(channel).bind(hash).bind(limit).fetch_all(c).await)
}

/// One of them, with its words. A platform query.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<(SetAside, Option<String>)>> {
    let text =
        "select a.account_id, a.id, a.source_id, s.source_name, s.source_type as channel, a.entity, a.external_id,
            a.problem, a.inbox_id, a.plugin_hash, a.times_seen, a.first_seen_at, a.last_seen_at, a.retried_at
        from int_set_aside a join int_sources s on s.account_id = a.account_id and s.id = a.source_id where a.id = $1";
    let row: Option<SetAside> = on!(&mut *tx, c => sqlx::query_as(text).bind(id).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    let text = "select raw_data from int_set_aside where account_id = $1 and id = $2";
    let raw = on!(tx, c => sqlx::query_scalar(text).bind(row.account_id).bind(id).fetch_one(c).await)?;
    Ok(Some((row, raw)))
}
