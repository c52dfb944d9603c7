-- The core: properties, units, guests, bookings, holds, rates and payments. No column in these tables refers to a
-- channel.

create table gas_properties (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    name text collate "C" not null,
    description text collate "C",
    street text collate "C",
    city text collate "C",
    state text collate "C",
    postcode text collate "C",
    country text collate "C",
    latitude double precision,
    longitude double precision,
    currency text collate "C",
    time_zone text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id)
);

create table gas_bookable_units (
    account_id bigint not null,
    id bigint generated always as identity,
    property_id bigint not null,
    name text collate "C" not null,
    description text collate "C",
    max_occupancy bigint check (max_occupancy >= 0),
    quantity bigint not null check (quantity >= 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, property_id) references gas_properties (account_id, id)
);

-- A house and its rooms: selling the whole sells its parts, and selling a part sells the whole.
create table gas_unit_links (
    account_id bigint not null,
    whole_id bigint not null,
    part_id bigint not null,
    quantity bigint not null check (quantity > 0),
    updated_at timestamptz not null,
    primary key (account_id, whole_id, part_id),
    check (whole_id <> part_id),
    foreign key (account_id, whole_id) references gas_bookable_units (account_id, id),
    foreign key (account_id, part_id) references gas_bookable_units (account_id, id)
);

create index gas_unit_links_by_part on gas_unit_links (account_id, part_id);

create table gas_guests (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    first_name text collate "C",
    last_name text collate "C",
    email text collate "C",
    phone text collate "C",
    country text collate "C",
    language text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- Address and family name in lower case, for matching: row-level security lets an index compare only plain
    -- columns.
    own_email text collate "C",
    family_name text collate "C",
    street text collate "C",
    city text collate "C",
    state text collate "C",
    postcode text collate "C",
    primary key (account_id, id)
);

create index gas_guests_by_identity on gas_guests (account_id, own_email, family_name);

create table gas_bookings (
    account_id bigint not null,
    id bigint generated always as identity,
    property_id bigint not null,
    guest_id bigint,
    status text collate "C" not null
        check (status in ('confirmed', 'pending', 'inquiry', 'cancelled', 'declined', 'no-show')),
    guests bigint check (guests >= 0),
    adults bigint check (adults >= 0),
    children bigint check (children >= 0),
    infants bigint check (infants >= 0),
    total_price bigint,
    currency text collate "C",
    notes text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- When a pending booking releases its nights.
    hold_until timestamptz,
    check_in date not null,
    check_out date not null,
    primary key (account_id, id),
    check (check_in < check_out),
    foreign key (account_id, property_id) references gas_properties (account_id, id),
    foreign key (account_id, guest_id) references gas_guests (account_id, id)
);

create index gas_bookings_on_hold on gas_bookings (hold_until) where status = 'pending';

-- A hold keeps nights for something that a person has yet to decide, such as a parked reservation. It belongs to no
-- booking, so the outbox has no fact about it.
create table gas_holds (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    property_id bigint,
    reason text collate "C" not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, property_id) references gas_properties (account_id, id)
);

-- The rooms of bookings and of holds. Each row belongs to exactly one of the two.
create table gas_booking_rooms (
    account_id bigint not null,
    id bigint generated always as identity,
    booking_id bigint,
    position bigint not null check (position >= 0),
    unit_id bigint not null,
    guests bigint check (guests >= 0),
    adults bigint check (adults >= 0),
    children bigint check (children >= 0),
    infants bigint check (infants >= 0),
    total_price bigint,
    updated_at timestamptz not null,
    hold_id bigint,
    check_in date not null,
    check_out date not null,
    primary key (account_id, id),
    unique (account_id, booking_id, position),
    check (check_in < check_out),
    foreign key (account_id, booking_id) references gas_bookings (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id),
    check ((booking_id is null) <> (hold_id is null)),
    foreign key (account_id, hold_id) references gas_holds (account_id, id)
);

create index gas_booking_rooms_by_unit on gas_booking_rooms (account_id, unit_id, check_in);
create unique index gas_booking_rooms_of_holds on gas_booking_rooms (account_id, hold_id, position)
    where hold_id is not null;
-- Finds holds that have ended.
create index gas_booking_rooms_held_until on gas_booking_rooms (check_out) where hold_id is not null;

create table gas_maintenance (
    account_id bigint not null,
    id bigint generated always as identity,
    unit_id bigint not null,
    kind text collate "C" not null check (kind in ('maintenance', 'out-of-order')),
    starts_on date not null,
    ends_on date not null,
    quantity bigint not null check (quantity > 0),
    reason text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    check (starts_on < ends_on),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
);

create index gas_maintenance_by_unit on gas_maintenance (account_id, unit_id, starts_on);

create table gas_housekeeping (
    account_id bigint not null,
    id bigint generated always as identity,
    unit_id bigint not null,
    on_date date not null,
    status text collate "C" not null check (status in ('clean', 'dirty', 'inspected', 'out-of-service')),
    note text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    unique (account_id, unit_id, on_date),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
);

create table gas_rate_plans (
    account_id bigint not null,
    id bigint generated always as identity,
    property_id bigint not null,
    name text collate "C" not null,
    description text collate "C",
    currency text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, property_id) references gas_properties (account_id, id)
);

-- Prices and stay rules of a unit under a rate plan, per night.
create table gas_nightly_rates (
    account_id bigint not null,
    rate_plan_id bigint not null,
    unit_id bigint not null,
    night date not null,
    price bigint check (price >= 0),
    currency text collate "C",
    min_stay bigint check (min_stay >= 1),
    max_stay bigint check (max_stay >= 1),
    closed boolean not null,
    closed_to_arrival boolean not null,
    closed_to_departure boolean not null,
    updated_at timestamptz not null,
    min_stay_through bigint check (min_stay_through >= 1),
    exact_stay bigint check (exact_stay >= 1),
    min_advance_days bigint check (min_advance_days >= 1),
    max_advance_days bigint check (max_advance_days >= 0),
    primary key (account_id, rate_plan_id, unit_id, night),
    foreign key (account_id, rate_plan_id) references gas_rate_plans (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
);

create table gas_websites (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    name text collate "C" not null,
    address text collate "C" not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    unique (account_id, address)
);

create table gas_website_units (
    account_id bigint not null,
    website_id bigint not null,
    unit_id bigint not null,
    position bigint not null check (position >= 0),
    updated_at timestamptz not null,
    primary key (account_id, website_id, unit_id),
    foreign key (account_id, website_id) references gas_websites (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
);

create table gas_payments (
    account_id bigint not null,
    id bigint generated always as identity,
    booking_id bigint not null,
    amount bigint not null,
    currency text collate "C" not null,
    method text collate "C",
    status text collate "C" not null check (status in ('pending', 'paid', 'failed', 'refunded')),
    paid_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, booking_id) references gas_bookings (account_id, id)
);

create index gas_payments_by_booking on gas_payments (account_id, booking_id);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array[
        'gas_properties', 'gas_bookable_units', 'gas_unit_links', 'gas_guests', 'gas_bookings', 'gas_holds',
        'gas_booking_rooms', 'gas_maintenance', 'gas_housekeeping', 'gas_rate_plans', 'gas_nightly_rates',
        'gas_websites', 'gas_website_units', 'gas_payments'
    ] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end $$;
