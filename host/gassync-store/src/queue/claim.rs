//! Claims work: queues first, in account rotation, then the due jobs in them.

use gassync_domain::{AccountId, SourceId, SourceKey, Timestamp};
use jiff::SignedDuration;
use sqlx::{AssertSqlSafe, FromRow};

use super::{ClaimedJob, JOB_COLUMNS, QueueKey, QueueLease, Row};
use crate::{
    Lease, Result, Time, Tx, on,
    rows::{ColumnType, Rows},
};

/// A leased queue and the jobs claimed from it.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The tenant.
    pub account: AccountId,
    /// The source.
    pub source: SourceId,
    /// The queue.
    pub queue: QueueKey,
    /// The jobs in order of execution, those of a kind together; never empty.
    pub jobs: Vec<ClaimedJob>,
    pub(super) fencing_token: i64,
}

impl Claim {
    /// The source with its account.
    pub fn key(&self) -> SourceKey {
        SourceKey { account: self.account, source: self.source }
    }

    /// The lease of its queue.
    pub fn lease(&self) -> QueueLease {
        QueueLease { source: self.key(), queue: self.queue, fencing_token: self.fencing_token }
    }
}

/// A queue that has waited this long counts one priority higher: prices yield to availability, but do not starve.
const AGEING_STEP: SignedDuration = SignedDuration::from_secs(2);
/// After this long it counts two priorities higher.
const SECOND_AGEING_STEP: SignedDuration = SignedDuration::from_secs(4);

#[derive(FromRow)]
struct ClaimedQueue {
    account_id: i64,
    source_id: i64,
    queue_kind: String,
    subscription_id: i64,
    fencing_token: i64,
}

impl ClaimedQueue {
    fn key(&self) -> QueueKey {
        QueueKey::from_columns(&self.queue_kind, self.subscription_id)
    }
}

/// The worker pools. Each has slots of its own, so that neither blocks the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerPool {
    /// Jobs of channels and of the host.
    Jobs,
    /// Webhook deliveries.
    Deliveries,
}

/// Which jobs are claimed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPolicy {
    /// Kinds claimed together, in order of execution.
    pub kinds: &'static [&'static str],
    /// Maximum per kind, including the first job.
    pub max: i64,
    /// Jobs succeed or fail independently, so failed ones stay in batches; otherwise a failed job is retried alone.
    pub independent: bool,
}

impl BatchPolicy {
    /// The job runs alone.
    pub const NONE: Self = Self { kinds: &[], max: 1, independent: false };
}

/// Whether a queue may have due jobs. A platform query.
pub async fn is_waiting(tx: &mut Tx, work: WorkerPool, now: Timestamp) -> Result<bool> {
    let text = "select exists (select 1 from int_queues where due_at <= $1 and (busy_until is null or busy_until <= $1)
        and (paused_until is null or paused_until <= $1) and (queue_kind = 'webhook') = $2)";
    on!(tx, c => sqlx::query_scalar(text).bind(Time::from(now)).bind(work == WorkerPool::Deliveries).fetch_one(c).await)
}

/// Leases queues with due jobs of this pool until the end of the lease, and claims the most urgent job of each,
/// together with the jobs its batch policy allows. Accounts rotate: the one with the fewest leased queues is next, then
/// the one that waited longest; none gets more than `max_per_account` queues. Within an account the queue with the most
/// urgent job is next; priority rises with waiting. Jobs that need a disabled plugin wait. A platform query.
pub async fn claim(
    tx: &mut Tx,
    work: WorkerPool,
    lease: Lease,
    (queues, max_per_account): (i64, i64),
    policy: impl Fn(&str) -> BatchPolicy,
) -> Result<Vec<Claim>> {
    let held = lease_queues(tx, work, lease, (queues, max_per_account)).await?;
    let mut first = head_of_each(tx, &held, lease.now).await?;
    let mut taken = Vec::new();
    let mut empty = Vec::new();
    for held in held {
        let of_queue = |job: &ClaimedJob| {
            job.account.0 == held.account_id && job.source.0 == held.source_id && job.claim == held.fencing_token
        };
        let Some(place) = first.iter().position(|(queue, job)| *queue == held.key() && of_queue(job)) else {
            empty.push(held);
            continue;
        };
        let (_, job) = first.swap_remove(place);
        let policy = policy(&job.kind);
        let mut jobs = vec![job];
        if policy.max > 1 {
            jobs.extend(batch_with(tx, &held, &jobs[0], (lease.now, policy)).await?);
            // The sort is stable: the most urgent job stays first of its kind.
            jobs.sort_by_key(|job| policy.kinds.iter().position(|kind| *kind == job.kind));
        }
        taken.push(Claim {
            account: jobs[0].account,
            source: jobs[0].source,
            queue: held.key(),
            fencing_token: held.fencing_token,
            jobs,
        });
    }
    // Their due jobs are gone: release them.
    for ClaimedQueue { account_id, source_id, queue_kind, subscription_id, fencing_token } in empty {
        let text = "update int_queues set busy_until = null, due_at = (select min(j.run_at) from int_jobs j
                where j.account_id = $1 and j.source_id = $2 and j.queue_kind = $3 and j.subscription_id = $4
                    and j.state = 'waiting')
            where account_id = $1 and source_id = $2 and queue_kind = $3 and subscription_id = $4 and fencing_token = $5";
        on!(&mut *tx, c => sqlx::query(text).bind(account_id).bind(source_id).bind(queue_kind).bind(subscription_id)
            .bind(fencing_token).execute(c).await.map(drop))?;
    }
    Ok(taken)
}

async fn lease_queues(
    tx: &mut Tx,
    work: WorkerPool,
    lease: Lease,
    (queues, max_per_account): (i64, i64),
) -> Result<Vec<ClaimedQueue>> {
    /// Ready queues with their rank: after the account's leased queues, and after its more urgent or longer waiting
    /// ones.
    const READY: &str = "select ready.account_id, ready.source_id, ready.queue_kind, ready.subscription_id from (
            select q.account_id, q.source_id, q.queue_kind, q.subscription_id, r.last_served_at as account_served_at,
                row_number() over (partition by q.account_id
                    order by q.effective_priority - case when q.due_at <= $7 then 2 when q.due_at <= $6 then 1 else 0 end,
                        q.last_served_at, q.source_id, q.queue_kind, q.subscription_id)
                + (select count(*) from int_queues b where b.account_id = q.account_id and b.busy_until > $1
                    and (b.queue_kind = 'webhook') = $5) as place
            from int_queues q
            -- A source whose polls fail goes on. Its subscriptions receive facts of the core whatever its channel does.
            join int_sources s on s.account_id = q.account_id and s.id = q.source_id
                and (s.status in ('active', 'error') or (s.status = 'expired' and $5))
                and (s.sync_enabled or q.queue_kind <> 'channel')
            left join int_plugins p on p.id = s.source_type
            left join int_account_rotation r on r.account_id = q.account_id
            where q.due_at <= $1 and (q.busy_until is null or q.busy_until <= $1)
                and (q.paused_until is null or q.paused_until <= $1)
                and (q.queue_kind = 'webhook') = $5
                and (q.queue_kind <> 'channel' or (p.status = 'enabled' and p.serving is not null))
        ) ready where ready.place <= $4
        order by ready.place, ready.account_served_at nulls first, ready.account_id limit $3";
    let take = "update int_queues set busy_until = $2, fencing_token = fencing_token + 1, last_served_at = $1
        where (account_id, source_id, queue_kind, subscription_id) in";
    let back = "returning account_id, source_id, queue_kind, subscription_id, fencing_token";
    let text = match tx {
        Tx::Sqlite(..) => format!("{take} ({READY}) {back}"),
        // Another process may have leased one meanwhile: check again under the lock.
        Tx::Postgres(..) => format!(
            "{take} (select w.account_id, w.source_id, w.queue_kind, w.subscription_id from int_queues w
                where w.due_at <= $1 and (w.busy_until is null or w.busy_until <= $1)
                    and (w.account_id, w.source_id, w.queue_kind, w.subscription_id) in ({READY})
                for update skip locked) {back}"
        ),
    };
    let held: Vec<ClaimedQueue> = on!(&mut *tx, c => sqlx::query_as(AssertSqlSafe(text)).bind(Time::from(lease.now)).bind(Time::from(lease.until))
        .bind(queues).bind(max_per_account).bind(work == WorkerPool::Deliveries).bind(Time::from(lease.now - AGEING_STEP))
        .bind(Time::from(lease.now - SECOND_AGEING_STEP)).fetch_all(c).await)?;
    let mut accounts: Vec<i64> = held.iter().map(|held| held.account_id).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let mut turns = Rows::new([("account_id", ColumnType::Int)]);
    accounts.into_iter().for_each(|account| turns.push([account.into()]));
    let text =
        "insert into int_account_rotation (account_id, last_served_at) select account_id, $1 from new where true order by account_id
        on conflict (account_id) do update set last_served_at = excluded.last_served_at";
    turns.write(tx, &[lease.now.into()], text).await?;
    Ok(held)
}

async fn head_of_each(tx: &mut Tx, held: &[ClaimedQueue], now: Timestamp) -> Result<Vec<(QueueKey, ClaimedJob)>> {
    #[derive(FromRow)]
    struct InQueue {
        queue_kind: String,
        subscription_id: i64,
        #[sqlx(flatten)]
        row: Row,
    }
    let mut new = Rows::new([
        ("account_id", ColumnType::Int),
        ("source_id", ColumnType::Int),
        ("queue_kind", ColumnType::Text),
        ("subscription_id", ColumnType::Int),
        ("fencing_token", ColumnType::Int),
    ]);
    for held in held {
        new.push([
            held.account_id.into(),
            held.source_id.into(),
            held.queue_kind.as_str().into(),
            held.subscription_id.into(),
            held.fencing_token.into(),
        ]);
    }
    // Materialised before the update, otherwise PostgreSQL repeats the lookup for each job of the account.
    let due = run_at_unindexed(tx);
    let text = format!(
        ", head (account_id, fencing_token, id) as materialized (
            select new.account_id, new.fencing_token, (
                select i.id from int_jobs i
                where i.account_id = new.account_id and i.source_id = new.source_id and i.queue_kind = new.queue_kind
                    and i.subscription_id = new.subscription_id and i.state = 'waiting' and {due} <= $1
                order by i.priority, i.run_at, i.id limit 1)
            from new
        )
        update int_jobs set attempts = attempts + 1, claim = head.fencing_token from head
        where int_jobs.account_id = head.account_id and int_jobs.id = head.id
        returning int_jobs.queue_kind, int_jobs.subscription_id, {JOB_COLUMNS}"
    );
    let rows: Vec<InQueue> = new.read(tx, &[now.into()], &text).await?;
    Ok(rows
        .into_iter()
        .map(|InQueue { queue_kind, subscription_id, row }| {
            (QueueKey::from_columns(&queue_kind, subscription_id), ClaimedJob::from(row))
        })
        .collect())
}

/// `run_at` in a form that keeps SQLite from using its index, which would sort all due jobs to find the most urgent.
fn run_at_unindexed(tx: &Tx) -> &'static str {
    tx.dialect("+i.run_at", "i.run_at")
}

/// More jobs for the batch. A job that failed before runs alone of its kind.
async fn batch_with(
    tx: &mut Tx,
    held: &ClaimedQueue,
    first: &ClaimedJob,
    (now, policy): (Timestamp, BatchPolicy),
) -> Result<Vec<ClaimedJob>> {
    let due = run_at_unindexed(tx);
    // The names are constants of this program. Other kinds are few and have one queue each, so they are looked up
    // separately, without an order that would make SQLite scan the account's jobs.
    let others: Vec<&str> = policy.kinds.iter().copied().filter(|kind| *kind != first.kind).collect();
    let others = others.join("', '");
    let text = format!(
        "update int_jobs set attempts = attempts + 1, claim = $5 where account_id = $1 and id in (
            select id from (
                select i.id from int_jobs i
                where i.account_id = $1 and i.source_id = $2 and i.queue_kind = $3 and i.subscription_id = $11 and i.id <> $4 and i.state = 'waiting'
                    and i.kind = $9 and ($8 or (i.attempts = 0 and $10)) and {due} <= $6
                order by i.priority, i.run_at, i.id limit $7) alike
            union all
            select id from (
                select i.id from int_jobs i
                where i.account_id = $1 and i.source_id = $2 and i.kind in ('{others}') and i.state = 'waiting'
                    and {due} <= $6
                limit $7) others)
        returning {JOB_COLUMNS}"
    );
    let mut rows: Vec<Row> = on!(tx, c => sqlx::query_as(AssertSqlSafe(text)).bind(held.account_id).bind(held.source_id)
        .bind(&held.queue_kind).bind(first.id.0).bind(held.fencing_token).bind(Time::from(now)).bind(policy.max - 1).bind(policy.independent)
        .bind(&first.kind).bind(first.attempts == 1).bind(held.subscription_id).fetch_all(c).await)?;
    rows.sort_by_key(|row| row.id);
    Ok(rows.into_iter().map(ClaimedJob::from).collect())
}
