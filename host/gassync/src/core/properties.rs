use gassync_domain::{AccountId, CoreId, Property, SourceKey, Timestamp};

use crate::store::{Result, Tx, core::properties as rows};

/// Creates or updates a property.
pub async fn put_property(
    tx: &mut Tx,
    account: AccountId,
    known: Option<CoreId>,
    property: &Property,
    now: Timestamp,
) -> Result<CoreId> {
    match known {
        None => rows::insert_property(tx, account, property, now).await,
        Some(id) => rows::update_property(tx, account, id, property, now).await.map(|()| id),
    }
}

/// Sets the time zone of a source's properties that have none or still have the source's previous one. Returns their number.
pub async fn set_missing_time_zone(
    tx: &mut Tx,
    source: SourceKey,
    before: Option<&str>,
    now: Timestamp,
) -> Result<u64> {
    rows::set_missing_time_zone(tx, source, before, now).await
}
