-- Calendars and bookings that sources push to their channels.

-- Invalidated nights of a room type: the core changed, so they must be recomputed.
create table int_calendar_invalidations (
    account_id bigint not null,
    source_id bigint not null,
    int_room_type_id bigint not null,
    first_night date not null,
    last_night date not null,
    -- Only the source's own bookings caused the change.
    only_own_bookings boolean not null,
    -- Send all nights, also those that the channel has.
    force boolean not null,
    invalidated_at timestamptz not null,
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id),
    primary key (account_id, source_id, int_room_type_id, first_night, last_night)
);

-- The calendar of a channel per night: what it should have (wanted), what was sent, and what it certainly has
-- (confirmed). Each is the text of one JSON object. rate_plan_external_id is empty for a source without rate plans.
create table int_channel_nights (
    account_id bigint not null,
    source_id bigint not null,
    int_room_type_id bigint not null,
    rate_plan_external_id text collate "C" not null,
    night date not null,
    wanted text collate "C" not null,
    sent text collate "C",
    confirmed text collate "C",
    -- pending: to be sent; unconfirmed: to be read back; confirmed; rejected: a person must act.
    state text collate "C" not null check (state in ('pending', 'unconfirmed', 'confirmed', 'rejected')),
    -- A call ended without an answer: the channel may have accepted it.
    in_doubt boolean not null,
    -- Read-backs that did not show the sent value.
    mismatch_count bigint not null,
    error text collate "C",
    -- Time of the oldest unconfirmed change of the core.
    changed_at timestamptz not null,
    sent_at timestamptz,
    confirmed_at timestamptz,
    -- The channel has, or may have, a closing flag from us: set when one is sent, cleared when the channel shows the
    -- night open. Someone else set a flag that the channel shows without this.
    closed_by_us boolean not null default false,
    primary key (account_id, source_id, int_room_type_id, rate_plan_external_id, night),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id)
);

create index int_channel_nights_open on int_channel_nights (account_id, source_id, state, changed_at)
    where state <> 'confirmed';

-- Sync state of a core booking at a channel.
create table int_channel_bookings (
    account_id bigint not null,
    source_id bigint not null,
    booking_id bigint not null,
    state text collate "C" not null check (state in ('pending', 'unconfirmed', 'confirmed', 'rejected')),
    in_doubt boolean not null,
    -- Incremented with each change: a push covers only the version that it read.
    version bigint not null default 1,
    -- Read-backs that showed other values than were sent.
    mismatch_count bigint not null default 0,
    -- Digests of the values sent last and confirmed last.
    sent text collate "C",
    confirmed text collate "C",
    error text collate "C",
    changed_at timestamptz not null,
    sent_at timestamptz,
    confirmed_at timestamptz,
    primary key (account_id, source_id, booking_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, booking_id) references gas_bookings (account_id, id)
);

create index int_channel_bookings_open on int_channel_bookings (account_id, source_id, changed_at)
    where state <> 'confirmed';
create index int_channel_bookings_by_booking on int_channel_bookings (account_id, booking_id);

-- Go-live plans: changes at the channel, as shown to a person. The latest plan of a source counts.
create table int_go_live_plans (
    account_id bigint not null,
    source_id bigint not null,
    id bigint generated always as identity,
    -- When the channel's calendar was requested.
    read_at timestamptz not null,
    -- Spans of nights that would open, or change their price or rules.
    changes jsonb not null,
    -- Whether nights closed by hand at the channel would open.
    opens_closed boolean not null,
    created_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_go_live_plans_by_source on int_go_live_plans (account_id, source_id, id);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array[
        'int_calendar_invalidations', 'int_channel_nights', 'int_channel_bookings', 'int_go_live_plans'
    ] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end $$;
