-- Inbound messages, outbox, audit trail and sync runs.

-- Messages from channels: webhook calls and responses to polls. Bodies are encrypted for the account.
create table int_inbox (
    account_id integer not null,
    id integer primary key autoincrement,
    connection_id integer not null,
    kind text not null check (kind in ('call', 'answer')),
    method text not null,
    url text not null,
    headers text not null,
    body blob not null,
    state text not null check (state in ('received', 'applied', 'failed')),
    attempts integer not null,
    available_at text not null,
    error text,
    received_at text not null,
    finished_at text,
    key_id text,
    -- Number of times the message crashed the plugin that decoded it.
    faults integer not null default 0,
    -- Record counts by outcome: `1 created, 2 parked`.
    outcome text,
    unique (account_id, id),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
) strict;

create index int_inbox_waiting on int_inbox (available_at, id) where state = 'received';
create index int_inbox_by_end on int_inbox (finished_at) where finished_at is not null;
-- Responses of channels have no completion time; retention finds them by arrival.
create index int_inbox_answers on int_inbox (received_at) where kind = 'answer' and state = 'applied';
-- Failed messages, for alarms.
create index int_inbox_failed on int_inbox (account_id, connection_id, id) where state = 'failed';

-- Facts about changes of the core, written by triggers. The relay gives each fact its sequence in the feed of its
-- account.
create table int_outbox (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    entity_type text not null,
    entity_id integer not null,
    action text not null check (action in ('created', 'updated', 'deleted')),
    origin_source_id integer,
    created_at text not null,
    sequence integer,
    -- First and last affected night.
    first_night text,
    last_night text,
    -- The new status of a booking; null if it did not change.
    status text,
    unique (account_id, id)
) strict;

create unique index int_outbox_by_sequence on int_outbox (account_id, sequence) where sequence is not null;
create index int_outbox_waiting on int_outbox (id) where sequence is null;
-- Facts about nights that wait for the relay are one row per unit, whose span grows.
create unique index int_outbox_spans on int_outbox (account_id, entity_type, entity_id, coalesce(origin_source_id, 0))
    where sequence is null and first_night is not null;
-- Used by triggers to find a booking that already waits in the outbox.
create index int_outbox_waiting_by_entity on int_outbox (account_id, entity_type, entity_id) where sequence is null;
-- Used by replays from a time, and by retention.
create index int_outbox_by_age on int_outbox (account_id, created_at, sequence) where sequence is not null;

-- The last sequence of each account's feed.
create table int_feeds (
    account_id integer not null primary key references gas_accounts (id),
    last_sequence integer not null
) strict;

-- The audit trail of records in both directions.
create table int_sync_log (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    source_id integer,
    direction text not null check (direction in ('inbound', 'outbound')),
    entity_type text not null,
    entity_id text not null,
    action text not null,
    status text not null check (status in ('success', 'failed', 'pending')),
    error_message text,
    request_data text,
    response_data text,
    created_at text not null,
    unique (account_id, id)
) strict;

create index int_sync_log_by_entity on int_sync_log (account_id, entity_type, entity_id, id);
create index int_sync_log_by_source on int_sync_log (account_id, source_id, id);
create index int_sync_log_by_age on int_sync_log (created_at);

-- Sync runs with record counts.
create table int_sync_runs (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    sync_type text not null
        check (sync_type in ( 'booking_import', 'booking_export', 'availability_import', 'availability_export', 'price_import', 'price_export', 'content_sync', 'webhook', 'full_sync')),
    direction text not null check (direction in ('inbound', 'outbound')),
    status text not null check (status in ('started', 'success', 'partial_success', 'failure', 'skipped')),
    records_processed integer not null,
    records_created integer not null,
    records_updated integer not null,
    records_failed integer not null,
    records_skipped integer not null,
    error_message text,
    error_details text,
    started_at text not null,
    completed_at text,
    duration_ms integer,
    -- Outbound runs: records confirmed by the channel, and records in doubt.
    records_confirmed integer not null default 0,
    records_in_doubt integer not null default 0,
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_sync_runs_by_source on int_sync_runs (account_id, source_id, id);
create index int_sync_runs_by_age on int_sync_runs (started_at);

-- Resume point of an entity's polls: an instant, or a token of the channel.
create table int_sync_cursors (
    account_id integer not null,
    source_id integer not null,
    entity text not null,
    cursor text not null,
    updated_at text not null,
    kind text not null default 'instant' check (kind in ('instant', 'token')),
    primary key (account_id, source_id, entity),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

-- Failing polls with their consecutive failures.
create table int_poll_failures (
    account_id integer not null,
    source_id integer not null,
    poll text not null,
    failures integer not null check (failures > 0),
    first_failed_at text not null,
    last_failed_at text not null,
    message text not null,
    -- Whether the failure sets the source's status to error.
    bad integer not null check (bad in (0, 1)),
    primary key (account_id, source_id, poll),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

-- Backfills: imports of a span of nights, window by window. Nights before `reached` are done and survive a crash.
create table int_backfills (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    starts_on text not null,
    ends_on text not null,
    reached text not null,
    state text not null check (state in ('running', 'done', 'failed')),
    outcome text not null,
    error text,
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    check (starts_on < ends_on),
    check (reached >= starts_on and reached <= ends_on),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create unique index int_backfills_running on int_backfills (account_id, source_id) where state = 'running';

-- One row: the source whose changes the current transaction applies, set inside the transaction and null again before
-- its commit. Null means the core itself.
create table gas_change_context (
    one integer primary key check (one = 1),
    origin_source_id integer
) strict;

insert into gas_change_context (one, origin_source_id) values (1, null);
