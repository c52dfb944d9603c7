-- The ledger: sold, held, blocked and overbooked units per night.

-- One row per unit and night that was ever sold, held, blocked or overbooked. A night without a row has the full
-- quantity of its unit available.
create table gas_unit_nights (
    account_id integer not null,
    unit_id integer not null,
    night text not null,
    capacity integer not null check (capacity >= 0),
    sold integer not null check (sold >= 0),
    held integer not null check (held >= 0),
    blocked integer not null check (blocked >= 0),
    overbooked integer not null check (overbooked >= 0),
    updated_at text not null,
    primary key (account_id, unit_id, night),
    check (sold + held <= capacity),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
) strict, without rowid;

create index gas_unit_nights_overbooked on gas_unit_nights (account_id, night) where overbooked > 0;

-- Which bucket of the ledger each night of a room uses. The columns of gas_unit_nights are the sums of these rows.
create table gas_booking_nights (
    account_id integer not null,
    booking_room_id integer not null,
    night text not null,
    unit_id integer not null,
    bucket text not null check (bucket in ('sold', 'held', 'overbooked')),
    primary key (account_id, booking_room_id, night),
    foreign key (account_id, booking_room_id) references gas_booking_rooms (account_id, id),
    foreign key (account_id, unit_id, night) references gas_unit_nights (account_id, unit_id, night)
) strict, without rowid;

create index gas_booking_nights_by_unit on gas_booking_nights (account_id, unit_id, night);

-- Manual closures. Each row is counted in gas_unit_nights.blocked of its night, whose triggers write the fact.
create table gas_closures (
    account_id integer not null,
    id integer primary key autoincrement,
    unit_id integer not null,
    night text not null,
    quantity integer not null check (quantity > 0),
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
) strict;

create index gas_closures_by_night on gas_closures (account_id, unit_id, night);
