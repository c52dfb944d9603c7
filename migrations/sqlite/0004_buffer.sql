-- The buffer: the last applied version of each record from the channels.

create table int_properties (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    external_id text not null,
    name text not null,
    description text,
    address text,
    city text,
    country text,
    thumbnail_url text,
    gas_property_id integer,
    record text not null,
    raw_data text not null,
    digest text not null,
    revision text,
    modified_at text,
    observed_at text not null,
    -- What the record is parked for; null if it is not parked.
    parked text,
    synced_at text not null,
    -- Withdrawn by the source: hidden, and deleted at the end of its retention.
    deleted_at text,
    -- What was cut, replaced or left out so that the record could be stored: a list of path and problem; null for an
    -- unchanged record.
    mended text,
    unique (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, gas_property_id) references gas_properties (account_id, id)
) strict;

create table int_room_types (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    int_property_id integer,
    external_id text not null,
    name text not null,
    description text,
    max_occupancy integer,
    amenities text not null,
    gas_unit_id integer,
    record text not null,
    raw_data text not null,
    digest text not null,
    revision text,
    modified_at text,
    observed_at text not null,
    parked text,
    synced_at text not null,
    deleted_at text,
    mended text,
    unique (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_property_id) references int_properties (account_id, id),
    foreign key (account_id, gas_unit_id) references gas_bookable_units (account_id, id)
) strict;

create index int_room_types_by_unit on int_room_types (account_id, gas_unit_id) where gas_unit_id is not null;

create table int_rate_plans (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    int_property_id integer,
    external_id text not null,
    name text not null,
    gas_rate_plan_id integer,
    record text not null,
    raw_data text not null,
    digest text not null,
    revision text,
    modified_at text,
    observed_at text not null,
    parked text,
    synced_at text not null,
    deleted_at text,
    mended text,
    unique (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_property_id) references int_properties (account_id, id),
    foreign key (account_id, gas_rate_plan_id) references gas_rate_plans (account_id, id)
) strict;

create index int_rate_plans_taken_back on int_rate_plans (deleted_at) where deleted_at is not null;

create table int_guests (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    external_id text not null,
    email text,
    gas_guest_id integer,
    synced_at text not null,
    record text,
    raw_data text,
    digest text,
    observed_at text,
    revision text,
    modified_at text,
    parked text,
    deleted_at text,
    mended text,
    unique (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, gas_guest_id) references gas_guests (account_id, id)
) strict;

create index int_guests_taken_back on int_guests (deleted_at) where deleted_at is not null;

create table int_reservations (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    int_room_type_id integer,
    external_id text not null,
    property_external_id text,
    status text not null,
    source_channel text,
    guest_first_name text,
    guest_last_name text,
    guest_email text,
    guest_phone text,
    adults integer,
    children integer,
    total_price integer,
    currency text,
    gas_booking_id integer,
    record text not null,
    raw_data text not null,
    digest text not null,
    revision text,
    modified_at text,
    observed_at text not null,
    parked text,
    synced_at text not null,
    deleted_at text,
    mended text,
    check_in text,
    check_out text,
    unique (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id),
    foreign key (account_id, gas_booking_id) references gas_bookings (account_id, id)
) strict;

create index int_reservations_parked on int_reservations (account_id, source_id) where parked is not null;
create index int_reservations_by_arrival on int_reservations (account_id, source_id, check_in);
create index int_reservations_taken_back on int_reservations (deleted_at) where deleted_at is not null;

-- The calendar of a channel as last read. rate_plan_external_id is empty for a channel without rate plans.
create table int_availability (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    int_room_type_id integer not null,
    rate_plan_external_id text not null,
    date text not null,
    available integer check (available in (0, 1)),
    units_available integer check (units_available >= 0),
    price integer check (price >= 0),
    currency text,
    min_stay integer check (min_stay >= 0),
    max_stay integer check (max_stay >= 0),
    closed_to_arrival integer check (closed_to_arrival in (0, 1)),
    closed_to_departure integer check (closed_to_departure in (0, 1)),
    raw_data text not null,
    observed_at text not null,
    synced_at text not null,
    min_stay_through integer check (min_stay_through >= 0),
    exact_stay integer check (exact_stay >= 0),
    min_advance_days integer check (min_advance_days >= 0),
    max_advance_days integer check (max_advance_days >= 0),
    -- Additional fields from the channel.
    extra text not null default '{}',
    unique (account_id, id),
    unique (account_id, int_room_type_id, rate_plan_external_id, date),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id)
) strict;

-- Nights that a channel took out of sale. In the core each block is one maintenance row per unit.
create table int_blocks (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    external_id text not null,
    record text not null,
    raw_data text not null,
    digest text not null,
    revision text,
    modified_at text,
    observed_at text not null,
    parked text,
    synced_at text not null,
    deleted_at text,
    mended text,
    unique (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

-- The maintenance rows that represent a block.
create table int_block_maintenance (
    account_id integer not null,
    int_block_id integer not null,
    gas_maintenance_id integer not null,
    primary key (account_id, int_block_id, gas_maintenance_id),
    foreign key (account_id, int_block_id) references int_blocks (account_id, id)
) strict, without rowid;

-- Nights that a channel shows closed although neither its bookings nor our pushes explain it. A closure by flag
-- (by_word) stays as long as the channel shows the flag; a closure by count follows the count.
create table int_closures (
    account_id integer not null,
    source_id integer not null,
    int_room_type_id integer not null,
    night text not null,
    gas_unit_id integer not null,
    by_word integer not null check (by_word in (0, 1)),
    -- Number of closed units; a closure by flag closes all units.
    units integer not null check (units >= 0),
    -- A person decided to sell the night despite the closure.
    waived integer not null check (waived in (0, 1)),
    gas_closure_id integer,
    since text not null,
    observed_at text not null,
    primary key (account_id, source_id, int_room_type_id, night),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id),
    foreign key (account_id, gas_unit_id) references gas_bookable_units (account_id, id)
) strict;

-- Finds the sources that closed a night of a unit.
create index int_closures_by_unit on int_closures (account_id, gas_unit_id, night);
