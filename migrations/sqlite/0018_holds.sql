-- Holds keep nights for what a person has yet to decide. Their rooms take nights as those of bookings do, and are of no booking:
-- no fact of a booking tells of them.

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

-- The rooms of bookings and of holds: each is of one of the two. The table and what refers to it are built anew.

create table rooms_of_both (
    account_id integer not null,
    id integer primary key autoincrement,
    booking_id integer,
    hold_id integer,
    position integer not null check (position >= 0),
    unit_id integer not null,
    check_in text not null,
    check_out text not null,
    guests integer check (guests >= 0),
    adults integer check (adults >= 0),
    children integer check (children >= 0),
    infants integer check (infants >= 0),
    total_price integer,
    updated_at text not null,
    unique (account_id, id),
    unique (account_id, booking_id, position),
    check (check_in < check_out),
    check ((booking_id is null) <> (hold_id is null)),
    foreign key (account_id, booking_id) references gas_bookings (account_id, id),
    foreign key (account_id, hold_id) references gas_holds (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
) strict;

insert into rooms_of_both (account_id, id, booking_id, position, unit_id, check_in, check_out, guests, adults, children,
    infants, total_price, updated_at)
select account_id, id, booking_id, position, unit_id, check_in, check_out, guests, adults, children, infants, total_price,
    updated_at
from gas_booking_rooms;

-- No key is given twice, whichever rooms have gone.
update sqlite_sequence set seq = (select max(seq) from sqlite_sequence where name in ('gas_booking_rooms', 'rooms_of_both'))
where name = 'rooms_of_both';

create table nights_of_both (
    account_id integer not null,
    booking_room_id integer not null,
    night text not null,
    unit_id integer not null,
    bucket text not null check (bucket in ('sold', 'held', 'excess')),
    primary key (account_id, booking_room_id, night),
    foreign key (account_id, booking_room_id) references rooms_of_both (account_id, id),
    foreign key (account_id, unit_id, night) references gas_unit_nights (account_id, unit_id, night)
) strict, without rowid;

insert into nights_of_both (account_id, booking_room_id, night, unit_id, bucket)
select account_id, booking_room_id, night, unit_id, bucket from gas_booking_nights;

drop table gas_booking_nights;
drop table gas_booking_rooms;
alter table rooms_of_both rename to gas_booking_rooms;
alter table nights_of_both rename to gas_booking_nights;

create index gas_booking_rooms_by_unit on gas_booking_rooms (account_id, unit_id, check_in);
create unique index gas_booking_rooms_of_holds on gas_booking_rooms (account_id, hold_id, position) where hold_id is not null;
-- Which holds end.
create index gas_booking_rooms_held_until on gas_booking_rooms (check_out) where hold_id is not null;
create index gas_booking_nights_by_unit on gas_booking_nights (account_id, unit_id, night);

create trigger gas_booking_rooms_created after insert on gas_booking_rooms when new.booking_id is not null begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'booking', new.booking_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context
    where not exists (select 1 from int_outbox o where o.account_id = new.account_id and o.sequence is null
        and o.entity_type = 'booking' and o.entity_id = new.booking_id);
end;
create trigger gas_booking_rooms_updated after update on gas_booking_rooms when new.booking_id is not null begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'booking', new.booking_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context
    where not exists (select 1 from int_outbox o where o.account_id = new.account_id and o.sequence is null
        and o.entity_type = 'booking' and o.entity_id = new.booking_id);
end;
create trigger gas_booking_rooms_deleted after delete on gas_booking_rooms when old.booking_id is not null begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'booking', old.booking_id, 'updated', origin_source_id, old.updated_at
    from gas_change_context
    where not exists (select 1 from int_outbox o where o.account_id = old.account_id and o.sequence is null
        and o.entity_type = 'booking' and o.entity_id = old.booking_id);
end;

-- The word on a reservation that waits, beside the last one that was applied.

create table int_parked_reservations (
    account_id integer not null,
    source_id integer not null,
    external_id text not null,
    record text not null,
    raw_data text not null,
    mended text,
    digest text not null,
    revision text,
    modified_at text,
    observed_at text not null,
    -- All that it waits for.
    missing text not null,
    -- What keeps its nights, where it has any to keep.
    hold_id integer,
    -- Since when it waits, whatever was said of it meanwhile.
    parked_at text not null,
    synced_at text not null,
    primary key (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict, without rowid;

insert into int_parked_reservations (account_id, source_id, external_id, record, raw_data, digest, revision, modified_at,
    observed_at, missing, parked_at, synced_at)
select account_id, source_id, external_id, record, raw_data, digest, revision, modified_at, observed_at, parked, synced_at,
    synced_at
from int_reservations where parked is not null;

-- Who decided what of a record that waited, and why: the same word again is not asked about again.

create table int_decisions (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    -- property, room_type, rate_plan, reservation or block.
    entity text not null,
    external_id text not null,
    -- Of the word that was decided.
    digest text not null,
    decision text not null check (decision in ('stand', 'cancel', 'ignore', 'link')),
    decided_by text not null,
    why text not null,
    created_at text not null,
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_decisions_of_record on int_decisions (account_id, source_id, entity, external_id, id);
