//! Facts that left the core; the databases' triggers write them, and the relay gives them their place in the feed.

use std::collections::BTreeMap;

use gassync_domain::{AccountId, Date, SourceId};
use sqlx::FromRow;

use super::{Day, Result, Time, Tx, on};

/// A fact that left the core.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Fact {
    /// `property`, `bookable_unit`, `guest`, `booking`, `availability`, `overbooking`, `rate`, `rate_plan`, `website`.
    pub entity_type: String,
    /// The core entity; of nights, their unit.
    pub entity_id: i64,
    /// `created`, `updated`, `deleted`.
    pub action: String,
    /// Whose hand it was; none means the core's own.
    pub origin_source_id: Option<i64>,
    first_night: Option<Day>,
    last_night: Option<Day>,
}

impl Fact {
    /// The first and the last night it is about, where it is about nights.
    pub fn span(&self) -> Option<(Date, Date)> {
        self.first_night.zip(self.last_night).map(|(first, last)| (first.0, last.0))
    }
}

/// A fact with its place in the feed of an account.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Told {
    /// Its place: each account's feed counts from 1.
    pub sequence: i64,
    /// What is told.
    #[sqlx(flatten)]
    pub fact: Fact,
    /// When it happened.
    pub created_at: Time,
    /// What the reader's own source calls the entity, where it is linked.
    pub external_id: Option<String>,
}

/// All facts of an account, oldest first.
pub async fn all(tx: &mut Tx, account: AccountId) -> Result<Vec<Fact>> {
    let text = "select entity_type, entity_id, action, origin_source_id, first_night, last_night from int_outbox
        where account_id = $1 order by id";
    on!(tx, c => sqlx::query_as(text).bind(account.0).fetch_all(c).await)
}

/// Whether any fact has no place yet. A platform query.
pub async fn is_waiting(tx: &mut Tx) -> Result<bool> {
    let text = "select exists (select 1 from int_outbox where sequence is null)";
    on!(tx, c => sqlx::query_scalar(text).fetch_one(c).await)
}

/// Gives the oldest committed facts the next places in their accounts' feeds, and tells how many there were. One relay
/// does this at a time, in whatever process: a number of the database's own would be given before the commit, and a
/// reader who is past it would never see what commits late. A platform query.
pub async fn give_sequence(tx: &mut Tx, limit: i64) -> Result<usize> {
    /// Any number that nothing else locks.
    const RELAY: i64 = 7_353_100;
    if let Tx::Postgres(inner) = &mut *tx {
        let text = "select pg_try_advisory_xact_lock($1)";
        let mine: bool = sqlx::query_scalar(text).bind(RELAY).fetch_one(&mut **inner).await?;
        if !mine {
            return Ok(0); // Another process relays.
        }
    }
    let text = "insert into int_feeds (account_id, last_sequence)
        select distinct account_id, 0 from int_outbox where sequence is null on conflict (account_id) do nothing";
    on!(&mut *tx, c => sqlx::query(text).execute(c).await.map(drop))?;
    let text = "update int_outbox set sequence = n.sequence from (
            select o.account_id, o.id, f.last_sequence + row_number() over (partition by o.account_id order by o.id) as sequence
            from int_outbox o join int_feeds f on f.account_id = o.account_id
            where o.sequence is null order by o.id limit $1
        ) n
        where int_outbox.account_id = n.account_id and int_outbox.id = n.id
        returning int_outbox.account_id, int_outbox.sequence";
    let given: Vec<(i64, i64)> = on!(&mut *tx, c => sqlx::query_as(text).bind(limit).fetch_all(c).await)?;
    let mut last: BTreeMap<i64, i64> = BTreeMap::new();
    for (account, sequence) in &given {
        let newest = last.entry(*account).or_default();
        *newest = sequence.max(newest).to_owned();
    }
    let text = "update int_feeds set last_sequence = $2 where account_id = $1";
    for (account, sequence) in last {
        on!(&mut *tx, c => sqlx::query(text).bind(account).bind(sequence).execute(c).await.map(drop))?;
    }
    Ok(given.len())
}

/// The feed of an account after a place in it, as a source sees it: entities with its own ids, where it has them.
pub async fn feed(tx: &mut Tx, account: AccountId, source: SourceId, after: i64, limit: i64) -> Result<Vec<Told>> {
    let text =
        "select o.sequence, o.entity_type, o.entity_id, o.action, o.origin_source_id, o.first_night, o.last_night,
            o.created_at, (
                select min(m.external_entity_id) from int_mappings m
                where m.account_id = o.account_id and m.source_id = $2 and m.gas_entity_id = o.entity_id
                  and m.gas_entity_type = case
                      when o.entity_type in ('availability', 'overbooking', 'rate') then 'bookable_unit'
                      else o.entity_type end
            ) as external_id
        from int_outbox o where o.account_id = $1 and o.sequence > $3 order by o.sequence limit $4";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(after).bind(limit).fetch_all(c).await)
}

/// The newest place in the feed of an account; 0 before the first.
pub async fn last_sequence(tx: &mut Tx, account: AccountId) -> Result<i64> {
    let text = "select coalesce(max(last_sequence), 0) from int_feeds where account_id = $1";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).fetch_one(c).await)
}
