-- Subscribers: what they are told of, how it is signed, and each time it was tried.

-- Each subscriber has a lane of its own, so that lanes have other names than two.

create table jobs_as_they_are (
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
    -- channel, host, or webhook/ and the subscription's number.
    lane text not null default 'channel',
    priority integer not null default 3,
    version integer not null default 1,
    claim integer not null default 0,
    deadline text,
    run_id integer,
    -- The place in the feed of the fact that a delivery tells of.
    sequence integer,
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

insert into jobs_as_they_are (account_id, id, source_id, kind, payload, state, attempts, run_at, error, created_at,
    finished_at, lane, priority, version, claim, deadline, run_id)
select account_id, id, source_id, kind, payload, state, attempts, run_at, error, created_at, finished_at, lane, priority,
    version, claim, deadline, run_id
from int_jobs;

drop table int_jobs;

alter table jobs_as_they_are rename to int_jobs;

create unique index int_jobs_once on int_jobs (account_id, source_id, kind, payload) where state = 'waiting';
create index int_jobs_waiting on int_jobs (account_id, source_id, lane, priority, run_at, id) where state = 'waiting';
create index int_jobs_due on int_jobs (account_id, source_id, lane, run_at) where state = 'waiting';
create index int_jobs_dead on int_jobs (account_id, source_id, id) where state = 'dead';
create index int_jobs_by_run on int_jobs (run_id) where run_id is not null;
create index int_jobs_by_fact on int_jobs (account_id, lane, sequence) where sequence is not null;

create table lanes_as_they_are (
    account_id integer not null,
    source_id integer not null,
    lane text not null,
    due_at text,
    busy_until text,
    shut_until text,
    shut_why text,
    fence integer not null default 0,
    served_at text not null,
    primary key (account_id, source_id, lane),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

insert into lanes_as_they_are (account_id, source_id, lane, due_at, busy_until, shut_until, shut_why, fence, served_at)
select account_id, source_id, lane, due_at, busy_until, shut_until, shut_why, fence, served_at from int_lanes;

drop table int_lanes;

alter table lanes_as_they_are rename to int_lanes;

create index int_lanes_due on int_lanes (due_at) where due_at is not null;
create index int_lanes_busy on int_lanes (account_id, busy_until) where busy_until is not null;

-- The runs of a subscriber's replays are its own; null where operators bring dead work back, whosever it is.
alter table int_job_runs add column account_id integer;
alter table int_job_runs add column webhook_id integer;

-- The founding table, which nothing ever wrote.
drop table int_webhooks;

create table int_webhooks (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    endpoint_url text not null,
    description text,
    -- Names of events, as a JSON list; an empty one is all.
    events text not null,
    -- Properties of the core, as a JSON list of their keys; an empty one is all.
    properties text not null,
    payload text not null check (payload in ('thin', 'full')),
    envelope text not null check (envelope in ('standard', 'cloudevents')),
    exclude_origin integer not null,
    -- What is about one entity arrives in its order.
    ordered integer not null,
    signing text not null check (signing in ('v1', 'v1a')),
    -- Headers of the subscriber's own, sealed.
    headers blob,
    max_attempts integer not null check (max_attempts between 1 and 10),
    timeout_seconds integer not null check (timeout_seconds between 1 and 15),
    status text not null check (status in ('active', 'disabled')),
    -- Why it is disabled.
    status_why text,
    -- Since when nothing has arrived, and how often in a row.
    failing_since text,
    failures integer not null default 0,
    last_triggered_at text,
    last_delivered_at text,
    created_at text not null,
    updated_at text not null,
    deleted_at text,
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_webhooks_by_source on int_webhooks (account_id, source_id, id);

-- What is signed with: the newest, and those that a rotation left good for a while.
create table int_webhook_secrets (
    account_id integer not null,
    id integer primary key autoincrement,
    webhook_id integer not null,
    ciphertext blob not null,
    key_id text not null,
    secret_hash text not null,
    created_at text not null,
    ends_at text,
    unique (account_id, id),
    foreign key (account_id, webhook_id) references int_webhooks (account_id, id)
) strict;

create index int_webhook_secrets_by_webhook on int_webhook_secrets (account_id, webhook_id, id);

-- Each time a subscriber was told of something; a delivery is a job.
create table int_delivery_attempts (
    account_id integer not null,
    id integer primary key autoincrement,
    job_id integer not null,
    attempt integer not null,
    at text not null,
    duration_ms integer not null,
    -- Of the answer; null where there was none.
    status integer,
    -- Why there was none: timeout, connect, tls, address, broken.
    error_kind text,
    -- Its first bytes, as text.
    answer text,
    unique (account_id, id),
    foreign key (account_id, job_id) references int_jobs (account_id, id) on delete cascade
) strict;

create index int_delivery_attempts_by_job on int_delivery_attempts (account_id, job_id, id);
