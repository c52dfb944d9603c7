//! The lease of a queue, held by a worker or by an operator's request: one holder at a time, in all processes.

use gassync_domain::{SourceKey, Timestamp};
use jiff::SignedDuration;

use super::QueueKey;
use crate::{Result, Time, Tx, on};

/// A held queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLease {
    /// The source.
    pub source: SourceKey,
    /// The queue.
    pub queue: QueueKey,
    pub(super) fencing_token: i64,
}

/// A queue that someone waits for is claimed by no worker for this long.
const TURN: SignedDuration = SignedDuration::from_secs(1);

/// Leases a queue until `until` without claiming its jobs; `None` while another holds it. Ask again within [`TURN`]: no
/// worker claims the queue meanwhile, but for the moment between two turns.
pub async fn acquire(
    tx: &mut Tx,
    (source, queue): (SourceKey, QueueKey),
    (now, until): (Timestamp, Timestamp),
) -> Result<Option<QueueLease>> {
    let text = "insert into int_queues
            (account_id, source_id, queue_kind, subscription_id, busy_until, fencing_token, last_served_at)
        values ($1, $2, $3, $4, $6, 1, $5)
        on conflict (account_id, source_id, queue_kind, subscription_id) do update
            set busy_until = excluded.busy_until, fencing_token = int_queues.fencing_token + 1
            where int_queues.busy_until is null or int_queues.busy_until <= $5
        returning fencing_token";
    let token: Option<i64> = on!(tx, c => sqlx::query_scalar(text).bind(source.account.0).bind(source.source.0)
        .bind(queue.kind()).bind(queue.subscription_id()).bind(Time::from(now)).bind(Time::from(until))
        .fetch_optional(c).await)?;
    if token.is_none() {
        let text = "update int_queues set paused_until = $6, pause_reason = 'a request waits for running jobs'
            where account_id = $1 and source_id = $2 and queue_kind = $3 and subscription_id = $4
                and (paused_until is null or paused_until <= $5)";
        on!(tx, c => sqlx::query(text).bind(source.account.0).bind(source.source.0).bind(queue.kind())
            .bind(queue.subscription_id()).bind(Time::from(now)).bind(Time::from(now + TURN)).execute(c).await.map(drop))?;
    }
    Ok(token.map(|fencing_token| QueueLease { source, queue, fencing_token }))
}

/// Extends a lease; `false` if another has taken the queue meanwhile.
pub async fn extend(tx: &mut Tx, lease: &QueueLease, until: Timestamp) -> Result<bool> {
    set(tx, lease, Some(until)).await
}

/// Releases a queue that was leased without its jobs.
pub async fn release(tx: &mut Tx, lease: &QueueLease) -> Result<()> {
    set(tx, lease, None).await.map(drop)
}

async fn set(tx: &mut Tx, lease: &QueueLease, until: Option<Timestamp>) -> Result<bool> {
    let QueueLease { source, queue, fencing_token } = lease;
    let text = "update int_queues set busy_until = $6
        where account_id = $1 and source_id = $2 and queue_kind = $3 and subscription_id = $4 and fencing_token = $5
            and busy_until is not null";
    on!(tx, c => sqlx::query(text).bind(source.account.0).bind(source.source.0).bind(queue.kind())
        .bind(queue.subscription_id()).bind(fencing_token).bind(until.map(Time::from)).execute(c).await
        .map(|done| done.rows_affected() > 0))
}
