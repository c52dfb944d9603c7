-- The ledger: sold, held, blocked and overbooked units per night.

-- One row per unit and night that was ever sold, held, blocked or overbooked. A night without a row has the full
-- quantity of its unit available.
create table gas_unit_nights (
    account_id bigint not null,
    unit_id bigint not null,
    night date not null,
    capacity bigint not null check (capacity >= 0),
    sold bigint not null check (sold >= 0),
    held bigint not null check (held >= 0),
    blocked bigint not null check (blocked >= 0),
    overbooked bigint not null check (overbooked >= 0),
    updated_at timestamptz not null,
    primary key (account_id, unit_id, night),
    check (sold + held <= capacity),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
);

create index gas_unit_nights_overbooked on gas_unit_nights (account_id, night) where overbooked > 0;

-- Which bucket of the ledger each night of a room uses. The columns of gas_unit_nights are the sums of these rows.
create table gas_booking_nights (
    account_id bigint not null,
    booking_room_id bigint not null,
    night date not null,
    unit_id bigint not null,
    bucket text collate "C" not null check (bucket in ('sold', 'held', 'overbooked')),
    primary key (account_id, booking_room_id, night),
    foreign key (account_id, booking_room_id) references gas_booking_rooms (account_id, id),
    foreign key (account_id, unit_id, night) references gas_unit_nights (account_id, unit_id, night)
);

create index gas_booking_nights_by_unit on gas_booking_nights (account_id, unit_id, night);

-- Manual closures. Each row is counted in gas_unit_nights.blocked of its night, whose triggers write the fact.
create table gas_closures (
    account_id bigint not null,
    id bigint generated always as identity,
    unit_id bigint not null,
    night date not null,
    quantity bigint not null check (quantity > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
);

create index gas_closures_by_night on gas_closures (account_id, unit_id, night);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array[
        'gas_unit_nights', 'gas_booking_nights', 'gas_closures'
    ] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end $$;
