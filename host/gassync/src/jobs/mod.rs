//! Durable work: one file per job. Every job is safe to run twice; none holds a transaction while a plugin or the
//! network works.

mod backfill;
mod drive_parked;
mod look_again;
mod poll;
mod relay;
mod retention;
mod worker;

use gassync_domain::{AccountId, SourceId, Timestamp};
use serde_json::json;

pub use backfill::go_on;
pub use poll::{begin as begin_polls, begin_new as begin_new_polls, selection as poll_selection};
pub use relay::run as relay;
pub use retention::run as retention;
pub use worker::run;

use crate::store::{self, Tx};

/// Fetches what changed of an entity, and comes again.
pub(crate) const POLL: &str = "poll";
/// Fetches one record that the channel said something about.
pub(crate) const LOOK_AGAIN: &str = "look-again";
/// Fetches a window of a stretch of nights.
pub(crate) const BACKFILL: &str = "backfill";
/// Tries parked records again.
pub(crate) const DRIVE_PARKED: &str = "drive-parked";

/// Something was linked: what waited for it is tried again, in a transaction of its own.
pub(crate) async fn drive_parked(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    now: Timestamp,
) -> store::Result<()> {
    store::jobs::enqueue(tx, account, source, DRIVE_PARKED, &json!({}), now, now).await
}
