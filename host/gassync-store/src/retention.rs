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

/// Each has an index that begins with what it goes by: the last look, which finds nothing, is not to read a whole table.
macro_rules! class {
    ($(#[$doc:meta])* $name:ident, $says:literal, $table:literal, $by:literal $(, $when:literal)?) => {
        $(#[$doc])*
        pub const $name: Class = Class {
            name: $says,
            text: concat!(
                "delete from ", $table, " where (account_id, id) in (
                    select account_id, id from ", $table, " where ", $by, " < $1 ", $($when,)?
                    " order by ", $by, " limit $2)"
            ),
        };
    };
}

class!(
    /// Raw messages that were worked off, or failed for good.
    INBOX, "inbox", "int_inbox", "finished_at"
);
class!(
    /// Answers of channels, which are applied as they come in.
    ANSWERS, "answers", "int_inbox", "received_at", "and kind = 'answer' and state = 'applied'"
);
class!(
    /// Lines of the audit trail.
    SYNC_LOG, "sync log", "int_sync_log", "created_at"
);
class!(
    /// Runs of synchronisation.
    SYNC_RUNS, "sync runs", "int_sync_runs", "started_at"
);
class!(
    /// Jobs that ended, but for deliveries.
    JOBS, "jobs", "int_jobs", "finished_at", "and kind <> 'deliver'"
);
class!(
    /// Deliveries that ended, with their attempts. Kept as long as their facts: what has none was never told.
    DELIVERIES, "deliveries", "int_jobs", "finished_at", "and kind = 'deliver'"
);
class!(
    /// What calls of plugins took.
    CALLS, "calls", "int_plugin_calls", "created_at"
);
class!(
    /// Reservations that their source took back.
    TAKEN_BACK_RESERVATIONS, "reservations taken back", "int_reservations", "deleted_at"
);
class!(
    /// Guests that their source took back.
    TAKEN_BACK_GUESTS, "guests taken back", "int_guests", "deleted_at"
);
class!(
    /// Rate plans that their source took back.
    TAKEN_BACK_RATE_PLANS, "rate plans taken back", "int_rate_plans", "deleted_at"
);

/// Facts of the feed that have their place. Account by account, so that the index that replays use serves here too.
pub const FEED: Class = Class {
    name: "feed",
    text: "delete from int_outbox where (account_id, id) in (
        select o.account_id, o.id from gas_accounts a cross join int_outbox o
        where o.account_id = a.id and o.created_at < $1 and o.sequence is not null limit $2)",
};
/// Runs of replays, and of dead work that was brought back. Those of operators are of no account.
pub const JOB_RUNS: Class = Class {
    name: "job runs",
    text: "delete from int_job_runs where id in (
        select id from int_job_runs where created_at < $1 order by created_at limit $2)",
};
/// Queues of deleted subscriptions. Deleted before the subscriptions themselves.
pub const QUEUES: Class = Class {
    name: "queues",
    text: "delete from int_queues where (account_id, source_id, queue_kind, subscription_id) in (
        select q.account_id, q.source_id, q.queue_kind, q.subscription_id from int_webhooks w cross join int_queues q
        where w.deleted_at < $1 and q.account_id = w.account_id and q.source_id = w.source_id
            and q.queue_kind = 'webhook' and q.subscription_id = w.id and q.due_at is null and q.busy_until is null limit $2)",
};
/// Deleted subscriptions without a queue.
pub const WEBHOOKS: Class = Class {
    name: "subscriptions",
    text: "delete from int_webhooks where (account_id, id) in (
        select w.account_id, w.id from int_webhooks w
        where w.deleted_at < $1 and not exists (
            select 1 from int_queues q where q.account_id = w.account_id and q.source_id = w.source_id
                and q.queue_kind = 'webhook' and q.subscription_id = w.id)
        order by w.deleted_at limit $2)",
};

/// Takes the oldest rows of a class that are from before; tells how many went.
pub async fn forget(tx: &mut Tx, class: Class, before: Timestamp, limit: i64) -> Result<u64> {
    on!(tx, c => sqlx::query(class.text).bind(Time::from(before)).bind(limit).execute(c).await
        .map(|done| done.rows_affected()))
}
