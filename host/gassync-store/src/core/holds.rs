//! Holds: nights kept until a person decides. Their rooms are in the same table as those of bookings.

use std::collections::HashMap;

use gassync_domain::{AccountId, CoreId, Stay, Timestamp};
use jiff::tz::TimeZone;
use sqlx::FromRow;

use crate::{
    Day, Result, Time, Tx,
    ledger::Span,
    on,
    rows::{self, ColumnType, Rows},
};

/// Inserts a hold without rooms.
pub async fn insert_hold(
    tx: &mut Tx,
    account: AccountId,
    (property, reason): (Option<CoreId>, &str),
    now: Timestamp,
) -> Result<CoreId> {
    let text = "insert into gas_holds (account_id, property_id, reason, created_at, updated_at)
        values ($1, $2, $3, $4, $4) returning id";
    let id = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(property.map(|id| id.0)).bind(reason)
        .bind(Time::from(now)).fetch_one(c).await)?;
    Ok(CoreId(id))
}

/// Records that a hold's rooms have changed.
pub async fn touch_hold(
    tx: &mut Tx,
    account: AccountId,
    id: CoreId,
    (property, reason): (Option<CoreId>, &str),
    now: Timestamp,
) -> Result<()> {
    let text = "update gas_holds set property_id = $3, reason = $4, updated_at = $5 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(property.map(|id| id.0)).bind(reason)
        .bind(Time::from(now)).execute(c).await.map(drop))
}

/// Deletes a hold that has no rooms any more.
pub async fn delete_hold(tx: &mut Tx, account: AccountId, id: CoreId) -> Result<()> {
    let text = "delete from gas_holds where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).execute(c).await.map(drop))
}

/// The rooms of holds in order: key and nights.
pub async fn rooms(tx: &mut Tx, account: AccountId, holds: &[CoreId]) -> Result<HashMap<CoreId, Vec<(i64, Span)>>> {
    let text = "select r.hold_id, r.id, r.unit_id, r.check_in, r.check_out
        from new cross join gas_booking_rooms r where r.account_id = $1 and r.hold_id = new.id
        order by r.hold_id, r.position";
    let rows: Vec<(i64, i64, i64, Day, Day)> = rows::of_ids(holds).read(tx, &[account.0.into()], text).await?;
    let mut found: HashMap<CoreId, Vec<(i64, Span)>> = HashMap::new();
    for (hold, room, unit, check_in, check_out) in rows {
        let stay = Stay::spanning(check_in.0, check_out.0);
        let span = stay.map(|stay| (room, Span { unit: CoreId(unit), stay }));
        found.entry(CoreId(hold)).or_default().extend(span);
    }
    Ok(found)
}

/// Inserts rooms of a hold that has none; returns their keys in order.
pub async fn insert_rooms(
    tx: &mut Tx,
    account: AccountId,
    hold: CoreId,
    spans: &[Span],
    now: Timestamp,
) -> Result<Vec<i64>> {
    let mut new = Rows::new([
        ("position", ColumnType::Int),
        ("unit_id", ColumnType::Int),
        ("check_in", ColumnType::Day),
        ("check_out", ColumnType::Day),
    ]);
    for (position, Span { unit, stay }) in (0_i64..).zip(spans) {
        new.push([position.into(), unit.0.into(), Day(stay.check_in()).into(), Day(stay.check_out()).into()]);
    }
    let text = "insert into gas_booking_rooms (account_id, hold_id, updated_at, position, unit_id, check_in, check_out)
        select $1, $2, $3, position, unit_id, check_in, check_out from new returning id";
    new.keys(tx, &[account.0.into(), hold.0.into(), now.into()], text).await
}

/// Deletes a hold's rooms, whose nights must have been released.
pub async fn delete_rooms(tx: &mut Tx, account: AccountId, hold: CoreId) -> Result<()> {
    let text = "delete from gas_booking_rooms where account_id = $1 and hold_id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(hold.0).execute(c).await.map(drop))
}

/// A hold whose last day may be over.
#[derive(FromRow)]
struct Ending {
    account_id: i64,
    hold_id: i64,
    last: Day,
    time_zone: Option<String>,
}

/// Holds of every account whose last night is past at their property, oldest first. A platform query.
pub async fn ended(tx: &mut Tx, limit: i64, now: Timestamp) -> Result<Vec<(AccountId, CoreId)>> {
    // No time zone is more than fourteen hours ahead of UTC.
    let latest = now.to_zoned(jiff::tz::Offset::constant(14).to_time_zone()).date();
    let text =
        "select r.account_id, r.hold_id, max(r.check_out) as last, coalesce(p.time_zone, a.time_zone) as time_zone
        from gas_booking_rooms r
        join gas_holds h on h.account_id = r.account_id and h.id = r.hold_id
        join gas_accounts a on a.id = h.account_id
        left join gas_properties p on p.account_id = h.account_id and p.id = h.property_id
        where r.hold_id is not null and r.check_out <= $1 and not exists (
            select 1 from gas_booking_rooms o
            where o.account_id = r.account_id and o.hold_id = r.hold_id and o.check_out > $1)
        group by r.account_id, r.hold_id, p.time_zone, a.time_zone order by last, r.account_id, r.hold_id limit $2";
    let rows: Vec<Ending> = on!(tx, c => sqlx::query_as(text).bind(Day(latest)).bind(limit).fetch_all(c).await)?;
    let is_over = |ending: &Ending| {
        let zone = ending.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        ending.last.0 <= now.to_zoned(zone).date()
    };
    Ok(rows.iter().filter(|row| is_over(row)).map(|row| (AccountId(row.account_id), CoreId(row.hold_id))).collect())
}
