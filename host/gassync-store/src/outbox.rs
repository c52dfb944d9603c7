//! Events of the core. Database triggers write them; the relay assigns their sequence number in the feed.

use std::collections::BTreeMap;

use gassync_domain::{AccountId, Date, EventName, SourceKey, Timestamp};
use sqlx::FromRow;

use super::{
    Day, Result, Time, Tx, on,
    rows::{ColumnType, Rows},
};

gassync_domain::words! {
    /// What happened to an entity.
    pub enum FactAction {
        /// It is new.
        Created = "created",
        /// It changed.
        Updated = "updated",
        /// It is gone.
        Deleted = "deleted",
    }
}

/// An event of the core.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Fact {
    /// `property`, `bookable_unit`, `guest`, `booking`, `availability`, `overbooking`, `rate`, `rate_plan`, `website`.
    pub entity_type: String,
    /// The core entity; for nights, the unit.
    pub entity_id: i64,
    /// What happened to it.
    #[sqlx(try_from = "String")]
    pub action: FactAction,
    /// The source that caused it; `None` means the core.
    pub origin_source_id: Option<i64>,
    first_night: Option<Day>,
    last_night: Option<Day>,
    /// The booking's new status, if it changed.
    pub status: Option<String>,
}

impl Fact {
    /// Its name.
    pub fn name(&self) -> EventName {
        EventName::of(&self.entity_type, self.action.as_str(), self.status.as_deref())
    }

    /// First and last night, if it concerns nights.
    pub fn span(&self) -> Option<(Date, Date)> {
        self.first_night.zip(self.last_night).map(|(first, last)| (first.0, last.0))
    }
}

/// An event with its sequence number in an account's feed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct FeedEntry {
    /// Sequence number; each account's feed counts from 1.
    pub sequence: i64,
    /// The event.
    #[sqlx(flatten)]
    pub fact: Fact,
    /// Event time.
    pub created_at: Time,
    /// The entity's external id at the reader's source, if linked.
    pub external_id: Option<String>,
}

/// A change reported by the PMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedChange {
    /// `booking`, `availability` or `rate`.
    pub entity_type: &'static str,
    /// The booking; for nights, the unit.
    pub entity_id: i64,
    /// First and last night; `None` means all.
    pub span: Option<(Date, Date)>,
}

/// Adds an event as if the record had changed; `false` if the account has no such record.
pub async fn report_change(tx: &mut Tx, account: AccountId, change: &ReportedChange, now: Timestamp) -> Result<bool> {
    let known = match change.entity_type {
        "booking" => "select exists (select 1 from gas_bookings where account_id = $1 and id = $2)",
        _ => "select exists (select 1 from gas_bookable_units where account_id = $1 and id = $2)",
    };
    let is_there: bool =
        on!(&mut *tx, c => sqlx::query_scalar(known).bind(account.0).bind(change.entity_id).fetch_one(c).await)?;
    if !is_there {
        return Ok(false);
    }
    // SQLite merges the unsequenced spans of a unit into one row.
    let text = tx.dialect(
        "insert into int_outbox (account_id, entity_type, entity_id, action, created_at, first_night, last_night)
        values ($1, $2, $3, 'updated', $4, $5, $6)
        on conflict (account_id, entity_type, entity_id, coalesce(origin_source_id, 0))
            where sequence is null and first_night is not null
        do update set first_night = min(first_night, excluded.first_night), last_night = max(last_night, excluded.last_night)",
        "insert into int_outbox (account_id, entity_type, entity_id, action, created_at, first_night, last_night)
        values ($1, $2, $3, 'updated', $4, $5, $6)",
    );
    on!(tx, c => sqlx::query(text).bind(account.0).bind(change.entity_type).bind(change.entity_id).bind(Time::from(now))
        .bind(change.span.map(|(first, _)| Day(first))).bind(change.span.map(|(_, last)| Day(last))).execute(c).await
        .map(drop))?;
    Ok(true)
}

/// All events of an account, oldest first.
pub async fn all(tx: &mut Tx, account: AccountId) -> Result<Vec<Fact>> {
    let text =
        "select entity_type, entity_id, action, origin_source_id, first_night, last_night, status from int_outbox
        where account_id = $1 order by id";
    on!(tx, c => sqlx::query_as(text).bind(account.0).fetch_all(c).await)
}

/// Whether any event has no sequence number. A platform query.
pub async fn is_waiting(tx: &mut Tx) -> Result<bool> {
    let text = "select exists (select 1 from int_outbox where sequence is null)";
    on!(tx, c => sqlx::query_scalar(text).fetch_one(c).await)
}

/// Assigns sequence numbers to the oldest committed events, and returns the first and last number per account. Only one
/// relay does this at a time: a database sequence would number events before their commit, and a reader past a number
/// would miss events committed later. A platform query.
pub async fn assign_sequence(tx: &mut Tx, limit: i64) -> Result<Vec<(i64, i64, i64)>> {
    /// Any number that no other lock uses.
    const RELAY: i64 = 7_353_100;
    if let Tx::Postgres(inner, _) = &mut *tx {
        let text = "select pg_try_advisory_xact_lock($1)";
        let is_locked: bool = sqlx::query_scalar(text).bind(RELAY).fetch_one(&mut **inner).await?;
        if !is_locked {
            return Ok(Vec::new()); // Another process relays.
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
    let mut places: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for (account, sequence) in given {
        let (low, high) = places.entry(account).or_insert((sequence, sequence));
        (*low, *high) = (sequence.min(*low), sequence.max(*high));
    }
    let text = "update int_feeds set last_sequence = $2 where account_id = $1";
    for (account, (_, high)) in &places {
        on!(&mut *tx, c => sqlx::query(text).bind(account).bind(high).execute(c).await.map(drop))?;
    }
    Ok(places.into_iter().map(|(account, (low, high))| (account, low, high)).collect())
}

/// Selects events with the reader's external ids, for account `$1` and source `$2`.
macro_rules! feed_entries {
    ($from:literal) => {
        concat!(
            "select o.sequence, o.entity_type, o.entity_id, o.action, o.origin_source_id, o.first_night, o.last_night,
                o.status, o.created_at, (
                    select min(m.external_entity_id) from int_mappings m
                    where m.account_id = o.account_id and m.source_id = $2 and m.gas_entity_id = o.entity_id
                      and m.gas_entity_type = case
                          when o.entity_type in ('availability', 'overbooking', 'rate') then 'bookable_unit'
                          else o.entity_type end
                ) as external_id
            from ",
            $from
        )
    };
}

/// Events with these sequence numbers, as seen by a source.
pub async fn entries_at(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    sequences: &[i64],
) -> Result<Vec<FeedEntry>> {
    let mut new = Rows::new([("sequence", ColumnType::Int)]);
    sequences.iter().for_each(|sequence| new.push([(*sequence).into()]));
    let text = feed_entries!("new cross join int_outbox o where o.account_id = $1 and o.sequence = new.sequence");
    new.read(tx, &[account.0.into(), source.0.into()], text).await
}

/// The feed after a sequence number, as seen by a source, with its external ids.
pub async fn feed(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    after: i64,
    limit: i64,
) -> Result<Vec<FeedEntry>> {
    let text = feed_entries!("int_outbox o where o.account_id = $1 and o.sequence > $3 order by o.sequence limit $4");
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(after).bind(limit).fetch_all(c).await)
}

/// The newest sequence number of an account; 0 if there is none.
pub async fn last_sequence(tx: &mut Tx, account: AccountId) -> Result<i64> {
    let text = "select coalesce(max(last_sequence), 0) from int_feeds where account_id = $1";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).fetch_one(c).await)
}
