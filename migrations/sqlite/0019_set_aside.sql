-- Records that could not be read or kept, in their own words: until they can be, or a person lets them go.

create table int_set_aside (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    entity text not null,
    external_id text,
    -- The channel's id, or a hash of the words where there is none: what the same odd record has again.
    identity text not null,
    problem text not null,
    raw_data text,
    -- The message it came by; it may be gone before the record is.
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
