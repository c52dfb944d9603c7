-- The nightly ledger, and the rest of the core.

-- Row-level security holds this file too: it must say that it is the platform's own hand.
select set_config('gassync.account_id', 'platform', true);

alter table gas_bookings add column hold_until timestamptz;

-- A house and its rooms: selling the whole takes its parts, selling a part takes the whole.
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

-- One row per unit and night that anything was ever on. A night without a row has the unit's quantity, and nothing on it.
create table gas_unit_nights (
    account_id bigint not null,
    unit_id bigint not null,
    night date not null,
    capacity bigint not null check (capacity >= 0),
    sold bigint not null check (sold >= 0),
    held bigint not null check (held >= 0),
    blocked bigint not null check (blocked >= 0),
    excess bigint not null check (excess >= 0),
    updated_at timestamptz not null,
    primary key (account_id, unit_id, night),
    check (sold + held <= capacity),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
);

create index gas_unit_nights_overbooked on gas_unit_nights (account_id, night) where excess > 0;

-- What each sold room has of the ledger: its sums are the ledger's columns.
create table gas_booking_nights (
    account_id bigint not null,
    booking_room_id bigint not null,
    night date not null,
    unit_id bigint not null,
    bucket text collate "C" not null check (bucket in ('sold', 'held', 'excess')),
    primary key (account_id, booking_room_id, night),
    foreign key (account_id, booking_room_id) references gas_booking_rooms (account_id, id),
    foreign key (account_id, unit_id, night) references gas_unit_nights (account_id, unit_id, night)
);

create index gas_booking_nights_by_unit on gas_booking_nights (account_id, unit_id, night);
create index gas_bookings_on_hold on gas_bookings (hold_until) where status = 'pending';

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

-- Prices and stay rules of a unit under a rate plan, night by night.
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

-- The outbox tells of nights in spans, and a booking once for each transaction that changed it.

alter table int_outbox add column first_night date;
alter table int_outbox add column last_night date;

create unique index int_outbox_by_sequence on int_outbox (account_id, sequence) where sequence is not null;
create index int_outbox_waiting on int_outbox (id) where sequence is null;

-- The last sequence that the relay gave in an account's feed of changes.
create table int_feeds (
    account_id bigint not null primary key references gas_accounts (id),
    last_sequence bigint not null
);

create or replace function gas_to_outbox() returns trigger language plpgsql as $$
declare
    origin bigint := nullif(current_setting('gassync.origin_source_id', true), '')::bigint;
begin
    if tg_table_name = 'gas_booking_rooms' then
        -- A room belongs to its booking, which this transaction has most often told of already.
        insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
        select c.account_id, 'booking', c.booking_id, 'updated', origin, max(c.updated_at)
        from changed c
        where not exists (select 1 from int_outbox o where o.account_id = c.account_id and o.sequence is null
            and o.entity_type = 'booking' and o.entity_id = c.booking_id and o.xmin = pg_current_xact_id()::xid)
        group by c.account_id, c.booking_id;
    elsif tg_table_name = 'gas_unit_nights' then
        insert into int_outbox
            (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
        select n.account_id, 'availability', n.unit_id, 'updated', origin, max(n.updated_at), min(n.night), max(n.night)
        from changed n join former f using (account_id, unit_id, night)
        where (n.capacity, n.sold, n.held, n.blocked) <> (f.capacity, f.sold, f.held, f.blocked)
        group by n.account_id, n.unit_id;
        insert into int_outbox
            (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
        select n.account_id, 'overbooking', n.unit_id, 'created', origin, max(n.updated_at), min(n.night), max(n.night)
        from changed n join former f using (account_id, unit_id, night)
        where n.excess > f.excess group by n.account_id, n.unit_id;
    elsif tg_table_name = 'gas_nightly_rates' then
        insert into int_outbox
            (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
        select account_id, 'rate', unit_id, 'updated', origin, max(updated_at), min(night), max(night)
        from changed group by account_id, unit_id;
    elsif tg_argv[0] = 'bookable_unit' and tg_table_name <> 'gas_bookable_units' then
        -- Housekeeping, maintenance, links and websites are news of the unit.
        insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
        select c.account_id, 'bookable_unit', u.unit_id, 'updated', origin, max(c.updated_at)
        from changed c, lateral (
            select (to_jsonb(c) ->> key)::bigint as unit_id from unnest(array['unit_id', 'whole_id', 'part_id']) as key
        ) u
        where u.unit_id is not null group by c.account_id, u.unit_id;
    elsif tg_table_name = 'gas_payments' then
        insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
        select account_id, 'booking', booking_id, 'updated', origin, max(updated_at)
        from changed group by account_id, booking_id;
    else
        insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
        select account_id, tg_argv[0], id, tg_argv[1], origin, updated_at from changed;
    end if;
    return null;
end $$;

create trigger gas_unit_nights_updated after update on gas_unit_nights
    referencing old table as former new table as changed
    for each statement execute function gas_to_outbox('availability', 'updated');

create trigger gas_nightly_rates_created after insert on gas_nightly_rates referencing new table as changed
    for each statement execute function gas_to_outbox('rate', 'updated');
create trigger gas_nightly_rates_updated after update on gas_nightly_rates referencing new table as changed
    for each statement execute function gas_to_outbox('rate', 'updated');
create trigger gas_nightly_rates_deleted after delete on gas_nightly_rates referencing old table as changed
    for each statement execute function gas_to_outbox('rate', 'updated');

create trigger gas_rate_plans_created after insert on gas_rate_plans referencing new table as changed
    for each statement execute function gas_to_outbox('rate_plan', 'created');
create trigger gas_rate_plans_updated after update on gas_rate_plans referencing new table as changed
    for each statement execute function gas_to_outbox('rate_plan', 'updated');
create trigger gas_rate_plans_deleted after delete on gas_rate_plans referencing old table as changed
    for each statement execute function gas_to_outbox('rate_plan', 'deleted');

create trigger gas_websites_created after insert on gas_websites referencing new table as changed
    for each statement execute function gas_to_outbox('website', 'created');
create trigger gas_websites_updated after update on gas_websites referencing new table as changed
    for each statement execute function gas_to_outbox('website', 'updated');
create trigger gas_websites_deleted after delete on gas_websites referencing old table as changed
    for each statement execute function gas_to_outbox('website', 'deleted');

do $$
declare
    of_units text;
begin
    foreach of_units in array array['gas_unit_links', 'gas_maintenance', 'gas_housekeeping', 'gas_website_units'] loop
        execute format('create trigger %I after insert on %I referencing new table as changed
            for each statement execute function gas_to_outbox(''bookable_unit'', ''updated'')', of_units || '_created', of_units);
        execute format('create trigger %I after update on %I referencing new table as changed
            for each statement execute function gas_to_outbox(''bookable_unit'', ''updated'')', of_units || '_updated', of_units);
        execute format('create trigger %I after delete on %I referencing old table as changed
            for each statement execute function gas_to_outbox(''bookable_unit'', ''updated'')', of_units || '_deleted', of_units);
    end loop;
end $$;

create trigger gas_payments_created after insert on gas_payments referencing new table as changed
    for each statement execute function gas_to_outbox('booking', 'updated');
create trigger gas_payments_updated after update on gas_payments referencing new table as changed
    for each statement execute function gas_to_outbox('booking', 'updated');
create trigger gas_payments_deleted after delete on gas_payments referencing old table as changed
    for each statement execute function gas_to_outbox('booking', 'updated');

do $$
declare
    tenant_table text;
begin
    for tenant_table in
        select c.table_name from information_schema.columns c
        where c.table_schema = current_schema() and c.column_name = 'account_id'
          and not exists (select 1 from pg_policies p where p.tablename = c.table_name)
    loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end $$;

-- What was booked before there was a ledger is in it now: what fits in the order of booking, the rest in excess.

insert into gas_unit_nights (account_id, unit_id, night, capacity, sold, held, blocked, excess, updated_at)
select r.account_id, r.unit_id, n::date, u.quantity,
       least(count(*) filter (where b.status <> 'pending'), u.quantity),
       least(count(*) filter (where b.status = 'pending'),
             greatest(u.quantity - count(*) filter (where b.status <> 'pending'), 0)),
       0, greatest(count(*) - u.quantity, 0), max(b.updated_at)
from gas_booking_rooms r
join gas_bookings b on b.account_id = r.account_id and b.id = r.booking_id
join gas_bookable_units u on u.account_id = r.account_id and u.id = r.unit_id
cross join lateral generate_series(r.check_in, r.check_out - 1, interval '1 day') n
where b.status in ('confirmed', 'pending', 'no-show')
group by r.account_id, r.unit_id, n, u.quantity;

insert into gas_booking_nights (account_id, booking_room_id, night, unit_id, bucket)
select account_id, room_id, night, unit_id, case when place <= quantity then bucket else 'excess' end
from (
    select r.account_id, r.id as room_id, n::date as night, r.unit_id, u.quantity,
           case b.status when 'pending' then 'held' else 'sold' end as bucket,
           row_number() over (partition by r.account_id, r.unit_id, n order by b.status = 'pending', r.id) as place
    from gas_booking_rooms r
    join gas_bookings b on b.account_id = r.account_id and b.id = r.booking_id
    join gas_bookable_units u on u.account_id = r.account_id and u.id = r.unit_id
    cross join lateral generate_series(r.check_in, r.check_out - 1, interval '1 day') n
    where b.status in ('confirmed', 'pending', 'no-show')
) placed;
