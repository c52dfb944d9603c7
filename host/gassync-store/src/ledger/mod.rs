//! The nightly ledger: capacity, sold, held, blocked and overbooked units per unit and night.
//!
//! All functions work on rows that their transaction opened with [`open`]; spans of nights are half-open.

mod opening;
mod recount;

use std::collections::{BTreeMap, HashMap};

use gassync_domain::{AccountId, CoreId, Date, Stay, Timestamp};
use sqlx::FromRow;

use super::{
    Day, Result, Time, Tx, on,
    rows::{self, ColumnType, Rows},
};

pub use opening::{OpenNight, open};
pub use recount::{LedgerMismatch, differences};

/// Nights of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The unit.
    pub unit: CoreId,
    /// The nights.
    pub stay: Stay,
}

/// Whether a night of a booking is sold or held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// Sold.
    Sold,
    /// Held until the hold expires.
    Held,
}

impl Bucket {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sold => "sold",
            Self::Held => "held",
        }
    }
}

/// A night of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct LedgerNight {
    /// The night.
    pub night: Day,
    /// Number of units.
    pub capacity: i64,
    /// Number sold.
    pub sold: i64,
    /// Number held, without expired holds.
    pub held: i64,
    /// Number not for sale: maintenance, out of order, closed, or taken with a linked unit.
    pub blocked: i64,
    /// Number sold beyond the capacity.
    pub overbooked: i64,
}

/// A linked unit (whole or part), and its quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct LinkedUnit {
    unit_id: i64,
    quantity: i64,
}

impl LinkedUnit {
    /// The linked unit.
    pub fn unit(&self) -> CoreId {
        CoreId(self.unit_id)
    }

    /// How many of it one sale takes.
    pub fn quantity(&self) -> i64 {
        self.quantity
    }
}

/// The wholes and parts linked with each of these units; units without links are omitted.
pub async fn linked(tx: &mut Tx, account: AccountId, units: &[CoreId]) -> Result<HashMap<CoreId, Vec<LinkedUnit>>> {
    #[derive(FromRow)]
    struct Row {
        one_id: i64,
        #[sqlx(flatten)]
        linked: LinkedUnit,
    }
    let text = "select l.part_id as one_id, l.whole_id as unit_id, cast(1 as bigint) as quantity
            from new cross join gas_unit_links l where l.account_id = $1 and l.part_id = new.id
        union all
        select l.whole_id, l.part_id, l.quantity
            from new cross join gas_unit_links l where l.account_id = $1 and l.whole_id = new.id
        order by 1, 2";
    let rows: Vec<Row> = rows::of_ids(units).read(tx, &[account.0.into()], text).await?;
    let mut found: HashMap<CoreId, Vec<LinkedUnit>> = HashMap::new();
    for row in rows {
        found.entry(CoreId(row.one_id)).or_default().push(row.linked);
    }
    Ok(found)
}

/// Links a part to a whole, or changes the quantity; 0 removes the link.
pub async fn set_link(
    tx: &mut Tx,
    account: AccountId,
    (whole, part): (CoreId, CoreId),
    quantity: i64,
    now: Timestamp,
) -> Result<()> {
    if quantity == 0 {
        let text = "delete from gas_unit_links where account_id = $1 and whole_id = $2 and part_id = $3";
        return on!(tx, c => sqlx::query(text).bind(account.0).bind(whole.0).bind(part.0).execute(c).await.map(drop));
    }
    let text = "insert into gas_unit_links (account_id, whole_id, part_id, quantity, updated_at)
        values ($1, $2, $3, $4, $5)
        on conflict (account_id, whole_id, part_id) do update set
            quantity = excluded.quantity, updated_at = excluded.updated_at";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(whole.0).bind(part.0).bind(quantity).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// Nights of the span without a free unit.
pub async fn full(tx: &mut Tx, account: AccountId, span: Span) -> Result<Vec<Date>> {
    let text = "select night from gas_unit_nights
        where account_id = $1 and unit_id = $2 and night >= $3 and night < $4 and sold + held + blocked + 1 > capacity
        order by night";
    let nights: Vec<Day> = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(span.unit.0)
        .bind(Day(span.stay.check_in())).bind(Day(span.stay.check_out())).fetch_all(c).await)?;
    Ok(nights.into_iter().map(|day| day.0).collect())
}

/// Allocates a room's nights. [`full`] nights are overbooked.
pub async fn take(
    tx: &mut Tx,
    account: AccountId,
    room: i64,
    span: Span,
    bucket: Bucket,
    now: Timestamp,
) -> Result<()> {
    let (from, to) = (Day(span.stay.check_in()), Day(span.stay.check_out()));
    let claim = "insert into gas_booking_nights (account_id, booking_room_id, night, unit_id, bucket)
        select account_id, $5, night, unit_id,
               case when sold + held + blocked + 1 <= capacity then $6 else 'overbooked' end
        from gas_unit_nights where account_id = $1 and unit_id = $2 and night >= $3 and night < $4";
    on!(&mut *tx, c => sqlx::query(claim).bind(account.0).bind(span.unit.0).bind(from).bind(to).bind(room)
        .bind(bucket.as_str()).execute(c).await.map(drop))?;
    let count = "update gas_unit_nights set
            sold = sold + case when $5 = 'sold' and sold + held + blocked + 1 <= capacity then 1 else 0 end,
            held = held + case when $5 = 'held' and sold + held + blocked + 1 <= capacity then 1 else 0 end,
            overbooked = overbooked + case when sold + held + blocked + 1 <= capacity then 0 else 1 end,
            updated_at = $6
        where account_id = $1 and unit_id = $2 and night >= $3 and night < $4";
    on!(tx, c => sqlx::query(count).bind(account.0).bind(span.unit.0).bind(from).bind(to).bind(bucket.as_str())
        .bind(Time::from(now)).execute(c).await.map(drop))
}

/// Allocates nights of rooms; all must be free.
pub async fn take_all(tx: &mut Tx, account: AccountId, rooms: &[(i64, Span, Bucket)], now: Timestamp) -> Result<()> {
    let mut claims = Rows::new([
        ("room_id", ColumnType::Int),
        ("unit_id", ColumnType::Int),
        ("night", ColumnType::Day),
        ("bucket", ColumnType::Text),
    ]);
    let mut counts: BTreeMap<(i64, Date), (i64, i64)> = BTreeMap::new();
    for (room, span, bucket) in rooms {
        for night in span.stay.each() {
            claims.push([(*room).into(), span.unit.0.into(), Day(night).into(), bucket.as_str().into()]);
            let (sold, held) = counts.entry((span.unit.0, night)).or_default();
            match bucket {
                Bucket::Sold => *sold += 1,
                Bucket::Held => *held += 1,
            }
        }
    }
    let text = "insert into gas_booking_nights (account_id, booking_room_id, unit_id, night, bucket)
        select $1, room_id, unit_id, night, bucket from new";
    claims.write(tx, &[account.0.into()], text).await?;
    let mut taken = Rows::new([
        ("unit_id", ColumnType::Int),
        ("night", ColumnType::Day),
        ("sold", ColumnType::Int),
        ("held", ColumnType::Int),
    ]);
    for ((unit, night), (sold, held)) in counts {
        taken.push([unit.into(), Day(night).into(), sold.into(), held.into()]);
    }
    let text = "update gas_unit_nights set
            sold = gas_unit_nights.sold + new.sold, held = gas_unit_nights.held + new.held, updated_at = $2
        from new
        where gas_unit_nights.account_id = $1 and gas_unit_nights.unit_id = new.unit_id
          and gas_unit_nights.night = new.night";
    taken.write(tx, &[account.0.into(), now.into()], text).await
}

/// Releases a room's nights within the span.
pub async fn release(tx: &mut Tx, account: AccountId, room: i64, span: Span, now: Timestamp) -> Result<()> {
    let (from, to) = (Day(span.stay.check_in()), Day(span.stay.check_out()));
    let count = "update gas_unit_nights set
            sold = sold - case c.bucket when 'sold' then 1 else 0 end,
            held = held - case c.bucket when 'held' then 1 else 0 end,
            overbooked = overbooked - case c.bucket when 'overbooked' then 1 else 0 end,
            updated_at = $6
        from (select night, bucket from gas_booking_nights where account_id = $1 and booking_room_id = $5) c
        where gas_unit_nights.account_id = $1 and gas_unit_nights.unit_id = $2
          and gas_unit_nights.night >= $3 and gas_unit_nights.night < $4 and gas_unit_nights.night = c.night";
    on!(&mut *tx, c => sqlx::query(count).bind(account.0).bind(span.unit.0).bind(from).bind(to).bind(room)
        .bind(Time::from(now)).execute(c).await.map(drop))?;
    let claim = "delete from gas_booking_nights
        where account_id = $1 and booking_room_id = $2 and night >= $3 and night < $4";
    on!(tx, c => sqlx::query(claim).bind(account.0).bind(room).bind(from).bind(to).execute(c).await.map(drop))
}

/// Blocks nights of a linked unit that a room has within the span; a negative quantity unblocks. Call after the room's
/// nights were allocated, or before they are released.
pub async fn block_with(
    tx: &mut Tx,
    account: AccountId,
    room: i64,
    linked: Span,
    quantity: i64,
    now: Timestamp,
) -> Result<()> {
    let text = "update gas_unit_nights set blocked = blocked + $5, updated_at = $7
        where account_id = $1 and unit_id = $2 and night >= $3 and night < $4 and night in (
            select c.night from gas_booking_nights c where c.account_id = $1 and c.booking_room_id = $6)";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(linked.unit.0).bind(Day(linked.stay.check_in()))
        .bind(Day(linked.stay.check_out())).bind(quantity).bind(room).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// Blocks nights of a unit as often as another unit is taken; a negative quantity unblocks.
pub async fn block_as_taken_on(
    tx: &mut Tx,
    account: AccountId,
    span: Span,
    other: CoreId,
    quantity: i64,
    now: Timestamp,
) -> Result<()> {
    let text = "update gas_unit_nights set updated_at = $7, blocked = blocked + $5 * (
            select count(*) from gas_booking_nights c
            where c.account_id = $1 and c.unit_id = $6 and c.night = gas_unit_nights.night)
        where account_id = $1 and unit_id = $2 and night >= $3 and night < $4";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(span.unit.0).bind(Day(span.stay.check_in()))
        .bind(Day(span.stay.check_out())).bind(quantity).bind(other.0).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// The span from the first to the last night on which either unit is taken.
pub async fn taken_on_either(tx: &mut Tx, account: AccountId, one: CoreId, other: CoreId) -> Result<Option<Stay>> {
    let text = "select min(night), max(night) from gas_booking_nights where account_id = $1 and unit_id in ($2, $3)";
    let row: (Option<Day>, Option<Day>) =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(one.0).bind(other.0).fetch_one(c).await)?;
    Ok(row.0.zip(row.1).and_then(|(first, last)| Stay::spanning(first.0, last.0.tomorrow().ok()?)))
}

/// Blocks nights of a unit; a negative quantity unblocks.
pub async fn block(tx: &mut Tx, account: AccountId, span: Span, quantity: i64, now: Timestamp) -> Result<()> {
    let text = "update gas_unit_nights set blocked = blocked + $5, updated_at = $6
        where account_id = $1 and unit_id = $2 and night >= $3 and night < $4";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(span.unit.0).bind(Day(span.stay.check_in()))
        .bind(Day(span.stay.check_out())).bind(quantity).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Blocks units on each of these nights; a negative quantity unblocks. The nights must be distinct.
pub async fn block_nights(
    tx: &mut Tx,
    account: AccountId,
    nights: &[(CoreId, Date, i64)],
    now: Timestamp,
) -> Result<()> {
    let mut new = Rows::new([("unit_id", ColumnType::Int), ("night", ColumnType::Day), ("quantity", ColumnType::Int)]);
    for (unit, night, quantity) in nights {
        new.push([unit.0.into(), Day(*night).into(), (*quantity).into()]);
    }
    let text = "update gas_unit_nights set blocked = gas_unit_nights.blocked + new.quantity, updated_at = $2 from new
        where gas_unit_nights.account_id = $1 and gas_unit_nights.unit_id = new.unit_id
          and gas_unit_nights.night = new.night";
    new.write(tx, &[account.0.into(), now.into()], text).await
}

#[derive(FromRow)]
struct Waiting {
    night: Day,
    booking_room_id: i64,
    bucket: String,
}

/// Allocates free nights to overbooked bookings, oldest first.
pub async fn settle_overbooked(tx: &mut Tx, account: AccountId, span: Span, now: Timestamp) -> Result<()> {
    let next = "select f.night, f.booking_room_id,
            case when b.id is null or b.status = 'pending' then 'held' else 'sold' end as bucket
        from (
            select n.night, min(c.booking_room_id) as booking_room_id
            from gas_unit_nights n
            join gas_booking_nights c on c.account_id = n.account_id and c.unit_id = n.unit_id and c.night = n.night
                and c.bucket = 'overbooked'
            where n.account_id = $1 and n.unit_id = $2 and n.night >= $3 and n.night < $4
              and n.overbooked > 0 and n.sold + n.held + n.blocked + 1 <= n.capacity
            group by n.night
        ) f
        join gas_booking_rooms r on r.account_id = $1 and r.id = f.booking_room_id
        left join gas_bookings b on b.account_id = $1 and b.id = r.booking_id
        order by f.night";
    loop {
        let found: Vec<Waiting> = on!(&mut *tx, c => sqlx::query_as(next).bind(account.0).bind(span.unit.0)
            .bind(Day(span.stay.check_in())).bind(Day(span.stay.check_out())).fetch_all(c).await)?;
        if found.is_empty() {
            return Ok(());
        }
        for Waiting { night, booking_room_id, bucket } in found {
            move_claim(tx, account, (booking_room_id, span.unit, night), ("overbooked", &bucket), now).await?;
        }
    }
}

/// Changes the capacity of a unit from a night on. The newest bookings that no longer fit become overbooked.
pub async fn set_capacity(
    tx: &mut Tx,
    account: AccountId,
    unit: CoreId,
    capacity: i64,
    from: Date,
    now: Timestamp,
) -> Result<()> {
    let Some(span) = nights_of(tx, account, unit, from).await? else {
        return Ok(());
    };
    opening::lock(tx, account, &[span]).await?;
    let too_many = "select n.night, max(c.booking_room_id) as booking_room_id, c.bucket
        from gas_unit_nights n
        join gas_booking_nights c on c.account_id = n.account_id and c.unit_id = n.unit_id and c.night = n.night
            and c.bucket = case when n.held > 0 then 'held' else 'sold' end
        where n.account_id = $1 and n.unit_id = $2 and n.night >= $3 and n.sold + n.held > $4
        group by n.night, c.bucket order by n.night";
    loop {
        let found: Vec<Waiting> = on!(&mut *tx, c => sqlx::query_as(too_many).bind(account.0).bind(unit.0)
            .bind(Day(from)).bind(capacity).fetch_all(c).await)?;
        if found.is_empty() {
            break;
        }
        for Waiting { night, booking_room_id, bucket } in found {
            move_claim(tx, account, (booking_room_id, unit, night), (&bucket, "overbooked"), now).await?;
        }
    }
    let text = "update gas_unit_nights set capacity = $4, updated_at = $5
        where account_id = $1 and unit_id = $2 and night >= $3 and capacity <> $4";
    on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(unit.0).bind(Day(from)).bind(capacity)
        .bind(Time::from(now)).execute(c).await.map(drop))?;
    settle_overbooked(tx, account, span, now).await
}

/// The span of all ledger rows of a unit from a night on.
async fn nights_of(tx: &mut Tx, account: AccountId, unit: CoreId, from: Date) -> Result<Option<Span>> {
    let text = "select max(night) from gas_unit_nights where account_id = $1 and unit_id = $2 and night >= $3";
    let last: Option<Day> =
        on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(unit.0).bind(Day(from)).fetch_one(c).await)?;
    let stay = last.and_then(|day| day.0.tomorrow().ok()).and_then(|end| Stay::spanning(from, end));
    Ok(stay.map(|stay| Span { unit, stay }))
}

async fn move_claim(
    tx: &mut Tx,
    account: AccountId,
    (room, unit, night): (i64, CoreId, Day),
    (out_of, into): (&str, &str),
    now: Timestamp,
) -> Result<()> {
    let claim = "update gas_booking_nights set bucket = $4
        where account_id = $1 and booking_room_id = $2 and night = $3";
    on!(&mut *tx, c => sqlx::query(claim).bind(account.0).bind(room).bind(night).bind(into).execute(c).await.map(drop))?;
    let count = "update gas_unit_nights set
            sold = sold + case when $5 = 'sold' then 1 else 0 end - case when $4 = 'sold' then 1 else 0 end,
            held = held + case when $5 = 'held' then 1 else 0 end - case when $4 = 'held' then 1 else 0 end,
            overbooked = overbooked + case when $5 = 'overbooked' then 1 else 0 end - case when $4 = 'overbooked' then 1 else 0 end,
            updated_at = $6
        where account_id = $1 and unit_id = $2 and night = $3";
    on!(tx, c => sqlx::query(count).bind(account.0).bind(unit.0).bind(night).bind(out_of).bind(into)
        .bind(Time::from(now)).execute(c).await.map(drop))
}

/// An expired hold that still has nights.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct Expired {
    room_id: i64,
    unit_id: i64,
    check_in: Day,
    check_out: Day,
}

impl Expired {
    /// The room that holds them.
    pub fn room(&self) -> i64 {
        self.room_id
    }

    /// Its nights; `None` if the dates are not a valid stay, which the core never writes.
    pub fn span(&self) -> Option<Span> {
        let stay = Stay::spanning(self.check_in.0, self.check_out.0)?;
        Some(Span { unit: CoreId(self.unit_id), stay })
    }
}

/// Rooms with expired holds on these nights.
pub async fn expired_on(tx: &mut Tx, account: AccountId, span: Span, now: Timestamp) -> Result<Vec<Expired>> {
    let text = "select distinct r.id as room_id, r.unit_id, r.check_in, r.check_out
        from gas_booking_nights c
        join gas_booking_rooms r on r.account_id = c.account_id and r.id = c.booking_room_id
        join gas_bookings b on b.account_id = r.account_id and b.id = r.booking_id
        where c.account_id = $1 and c.unit_id = $2 and c.night >= $3 and c.night < $4 and c.bucket <> 'sold'
          and b.status = 'pending' and b.hold_until <= $5 order by r.id";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(span.unit.0).bind(Day(span.stay.check_in()))
        .bind(Day(span.stay.check_out())).bind(Time::from(now)).fetch_all(c).await)
}

/// Rooms with expired holds, oldest hold first.
pub async fn expired(tx: &mut Tx, account: AccountId, limit: i64, now: Timestamp) -> Result<Vec<Expired>> {
    let text = "select r.id as room_id, r.unit_id, r.check_in, r.check_out
        from gas_bookings b
        join gas_booking_rooms r on r.account_id = b.account_id and r.booking_id = b.id
        where b.account_id = $1 and b.status = 'pending' and b.hold_until <= $2 and exists (
            select 1 from gas_booking_nights c where c.account_id = r.account_id and c.booking_room_id = r.id)
        order by b.hold_until, r.id limit $3";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(Time::from(now)).bind(limit).fetch_all(c).await)
}

/// The ledger of a unit by night. Nights that were never used have no row and are omitted.
pub async fn nights(
    tx: &mut Tx,
    account: AccountId,
    unit: CoreId,
    stays: &[Stay],
    now: Timestamp,
) -> Result<Vec<LedgerNight>> {
    let text = "select n.night, n.capacity, n.sold, n.blocked, n.overbooked,
            n.held - case when n.held = 0 then 0 else (
                select count(*) from gas_booking_nights c
                join gas_booking_rooms r on r.account_id = c.account_id and r.id = c.booking_room_id
                join gas_bookings b on b.account_id = r.account_id and b.id = r.booking_id
                where c.account_id = n.account_id and c.unit_id = n.unit_id and c.night = n.night
                  and c.bucket = 'held' and b.hold_until <= $3) end as held
        from new cross join gas_unit_nights n
        where n.account_id = $1 and n.unit_id = $2 and n.night >= new.first and n.night < new.past order by n.night";
    rows::of_stays(stays).read(tx, &[account.0.into(), unit.0.into(), now.into()], text).await
}
