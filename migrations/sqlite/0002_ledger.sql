-- The nightly ledger, and the rest of the core.

alter table gas_bookings add column hold_until text;

create unique index gas_booking_rooms_by_account on gas_booking_rooms (account_id, id);

-- A house and its rooms: selling the whole takes its parts, selling a part takes the whole.
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

-- One row per unit and night that anything was ever on. A night without a row has the unit's quantity, and nothing on it.
create table gas_unit_nights (
    account_id integer not null,
    unit_id integer not null,
    night text not null,
    capacity integer not null check (capacity >= 0),
    sold integer not null check (sold >= 0),
    held integer not null check (held >= 0),
    blocked integer not null check (blocked >= 0),
    excess integer not null check (excess >= 0),
    updated_at text not null,
    primary key (account_id, unit_id, night),
    check (sold + held <= capacity),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
) strict, without rowid;

create index gas_unit_nights_overbooked on gas_unit_nights (account_id, night) where excess > 0;

-- What each sold room has of the ledger: its sums are the ledger's columns.
create table gas_booking_nights (
    account_id integer not null,
    booking_room_id integer not null,
    night text not null,
    unit_id integer not null,
    bucket text not null check (bucket in ('sold', 'held', 'excess')),
    primary key (account_id, booking_room_id, night),
    foreign key (account_id, booking_room_id) references gas_booking_rooms (account_id, id),
    foreign key (account_id, unit_id, night) references gas_unit_nights (account_id, unit_id, night)
) strict, without rowid;

create index gas_booking_nights_by_unit on gas_booking_nights (account_id, unit_id, night);
create index gas_bookings_on_hold on gas_bookings (hold_until) where status = 'pending';

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

-- Prices and stay rules of a unit under a rate plan, night by night.
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

-- The outbox tells of nights in spans, and a booking once for each transaction that changed it.

alter table int_outbox add column first_night text;
alter table int_outbox add column last_night text;

create unique index int_outbox_by_sequence on int_outbox (account_id, sequence) where sequence is not null;
create index int_outbox_waiting on int_outbox (id) where sequence is null;

-- News of nights that waits for the relay is one row, whose span grows.
create unique index int_outbox_spans
    on int_outbox (account_id, entity_type, entity_id, coalesce(origin_source_id, 0))
    where sequence is null and first_night is not null;

-- The last sequence that the relay gave in an account's feed of changes.
create table int_feeds (
    account_id integer not null primary key references gas_accounts (id),
    last_sequence integer not null
) strict;

-- A room belongs to its booking, which most often waits in the outbox already.

drop trigger gas_booking_rooms_created;
drop trigger gas_booking_rooms_updated;
drop trigger gas_booking_rooms_deleted;
create trigger gas_booking_rooms_created after insert on gas_booking_rooms begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'booking', new.booking_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context
    where not exists (select 1 from int_outbox o where o.account_id = new.account_id and o.sequence is null
        and o.entity_type = 'booking' and o.entity_id = new.booking_id);
end;
create trigger gas_booking_rooms_updated after update on gas_booking_rooms begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'booking', new.booking_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context
    where not exists (select 1 from int_outbox o where o.account_id = new.account_id and o.sequence is null
        and o.entity_type = 'booking' and o.entity_id = new.booking_id);
end;
create trigger gas_booking_rooms_deleted after delete on gas_booking_rooms begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'booking', old.booking_id, 'updated', origin_source_id, old.updated_at
    from gas_change_context
    where not exists (select 1 from int_outbox o where o.account_id = old.account_id and o.sequence is null
        and o.entity_type = 'booking' and o.entity_id = old.booking_id);
end;

create trigger gas_unit_nights_updated after update on gas_unit_nights
when (new.capacity, new.sold, new.held, new.blocked) <> (old.capacity, old.sold, old.held, old.blocked) begin
    insert into int_outbox
        (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
    select new.account_id, 'availability', new.unit_id, 'updated', origin_source_id, new.updated_at, new.night, new.night
    from gas_change_context where true
    on conflict (account_id, entity_type, entity_id, coalesce(origin_source_id, 0))
        where sequence is null and first_night is not null
    do update set first_night = min(first_night, excluded.first_night), last_night = max(last_night, excluded.last_night);
end;
create trigger gas_unit_nights_overbooked after update on gas_unit_nights when new.excess > old.excess begin
    insert into int_outbox
        (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
    select new.account_id, 'overbooking', new.unit_id, 'created', origin_source_id, new.updated_at, new.night, new.night
    from gas_change_context where true
    on conflict (account_id, entity_type, entity_id, coalesce(origin_source_id, 0))
        where sequence is null and first_night is not null
    do update set first_night = min(first_night, excluded.first_night), last_night = max(last_night, excluded.last_night);
end;

create trigger gas_nightly_rates_created after insert on gas_nightly_rates begin
    insert into int_outbox
        (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
    select new.account_id, 'rate', new.unit_id, 'updated', origin_source_id, new.updated_at, new.night, new.night
    from gas_change_context where true
    on conflict (account_id, entity_type, entity_id, coalesce(origin_source_id, 0))
        where sequence is null and first_night is not null
    do update set first_night = min(first_night, excluded.first_night), last_night = max(last_night, excluded.last_night);
end;
create trigger gas_nightly_rates_updated after update on gas_nightly_rates begin
    insert into int_outbox
        (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
    select new.account_id, 'rate', new.unit_id, 'updated', origin_source_id, new.updated_at, new.night, new.night
    from gas_change_context where true
    on conflict (account_id, entity_type, entity_id, coalesce(origin_source_id, 0))
        where sequence is null and first_night is not null
    do update set first_night = min(first_night, excluded.first_night), last_night = max(last_night, excluded.last_night);
end;
create trigger gas_nightly_rates_deleted after delete on gas_nightly_rates begin
    insert into int_outbox
        (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
    select old.account_id, 'rate', old.unit_id, 'updated', origin_source_id, old.updated_at, old.night, old.night
    from gas_change_context where true
    on conflict (account_id, entity_type, entity_id, coalesce(origin_source_id, 0))
        where sequence is null and first_night is not null
    do update set first_night = min(first_night, excluded.first_night), last_night = max(last_night, excluded.last_night);
end;

create trigger gas_rate_plans_created after insert on gas_rate_plans begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'rate_plan', new.id, 'created', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_rate_plans_updated after update on gas_rate_plans begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'rate_plan', new.id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_rate_plans_deleted after delete on gas_rate_plans begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'rate_plan', old.id, 'deleted', origin_source_id, old.updated_at from gas_change_context;
end;
create trigger gas_websites_created after insert on gas_websites begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'website', new.id, 'created', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_websites_updated after update on gas_websites begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'website', new.id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_websites_deleted after delete on gas_websites begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'website', old.id, 'deleted', origin_source_id, old.updated_at from gas_change_context;
end;

-- Housekeeping, maintenance, links and websites are news of the unit.

create trigger gas_maintenance_created after insert on gas_maintenance begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.unit_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context;
end;
create trigger gas_maintenance_updated after update on gas_maintenance begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.unit_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context;
end;
create trigger gas_maintenance_deleted after delete on gas_maintenance begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'bookable_unit', old.unit_id, 'updated', origin_source_id, old.updated_at
    from gas_change_context;
end;
create trigger gas_housekeeping_created after insert on gas_housekeeping begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.unit_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context;
end;
create trigger gas_housekeeping_updated after update on gas_housekeeping begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.unit_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context;
end;
create trigger gas_housekeeping_deleted after delete on gas_housekeeping begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'bookable_unit', old.unit_id, 'updated', origin_source_id, old.updated_at
    from gas_change_context;
end;
create trigger gas_website_units_created after insert on gas_website_units begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.unit_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context;
end;
create trigger gas_website_units_updated after update on gas_website_units begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.unit_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context;
end;
create trigger gas_website_units_deleted after delete on gas_website_units begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'bookable_unit', old.unit_id, 'updated', origin_source_id, old.updated_at
    from gas_change_context;
end;
create trigger gas_unit_links_created after insert on gas_unit_links begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.whole_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context;
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.part_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context;
end;
create trigger gas_unit_links_updated after update on gas_unit_links begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.whole_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context;
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.part_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context;
end;
create trigger gas_unit_links_deleted after delete on gas_unit_links begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'bookable_unit', old.whole_id, 'updated', origin_source_id, old.updated_at
    from gas_change_context;
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'bookable_unit', old.part_id, 'updated', origin_source_id, old.updated_at
    from gas_change_context;
end;

create trigger gas_payments_created after insert on gas_payments begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'booking', new.booking_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context;
end;
create trigger gas_payments_updated after update on gas_payments begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'booking', new.booking_id, 'updated', origin_source_id, new.updated_at
    from gas_change_context;
end;
create trigger gas_payments_deleted after delete on gas_payments begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'booking', old.booking_id, 'updated', origin_source_id, old.updated_at
    from gas_change_context;
end;

-- What was booked before there was a ledger is in it now: what fits in the order of booking, the rest in excess.

insert into gas_unit_nights (account_id, unit_id, night, capacity, sold, held, blocked, excess, updated_at)
with recursive slept (account_id, room_id, unit_id, night, check_out, pending, updated_at) as (
    select r.account_id, r.id, r.unit_id, r.check_in, r.check_out, b.status = 'pending', b.updated_at
    from gas_booking_rooms r
    join gas_bookings b on b.account_id = r.account_id and b.id = r.booking_id
    where b.status in ('confirmed', 'pending', 'no-show')
    union all
    select account_id, room_id, unit_id, date(night, '+1 day'), check_out, pending, updated_at
    from slept where date(night, '+1 day') < check_out
)
select s.account_id, s.unit_id, s.night, u.quantity,
       min(count(*) filter (where not s.pending), u.quantity),
       min(count(*) filter (where s.pending), max(u.quantity - count(*) filter (where not s.pending), 0)),
       0, max(count(*) - u.quantity, 0), max(s.updated_at)
from slept s
join gas_bookable_units u on u.account_id = s.account_id and u.id = s.unit_id
group by s.account_id, s.unit_id, s.night, u.quantity;

insert into gas_booking_nights (account_id, booking_room_id, night, unit_id, bucket)
with recursive slept (account_id, room_id, unit_id, night, check_out, pending) as (
    select r.account_id, r.id, r.unit_id, r.check_in, r.check_out, b.status = 'pending'
    from gas_booking_rooms r
    join gas_bookings b on b.account_id = r.account_id and b.id = r.booking_id
    where b.status in ('confirmed', 'pending', 'no-show')
    union all
    select account_id, room_id, unit_id, date(night, '+1 day'), check_out, pending
    from slept where date(night, '+1 day') < check_out
), placed as (
    select s.*, u.quantity,
           row_number() over (partition by s.account_id, s.unit_id, s.night order by s.pending, s.room_id) as place
    from slept s
    join gas_bookable_units u on u.account_id = s.account_id and u.id = s.unit_id
)
select account_id, room_id, night, unit_id,
       case when place > quantity then 'excess' when pending then 'held' else 'sold' end
from placed;
