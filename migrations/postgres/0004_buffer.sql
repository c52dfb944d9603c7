-- The buffer: the last applied version of each record from the channels.

create table int_properties (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    external_id text collate "C" not null,
    name text collate "C" not null,
    description text collate "C",
    address text collate "C",
    city text collate "C",
    country text collate "C",
    thumbnail_url text collate "C",
    gas_property_id bigint,
    record jsonb not null,
    raw_data jsonb not null,
    digest text collate "C" not null,
    revision text collate "C",
    modified_at timestamptz,
    observed_at timestamptz not null,
    -- What the record is parked for; null if it is not parked.
    parked jsonb,
    synced_at timestamptz not null,
    -- Withdrawn by the source: hidden, and deleted at the end of its retention.
    deleted_at timestamptz,
    -- What was cut, replaced or left out so that the record could be stored: a list of path and problem; null for an
    -- unchanged record.
    mended jsonb,
    primary key (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, gas_property_id) references gas_properties (account_id, id)
);

-- Questions about raw records.
create index int_properties_raw on int_properties using gin (raw_data jsonb_path_ops);

create table int_room_types (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    int_property_id bigint,
    external_id text collate "C" not null,
    name text collate "C" not null,
    description text collate "C",
    max_occupancy bigint,
    amenities jsonb not null,
    gas_unit_id bigint,
    record jsonb not null,
    raw_data jsonb not null,
    digest text collate "C" not null,
    revision text collate "C",
    modified_at timestamptz,
    observed_at timestamptz not null,
    parked jsonb,
    synced_at timestamptz not null,
    deleted_at timestamptz,
    mended jsonb,
    primary key (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_property_id) references int_properties (account_id, id),
    foreign key (account_id, gas_unit_id) references gas_bookable_units (account_id, id)
);

create index int_room_types_raw on int_room_types using gin (raw_data jsonb_path_ops);
create index int_room_types_by_unit on int_room_types (account_id, gas_unit_id) where gas_unit_id is not null;

create table int_rate_plans (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    int_property_id bigint,
    external_id text collate "C" not null,
    name text collate "C" not null,
    gas_rate_plan_id bigint,
    record jsonb not null,
    raw_data jsonb not null,
    digest text collate "C" not null,
    revision text collate "C",
    modified_at timestamptz,
    observed_at timestamptz not null,
    parked jsonb,
    synced_at timestamptz not null,
    deleted_at timestamptz,
    mended jsonb,
    primary key (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_property_id) references int_properties (account_id, id),
    foreign key (account_id, gas_rate_plan_id) references gas_rate_plans (account_id, id)
);

create index int_rate_plans_taken_back on int_rate_plans (deleted_at) where deleted_at is not null;

create table int_guests (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    external_id text collate "C" not null,
    email text collate "C",
    gas_guest_id bigint,
    synced_at timestamptz not null,
    record jsonb,
    raw_data jsonb,
    digest text collate "C",
    observed_at timestamptz,
    revision text collate "C",
    modified_at timestamptz,
    parked jsonb,
    deleted_at timestamptz,
    mended jsonb,
    primary key (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, gas_guest_id) references gas_guests (account_id, id)
);

create index int_guests_taken_back on int_guests (deleted_at) where deleted_at is not null;

create table int_reservations (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    int_room_type_id bigint,
    external_id text collate "C" not null,
    property_external_id text collate "C",
    status text collate "C" not null,
    source_channel text collate "C",
    guest_first_name text collate "C",
    guest_last_name text collate "C",
    guest_email text collate "C",
    guest_phone text collate "C",
    adults bigint,
    children bigint,
    total_price bigint,
    currency text collate "C",
    gas_booking_id bigint,
    record jsonb not null,
    raw_data jsonb not null,
    digest text collate "C" not null,
    revision text collate "C",
    modified_at timestamptz,
    observed_at timestamptz not null,
    parked jsonb,
    synced_at timestamptz not null,
    deleted_at timestamptz,
    mended jsonb,
    check_in date,
    check_out date,
    primary key (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id),
    foreign key (account_id, gas_booking_id) references gas_bookings (account_id, id)
);

create index int_reservations_parked on int_reservations (account_id, source_id) where parked is not null;
create index int_reservations_by_arrival on int_reservations (account_id, source_id, check_in);
create index int_reservations_raw on int_reservations using gin (raw_data jsonb_path_ops);
create index int_reservations_taken_back on int_reservations (deleted_at) where deleted_at is not null;

-- The calendar of a channel as last read. rate_plan_external_id is empty for a channel without rate plans.
create table int_availability (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    int_room_type_id bigint not null,
    rate_plan_external_id text collate "C" not null,
    date date not null,
    available boolean,
    units_available bigint check (units_available >= 0),
    price bigint check (price >= 0),
    currency text collate "C",
    min_stay bigint check (min_stay >= 0),
    max_stay bigint check (max_stay >= 0),
    closed_to_arrival boolean,
    closed_to_departure boolean,
    raw_data jsonb not null,
    observed_at timestamptz not null,
    synced_at timestamptz not null,
    min_stay_through bigint check (min_stay_through >= 0),
    exact_stay bigint check (exact_stay >= 0),
    min_advance_days bigint check (min_advance_days >= 0),
    max_advance_days bigint check (max_advance_days >= 0),
    -- Additional fields from the channel.
    extra jsonb not null default '{}',
    primary key (account_id, id),
    unique (account_id, int_room_type_id, rate_plan_external_id, date),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id)
);

-- Nights that a channel took out of sale. In the core each block is one maintenance row per unit.
create table int_blocks (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    external_id text collate "C" not null,
    record jsonb not null,
    raw_data jsonb not null,
    digest text collate "C" not null,
    revision text collate "C",
    modified_at timestamptz,
    observed_at timestamptz not null,
    parked jsonb,
    synced_at timestamptz not null,
    deleted_at timestamptz,
    mended jsonb,
    primary key (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

-- The maintenance rows that represent a block.
create table int_block_maintenance (
    account_id bigint not null,
    int_block_id bigint not null,
    gas_maintenance_id bigint not null,
    primary key (account_id, int_block_id, gas_maintenance_id),
    foreign key (account_id, int_block_id) references int_blocks (account_id, id)
);

-- Nights that a channel shows closed although neither its bookings nor our pushes explain it. A closure by flag
-- (by_word) stays as long as the channel shows the flag; a closure by count follows the count.
create table int_closures (
    account_id bigint not null,
    source_id bigint not null,
    int_room_type_id bigint not null,
    night date not null,
    gas_unit_id bigint not null,
    by_word boolean not null,
    -- Number of closed units; a closure by flag closes all units.
    units bigint not null check (units >= 0),
    -- A person decided to sell the night despite the closure.
    waived boolean not null,
    gas_closure_id bigint,
    since timestamptz not null,
    observed_at timestamptz not null,
    primary key (account_id, source_id, int_room_type_id, night),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id),
    foreign key (account_id, gas_unit_id) references gas_bookable_units (account_id, id)
);

-- Finds the sources that closed a night of a unit.
create index int_closures_by_unit on int_closures (account_id, gas_unit_id, night);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array[
        'int_properties', 'int_room_types', 'int_rate_plans', 'int_guests', 'int_reservations', 'int_availability',
        'int_blocks', 'int_block_maintenance', 'int_closures'
    ] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end $$;
