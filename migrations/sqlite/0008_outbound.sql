-- Calendars and bookings that sources push to their channels.

-- Invalidated nights of a room type: the core changed, so they must be recomputed.
create table int_calendar_invalidations (
    account_id integer not null,
    source_id integer not null,
    int_room_type_id integer not null,
    first_night text not null,
    last_night text not null,
    -- Only the source's own bookings caused the change.
    only_own_bookings integer not null,
    -- Send all nights, also those that the channel has.
    force integer not null,
    invalidated_at text not null,
    primary key (account_id, source_id, int_room_type_id, first_night, last_night),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id)
) strict;

-- The calendar of a channel per night: what it should have (wanted), what was sent, and what it certainly has
-- (confirmed). Each is the text of one JSON object. rate_plan_external_id is empty for a source without rate plans.
create table int_channel_nights (
    account_id integer not null,
    source_id integer not null,
    int_room_type_id integer not null,
    rate_plan_external_id text not null,
    night text not null,
    wanted text not null,
    sent text,
    confirmed text,
    -- pending: to be sent; unconfirmed: to be read back; confirmed; rejected: a person must act.
    state text not null check (state in ('pending', 'unconfirmed', 'confirmed', 'rejected')),
    -- A call ended without an answer: the channel may have accepted it.
    in_doubt integer not null,
    -- Read-backs that did not show the sent value.
    mismatch_count integer not null,
    error text,
    -- Time of the oldest unconfirmed change of the core.
    changed_at text not null,
    sent_at text,
    confirmed_at text,
    -- The channel has, or may have, a closing flag from us: set when one is sent, cleared when the channel shows the
    -- night open. Someone else set a flag that the channel shows without this.
    closed_by_us integer not null default 0,
    primary key (account_id, source_id, int_room_type_id, rate_plan_external_id, night),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id)
) strict;

create index int_channel_nights_open on int_channel_nights (account_id, source_id, state, changed_at)
    where state <> 'confirmed';

-- Sync state of a core booking at a channel.
create table int_channel_bookings (
    account_id integer not null,
    source_id integer not null,
    booking_id integer not null,
    state text not null check (state in ('pending', 'unconfirmed', 'confirmed', 'rejected')),
    in_doubt integer not null,
    -- Incremented with each change: a push covers only the version that it read.
    version integer not null default 1,
    -- Read-backs that showed other values than were sent.
    mismatch_count integer not null default 0,
    -- Digests of the values sent last and confirmed last.
    sent text,
    confirmed text,
    error text,
    changed_at text not null,
    sent_at text,
    confirmed_at text,
    primary key (account_id, source_id, booking_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, booking_id) references gas_bookings (account_id, id)
) strict;

create index int_channel_bookings_open on int_channel_bookings (account_id, source_id, changed_at)
    where state <> 'confirmed';
create index int_channel_bookings_by_booking on int_channel_bookings (account_id, booking_id);

-- Go-live plans: changes at the channel, as shown to a person. The latest plan of a source counts.
create table int_go_live_plans (
    account_id integer not null,
    source_id integer not null,
    id integer primary key autoincrement,
    -- When the channel's calendar was requested.
    read_at text not null,
    -- Spans of nights that would open, or change their price or rules.
    changes text not null,
    -- Whether nights closed by hand at the channel would open.
    opens_closed integer not null check (opens_closed in (0, 1)),
    created_at text not null,
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_go_live_plans_by_source on int_go_live_plans (account_id, source_id, id);
