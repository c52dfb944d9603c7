-- Holds keep nights for what a person has yet to decide. Their rooms take nights as those of bookings do, and are of no booking:
-- no fact of a booking tells of them.

-- Row-level security holds this file too: it must say that it is the platform's own hand.
select set_config('gassync.account_id', 'platform', true);

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

-- The rooms of bookings and of holds: each is of one of the two.

alter table gas_booking_rooms alter column booking_id drop not null;
alter table gas_booking_rooms add column hold_id bigint;
alter table gas_booking_rooms add check ((booking_id is null) <> (hold_id is null));
alter table gas_booking_rooms add foreign key (account_id, hold_id) references gas_holds (account_id, id);

create unique index gas_booking_rooms_of_holds on gas_booking_rooms (account_id, hold_id, position) where hold_id is not null;
-- Which holds end.
create index gas_booking_rooms_held_until on gas_booking_rooms (check_out) where hold_id is not null;

create or replace function gas_to_outbox() returns trigger language plpgsql as $$
declare
    origin bigint := nullif(current_setting('gassync.origin_source_id', true), '')::bigint;
begin
    if tg_table_name = 'gas_booking_rooms' then
        -- A room belongs to its booking, which this transaction has most often told of already. Those of holds are of none.
        insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
        select c.account_id, 'booking', c.booking_id, 'updated', origin, max(c.updated_at)
        from changed c
        where c.booking_id is not null
            and not exists (select 1 from int_outbox o where o.account_id = c.account_id and o.sequence is null
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

-- The word on a reservation that waits, beside the last one that was applied.

create table int_parked_reservations (
    account_id bigint not null,
    source_id bigint not null,
    external_id text collate "C" not null,
    record jsonb not null,
    raw_data jsonb not null,
    mended jsonb,
    digest text collate "C" not null,
    revision text collate "C",
    modified_at timestamptz,
    observed_at timestamptz not null,
    -- All that it waits for.
    missing jsonb not null,
    -- What keeps its nights, where it has any to keep.
    hold_id bigint,
    -- Since when it waits, whatever was said of it meanwhile.
    parked_at timestamptz not null,
    synced_at timestamptz not null,
    primary key (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

insert into int_parked_reservations (account_id, source_id, external_id, record, raw_data, digest, revision, modified_at,
    observed_at, missing, parked_at, synced_at)
select account_id, source_id, external_id, record, raw_data, digest, revision, modified_at, observed_at, parked, synced_at,
    synced_at
from int_reservations where parked is not null;

-- Who decided what of a record that waited, and why: the same word again is not asked about again.

create table int_decisions (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    -- property, room_type, rate_plan, reservation or block.
    entity text collate "C" not null,
    external_id text collate "C" not null,
    -- Of the word that was decided.
    digest text collate "C" not null,
    decision text collate "C" not null check (decision in ('stand', 'cancel', 'ignore', 'link')),
    decided_by text collate "C" not null,
    why text collate "C" not null,
    created_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_decisions_of_record on int_decisions (account_id, source_id, entity, external_id, id);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['gas_holds', 'int_parked_reservations', 'int_decisions'] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end
$$;
