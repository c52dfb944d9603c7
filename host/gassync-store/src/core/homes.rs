//! Existing core entities and their properties.

use std::collections::HashMap;

use gassync_domain::{AccountId, CoreId};

use crate::{Result, Tx, mappings::EntityKind, rows};

/// Those of these entities that exist, with their property: a property is its own, and guests have none.
pub async fn homes(
    tx: &mut Tx,
    account: AccountId,
    kind: EntityKind,
    ids: &[CoreId],
) -> Result<HashMap<CoreId, CoreId>> {
    let (table, home) = match kind {
        EntityKind::Property => ("gas_properties", "id"),
        EntityKind::RoomType => ("gas_bookable_units", "property_id"),
        EntityKind::RatePlan => ("gas_rate_plans", "property_id"),
        EntityKind::Reservation => ("gas_bookings", "property_id"),
        EntityKind::Guest => return Ok(HashMap::new()),
    };
    // The subquery looks up each entity by its key on either engine, whatever the table statistics say.
    let text = format!(
        "select f.id, f.home from (select new.id as id,
            (select e.{home} from {table} e where e.account_id = $1 and e.id = new.id) as home from new) f
        where f.home is not null"
    );
    let found: Vec<(i64, i64)> = rows::of_ids(ids).read(tx, &[account.0.into()], &text).await?;
    Ok(found.into_iter().map(|(id, home)| (CoreId(id), CoreId(home))).collect())
}
