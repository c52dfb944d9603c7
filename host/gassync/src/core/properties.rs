use gassync_domain::{AccountId, CoreId, Property, Timestamp};

use crate::store::{Result, Tx, core::properties as rows};

/// Makes or changes a property.
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
