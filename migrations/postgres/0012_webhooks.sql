-- Subscribers: what they are told of, how it is signed, and each time it was tried.

select set_config('gassync.account_id', 'platform', true);

-- Each subscriber has a lane of its own, so that lanes have other names than two.

alter table int_jobs
    drop constraint int_jobs_lane_check,
    -- The place in the feed of the fact that a delivery tells of.
    add sequence bigint;
alter table int_lanes drop constraint int_lanes_lane_check;

create index int_jobs_by_fact on int_jobs (account_id, lane, sequence) where sequence is not null;

-- The runs of a subscriber's replays are its own; null where operators bring dead work back, whosever it is.
alter table int_job_runs add column account_id bigint;
alter table int_job_runs add column webhook_id bigint;

-- The founding table, which nothing ever wrote.
drop table int_webhooks;

create table int_webhooks (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    endpoint_url text collate "C" not null,
    description text collate "C",
    -- Names of events, as a JSON list; an empty one is all.
    events jsonb not null,
    -- Properties of the core, as a JSON list of their keys; an empty one is all.
    properties jsonb not null,
    payload text collate "C" not null check (payload in ('thin', 'full')),
    envelope text collate "C" not null check (envelope in ('standard', 'cloudevents')),
    exclude_origin boolean not null,
    -- What is about one entity arrives in its order.
    ordered boolean not null,
    signing text collate "C" not null check (signing in ('v1', 'v1a')),
    -- Headers of the subscriber's own, sealed.
    headers bytea,
    max_attempts bigint not null check (max_attempts between 1 and 10),
    timeout_seconds bigint not null check (timeout_seconds between 1 and 15),
    status text collate "C" not null check (status in ('active', 'disabled')),
    -- Why it is disabled.
    status_why text collate "C",
    -- Since when nothing has arrived, and how often in a row.
    failing_since timestamptz,
    failures bigint not null default 0,
    last_triggered_at timestamptz,
    last_delivered_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    primary key (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_webhooks_by_source on int_webhooks (account_id, source_id, id);

-- What is signed with: the newest, and those that a rotation left good for a while.
create table int_webhook_secrets (
    account_id bigint not null,
    id bigint generated always as identity,
    webhook_id bigint not null,
    ciphertext bytea not null,
    key_id text collate "C" not null,
    secret_hash text collate "C" not null,
    created_at timestamptz not null,
    ends_at timestamptz,
    primary key (account_id, id),
    foreign key (account_id, webhook_id) references int_webhooks (account_id, id)
);

create index int_webhook_secrets_by_webhook on int_webhook_secrets (account_id, webhook_id, id);

-- Each time a subscriber was told of something; a delivery is a job.
create table int_delivery_attempts (
    account_id bigint not null,
    id bigint generated always as identity,
    job_id bigint not null,
    attempt bigint not null,
    at timestamptz not null,
    duration_ms bigint not null,
    -- Of the answer; null where there was none.
    status bigint,
    -- Why there was none: timeout, connect, tls, address, broken.
    error_kind text collate "C",
    -- Its first bytes, as text.
    answer text collate "C",
    primary key (account_id, id),
    foreign key (account_id, job_id) references int_jobs (account_id, id) on delete cascade
);

create index int_delivery_attempts_by_job on int_delivery_attempts (account_id, job_id, id);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['int_job_runs', 'int_webhooks', 'int_webhook_secrets', 'int_delivery_attempts']
    loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end
$$;
