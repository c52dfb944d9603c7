-- Webhook subscriptions. A delivery is a job of the kind `deliver`.

-- Webhook subscriptions.
create table int_webhooks (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    endpoint_url text collate "C" not null,
    description text collate "C",
    -- A JSON list of event names; an empty list means all events.
    events jsonb not null,
    -- A JSON list of core property ids; an empty list means all properties.
    properties jsonb not null,
    payload text collate "C" not null check (payload in ('thin', 'full')),
    envelope text collate "C" not null check (envelope in ('standard', 'cloudevents')),
    exclude_origin boolean not null,
    -- Events about one entity are delivered in order.
    ordered boolean not null,
    signing text collate "C" not null check (signing in ('v1', 'v1a')),
    -- Headers of the subscriber, encrypted.
    headers bytea,
    max_attempts bigint not null check (max_attempts between 1 and 10),
    timeout_seconds bigint not null check (timeout_seconds between 1 and 15),
    status text collate "C" not null check (status in ('active', 'disabled')),
    -- Why the subscription is disabled.
    status_reason text collate "C",
    -- Since when no delivery has succeeded, and the number of batches without one.
    failing_since timestamptz,
    failures bigint not null default 0,
    last_triggered_at timestamptz,
    last_delivered_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    -- Incremented with each change of settings or status; results of earlier revisions are ignored.
    revision bigint not null default 0,
    primary key (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_webhooks_by_source on int_webhooks (account_id, source_id, id);
-- Active subscriptions, read by the relay for each batch of facts.
create index int_webhooks_active on int_webhooks (account_id, id) where status = 'active' and deleted_at is null;
create index int_webhooks_gone on int_webhooks (deleted_at) where deleted_at is not null;

-- Signing secrets: the current one, and those still valid after a rotation.
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

-- Delivery attempts. A delivery is a job.
create table int_delivery_attempts (
    account_id bigint not null,
    id bigint generated always as identity,
    job_id bigint not null,
    attempt bigint not null,
    at timestamptz not null,
    duration_ms bigint not null,
    -- HTTP status of the response; null without a response.
    status bigint,
    -- Why there was no response: timeout, connect, tls, address, broken.
    error_kind text collate "C",
    -- The first bytes of the response, as text.
    answer text collate "C",
    foreign key (account_id, job_id) references int_jobs (account_id, id) on delete cascade,
    primary key (account_id, job_id, id)
);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array[
        'int_webhooks', 'int_webhook_secrets', 'int_delivery_attempts'
    ] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end $$;
