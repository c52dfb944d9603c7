//! How old rows go, class by class. Platform queries.

use gassync_domain::Timestamp;

use super::{Result, Time, Tx, on};

/// Rows that are kept for a while.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// What they are.
    pub name: &'static str,
    text: &'static str,
}

macro_rules! class {
    ($(#[$doc:meta])* $name:ident, $says:literal, $table:literal, $when:literal) => {
        $(#[$doc])*
        pub const $name: Class = Class {
            name: $says,
            text: concat!(
                "delete from ", $table, " where (account_id, id) in (
                    select account_id, id from ", $table, " where ", $when, " order by id limit $2)"
            ),
        };
    };
}

class!(
    /// Raw messages that were worked off, or failed for good.
    INBOX, "inbox", "int_inbox", "finished_at < $1 or (state = 'applied' and received_at < $1)"
);
class!(
    /// Lines of the audit trail.
    SYNC_LOG, "sync log", "int_sync_log", "created_at < $1"
);
class!(
    /// Runs of synchronisation.
    SYNC_RUNS, "sync runs", "int_sync_runs", "started_at < $1"
);
class!(
    /// Facts of the feed that have their place.
    FEED, "feed", "int_outbox", "created_at < $1 and sequence is not null"
);
class!(
    /// Jobs that ended.
    JOBS, "jobs", "int_jobs", "finished_at < $1"
);
class!(
    /// What calls of plugins took.
    CALLS, "calls", "int_plugin_calls", "created_at < $1"
);
class!(
    /// Reservations that their source took back.
    TAKEN_BACK_RESERVATIONS, "reservations taken back", "int_reservations", "deleted_at < $1"
);
class!(
    /// Guests that their source took back.
    TAKEN_BACK_GUESTS, "guests taken back", "int_guests", "deleted_at < $1"
);
class!(
    /// Rate plans that their source took back.
    TAKEN_BACK_RATE_PLANS, "rate plans taken back", "int_rate_plans", "deleted_at < $1"
);

/// Takes the oldest rows of a class that are from before; tells how many went.
pub async fn forget(tx: &mut Tx, class: Class, before: Timestamp, limit: i64) -> Result<u64> {
    on!(tx, c => sqlx::query(class.text).bind(Time::from(before)).bind(limit).execute(c).await
        .map(|done| done.rows_affected()))
}
