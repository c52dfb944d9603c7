-- Inbound messages, outbox, audit trail and sync runs.

-- Messages from channels: webhook calls and responses to polls. Bodies are encrypted for the account.
create table int_inbox (
    account_id bigint not null,
    id bigint generated always as identity,
    connection_id bigint not null,
    kind text collate "C" not null check (kind in ('call', 'answer')),
    method text collate "C" not null,
    url text collate "C" not null,
    headers jsonb not null,
    body bytea not null,
    state text collate "C" not null check (state in ('received', 'applied', 'failed')),
    attempts bigint not null,
    available_at timestamptz not null,
    error text collate "C",
    received_at timestamptz not null,
    finished_at timestamptz,
    key_id text collate "C",
    -- Number of times the message crashed the plugin that decoded it.
    faults bigint not null default 0,
    -- Record counts by outcome: `1 created, 2 parked`.
    outcome text collate "C",
    primary key (account_id, id),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
);

create index int_inbox_waiting on int_inbox (available_at, id) where state = 'received';
create index int_inbox_by_end on int_inbox (finished_at) where finished_at is not null;
-- Responses of channels have no completion time; retention finds them by arrival.
create index int_inbox_answers on int_inbox (received_at) where kind = 'answer' and state = 'applied';
-- Failed messages, for alarms.
create index int_inbox_failed on int_inbox (account_id, connection_id, id) where state = 'failed';

-- Facts about changes of the core, written by triggers. The relay gives each fact its sequence in the feed of its
-- account.
create table int_outbox (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    entity_type text collate "C" not null,
    entity_id bigint not null,
    action text collate "C" not null check (action in ('created', 'updated', 'deleted')),
    origin_source_id bigint,
    created_at timestamptz not null,
    sequence bigint,
    -- First and last affected night.
    first_night date,
    last_night date,
    -- The new status of a booking; null if it did not change.
    status text collate "C",
    primary key (account_id, id)
);

create unique index int_outbox_by_sequence on int_outbox (account_id, sequence) where sequence is not null;
create index int_outbox_waiting on int_outbox (id) where sequence is null;
-- Used by triggers to find a booking that already waits in the outbox.
create index int_outbox_waiting_by_entity on int_outbox (account_id, entity_type, entity_id) where sequence is null;
-- Used by replays from a time, and by retention.
create index int_outbox_by_age on int_outbox (account_id, created_at, sequence) where sequence is not null;

-- The last sequence of each account's feed.
create table int_feeds (
    account_id bigint not null primary key references gas_accounts (id),
    last_sequence bigint not null
);

-- The audit trail of records in both directions.
create table int_sync_log (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    source_id bigint,
    direction text collate "C" not null check (direction in ('inbound', 'outbound')),
    entity_type text collate "C" not null,
    entity_id text collate "C" not null,
    action text collate "C" not null,
    status text collate "C" not null check (status in ('success', 'failed', 'pending')),
    error_message text collate "C",
    request_data jsonb,
    response_data jsonb,
    created_at timestamptz not null,
    primary key (account_id, id)
);

create index int_sync_log_by_entity on int_sync_log (account_id, entity_type, entity_id, id);
create index int_sync_log_by_source on int_sync_log (account_id, source_id, id);
create index int_sync_log_by_age on int_sync_log (created_at);

-- Sync runs with record counts.
create table int_sync_runs (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    sync_type text collate "C" not null
        check (sync_type in ( 'booking_import', 'booking_export', 'availability_import', 'availability_export', 'price_import', 'price_export', 'content_sync', 'webhook', 'full_sync')),
    direction text collate "C" not null check (direction in ('inbound', 'outbound')),
    status text collate "C" not null
        check (status in ('started', 'success', 'partial_success', 'failure', 'skipped')),
    records_processed bigint not null,
    records_created bigint not null,
    records_updated bigint not null,
    records_failed bigint not null,
    records_skipped bigint not null,
    error_message text collate "C",
    error_details jsonb,
    started_at timestamptz not null,
    completed_at timestamptz,
    duration_ms bigint,
    -- Outbound runs: records confirmed by the channel, and records in doubt.
    records_confirmed bigint not null default 0,
    records_in_doubt bigint not null default 0,
    primary key (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_sync_runs_by_source on int_sync_runs (account_id, source_id, id);
create index int_sync_runs_by_age on int_sync_runs (started_at);

-- Resume point of an entity's polls: an instant, or a token of the channel.
create table int_sync_cursors (
    account_id bigint not null,
    source_id bigint not null,
    entity text collate "C" not null,
    cursor text collate "C" not null,
    updated_at timestamptz not null,
    kind text collate "C" not null default 'instant' check (kind in ('instant', 'token')),
    primary key (account_id, source_id, entity),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

-- Failing polls with their consecutive failures.
create table int_poll_failures (
    account_id bigint not null,
    source_id bigint not null,
    poll text collate "C" not null,
    failures bigint not null check (failures > 0),
    first_failed_at timestamptz not null,
    last_failed_at timestamptz not null,
    message text collate "C" not null,
    -- Whether the failure sets the source's status to error.
    bad boolean not null,
    primary key (account_id, source_id, poll),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

-- Backfills: imports of a span of nights, window by window. Nights before `reached` are done and survive a crash.
create table int_backfills (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    starts_on date not null,
    ends_on date not null,
    reached date not null,
    state text collate "C" not null check (state in ('running', 'done', 'failed')),
    outcome jsonb not null,
    error text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    check (starts_on < ends_on),
    check (reached >= starts_on and reached <= ends_on),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create unique index int_backfills_running on int_backfills (account_id, source_id) where state = 'running';

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array[
        'int_inbox', 'int_outbox', 'int_feeds', 'int_sync_log', 'int_sync_runs', 'int_sync_cursors',
        'int_poll_failures', 'int_backfills'
    ] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end $$;
