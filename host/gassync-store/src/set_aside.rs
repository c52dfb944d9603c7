//! Raw records that could not be read or stored. A row is deleted when its record is read successfully, when a new
//! request does not return it, or when a person dismisses it.

use gassync_domain::{AccountId, Entity, SourceKey, Timestamp};
use sqlx::FromRow;

use super::{Result, Time, Tx, on, word};

/// A record to set aside.
#[derive(Debug)]
pub struct NewSetAside<'a> {
    /// The kind of the record.
    pub entity: Entity,
    /// The channel's id, if known.
    pub external_id: Option<&'a str>,
    /// Recognises the same malformed record: its id, or a hash of its content.
    pub identity: &'a str,
    /// Position in the record, and what was expected there.
    pub problem: &'a str,
    /// The raw record.
    pub raw: Option<&'a str>,
    /// The message that contained it, if any.
    pub message: Option<i64>,
    /// Hash of the plugin version that read it.
    pub plugin_hash: &'a str,
}

/// A stored record that is set aside.
#[derive(Debug, Clone, FromRow)]
pub struct SetAside {
    /// The tenant.
    pub account_id: i64,
    /// The id of the row.
    pub id: i64,
    /// The source.
    pub source_id: i64,
    /// The source's name.
    pub source_name: String,
    /// The channel.
    pub channel: String,
    /// The kind of the record.
    #[sqlx(try_from = "String")]
    pub entity: Entity,
    /// The channel's id, if known.
    pub external_id: Option<String>,
    /// Position in the record, and what was expected there.
    pub problem: String,
    /// The message that contained it, if any.
    pub inbox_id: Option<i64>,
    /// Hash of the plugin version that read it.
    pub plugin_hash: String,
    /// Number of times it was seen.
    pub times_seen: i64,
    /// Time of the first sighting.
    pub first_seen_at: Time,
    /// Time of the last sighting.
    pub last_seen_at: Time,
    /// When it was requested again, if it was.
    pub retried_at: Option<Time>,
}

/// Sets a record aside, or counts another sighting; returns the number of sightings.
pub async fn put(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
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

/// Row, kind and channel id of a source's records that are set aside, if the id is known.
pub async fn known_ids(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Vec<(i64, Entity, String)>> {
    let text = "select id, entity, external_id from int_set_aside
        where account_id = $1 and source_id = $2 and external_id is not null";
    let rows: Vec<(i64, String, String)> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_all(c).await)?;
    rows.into_iter().map(|(row, entity, id)| Ok((row, word(entity)?, id))).collect()
}

/// Records set aside from a message that did not contain them when it was read again after this time.
pub async fn not_in_message(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
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

/// Records of a kind that were requested again before this time and not seen since.
pub async fn not_seen_again(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
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

/// Records that a record was requested again.
pub async fn retried(tx: &mut Tx, account: AccountId, id: i64, now: Timestamp) -> Result<()> {
    let text = "update int_set_aside set retried_at = $3 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Deletes a record that is set aside.
pub async fn remove(tx: &mut Tx, account: AccountId, id: i64) -> Result<()> {
    let text = "delete from int_set_aside where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).execute(c).await.map(drop))
}

/// All records that are set aside, oldest first. A platform query.
pub async fn waiting(tx: &mut Tx) -> Result<Vec<SetAside>> {
    let text =
        "select a.account_id, a.id, a.source_id, s.source_name, s.source_type as channel, a.entity, a.external_id,
            a.problem, a.inbox_id, a.plugin_hash, a.times_seen, a.first_seen_at, a.last_seen_at, a.retried_at
        from int_set_aside a join int_sources s on s.account_id = a.account_id and s.id = a.source_id
        order by a.first_seen_at, a.id";
    on!(tx, c => sqlx::query_as(text).fetch_all(c).await)
}

/// Records of a channel set aside by another version of its plugin, oldest first. A platform query.
pub async fn of_other_versions(tx: &mut Tx, channel: &str, hash: &str, limit: i64) -> Result<Vec<SetAside>> {
    let text =
        "select a.account_id, a.id, a.source_id, s.source_name, s.source_type as channel, a.entity, a.external_id,
            a.problem, a.inbox_id, a.plugin_hash, a.times_seen, a.first_seen_at, a.last_seen_at, a.retried_at
        from int_set_aside a join int_sources s on s.account_id = a.account_id and s.id = a.source_id
        where s.source_type = $1 and a.plugin_hash <> $2 order by a.id limit $3";
    on!(tx, c => sqlx::query_as(text).bind(channel).bind(hash).bind(limit).fetch_all(c).await)
}

/// One record with its raw content. A platform query.
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
