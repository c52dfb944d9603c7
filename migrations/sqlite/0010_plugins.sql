-- The plugin registry: versions, permissions, processes, and resource use of calls.

-- Plugins, one row per id.
create table int_plugins (
    id text primary key,
    status text not null check (status in ('enabled', 'disabled', 'quarantined')),
    -- The hash of the serving version, and of the version that will serve once every process has it ready.
    serving text,
    wanted text,
    changed_at text not null
) strict;

-- Installed versions with their components.
create table int_plugin_versions (
    plugin_id text not null references int_plugins (id),
    hash text not null,
    version text not null,
    contract text not null,
    manifest text not null,
    component blob not null,
    -- Granted permissions; null until approved.
    allowance text,
    receipt text not null,
    -- Why it cannot be activated.
    problem text,
    quarantined_at text,
    installed_at text not null,
    activated_at text,
    primary key (plugin_id, hash)
) strict;

-- Live processes that share this database.
create table int_processes (
    id text primary key,
    seen_at text not null
) strict;

-- How far each process has prepared a component. A row `begun` of a process that is gone means that it crashed on the
-- component.
create table int_plugin_instances (
    hash text not null,
    process_id text not null,
    state text not null check (state in ('begun', 'ready', 'failed')),
    changed_at text not null,
    primary key (hash, process_id)
) strict;

-- Faults of a version, per connection.
create table int_plugin_faults (
    account_id integer not null,
    plugin_id text not null,
    hash text not null,
    connection_id integer not null,
    at text not null,
    primary key (account_id, plugin_id, hash, connection_id),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
) strict;

create index int_plugin_faults_by_version on int_plugin_faults (plugin_id, hash, at);

-- Plugin calls and their resource use.
create table int_plugin_calls (
    account_id integer not null,
    id integer primary key autoincrement,
    connection_id integer not null,
    plugin_id text not null,
    hash text not null,
    version text not null,
    -- The interface and its function, and the subject of the call, such as message-12.
    entry text not null,
    subject text not null,
    outcome text not null,
    wall_micros integer not null,
    processor_micros integer not null,
    peak_memory_bytes integer not null,
    sent_bytes integer not null,
    received_bytes integer not null,
    -- Requests and log, encrypted for the account.
    detail blob not null,
    created_at text not null,
    unique (account_id, id),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
) strict;

create index int_plugin_calls_by_age on int_plugin_calls (created_at);
create index int_plugin_calls_by_plugin on int_plugin_calls (plugin_id, id);

-- State that plugins keep for a source, encrypted for the account, written together with the outcome of the call that
-- wrote it.
create table int_plugin_state (
    account_id integer not null,
    source_id integer not null,
    key text not null,
    value blob not null,
    updated_at text not null,
    primary key (account_id, source_id, key),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;
