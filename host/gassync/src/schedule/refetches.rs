use gassync_domain::{AccountId, SourceId, SourceKey, Timestamp};
use gassync_runtime::{Adapter, Interface};
use serde_json::json;

use super::JobKind;
use crate::store::{
    self, Tx, inbox,
    set_aside::{self, SetAside},
};

/// Maximum number of records refetched after a new plugin version is activated.
const MAX_RETRIED: i64 = 10_000;

/// Refetches the set-aside records after another plugin version was activated.
pub async fn retry_all(tx: &mut Tx, plugin: &dyn Adapter, now: Timestamp) -> store::Result<()> {
    for row in set_aside::of_other_versions(tx, &plugin.manifest().id, plugin.hash(), MAX_RETRIED).await? {
        retry(tx, &row, plugin.exports().contains(&Interface::Pull), now).await?;
    }
    Ok(())
}

/// Refetches a record: by id, else by replaying its message, else with all records of its kind. Returns false if neither is
/// possible.
pub async fn retry(tx: &mut Tx, row: &SetAside, pulls: bool, now: Timestamp) -> store::Result<bool> {
    let account = AccountId(row.account_id);
    let message = match row.inbox_id {
        Some(id) => {
            inbox::find(tx, id).await?.filter(|(listed, _)| listed.state == inbox::MessageState::Applied).map(|_| id)
        }
        None => None,
    };
    let payload = match (&row.external_id, message) {
        (Some(id), _) if pulls => json!({ "entity": row.entity, "id": id }),
        (_, Some(message)) => {
            inbox::replay(tx, account, message, now).await?;
            set_aside::retried(tx, account, row.id, now).await?;
            return Ok(true);
        }
        (_, None) if pulls => json!({ "entity": row.entity, "whole": true }),
        _ => return Ok(false),
    };
    let work = JobKind::Refetch.job(SourceKey { account, source: SourceId(row.source_id) }, payload, (now, now));
    store::queue::enqueue(tx, &[work], now).await?;
    set_aside::retried(tx, account, row.id, now).await?;
    Ok(true)
}
