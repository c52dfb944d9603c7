//! Deliveries: jobs that each send one feed entry to one subscriber.

use gassync_domain::{AccountId, DeliveryId, RunId, SourceKey, Timestamp, WebhookId};
use serde_json::Value;
use sqlx::{FromRow, types::Json};

use crate::{
    Result, Time, Tx, on,
    outbound::invalidations::{SequenceRanges, sequence_ranges},
    outbox::Fact,
    queue::JobState,
    rows::{ColumnType, Rows},
};

/// A feed entry with the fields that filters need.
#[derive(Debug, Clone, FromRow)]
pub struct FilterableFact {
    /// The tenant.
    pub account_id: i64,
    /// Sequence number.
    pub sequence: i64,
    /// The feed entry.
    #[sqlx(flatten)]
    pub fact: Fact,
    /// The core property it belongs to.
    pub property_id: Option<i64>,
    /// Event time.
    pub created_at: Time,
}

gassync_domain::words! {
    /// Where the latest delivery of a feed entry to a subscriber stands, ignoring cancelled ones.
    pub enum PastState {
        /// It waits, or is in flight.
        Waiting = "waiting",
        /// It was delivered.
        Delivered = "done",
        /// It was given up.
        Dead = "dead",
        /// There is none.
        Missed = "missed",
    }
}

/// A feed entry and where its latest delivery to a subscriber stands.
#[derive(Debug, Clone, FromRow)]
pub struct PastFact {
    /// The feed entry.
    #[sqlx(flatten)]
    pub candidate: FilterableFact,
    /// Where that delivery stands.
    #[sqlx(try_from = "String")]
    pub state: PastState,
}

/// A delivery.
#[derive(Debug, Clone, FromRow)]
pub struct Delivery {
    /// The tenant.
    pub account_id: i64,
    /// Identifier.
    #[sqlx(try_from = "i64")]
    pub id: DeliveryId,
    /// Sequence number of its event; None for a test.
    pub sequence: Option<i64>,
    /// Job payload (identifiers only).
    pub payload: Json<Value>,
    /// Installation id.
    pub installation: String,
    /// Event time; None if the event has expired.
    pub happened_at: Option<Time>,
    /// Entity type of the event; None if the event has expired.
    pub entity_type: Option<String>,
    /// Core id.
    pub entity_id: Option<i64>,
    /// Action.
    pub action: Option<String>,
    /// Resulting booking status.
    pub status: Option<String>,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub state: JobState,
    /// Number of attempts.
    pub attempts: i64,
    /// Time of the next or last attempt.
    pub run_at: Time,
    /// Last error.
    pub error: Option<String>,
    /// Time of enqueueing.
    pub created_at: Time,
    /// Time of completion.
    pub finished_at: Option<Time>,
    /// End of the endpoint's pause.
    pub paused_until: Option<Time>,
    /// Reason of the pause.
    pub pause_reason: Option<String>,
}

/// Filter of deliveries.
#[derive(Debug, Clone, Default)]
pub struct DeliveryQuery {
    /// Where they stand.
    pub state: Option<JobState>,
    /// Enqueued at or after this time.
    pub since: Option<Timestamp>,
    /// Older than this delivery (next page).
    pub before: Option<i64>,
}

/// Selects feed entries with the property of fact `o`.
macro_rules! facts {
    ($more:literal, $rest:literal) => {
        concat!(
            "select o.account_id, o.sequence, o.entity_type, o.entity_id, o.action, o.origin_source_id, o.first_night,
                o.last_night, o.status, o.created_at, case o.entity_type
                    when 'property' then o.entity_id
                    when 'booking' then (select b.property_id from gas_bookings b
                        where b.account_id = o.account_id and b.id = o.entity_id)
                    when 'rate_plan' then (select p.property_id from gas_rate_plans p
                        where p.account_id = o.account_id and p.id = o.entity_id)
                    when 'guest' then null
                    when 'website' then null
                    when 'webhook' then null
                    else (select u.property_id from gas_bookable_units u
                        where u.account_id = o.account_id and u.id = o.entity_id)
                end as property_id",
            $more,
            " from ",
            $rest
        )
    };
}

/// The feed entries with these sequence numbers. A platform query.
pub async fn facts_at(tx: &mut Tx, given: &SequenceRanges) -> Result<Vec<FilterableFact>> {
    let text = facts!(
        "",
        "new cross join int_outbox o
        where o.account_id = new.account_id and o.sequence >= new.low and o.sequence <= new.high
        order by o.account_id, o.sequence"
    );
    sequence_ranges(given).read(tx, &[], text).await
}

/// Feed entries after a time and sequence number, with their delivery state for a subscriber; ordered by event time,
/// then sequence number.
pub async fn past_facts(
    tx: &mut Tx,
    account: AccountId,
    webhook: WebhookId,
    ((since, after), until): ((Timestamp, i64), Timestamp),
    limit: i64,
) -> Result<Vec<PastFact>> {
    let text = facts!(
        ", coalesce((select j.state from int_jobs j where j.account_id = o.account_id and j.subscription_id = $2
            and j.sequence = o.sequence
            and j.state <> 'cancelled' order by j.id desc limit 1), 'missed') as state",
        "int_outbox o
        where o.account_id = $1 and (o.created_at, o.sequence) > ($3, $5) and o.created_at < $4 and o.sequence is not null
        order by o.created_at, o.sequence limit $6"
    );
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(webhook.0).bind(Time::from(since))
        .bind(Time::from(until)).bind(after).bind(limit).fetch_all(c).await)
}

macro_rules! deliveries {
    ($($rest:literal),*) => {
        concat!(
            "select j.account_id, j.id, j.sequence, j.payload, o.created_at as happened_at,
                (select i.id from int_installation i where i.one = 1) as installation, o.entity_type, o.entity_id, o.action,
                o.status, j.state, j.attempts, j.run_at, j.error, j.created_at, j.finished_at, l.paused_until, l.pause_reason
            from int_jobs j
            left join int_queues l on l.account_id = j.account_id and l.source_id = j.source_id
                and l.queue_kind = j.queue_kind and l.subscription_id = j.subscription_id
            left join int_outbox o on o.account_id = j.account_id and o.sequence = j.sequence
            where j.account_id = $1 and j.source_id = $2 and j.queue_kind = 'webhook' and j.subscription_id = $3 ",
            $($rest),*
        )
    };
}

macro_rules! newest {
    ($of:literal) => {
        deliveries!(
            $of,
            "and ($4 is null or j.state = $4) and ($5 is null or j.created_at >= $5) and ($6 is null or j.id < $6)
            order by j.id desc limit $7"
        )
    };
}

/// The deliveries of a subscription, newest first.
pub async fn list(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    webhook: WebhookId,
    filter: &DeliveryQuery,
    limit: i64,
) -> Result<Vec<Delivery>> {
    // Dead jobs have a partial index, which is only used if the statement names the state.
    let is_dead = filter.state == Some(JobState::Dead);
    let text = if is_dead { newest!("and j.state = 'dead' ") } else { newest!("") };
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(webhook.0)
        .bind(filter.state.map(JobState::as_str)).bind(filter.since.map(Time::from)).bind(filter.before).bind(limit).fetch_all(c).await)
}

/// One delivery.
pub async fn get(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    webhook: WebhookId,
    id: DeliveryId,
) -> Result<Option<Delivery>> {
    let text = deliveries!("and j.id = $4");
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(webhook.0).bind(id.0)
        .fetch_optional(c).await)
}

/// For each entity its first waiting delivery before a sequence number, outside the batch of `claim`, and when it is
/// due.
pub async fn earlier_pending(
    tx: &mut Tx,
    account: AccountId,
    webhook: WebhookId,
    (before, claim): (i64, i64),
) -> Result<Vec<(String, i64, i64, Time)>> {
    // The subscription id is selective enough. With the source as well, PostgreSQL would scan all waiting jobs.
    let text = "select o.entity_type, o.entity_id, min(j.sequence), min(j.run_at)
        from int_jobs j join int_outbox o on o.account_id = j.account_id and o.sequence = j.sequence
        where j.account_id = $1 and j.subscription_id = $2 and j.state = 'waiting' and j.sequence < $3 and j.claim <> $4
        group by o.entity_type, o.entity_id";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(webhook.0).bind(before).bind(claim)
        .fetch_all(c).await)
}

/// Discards the deliveries waiting for a subscriber, who receives nothing more; missed ones can be replayed. Deliveries
/// in progress finish on their own; if their worker dies, the queue is claimed again.
pub async fn cancel_pending(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    webhook: WebhookId,
    why: &str,
    now: Timestamp,
) -> Result<()> {
    // Queues before jobs, as everywhere.
    let text = "update int_queues set paused_until = null, pause_reason = null
        where account_id = $1 and source_id = $2 and queue_kind = 'webhook' and subscription_id = $3";
    on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(webhook.0).execute(c).await.map(drop))?;
    let text = "update int_jobs set state = 'cancelled', error = $4, finished_at = $5
        where account_id = $1 and source_id = $2 and queue_kind = 'webhook' and subscription_id = $3 and state = 'waiting'
            and not exists (select 1 from int_queues q where q.account_id = $1 and q.source_id = $2
                and q.queue_kind = 'webhook' and q.subscription_id = $3 and q.fencing_token = int_jobs.claim
                and q.busy_until > $5)";
    on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(webhook.0).bind(why).bind(Time::from(now))
        .execute(c).await.map(drop))?;
    let text = "update int_queues set due_at = (select min(j.run_at) from int_jobs j
            where j.account_id = $1 and j.source_id = $2 and j.queue_kind = 'webhook' and j.subscription_id = $3
                and j.state = 'waiting')
        where account_id = $1 and source_id = $2 and queue_kind = 'webhook' and subscription_id = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(webhook.0).execute(c).await.map(drop))
}

/// Cancels the waiting deliveries of all subscriptions of a source.
pub async fn cancel_pending_of_source(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    why: &str,
    now: Timestamp,
) -> Result<()> {
    let text = "select subscription_id from int_queues
        where account_id = $1 and source_id = $2 and queue_kind = 'webhook' order by subscription_id";
    let webhooks: Vec<i64> =
        on!(&mut *tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_all(c).await)?;
    for webhook in webhooks {
        cancel_pending(tx, SourceKey { account, source }, WebhookId(webhook), why, now).await?;
    }
    Ok(())
}

/// Cancels dead deliveries of these events, because new deliveries replace them.
pub async fn supersede(
    tx: &mut Tx,
    account: AccountId,
    webhook: WebhookId,
    sequences: &[i64],
    now: Timestamp,
) -> Result<()> {
    let mut new = Rows::new([("sequence", ColumnType::Int)]);
    sequences.iter().for_each(|sequence| new.push([(*sequence).into()]));
    // Excludes the other states instead of naming `dead`, so that the index on the sequence is used.
    let text = "update int_jobs set state = 'cancelled', finished_at = $3 from new
        where int_jobs.account_id = $1 and int_jobs.subscription_id = $2 and int_jobs.sequence = new.sequence
            and int_jobs.state not in ('waiting', 'done', 'cancelled')";
    new.write(tx, &[account.0.into(), webhook.0.into(), now.into()], text).await
}

/// Starts a replay run; returns its id.
pub async fn begin_run(
    tx: &mut Tx,
    account: AccountId,
    webhook: WebhookId,
    (shown, jobs): (&Value, i64),
    now: Timestamp,
) -> Result<RunId> {
    let text = "insert into int_job_runs (account_id, webhook_id, filter, state, jobs, created_at)
        values ($1, $2, $3, 'running', $4, $5) returning id";
    let run: i64 = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(webhook.0).bind(Json(shown)).bind(jobs)
        .bind(Time::from(now)).fetch_one(c).await)?;
    Ok(RunId(run))
}

/// Whether a run belongs to a subscription.
pub async fn has_run(tx: &mut Tx, account: AccountId, webhook: WebhookId, run: RunId) -> Result<bool> {
    let text = "select exists (select 1 from int_job_runs where account_id = $1 and webhook_id = $2 and id = $3)";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(webhook.0).bind(run.0).fetch_one(c).await)
}
