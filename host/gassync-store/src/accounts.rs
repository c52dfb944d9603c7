//! Tenants.

use gassync_domain::{AccountId, Timestamp};

use super::{Result, Time, Tx, on};

/// Creates a tenant.
pub async fn create(tx: &mut Tx, name: &str, time_zone: &str, now: Timestamp) -> Result<AccountId> {
    let text = "insert into gas_accounts (name, time_zone, created_at) values ($1, $2, $3) returning id";
    let id =
        on!(tx, c => sqlx::query_scalar(text).bind(name).bind(time_zone).bind(Time::from(now)).fetch_one(c).await)?;
    Ok(AccountId(id))
}

/// The tenant with this name.
pub async fn find(tx: &mut Tx, name: &str) -> Result<Option<AccountId>> {
    let text = "select id from gas_accounts where name = $1 order by id limit 1";
    let id: Option<i64> = on!(tx, c => sqlx::query_scalar(text).bind(name).fetch_optional(c).await)?;
    Ok(id.map(AccountId))
}

/// All tenants and their names. A platform query.
pub async fn all(tx: &mut Tx) -> Result<Vec<(AccountId, String)>> {
    let text = "select id, name from gas_accounts order by id";
    let rows: Vec<(i64, String)> = on!(tx, c => sqlx::query_as(text).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id, name)| (AccountId(id), name)).collect())
}

/// Accounts with expired holds that still have nights. A platform query.
pub async fn with_expired_holds(tx: &mut Tx, now: Timestamp) -> Result<Vec<AccountId>> {
    let text = "select distinct b.account_id from gas_bookings b
        where b.status = 'pending' and b.hold_until <= $1 and exists (
            select 1 from gas_booking_rooms r
            join gas_booking_nights c on c.account_id = r.account_id and c.booking_room_id = r.id
            where r.account_id = b.account_id and r.booking_id = b.id)
        order by b.account_id";
    let ids: Vec<i64> = on!(tx, c => sqlx::query_scalar(text).bind(Time::from(now)).fetch_all(c).await)?;
    Ok(ids.into_iter().map(AccountId).collect())
}
