//! Invalidated nights of room types, and bookings to be pushed, derived from events of the core.

use gassync_domain::{Date, SourceKey, Timestamp};
use sqlx::FromRow;

use crate::{
    Day, Result, Time, Tx, on,
    rows::{ColumnType, Rows},
};

/// Before every night.
pub const FIRST: Date = Date::constant(1970, 1, 1);
/// After every night.
pub const LAST: Date = Date::constant(9999, 12, 31);

/// Invalidated nights of a room type, both ends inclusive.
#[derive(Debug, Clone, FromRow)]
pub struct Invalidation {
    /// The tenant.
    pub account_id: i64,
    /// The source.
    pub source_id: i64,
    /// Its row.
    pub int_room_type_id: i64,
    /// The first night.
    pub first_night: Day,
    /// The last one.
    pub last_night: Day,
    /// Only the source's own bookings caused the change.
    pub only_own_bookings: bool,
    /// Send all nights, also those that the channel has.
    pub force: bool,
    /// Time of the first change.
    pub invalidated_at: Time,
}

/// A booking to be pushed to a source.
#[derive(Debug, Clone, FromRow)]
pub struct ReservationInvalidation {
    /// The tenant.
    pub account_id: i64,
    /// The source.
    pub source_id: i64,
    /// Its channel.
    pub source_type: String,
    /// The booking.
    pub booking_id: i64,
    /// Time of the first change.
    pub invalidated_at: Time,
}

/// First and last sequence number per account, assigned together: `(account, low, high)`.
pub type SequenceRanges = [(i64, i64, i64)];

/// The ranges as rows of `account_id`, `low`, `high`.
pub fn sequence_ranges<'a>(given: &SequenceRanges) -> Rows<'a, 3> {
    let mut new = Rows::new([("account_id", ColumnType::Int), ("low", ColumnType::Int), ("high", ColumnType::Int)]);
    for (account, low, high) in given {
        new.push([(*account).into(), (*low).into(), (*high).into()]);
    }
    new
}

/// Nights invalidated by events, for every room type of every pushed source including the origin; with the channel, and
/// whether only prices changed. A platform query.
pub async fn nights_changed_by(tx: &mut Tx, given: &SequenceRanges) -> Result<Vec<(String, bool, Invalidation)>> {
    #[derive(FromRow)]
    struct Row {
        source_type: String,
        only_prices: i64,
        #[sqlx(flatten)]
        invalidation: Invalidation,
    }
    let text = "select s.source_type,
            min(cast(case when o.entity_type = 'rate' then 1 else 0 end as bigint)) as only_prices, o.account_id, r.source_id, r.id as int_room_type_id,
            coalesce(o.first_night, $1) as first_night, coalesce(o.last_night, $2) as last_night,
            min(cast(case when o.origin_source_id = r.source_id and o.entity_type = 'availability' then 1 else 0 end as bigint)) = 1
                as only_own_bookings,
            1 = 0 as force, min(o.created_at) as invalidated_at
        from new cross join int_outbox o
        join int_room_types r on r.account_id = o.account_id and r.gas_unit_id = o.entity_id and r.deleted_at is null
        join int_sources s on s.account_id = r.account_id and s.id = r.source_id and s.connection_id is not null
            and s.listening_since is null
            and s.sync_direction <> 'inbound_only' and (s.sync_availability or s.sync_pricing)
        where o.account_id = new.account_id and o.sequence >= new.low and o.sequence <= new.high
            and o.entity_type in ('availability', 'rate', 'bookable_unit')
        group by s.source_type, o.account_id, r.source_id, r.id, o.first_night, o.last_night";
    let rows: Vec<Row> = sequence_ranges(given).read(tx, &[Day(FIRST).into(), Day(LAST).into()], text).await?;
    Ok(rows.into_iter().map(|row| (row.source_type, row.only_prices == 1, row.invalidation)).collect())
}

/// Bookings to push per source: never to the source that changed them, and bookings of other channels only if the
/// source wants all. A platform query.
pub async fn reservations_changed_by(tx: &mut Tx, given: &SequenceRanges) -> Result<Vec<ReservationInvalidation>> {
    let text = "select o.account_id, s.id as source_id, s.source_type, o.entity_id as booking_id,
            min(o.created_at) as invalidated_at
        from new cross join int_outbox o
        join int_sources s on s.account_id = o.account_id and s.id <> coalesce(o.origin_source_id, 0)
            and s.connection_id is not null and s.listening_since is null
            and s.sync_direction <> 'inbound_only' and s.sync_bookings and s.push_bookings <> 'none'
        where o.account_id = new.account_id and o.sequence >= new.low and o.sequence <= new.high
            and o.entity_type = 'booking' and o.action <> 'deleted'
            and (exists (select 1 from gas_booking_rooms b
                    join int_room_types r
                        on r.account_id = b.account_id and r.gas_unit_id = b.unit_id and r.source_id = s.id
                    where b.account_id = o.account_id and b.booking_id = o.entity_id)
                -- What it was told of once and has not any more.
                or exists (select 1 from int_channel_bookings c
                    where c.account_id = o.account_id and c.source_id = s.id and c.booking_id = o.entity_id))
            and not exists (select 1 from int_mappings m
                join int_sources f on f.account_id = m.account_id and f.id = m.source_id
                where m.account_id = o.account_id and m.gas_entity_type = 'booking' and m.gas_entity_id = o.entity_id
                    and m.origin = 'external' and f.connection_id is not null
                    and (s.push_bookings = 'direct' or f.id = s.id))
        group by o.account_id, s.id, s.source_type, o.entity_id";
    sequence_ranges(given).read(tx, &[], text).await
}

/// Upserts invalidations; repeated ones are merged and keep the oldest time.
pub async fn upsert(tx: &mut Tx, invalidations: &[Invalidation]) -> Result<()> {
    let mut new = Rows::new([
        ("account_id", ColumnType::Int),
        ("source_id", ColumnType::Int),
        ("room_type_id", ColumnType::Int),
        ("first_night", ColumnType::Day),
        ("last_night", ColumnType::Day),
        ("only_own_bookings", ColumnType::Int),
        ("force", ColumnType::Int),
        ("invalidated_at", ColumnType::Time),
    ]);
    for invalidation in invalidations {
        new.push([
            invalidation.account_id.into(),
            invalidation.source_id.into(),
            invalidation.int_room_type_id.into(),
            invalidation.first_night.into(),
            invalidation.last_night.into(),
            i64::from(invalidation.only_own_bookings).into(),
            i64::from(invalidation.force).into(),
            Timestamp::from(invalidation.invalidated_at).into(),
        ]);
    }
    let text = "insert into int_calendar_invalidations
            (account_id, source_id, int_room_type_id, first_night, last_night, only_own_bookings, force, invalidated_at)
        select account_id, source_id, room_type_id, first_night, last_night, only_own_bookings = 1, force = 1, invalidated_at
        from new where true order by account_id, source_id, room_type_id, first_night, last_night
        on conflict (account_id, source_id, int_room_type_id, first_night, last_night) do update set
            only_own_bookings = int_calendar_invalidations.only_own_bookings and excluded.only_own_bookings,
            force = int_calendar_invalidations.force or excluded.force,
            invalidated_at = case when excluded.invalidated_at < int_calendar_invalidations.invalidated_at
                then excluded.invalidated_at else int_calendar_invalidations.invalidated_at end";
    new.write(tx, &[], text).await
}

/// Invalidates all linked room types of a source from a night on. `force` also resends confirmed values. Returns the
/// number of room types; none if the source has no connection.
pub async fn insert_for_source(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (first, force): (Date, bool),
    now: Timestamp,
) -> Result<usize> {
    let text = "select $1 as account_id, source_id, id as int_room_type_id, $3 as first_night, $4 as last_night,
            1 = 0 as only_own_bookings, $5 as force, $6 as invalidated_at
        from int_room_types
        where account_id = $1 and source_id = $2 and gas_unit_id is not null and deleted_at is null
            and exists (select 1 from int_sources s where s.account_id = $1 and s.id = $2 and s.connection_id is not null
                and s.listening_since is null)";
    let text = tx.dialect(
        text,
        "select account_id, source_id, id as int_room_type_id, cast($3 as date) as first_night, cast($4 as date) as last_night,
            1 = 0 as only_own_bookings, cast($5 as boolean) as force, cast($6 as timestamptz) as invalidated_at
        from int_room_types
        where account_id = $1 and source_id = $2 and gas_unit_id is not null and deleted_at is null
            and exists (select 1 from int_sources s where s.account_id = $1 and s.id = $2 and s.connection_id is not null
                and s.listening_since is null)",
    );
    let invalidations: Vec<Invalidation> = on!(&mut *tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(Day(first))
        .bind(Day(LAST)).bind(force).bind(Time::from(now)).fetch_all(c).await)?;
    upsert(tx, &invalidations).await?;
    Ok(invalidations.len())
}

/// Whether calendars are pushed to a source's channel.
pub async fn is_pushed_to(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<bool> {
    let text = "select exists (select 1 from int_sources s where s.account_id = $1 and s.id = $2
        and s.connection_id is not null and s.listening_since is null
        and s.sync_direction <> 'inbound_only' and (s.sync_availability or s.sync_pricing))";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_one(c).await)
}

/// Whether a source has invalidated nights.
pub async fn any_pending(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<bool> {
    let text = "select exists (select 1 from int_calendar_invalidations where account_id = $1 and source_id = $2)";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_one(c).await)
}

/// Deletes a source's invalidations.
pub async fn delete(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<()> {
    let text = "delete from int_calendar_invalidations where account_id = $1 and source_id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).execute(c).await.map(drop))
}

/// Takes the invalidations of one room type, to be computed in this transaction. Locks them in the order in which
/// [`upsert`] writes them, so that the two cannot deadlock.
pub async fn take(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Vec<Invalidation>> {
    macro_rules! take {
        ($lock:literal) => {
            concat!(
                "delete from int_calendar_invalidations
                where (account_id, source_id, int_room_type_id, first_night, last_night) in (
                    select account_id, source_id, int_room_type_id, first_night, last_night from int_calendar_invalidations
                    where account_id = $1 and source_id = $2 and int_room_type_id = (
                        select min(int_room_type_id) from int_calendar_invalidations
                        where account_id = $1 and source_id = $2)
                    order by first_night, last_night ",
                $lock,
                ") returning account_id, source_id, int_room_type_id, first_night, last_night, only_own_bookings, force,
                    invalidated_at"
            )
        };
    }
    let text = tx.dialect(take!(""), take!("for update"));
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_all(c).await)
}
