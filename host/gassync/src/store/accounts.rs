//! Tenants.

use gassync_domain::{AccountId, Timestamp};

use super::{Result, Time, Tx, on};

/// Makes a tenant.
pub async fn create(tx: &mut Tx, name: &str, time_zone: &str, now: Timestamp) -> Result<AccountId> {
    let text = "insert into gas_accounts (name, time_zone, created_at) values ($1, $2, $3) returning id";
    let id =
        on!(tx, c => sqlx::query_scalar(text).bind(name).bind(time_zone).bind(Time::from(now)).fetch_one(c).await)?;
    Ok(AccountId(id))
}

/// The tenant of this name.
pub async fn find(tx: &mut Tx, name: &str) -> Result<Option<AccountId>> {
    let text = "select id from gas_accounts where name = $1 order by id limit 1";
    let id: Option<i64> = on!(tx, c => sqlx::query_scalar(text).bind(name).fetch_optional(c).await)?;
    Ok(id.map(AccountId))
}
