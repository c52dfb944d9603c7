//! Reservations that the channel does not return when asked by id.

use gassync_domain::{Date, SourceKey, Timestamp, utc_day};
use sqlx::FromRow;

use super::{Day, Result, Time, Tx, on};

/// A stored reservation that occupies nights.
#[derive(Debug, Clone, FromRow)]
pub struct HeldStay {
    check_out: Day,
    /// IANA time zone of its property.
    pub time_zone: Option<String>,
    observed_at: Time,
}

impl HeldStay {
    /// The day of departure.
    pub fn check_out(&self) -> Date {
        self.check_out.0
    }

    /// When the channel last showed it.
    pub fn observed_at(&self) -> Timestamp {
        self.observed_at.into()
    }
}

/// Finds a reservation that occupies nights in the core.
pub async fn held_stay(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    external_id: &str,
) -> Result<Option<HeldStay>> {
    let text = "select b.check_out, p.time_zone, r.observed_at
        from int_reservations r
        join gas_bookings b on b.account_id = r.account_id and b.id = r.gas_booking_id
        join gas_properties p on p.account_id = b.account_id and p.id = b.property_id
        where r.account_id = $1 and r.source_id = $2 and r.external_id = $3 and r.deleted_at is null
            and b.status in ('confirmed', 'pending', 'no-show')";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(external_id).fetch_optional(c).await)
}

/// Record of a reservation missing at the channel.
#[derive(Debug, Clone, FromRow)]
pub struct MissedReads {
    /// Time of the first lookup that did not return it.
    pub first_missed_at: Time,
    /// The last one.
    pub last_missed_at: Time,
    /// When a second lookup confirmed that.
    pub confirmed_at: Option<Time>,
    /// Time of a person's decision to keep it.
    pub kept_at: Option<Time>,
}

/// By external id.
pub async fn find(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    external_id: &str,
) -> Result<Option<MissedReads>> {
    let text = "select first_missed_at, last_missed_at, confirmed_at, kept_at from int_missing_reservations
        where account_id = $1 and source_id = $2 and external_id = $3";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(external_id).fetch_optional(c).await)
}

/// Records the first lookup that did not return it, replacing earlier records.
pub async fn record_first(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    external_id: &str,
    asked_at: Timestamp,
) -> Result<()> {
    let text =
        "insert into int_missing_reservations (account_id, source_id, external_id, first_missed_at, last_missed_at)
        values ($1, $2, $3, $4, $4)
        on conflict (account_id, source_id, external_id) do update set first_missed_at = excluded.first_missed_at,
            last_missed_at = excluded.last_missed_at, confirmed_at = null, kept_at = null";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(external_id).bind(Time::from(asked_at))
        .execute(c).await.map(drop))
}

/// Records a further lookup that did not return it, and whether that confirms it.
pub async fn record_again(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    external_id: &str,
    (asked_at, confirmed_at): (Timestamp, Option<Timestamp>),
) -> Result<()> {
    let text = "update int_missing_reservations set last_missed_at = $4, confirmed_at = coalesce(confirmed_at, $5)
        where account_id = $1 and source_id = $2 and external_id = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(external_id).bind(Time::from(asked_at))
        .bind(confirmed_at.map(Time::from)).execute(c).await.map(drop))
}

/// Records a person's decision to keep it. It is not listed again until it was seen and is missing anew.
pub async fn record_kept(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    external_id: &str,
    now: Timestamp,
) -> Result<()> {
    let text = "update int_missing_reservations set kept_at = $4
        where account_id = $1 and source_id = $2 and external_id = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(external_id).bind(Time::from(now)).execute(c).await
        .map(drop))
}

/// Deletes the record.
pub async fn delete(tx: &mut Tx, SourceKey { account, source }: SourceKey, external_id: &str) -> Result<()> {
    let text = "delete from int_missing_reservations where account_id = $1 and source_id = $2 and external_id = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(external_id).execute(c).await.map(drop))
}

/// Deletes a source's records last missed before a time, unless the stay is still ahead.
pub async fn delete_before(tx: &mut Tx, SourceKey { account, source }: SourceKey, before: Timestamp) -> Result<()> {
    let text = "delete from int_missing_reservations
        where account_id = $1 and source_id = $2 and last_missed_at < $3 and not exists (
            select 1 from int_reservations r
            where r.account_id = $1 and r.source_id = $2 and r.external_id = int_missing_reservations.external_id
                and r.check_out >= $4)";
    let day = utc_day(before);
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(Time::from(before)).bind(Day(day)).execute(c).await
        .map(drop))
}

/// A reservation missing at the channel whose nights are still held.
#[derive(Debug, Clone, FromRow)]
pub struct MissingReservation {
    /// The tenant.
    pub account_id: i64,
    /// The source.
    pub source_id: i64,
    /// The source's name.
    pub source_name: String,
    /// The channel's id.
    pub external_id: String,
    /// The booking.
    pub booking_id: i64,
    /// The property's name.
    pub property_name: String,
    /// The channel's room name.
    pub room_name: Option<String>,
    check_in: Day,
    check_out: Day,
    /// Time of the first lookup that did not return it.
    pub since: Time,
}

impl MissingReservation {
    /// The day of arrival.
    pub fn check_in(&self) -> Date {
        self.check_in.0
    }

    /// The day of departure.
    pub fn check_out(&self) -> Date {
        self.check_out.0
    }
}

/// Reservations confirmed missing by two lookups, undecided, with a departure after `today`; not those seen again
/// since. A platform query.
pub async fn undecided(tx: &mut Tx, today: Date) -> Result<Vec<MissingReservation>> {
    let text = "select m.account_id, m.source_id, s.source_name, m.external_id, b.id as booking_id,
            p.name as property_name, t.name as room_name, b.check_in, b.check_out, m.first_missed_at as since
        from int_missing_reservations m
        join int_sources s on s.account_id = m.account_id and s.id = m.source_id
        join int_reservations r on r.account_id = m.account_id and r.source_id = m.source_id
            and r.external_id = m.external_id and r.deleted_at is null
        join gas_bookings b on b.account_id = r.account_id and b.id = r.gas_booking_id
        join gas_properties p on p.account_id = b.account_id and p.id = b.property_id
        left join int_room_types t on t.account_id = r.account_id and t.id = r.int_room_type_id
        where m.confirmed_at is not null and m.kept_at is null and r.observed_at <= m.first_missed_at
            and b.status in ('confirmed', 'pending', 'no-show') and b.check_out > $1
        order by m.account_id, m.source_id, m.first_missed_at, m.external_id";
    on!(tx, c => sqlx::query_as(text).bind(Day(today)).fetch_all(c).await)
}
