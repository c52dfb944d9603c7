-- Links between external records and core entities, and records that wait for a link or a decision.

-- Links between external ids and core entities.
create table int_mappings (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    external_entity_type text not null,
    external_entity_id text not null,
    gas_entity_type text not null,
    gas_entity_id integer not null,
    auto_sync integer not null check (auto_sync in (0, 1)),
    origin text not null check (origin in ('external', 'core')),
    created_at text not null,
    state text not null default 'linked' check (state in ('linked', 'paused', 'broken')),
    metadata text not null default '{}',
    last_synced_at text,
    last_error text,
    retries integer not null default 0,
    -- Whether changes of the core entity are pushed to the channel.
    push integer not null default 1,
    unique (account_id, id),
    unique (account_id, source_id, external_entity_type, external_entity_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_mappings_by_core on int_mappings (account_id, gas_entity_type, gas_entity_id);

-- The newest version of a reservation that cannot be applied yet, beside the last applied version in
-- int_reservations.
create table int_parked_reservations (
    account_id integer not null,
    source_id integer not null,
    external_id text not null,
    record text not null,
    raw_data text not null,
    mended text,
    digest text not null,
    revision text,
    modified_at text,
    observed_at text not null,
    -- Everything it is parked for.
    missing text not null,
    -- The hold that keeps its nights.
    hold_id integer,
    -- When the reservation was first parked; later versions do not change it.
    parked_at text not null,
    synced_at text not null,
    primary key (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict, without rowid;

-- Decisions of people on parked records. The same version of a record is not put to a person again.
create table int_decisions (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    -- property, room_type, rate_plan, reservation or block.
    entity text not null,
    external_id text not null,
    -- Digest of the version that was decided.
    digest text not null,
    decision text not null check (decision in ('stand', 'cancel', 'ignore', 'link')),
    decided_by text not null,
    why text not null,
    created_at text not null,
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_decisions_of_record on int_decisions (account_id, source_id, entity, external_id, id);

-- Records that could not be decoded or stored, in their original form, until a retry succeeds or a person drops them.
create table int_set_aside (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    entity text not null,
    external_id text,
    -- The external id, or a hash of the content of a record without one: the same broken record has the same
    -- identity.
    identity text not null,
    problem text not null,
    raw_data text,
    -- The message that contained the record; may be deleted earlier.
    inbox_id integer,
    plugin_hash text not null,
    times_seen integer not null,
    first_seen_at text not null,
    last_seen_at text not null,
    retried_at text,
    unique (account_id, id),
    unique (account_id, source_id, entity, identity),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_set_aside_by_message on int_set_aside (account_id, inbox_id) where inbox_id is not null;

-- Reservations that a channel no longer returns.
create table int_missing_reservations (
    account_id integer not null,
    source_id integer not null,
    external_id text not null,
    -- Times of the first and the last lookup without the reservation.
    first_missed_at text not null,
    last_missed_at text not null,
    -- When a second lookup confirmed that it is missing.
    confirmed_at text,
    -- When a person decided to keep the reservation.
    kept_at text,
    primary key (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;
