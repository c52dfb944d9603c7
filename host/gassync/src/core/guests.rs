use std::collections::HashMap;

use gassync_domain::{AccountId, CoreId, Guest, Timestamp};

use crate::store::{Result, Tx, core::guests as rows};

/// Creates or updates guests. Each guest may occur once; known ones come with their id.
pub async fn put_guests(
    tx: &mut Tx,
    account: AccountId,
    guests: &[(Option<CoreId>, &Guest)],
    now: Timestamp,
) -> Result<Vec<CoreId>> {
    let new: Vec<&Guest> = guests.iter().filter(|(known, _)| known.is_none()).map(|(_, guest)| *guest).collect();
    let mut made = rows::insert_guests(tx, account, &new, now).await?.into_iter();
    let ids: Vec<CoreId> = guests.iter().filter_map(|(known, _)| known.or_else(|| made.next())).collect();
    let mut changed: Vec<(CoreId, &Guest)> =
        guests.iter().filter_map(|(known, guest)| known.map(|id| (id, *guest))).collect();
    // A fixed order prevents deadlocks.
    changed.sort_by_key(|(id, _)| id.0);
    for (id, guest) in changed {
        rows::update_guest(tx, account, id, guest, now).await?;
    }
    Ok(ids)
}

/// Finds guests without a link that certainly match: same own e-mail address and same family name.
pub async fn find_guests(
    tx: &mut Tx,
    account: AccountId,
    guests: &[&Guest],
) -> Result<HashMap<(String, String), CoreId>> {
    let identities: Vec<(String, String)> = guests.iter().filter_map(|guest| guest.identity()).collect();
    rows::find_guests(tx, account, &identities).await
}
