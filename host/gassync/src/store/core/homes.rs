//! Which entities of the core there are, and whose property they are in.

use std::collections::HashMap;

use gassync_domain::{AccountId, CoreId};

use crate::store::{Result, Tx, mappings::Kind, rows};

/// Of these entities those that there are, each with its property; that of a property is itself, and guests have none.
pub async fn homes(tx: &mut Tx, account: AccountId, kind: Kind, ids: &[CoreId]) -> Result<HashMap<CoreId, CoreId>> {
    let text = match kind {
        Kind::Property => {
            "select e.id, e.id as home from new cross join gas_properties e where e.account_id = $1 and e.id = new.id"
        }
        Kind::RoomType => {
            "select e.id, e.property_id as home from new cross join gas_bookable_units e
            where e.account_id = $1 and e.id = new.id"
        }
        Kind::RatePlan => {
            "select e.id, e.property_id as home from new cross join gas_rate_plans e
            where e.account_id = $1 and e.id = new.id"
        }
        Kind::Reservation => {
            "select e.id, e.property_id as home from new cross join gas_bookings e
            where e.account_id = $1 and e.id = new.id"
        }
        Kind::Guest => return Ok(HashMap::new()),
    };
    let found: Vec<(i64, i64)> = rows::of_ids(ids).read(tx, &[account.0.into()], text).await?;
    Ok(found.into_iter().map(|(id, home)| (CoreId(id), CoreId(home))).collect())
}
