use gassync_domain::{AccountId, CoreId, RoomType, Timestamp, today_at};

use super::ledger;
use crate::store::{Result, Tx, core::units as rows};

/// Creates or updates a bookable unit of a property. If the quantity decreases, sales that no longer fit become
/// overbooked; nights before today stay unchanged.
pub async fn put_unit(
    tx: &mut Tx,
    account: AccountId,
    known: Option<CoreId>,
    property: CoreId,
    room_type: &RoomType,
    now: Timestamp,
) -> Result<CoreId> {
    let Some(id) = known else {
        return rows::insert_unit(tx, account, property, room_type, now).await;
    };
    let before = rows::quantity(tx, account, id).await?;
    rows::update_unit(tx, account, id, room_type, now).await?;
    if let Some(quantity) = room_type.quantity.map(i64::from).filter(|quantity| Some(*quantity) != before) {
        let from = today_at(now, None);
        crate::store::ledger::set_capacity(tx, account, id, quantity, from, now).await?;
    }
    Ok(id)
}

/// Links units to a whole that shares their availability, such as rooms to a house; 0 removes the link.
pub async fn link_units(
    tx: &mut Tx,
    account: AccountId,
    (whole, part): (CoreId, CoreId),
    quantity: u32,
    now: Timestamp,
) -> Result<()> {
    ledger::link(tx, account, (whole, part), i64::from(quantity), now).await
}
