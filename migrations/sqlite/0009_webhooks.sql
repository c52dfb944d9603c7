-- Webhook subscriptions. A delivery is a job of the kind `deliver`.

-- Webhook subscriptions.
create table int_webhooks (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    endpoint_url text not null,
    description text,
    -- A JSON list of event names; an empty list means all events.
    events text not null,
    -- A JSON list of core property ids; an empty list means all properties.
    properties text not null,
    payload text not null check (payload in ('thin', 'full')),
    envelope text not null check (envelope in ('standard', 'cloudevents')),
    exclude_origin integer not null,
    -- Events about one entity are delivered in order.
    ordered integer not null,
    signing text not null check (signing in ('v1', 'v1a')),
    -- Headers of the subscriber, encrypted.
    headers blob,
    max_attempts integer not null check (max_attempts between 1 and 10),
    timeout_seconds integer not null check (timeout_seconds between 1 and 15),
    status text not null check (status in ('active', 'disabled')),
    -- Why the subscription is disabled.
    status_reason text,
    -- Since when no delivery has succeeded, and the number of batches without one.
    failing_since text,
    failures integer not null default 0,
    last_triggered_at text,
    last_delivered_at text,
    created_at text not null,
    updated_at text not null,
    deleted_at text,
    -- Incremented with each change of settings or status; results of earlier revisions are ignored.
    revision integer not null default 0,
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_webhooks_by_source on int_webhooks (account_id, source_id, id);
-- Active subscriptions, read by the relay for each batch of facts.
create index int_webhooks_active on int_webhooks (account_id, id) where status = 'active' and deleted_at is null;
create index int_webhooks_gone on int_webhooks (deleted_at) where deleted_at is not null;

-- Signing secrets: the current one, and those still valid after a rotation.
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

-- Delivery attempts. A delivery is a job.
create table int_delivery_attempts (
    account_id integer not null,
    id integer primary key autoincrement,
    job_id integer not null,
    attempt integer not null,
    at text not null,
    duration_ms integer not null,
    -- HTTP status of the response; null without a response.
    status integer,
    -- Why there was no response: timeout, connect, tls, address, broken.
    error_kind text,
    -- The first bytes of the response, as text.
    answer text,
    unique (account_id, job_id, id),
    foreign key (account_id, job_id) references int_jobs (account_id, id) on delete cascade
) strict;
