-- The plugin registry: versions, permissions, processes, and resource use of calls.

-- Plugins, one row per id.
create table int_plugins (
    id text collate "C" primary key,
    status text collate "C" not null check (status in ('enabled', 'disabled', 'quarantined')),
    changed_at timestamptz not null,
    -- The hash of the serving version, and of the version that will serve once every process has it ready.
    serving text collate "C",
    wanted text collate "C"
);

-- Installed versions with their components.
create table int_plugin_versions (
    plugin_id text collate "C" not null references int_plugins (id),
    hash text collate "C" not null,
    version text collate "C" not null,
    contract text collate "C" not null,
    manifest jsonb not null,
    component bytea not null,
    -- Granted permissions; null until approved.
    allowance jsonb,
    receipt jsonb not null,
    -- Why it cannot be activated.
    problem text collate "C",
    quarantined_at timestamptz,
    installed_at timestamptz not null,
    activated_at timestamptz,
    primary key (plugin_id, hash)
);

-- Live processes that share this database.
create table int_processes (
    id text collate "C" primary key,
    seen_at timestamptz not null
);

-- How far each process has prepared a component. A row `begun` of a process that is gone means that it crashed on the
-- component.
create table int_plugin_instances (
    hash text collate "C" not null,
    process_id text collate "C" not null,
    state text collate "C" not null check (state in ('begun', 'ready', 'failed')),
    changed_at timestamptz not null,
    primary key (hash, process_id)
);

-- Faults of a version, per connection.
create table int_plugin_faults (
    account_id bigint not null,
    plugin_id text collate "C" not null,
    hash text collate "C" not null,
    connection_id bigint not null,
    at timestamptz not null,
    primary key (account_id, plugin_id, hash, connection_id),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
);

create index int_plugin_faults_by_version on int_plugin_faults (plugin_id, hash, at);

-- Plugin calls and their resource use.
create table int_plugin_calls (
    account_id bigint not null,
    id bigint generated always as identity,
    connection_id bigint not null,
    plugin_id text collate "C" not null,
    hash text collate "C" not null,
    version text collate "C" not null,
    -- The interface and its function, and the subject of the call, such as message-12.
    entry text collate "C" not null,
    subject text collate "C" not null,
    outcome text collate "C" not null,
    wall_micros bigint not null,
    processor_micros bigint not null,
    peak_memory_bytes bigint not null,
    sent_bytes bigint not null,
    received_bytes bigint not null,
    -- Requests and log, encrypted for the account.
    detail bytea not null,
    created_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
);

create index int_plugin_calls_by_age on int_plugin_calls (created_at);
create index int_plugin_calls_by_plugin on int_plugin_calls (plugin_id, id);

-- State that plugins keep for a source, encrypted for the account, written together with the outcome of the call that
-- wrote it.
create table int_plugin_state (
    account_id bigint not null,
    source_id bigint not null,
    key text collate "C" not null,
    value bytea not null,
    updated_at timestamptz not null,
    primary key (account_id, source_id, key),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array[
        'int_plugin_faults', 'int_plugin_calls', 'int_plugin_state'
    ] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end $$;
