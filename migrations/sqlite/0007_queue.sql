-- The job queue. Every source has a queue for calls to its channel, a queue for work on this host alone, and one
-- queue for each of its webhook subscriptions. One worker at a time works on a queue.

-- Jobs. The same work (source, kind, payload) is enqueued only once.
create table int_jobs (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    kind text not null,
    payload text not null,
    state text not null check (state in ('waiting', 'done', 'dead', 'cancelled')),
    attempts integer not null,
    run_at text not null,
    error text,
    created_at text not null,
    finished_at text,
    -- The queue of the job; subscription_id is 0 except in queues of webhook subscriptions.
    queue_kind text not null default 'channel' check (queue_kind in ('channel', 'host', 'webhook')),
    subscription_id integer not null default 0,
    -- Lower numbers first.
    priority integer not null default 3,
    -- Incremented when enqueued again: a worker completes only the version that it began.
    version integer not null default 1,
    -- The fencing token of the claim that last began the job.
    claim integer not null default 0,
    -- The job is not retried after this instant.
    deadline text,
    -- The run that retries the job.
    run_id integer,
    -- Sequence number of the fact that a delivery sends.
    sequence integer,
    -- What the job did, for people who wait for it.
    report text,
    unique (account_id, id),
    check ((queue_kind = 'webhook') = (subscription_id <> 0)),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

-- Identical work waits only once.
create unique index int_jobs_once on int_jobs (account_id, source_id, kind, payload) where state = 'waiting';
-- The next job of a queue.
create index int_jobs_waiting on int_jobs (account_id, source_id, queue_kind, subscription_id, priority, run_at, id)
    where state = 'waiting';
-- When a queue is due.
create index int_jobs_due on int_jobs (account_id, source_id, queue_kind, subscription_id, run_at)
    where state = 'waiting';
-- Progress of a run.
create index int_jobs_by_run on int_jobs (run_id) where run_id is not null;
-- Deliveries of a fact, for replays.
create index int_jobs_by_fact on int_jobs (account_id, subscription_id, sequence) where sequence is not null;
-- Deliveries of a subscription, newest first.
create index int_jobs_deliveries on int_jobs (account_id, subscription_id, id) where queue_kind = 'webhook';
-- Waiting deliveries before a sequence, for ordered subscriptions.
create index int_jobs_before on int_jobs (account_id, subscription_id, sequence)
    where state = 'waiting' and sequence is not null;
-- Lists of dead jobs, and alarms.
create index int_jobs_dead on int_jobs (account_id, source_id, queue_kind, subscription_id, id) where state = 'dead';
-- Retention of other jobs.
create index int_jobs_ended on int_jobs (finished_at) where finished_at is not null and queue_kind <> 'webhook';
-- Retention of deliveries; every ended job is in exactly one of int_jobs_delivered and int_jobs_ended.
create index int_jobs_delivered on int_jobs (finished_at) where finished_at is not null and queue_kind = 'webhook';

-- Queues and their leases.
create table int_queues (
    account_id integer not null,
    source_id integer not null,
    queue_kind text not null check (queue_kind in ('channel', 'host', 'webhook')),
    subscription_id integer not null default 0,
    -- When the first waiting job is due; null for an empty queue.
    due_at text,
    -- The lease of the worker that holds the queue.
    busy_until text,
    -- End and reason of a pause of the channel or subscriber.
    paused_until text,
    pause_reason text,
    -- Fencing token, incremented by each claim: only the last claim may complete its jobs.
    fencing_token integer not null default 0,
    last_served_at text not null,
    -- The priority of the most urgent waiting job. Queues are claimed by it first, then by waiting time.
    effective_priority integer not null default 1,
    primary key (account_id, source_id, queue_kind, subscription_id),
    check ((queue_kind = 'webhook') = (subscription_id <> 0)),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_queues_due on int_queues (due_at) where due_at is not null;
create index int_queues_busy on int_queues (account_id, busy_until) where busy_until is not null;

-- When an account was last served; the one that waited longest is next.
create table int_account_rotation (
    account_id integer not null primary key references gas_accounts (id),
    last_served_at text not null
) strict;

-- Runs that retry dead jobs, or replay deliveries of a subscription.
create table int_job_runs (
    id integer primary key autoincrement,
    filter text not null,
    state text not null check (state in ('running', 'cancelled')),
    jobs integer not null,
    created_at text not null,
    cancelled_at text,
    -- Replays belong to a subscription; null for runs of operators, which span accounts.
    account_id integer,
    webhook_id integer
) strict;

create index int_job_runs_by_age on int_job_runs (created_at);
