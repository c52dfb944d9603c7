-- The registry: which versions of a plugin there are, what each may do, who has it ready, what its calls took; and how
-- credentials are renewed by one process at a time, and given by a person's consent.

-- What served so far has left no bytes here: the plugin folder brings them in at the next start.
create table plugins_as_they_are (
    id text primary key,
    status text not null check (status in ('enabled', 'disabled', 'quarantined')),
    -- The version that serves, and the one that shall as soon as every process has it ready.
    serving text,
    wanted text,
    changed_at text not null
) strict;

insert into plugins_as_they_are (id, status, changed_at) select id, status, changed_at from int_plugins;

drop table int_plugins;

alter table plugins_as_they_are rename to int_plugins;

create table int_plugin_versions (
    plugin_id text not null references int_plugins (id),
    hash text not null,
    version text not null,
    contract text not null,
    manifest text not null,
    component blob not null,
    -- What it may do; null while nobody has said so.
    allowance text,
    receipt text not null,
    -- Why it does not serve.
    problem text,
    quarantined_at text,
    installed_at text not null,
    activated_at text,
    primary key (plugin_id, hash)
) strict;

-- The processes that share this database, as long as they say so.
create table int_processes (
    id text primary key,
    seen_at text not null
) strict;

-- How far a process is with a component. One that began and is no more has died of it.
create table int_plugin_preparations (
    hash text not null,
    process_id text not null,
    state text not null check (state in ('begun', 'ready', 'failed')),
    changed_at text not null,
    primary key (hash, process_id)
) strict;

-- Whose calls a version broke at, and when last.
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

create table int_plugin_calls (
    account_id integer not null,
    id integer primary key autoincrement,
    connection_id integer not null,
    plugin_id text not null,
    hash text not null,
    version text not null,
    -- The interface and its function, and what the call was about, such as message-12.
    entry text not null,
    subject text not null,
    outcome text not null,
    wall_micros integer not null,
    processor_micros integer not null,
    peak_memory_bytes integer not null,
    sent_bytes integer not null,
    received_bytes integer not null,
    -- Requests and log, sealed for the account.
    detail blob not null,
    created_at text not null,
    unique (account_id, id),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
) strict;

create index int_plugin_calls_by_age on int_plugin_calls (created_at);
create index int_plugin_calls_by_plugin on int_plugin_calls (plugin_id, id);

-- Whoever renews a credential holds it for a while, so that no two processes do.
alter table int_connections add renewing_until text;
alter table int_connections add renewing_by text;

-- How often a message broke the plugin that read it.
alter table int_inbox add faults integer not null default 0;

-- A person was sent to a channel to consent, and is expected back with what stands behind this hash.
create table int_consents (
    account_id integer not null,
    state_hash text not null,
    source_id integer not null,
    connection_id integer not null,
    slot text not null,
    expires_at text not null,
    primary key (account_id, state_hash),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
) strict;

create unique index int_consents_by_state on int_consents (state_hash);

