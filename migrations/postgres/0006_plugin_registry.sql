-- The registry: which versions of a plugin there are, what each may do, who has it ready, what its calls took; and how
-- credentials are renewed by one process at a time, and given by a person's consent.

-- What served so far has left no bytes here: the plugin folder brings them in at the next start.
alter table int_plugins drop column hash, drop column version, drop constraint int_plugins_status_check;
alter table int_plugins
    add check (status in ('enabled', 'disabled', 'quarantined')),
    -- The version that serves, and the one that shall as soon as every process has it ready.
    add serving text collate "C",
    add wanted text collate "C";

create table int_plugin_versions (
    plugin_id text collate "C" not null references int_plugins (id),
    hash text collate "C" not null,
    version text collate "C" not null,
    contract text collate "C" not null,
    manifest jsonb not null,
    component bytea not null,
    -- What it may do; null while nobody has said so.
    allowance jsonb,
    receipt jsonb not null,
    -- Why it does not serve.
    problem text collate "C",
    quarantined_at timestamptz,
    installed_at timestamptz not null,
    activated_at timestamptz,
    primary key (plugin_id, hash)
);

-- The processes that share this database, as long as they say so.
create table int_processes (
    id text collate "C" primary key,
    seen_at timestamptz not null
);

-- How far a process is with a component. One that began and is no more has died of it.
create table int_plugin_preparations (
    hash text collate "C" not null,
    process_id text collate "C" not null,
    state text collate "C" not null check (state in ('begun', 'ready', 'failed')),
    changed_at timestamptz not null,
    primary key (hash, process_id)
);

-- Whose calls a version broke at, and when last.
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

create table int_plugin_calls (
    account_id bigint not null,
    id bigint generated always as identity,
    connection_id bigint not null,
    plugin_id text collate "C" not null,
    hash text collate "C" not null,
    version text collate "C" not null,
    -- The interface and its function, and what the call was about, such as message-12.
    entry text collate "C" not null,
    subject text collate "C" not null,
    outcome text collate "C" not null,
    wall_micros bigint not null,
    processor_micros bigint not null,
    peak_memory_bytes bigint not null,
    sent_bytes bigint not null,
    received_bytes bigint not null,
    -- Requests and log, sealed for the account.
    detail bytea not null,
    created_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
);

create index int_plugin_calls_by_age on int_plugin_calls (created_at);
create index int_plugin_calls_by_plugin on int_plugin_calls (plugin_id, id);

alter table int_plugin_faults enable row level security;
alter table int_plugin_faults force row level security;
create policy tenant on int_plugin_faults using (gassync_sees(account_id));
alter table int_plugin_calls enable row level security;
alter table int_plugin_calls force row level security;
create policy tenant on int_plugin_calls using (gassync_sees(account_id));

-- Whoever renews a credential holds it for a while, so that no two processes do.
alter table int_connections
    add renewing_until timestamptz,
    add renewing_by text collate "C";

-- How often a message broke the plugin that read it.
alter table int_inbox add faults bigint not null default 0;

-- A person was sent to a channel to consent, and is expected back with what stands behind this hash.
create table int_consents (
    account_id bigint not null,
    state_hash text collate "C" not null,
    source_id bigint not null,
    connection_id bigint not null,
    slot text collate "C" not null,
    expires_at timestamptz not null,
    primary key (account_id, state_hash),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
);

create unique index int_consents_by_state on int_consents (state_hash);


alter table int_consents enable row level security;
alter table int_consents force row level security;
create policy tenant on int_consents using (gassync_sees(account_id));
