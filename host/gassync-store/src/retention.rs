//! Deletes old rows, class by class. Platform queries.

use gassync_domain::Timestamp;

use super::{Result, Time, Tx, on};

/// A class of rows with a retention period.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// The name in the log.
    pub name: &'static str,
    text: &'static str,
}

/// Every class has an index that begins with its time column, so that a run that finds nothing does not scan the table.
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
    /// Raw messages that were processed or have failed for good.
    INBOX, "inbox", "int_inbox", "finished_at"
);
class!(
    /// Answers of channels, which are applied on arrival.
    ANSWERS, "answers", "int_inbox", "received_at", "and kind = 'answer' and state = 'applied'"
);
class!(
    /// Lines of the audit trail.
    SYNC_LOG, "sync log", "int_sync_log", "created_at"
);
class!(
    /// Sync runs.
    SYNC_RUNS, "sync runs", "int_sync_runs", "started_at"
);
class!(
    /// Finished jobs, except deliveries.
    JOBS, "jobs", "int_jobs", "finished_at", "and queue_kind <> 'webhook'"
);
class!(
    /// Finished deliveries with their attempts. Kept as long as their facts, since a fact without a delivery counts as
    /// never sent.
    DELIVERIES, "deliveries", "int_jobs", "finished_at", "and queue_kind = 'webhook'"
);
class!(
    /// Resource use of plugin calls.
    CALLS, "calls", "int_plugin_calls", "created_at"
);
class!(
    /// Reservations withdrawn by their source.
    TAKEN_BACK_RESERVATIONS, "reservations taken back", "int_reservations", "deleted_at"
);
class!(
    /// Guests withdrawn by their source.
    TAKEN_BACK_GUESTS, "guests taken back", "int_guests", "deleted_at"
);
class!(
    /// Rate plans withdrawn by their source.
    TAKEN_BACK_RATE_PLANS, "rate plans taken back", "int_rate_plans", "deleted_at"
);

/// Facts with a sequence number. Deleted account by account, so that the index of replays serves here too.
pub const FEED: Class = Class {
    name: "feed",
    text: "delete from int_outbox where (account_id, id) in (
        select o.account_id, o.id from gas_accounts a cross join int_outbox o
        where o.account_id = a.id and o.created_at < $1 and o.sequence is not null limit $2)",
};
/// Runs of replays and of retried dead jobs. Those of operators belong to no account.
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

/// Deletes the oldest rows of a class from before a time; returns their number.
pub async fn forget(tx: &mut Tx, class: Class, before: Timestamp, limit: i64) -> Result<u64> {
    on!(tx, c => sqlx::query(class.text).bind(Time::from(before)).bind(limit).execute(c).await
        .map(|done| done.rows_affected()))
}
