-- The core: properties, units, guests, bookings, holds, rates and payments. No column in these tables refers to a
-- channel.

create table gas_properties (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    name text not null,
    description text,
    street text,
    city text,
    state text,
    postcode text,
    country text,
    latitude real,
    longitude real,
    currency text,
    time_zone text,
    created_at text not null,
    updated_at text not null,
    unique (account_id, id)
) strict;

create table gas_bookable_units (
    account_id integer not null,
    id integer primary key autoincrement,
    property_id integer not null,
    name text not null,
    description text,
    max_occupancy integer check (max_occupancy >= 0),
    quantity integer not null check (quantity >= 0),
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    foreign key (account_id, property_id) references gas_properties (account_id, id)
) strict;

-- A house and its rooms: selling the whole sells its parts, and selling a part sells the whole.
create table gas_unit_links (
    account_id integer not null,
    whole_id integer not null,
    part_id integer not null,
    quantity integer not null check (quantity > 0),
    updated_at text not null,
    primary key (account_id, whole_id, part_id),
    check (whole_id <> part_id),
    foreign key (account_id, whole_id) references gas_bookable_units (account_id, id),
    foreign key (account_id, part_id) references gas_bookable_units (account_id, id)
) strict, without rowid;

create index gas_unit_links_by_part on gas_unit_links (account_id, part_id);

create table gas_guests (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    first_name text,
    last_name text,
    email text,
    phone text,
    country text,
    language text,
    created_at text not null,
    updated_at text not null,
    -- Address and family name in lower case, for matching: row-level security lets an index compare only plain
    -- columns.
    own_email text,
    family_name text,
    street text,
    city text,
    state text,
    postcode text,
    unique (account_id, id)
) strict;

create index gas_guests_by_identity on gas_guests (account_id, own_email, family_name);

create table gas_bookings (
    account_id integer not null,
    id integer primary key autoincrement,
    property_id integer not null,
    guest_id integer,
    status text not null check (status in ('confirmed', 'pending', 'inquiry', 'cancelled', 'declined', 'no-show')),
    guests integer check (guests >= 0),
    adults integer check (adults >= 0),
    children integer check (children >= 0),
    infants integer check (infants >= 0),
    total_price integer,
    currency text,
    notes text,
    created_at text not null,
    updated_at text not null,
    -- When a pending booking releases its nights.
    hold_until text,
    check_in text not null,
    check_out text not null,
    unique (account_id, id),
    check (check_in < check_out),
    foreign key (account_id, property_id) references gas_properties (account_id, id),
    foreign key (account_id, guest_id) references gas_guests (account_id, id)
) strict;

create index gas_bookings_on_hold on gas_bookings (hold_until) where status = 'pending';

-- A hold keeps nights for something that a person has yet to decide, such as a parked reservation. It belongs to no
-- booking, so the outbox has no fact about it.
create table gas_holds (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    property_id integer,
    reason text not null,
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    foreign key (account_id, property_id) references gas_properties (account_id, id)
) strict;

-- The rooms of bookings and of holds. Each row belongs to exactly one of the two.
create table gas_booking_rooms (
    account_id integer not null,
    id integer primary key autoincrement,
    booking_id integer,
    hold_id integer,
    position integer not null check (position >= 0),
    unit_id integer not null,
    guests integer check (guests >= 0),
    adults integer check (adults >= 0),
    children integer check (children >= 0),
    infants integer check (infants >= 0),
    total_price integer,
    updated_at text not null,
    check_in text not null,
    check_out text not null,
    unique (account_id, id),
    unique (account_id, booking_id, position),
    check (check_in < check_out),
    check ((booking_id is null) <> (hold_id is null)),
    foreign key (account_id, booking_id) references gas_bookings (account_id, id),
    foreign key (account_id, hold_id) references gas_holds (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
) strict;

create index gas_booking_rooms_by_unit on gas_booking_rooms (account_id, unit_id, check_in);
create unique index gas_booking_rooms_of_holds on gas_booking_rooms (account_id, hold_id, position)
    where hold_id is not null;
-- Finds holds that have ended.
create index gas_booking_rooms_held_until on gas_booking_rooms (check_out) where hold_id is not null;

create table gas_maintenance (
    account_id integer not null,
    id integer primary key autoincrement,
    unit_id integer not null,
    kind text not null check (kind in ('maintenance', 'out-of-order')),
    starts_on text not null,
    ends_on text not null,
    quantity integer not null check (quantity > 0),
    reason text,
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    check (starts_on < ends_on),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
) strict;

create index gas_maintenance_by_unit on gas_maintenance (account_id, unit_id, starts_on);

create table gas_housekeeping (
    account_id integer not null,
    id integer primary key autoincrement,
    unit_id integer not null,
    on_date text not null,
    status text not null check (status in ('clean', 'dirty', 'inspected', 'out-of-service')),
    note text,
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    unique (account_id, unit_id, on_date),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
) strict;

create table gas_rate_plans (
    account_id integer not null,
    id integer primary key autoincrement,
    property_id integer not null,
    name text not null,
    description text,
    currency text,
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    foreign key (account_id, property_id) references gas_properties (account_id, id)
) strict;

-- Prices and stay rules of a unit under a rate plan, per night.
create table gas_nightly_rates (
    account_id integer not null,
    rate_plan_id integer not null,
    unit_id integer not null,
    night text not null,
    price integer check (price >= 0),
    currency text,
    min_stay integer check (min_stay >= 1),
    max_stay integer check (max_stay >= 1),
    closed integer not null check (closed in (0, 1)),
    closed_to_arrival integer not null check (closed_to_arrival in (0, 1)),
    closed_to_departure integer not null check (closed_to_departure in (0, 1)),
    updated_at text not null,
    min_stay_through integer check (min_stay_through >= 1),
    exact_stay integer check (exact_stay >= 1),
    min_advance_days integer check (min_advance_days >= 1),
    max_advance_days integer check (max_advance_days >= 0),
    primary key (account_id, rate_plan_id, unit_id, night),
    foreign key (account_id, rate_plan_id) references gas_rate_plans (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
) strict, without rowid;

create table gas_websites (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    name text not null,
    address text not null,
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    unique (account_id, address)
) strict;

create table gas_website_units (
    account_id integer not null,
    website_id integer not null,
    unit_id integer not null,
    position integer not null check (position >= 0),
    updated_at text not null,
    primary key (account_id, website_id, unit_id),
    foreign key (account_id, website_id) references gas_websites (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
) strict, without rowid;

create table gas_payments (
    account_id integer not null,
    id integer primary key autoincrement,
    booking_id integer not null,
    amount integer not null,
    currency text not null,
    method text,
    status text not null check (status in ('pending', 'paid', 'failed', 'refunded')),
    paid_at text,
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    foreign key (account_id, booking_id) references gas_bookings (account_id, id)
) strict;

create index gas_payments_by_booking on gas_payments (account_id, booking_id);
