-- Records that could not be read or kept, in their own words: until they can be, or a person lets them go.

create table int_set_aside (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    entity text collate "C" not null,
    external_id text collate "C",
    -- The channel's id, or a hash of the words where there is none: what the same odd record has again.
    identity text collate "C" not null,
    problem text collate "C" not null,
    raw_data text collate "C",
    -- The message it came by; it may be gone before the record is.
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

alter table int_set_aside enable row level security;
alter table int_set_aside force row level security;
create policy tenant on int_set_aside using (gassync_sees(account_id));
