-- Links between external records and core entities, and records that wait for a link or a decision.

-- Links between external ids and core entities.
create table int_mappings (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    external_entity_type text collate "C" not null,
    external_entity_id text collate "C" not null,
    gas_entity_type text collate "C" not null,
    gas_entity_id bigint not null,
    auto_sync boolean not null,
    origin text collate "C" not null check (origin in ('external', 'core')),
    created_at timestamptz not null,
    state text collate "C" not null default 'linked' check (state in ('linked', 'paused', 'broken')),
    metadata jsonb not null default '{}',
    last_synced_at timestamptz,
    last_error text collate "C",
    retries bigint not null default 0,
    -- Whether changes of the core entity are pushed to the channel.
    push boolean not null default true,
    primary key (account_id, id),
    unique (account_id, source_id, external_entity_type, external_entity_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_mappings_by_core on int_mappings (account_id, gas_entity_type, gas_entity_id);

-- The newest version of a reservation that cannot be applied yet, beside the last applied version in
-- int_reservations.
create table int_parked_reservations (
    account_id bigint not null,
    source_id bigint not null,
    external_id text collate "C" not null,
    record jsonb not null,
    raw_data jsonb not null,
    mended jsonb,
    digest text collate "C" not null,
    revision text collate "C",
    modified_at timestamptz,
    observed_at timestamptz not null,
    -- Everything it is parked for.
    missing jsonb not null,
    -- The hold that keeps its nights.
    hold_id bigint,
    -- When the reservation was first parked; later versions do not change it.
    parked_at timestamptz not null,
    synced_at timestamptz not null,
    primary key (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

-- Decisions of people on parked records. The same version of a record is not put to a person again.
create table int_decisions (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    -- property, room_type, rate_plan, reservation or block.
    entity text collate "C" not null,
    external_id text collate "C" not null,
    -- Digest of the version that was decided.
    digest text collate "C" not null,
    decision text collate "C" not null check (decision in ('stand', 'cancel', 'ignore', 'link')),
    decided_by text collate "C" not null,
    why text collate "C" not null,
    created_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_decisions_of_record on int_decisions (account_id, source_id, entity, external_id, id);

-- Records that could not be decoded or stored, in their original form, until a retry succeeds or a person drops them.
create table int_set_aside (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    entity text collate "C" not null,
    external_id text collate "C",
    -- The external id, or a hash of the content of a record without one: the same broken record has the same
    -- identity.
    identity text collate "C" not null,
    problem text collate "C" not null,
    raw_data text collate "C",
    -- The message that contained the record; may be deleted earlier.
    inbox_id bigint,
    plugin_hash text collate "C" not null,
    times_seen bigint not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    retried_at timestamptz,
    primary key (account_id, id),
    unique (account_id, source_id, entity, identity),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_set_aside_by_message on int_set_aside (account_id, inbox_id) where inbox_id is not null;

-- Reservations that a channel no longer returns.
create table int_missing_reservations (
    account_id bigint not null,
    source_id bigint not null,
    external_id text collate "C" not null,
    -- Times of the first and the last lookup without the reservation.
    first_missed_at timestamptz not null,
    last_missed_at timestamptz not null,
    -- When a second lookup confirmed that it is missing.
    confirmed_at timestamptz,
    -- When a person decided to keep the reservation.
    kept_at timestamptz,
    primary key (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array[
        'int_mappings', 'int_parked_reservations', 'int_decisions', 'int_set_aside', 'int_missing_reservations'
    ] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end $$;
