use gassync_domain::{AccountId, CoreId, Guest, Timestamp};

use crate::store::{Result, Tx, core::guests as rows};

/// Makes or changes a guest.
pub async fn put_guest(
    tx: &mut Tx,
    account: AccountId,
    known: Option<CoreId>,
    guest: &Guest,
    now: Timestamp,
) -> Result<CoreId> {
    match known {
        None => rows::insert_guest(tx, account, guest, now).await,
        Some(id) => rows::update_guest(tx, account, id, guest, now).await.map(|()| id),
    }
}

/// The guest that a record is surely about, although no link says so: same own mail address, same family name.
pub async fn find_guest(tx: &mut Tx, account: AccountId, guest: &Guest) -> Result<Option<CoreId>> {
    match guest.identity() {
        Some((email, name)) => rows::find_guest(tx, account, &email, &name).await,
        None => Ok(None),
    }
}
