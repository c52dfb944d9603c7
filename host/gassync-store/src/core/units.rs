//! Bookable units.

use std::collections::HashMap;

use gassync_domain::{AccountId, CoreId, Date, RoomType, Timestamp, today_at};

use crate::{Result, Time, Tx, on, rows};

/// Inserts a bookable unit; without a number in the room type it has a quantity of one.
pub async fn insert_unit(
    tx: &mut Tx,
    account: AccountId,
    property: CoreId,
    room_type: &RoomType,
    now: Timestamp,
) -> Result<CoreId> {
    let text = "insert into gas_bookable_units
            (account_id, property_id, name, description, max_occupancy, quantity, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $7) returning id";
    let id = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(property.0).bind(&room_type.name)
        .bind(&room_type.description).bind(room_type.max_occupancy.map(i64::from))
        .bind(i64::from(room_type.quantity.unwrap_or(1))).bind(Time::from(now)).fetch_one(c).await)?;
    Ok(CoreId(id))
}

/// Updates a bookable unit; fields that the record omits stay.
pub async fn update_unit(
    tx: &mut Tx,
    account: AccountId,
    id: CoreId,
    room_type: &RoomType,
    now: Timestamp,
) -> Result<()> {
    let text = "update gas_bookable_units set name = $3, description = coalesce($4, description),
            max_occupancy = coalesce($5, max_occupancy), quantity = coalesce($6, quantity), updated_at = $7
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(&room_type.name).bind(&room_type.description)
        .bind(room_type.max_occupancy.map(i64::from)).bind(room_type.quantity.map(i64::from)).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// The property of a unit.
#[derive(Debug, Clone)]
pub struct Home {
    /// The property.
    pub property: CoreId,
    /// The property's currency.
    pub currency: Option<String>,
    /// The property's IANA time zone.
    pub time_zone: Option<String>,
}

impl Home {
    /// The current day there; if the zone is unknown, the earliest possible day.
    pub fn today(&self, now: Timestamp) -> Date {
        today_at(now, self.time_zone.as_deref())
    }
}

/// The properties of units.
pub async fn homes(tx: &mut Tx, account: AccountId, units: &[CoreId]) -> Result<HashMap<CoreId, Home>> {
    let text = "select u.id, p.id, p.currency, p.time_zone
        from new cross join gas_bookable_units u
        join gas_properties p on p.account_id = u.account_id and p.id = u.property_id
        where u.account_id = $1 and u.id = new.id";
    let rows: Vec<(i64, i64, Option<String>, Option<String>)> =
        rows::of_ids(units).read(tx, &[account.0.into()], text).await?;
    let home = |(unit, id, currency, time_zone)| (CoreId(unit), Home { property: CoreId(id), currency, time_zone });
    Ok(rows.into_iter().map(home).collect())
}

/// The quantity of a unit.
pub async fn quantity(tx: &mut Tx, account: AccountId, unit: CoreId) -> Result<Option<i64>> {
    let text = "select quantity from gas_bookable_units where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(unit.0).fetch_optional(c).await)
}

/// The units of a property, with the fields that identify them.
pub async fn units(tx: &mut Tx, account: AccountId, property: CoreId, limit: i64) -> Result<Vec<(CoreId, RoomType)>> {
    let text = "select id, name, max_occupancy, quantity from gas_bookable_units
        where account_id = $1 and property_id = $2 order by id limit $3";
    let rows: Vec<(i64, String, Option<i64>, i64)> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(property.0).bind(limit).fetch_all(c).await)?;
    let count = |number: i64| u32::try_from(number).ok();
    let record = |(id, name, people, quantity): (i64, String, Option<i64>, i64)| {
        let max_occupancy = people.and_then(count);
        (CoreId(id), RoomType { name, max_occupancy, quantity: count(quantity), ..RoomType::default() })
    };
    Ok(rows.into_iter().map(record).collect())
}
