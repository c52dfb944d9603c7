use gassync_domain::{AccountId, SourceKey, Timestamp};
use serde_json::json;

use super::JobKind;
use crate::store::{self, Tx, backfills::Backfill};

/// Enqueues the next window of a backfill.
pub async fn continue_backfill(
    tx: &mut Tx,
    account: AccountId,
    backfill: &Backfill,
    now: Timestamp,
) -> store::Result<()> {
    let payload = json!({ "backfill": backfill.id });
    let source_key = SourceKey { account, source: backfill.source };
    store::queue::enqueue(tx, &[JobKind::Backfill.job(source_key, payload, (now, now))], now).await
}
