-- The core speaks: a queue that is fair, calendars and bookings as channels are to have them, and how sources are pushed to.

select set_config('gassync.account_id', 'platform', true);

-- The queue. A lane is worked by one at a time: a source's talk with its channel, and what this host does for it alone.

alter table int_jobs
    drop constraint int_jobs_state_check,
    add check (state in ('waiting', 'done', 'dead', 'cancelled')),
    add lane text collate "C" not null default 'channel' check (lane in ('channel', 'host')),
    -- The lower, the sooner.
    add priority bigint not null default 3,
    -- How often it was put in the queue: what ends is only the time that was worked on.
    add version bigint not null default 1,
    -- By which taking of its lane it was begun last.
    add claim bigint not null default 0,
    -- After this it is not tried again.
    add deadline timestamptz,
    -- The run of the work list that brought it back.
    add run_id bigint;

update int_jobs set lane = 'host' where kind = 'drive-parked';

drop index int_jobs_waiting;
create index int_jobs_waiting on int_jobs (account_id, source_id, lane, priority, run_at, id) where state = 'waiting';
create index int_jobs_due on int_jobs (account_id, source_id, lane, run_at) where state = 'waiting';
create index int_jobs_dead on int_jobs (account_id, source_id, id) where state = 'dead';
create index int_jobs_by_run on int_jobs (run_id) where run_id is not null;

create table int_lanes (
    account_id bigint not null,
    source_id bigint not null,
    lane text collate "C" not null check (lane in ('channel', 'host')),
    -- When the first of what waits in it is due; null where nothing does.
    due_at timestamptz,
    -- Until then somebody has it.
    busy_until timestamptz,
    -- Its channel wants to be left alone until then, and why.
    shut_until timestamptz,
    shut_why text collate "C",
    -- How often it was taken: whoever took it last has it.
    fence bigint not null default 0,
    served_at timestamptz not null,
    primary key (account_id, source_id, lane),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_lanes_due on int_lanes (due_at) where due_at is not null;
create index int_lanes_busy on int_lanes (account_id, busy_until) where busy_until is not null;

insert into int_lanes (account_id, source_id, lane, due_at, served_at)
select account_id, source_id, lane, min(run_at), min(created_at) from int_jobs where state = 'waiting'
group by account_id, source_id, lane;

-- When an account was served last: the one that waited longest is next.
create table int_turns (
    account_id bigint not null primary key references gas_accounts (id),
    served_at timestamptz not null
);

-- Dead work that is brought back, or thrown away, by a filter.
create table int_job_runs (
    id bigint generated always as identity primary key,
    filter jsonb not null,
    state text collate "C" not null check (state in ('running', 'cancelled')),
    jobs bigint not null,
    created_at timestamptz not null,
    cancelled_at timestamptz
);

-- The status that a booking came to with a fact; null where that is not what has changed.

alter table int_outbox add column status text collate "C";

create function gas_bookings_to_outbox() returns trigger language plpgsql as $$
declare
    origin bigint := nullif(current_setting('gassync.origin_source_id', true), '')::bigint;
begin
    if tg_op = 'INSERT' then
        insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at, status)
        select account_id, 'booking', id, 'created', origin, updated_at, status from changed;
    else
        insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at, status)
        select c.account_id, 'booking', c.id, 'updated', origin, c.updated_at,
               case when c.status <> f.status then c.status end
        from changed c join former f using (account_id, id);
    end if;
    return null;
end $$;

drop trigger gas_bookings_created on gas_bookings;
drop trigger gas_bookings_updated on gas_bookings;
create trigger gas_bookings_created after insert on gas_bookings referencing new table as changed
    for each statement execute function gas_bookings_to_outbox();
create trigger gas_bookings_updated after update on gas_bookings
    referencing old table as former new table as changed
    for each statement execute function gas_bookings_to_outbox();

-- A night that was sold too often and is not any more has as many to sell as before, and the channel that gave one back
-- sells it again: it is news of the night.
create function gas_excess_to_outbox() returns trigger language plpgsql as $$
begin
    insert into int_outbox
        (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
    select n.account_id, 'availability', n.unit_id, 'updated',
           nullif(current_setting('gassync.origin_source_id', true), '')::bigint, max(n.updated_at), min(n.night), max(n.night)
    from changed n join former f using (account_id, unit_id, night)
    where n.excess < f.excess and (n.capacity, n.sold, n.held, n.blocked) = (f.capacity, f.sold, f.held, f.blocked)
    group by n.account_id, n.unit_id;
    return null;
end $$;

create trigger gas_unit_nights_relieved after update on gas_unit_nights
    referencing old table as former new table as changed
    for each statement execute function gas_excess_to_outbox();

-- How a source is pushed to.

alter table int_sources add column push_bookings text collate "C" not null default 'direct'
    check (push_bookings in ('none', 'direct', 'all'));
alter table int_sources add column price_rounding text collate "C" not null default 'none'
    check (price_rounding in ('none', 'nearest', 'up', 'down'));
-- In ten-thousandths.
alter table int_sources add column price_rounding_step bigint check (price_rounding_step > 0);
-- What the channel's prices are in, and how many ten-thousandths of it one of the core's is.
alter table int_sources add column price_currency text collate "C";
alter table int_sources add column price_rate bigint check (price_rate > 0);
-- Units of each room type that are not offered there.
alter table int_sources add column safety_stock bigint not null default 0 check (safety_stock >= 0);
alter table int_sources add column horizon_days bigint not null default 365 check (horizon_days between 1 and 1100);
-- Whether what the channel says it took counts only after it was read there.
alter table int_sources add column read_back boolean not null default true;
-- The last night that was reckoned for it.
alter table int_sources add column reckoned_until date;

-- Whether what changes in the core goes to the channel, entity by entity.
alter table int_mappings add column push boolean not null default true;

create index int_room_types_by_unit on int_room_types (account_id, gas_unit_id) where gas_unit_id is not null;

-- Nights of a room type that are to be reckoned anew: something of the core has changed there.
create table int_calendar_touches (
    account_id bigint not null,
    source_id bigint not null,
    int_room_type_id bigint not null,
    first_night date not null,
    last_night date not null,
    -- Only the source's own bookings have changed it.
    own boolean not null,
    -- All of it is to be sent, also what is there.
    whole boolean not null,
    touched_at timestamptz not null,
    primary key (account_id, source_id, int_room_type_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id)
);

-- What a channel is to have of a night, what was sent, and what it surely has; each as the text of one JSON object.
-- rate_plan_external_id is empty where the source knows no rate plans.
create table int_channel_nights (
    account_id bigint not null,
    source_id bigint not null,
    int_room_type_id bigint not null,
    rate_plan_external_id text collate "C" not null,
    night date not null,
    wanted text collate "C" not null,
    sent text collate "C",
    confirmed text collate "C",
    -- due: to be sent; sent: to be read back; there; refused: for a person to mend.
    state text collate "C" not null check (state in ('due', 'sent', 'there', 'refused')),
    -- The last call did not end: it may have been taken.
    unknown boolean not null,
    -- How often what was sent was not there when it was read back.
    missed bigint not null,
    error text collate "C",
    -- The oldest change of the core that is not there.
    changed_at timestamptz not null,
    sent_at timestamptz,
    confirmed_at timestamptz,
    primary key (account_id, source_id, int_room_type_id, rate_plan_external_id, night),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id)
);

create index int_channel_nights_open on int_channel_nights (account_id, source_id, state, changed_at)
    where state <> 'there';
create index int_channel_nights_confirmed on int_channel_nights (account_id, source_id, confirmed_at);

-- How a booking of the core stands at a channel.
create table int_channel_bookings (
    account_id bigint not null,
    source_id bigint not null,
    booking_id bigint not null,
    state text collate "C" not null check (state in ('due', 'sent', 'there', 'refused')),
    unknown boolean not null,
    -- How often it has changed: what was told is only the state of then.
    version bigint not null default 1,
    -- How often the channel showed something else than it was told.
    missed bigint not null default 0,
    -- What was sent last, and what is surely there: digests.
    sent text collate "C",
    confirmed text collate "C",
    error text collate "C",
    changed_at timestamptz not null,
    sent_at timestamptz,
    confirmed_at timestamptz,
    primary key (account_id, source_id, booking_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, booking_id) references gas_bookings (account_id, id)
);

create index int_channel_bookings_open on int_channel_bookings (account_id, source_id, changed_at) where state <> 'there';
create index int_channel_bookings_by_booking on int_channel_bookings (account_id, booking_id);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array
        array['int_lanes', 'int_turns', 'int_calendar_touches', 'int_channel_nights', 'int_channel_bookings']
    loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end
$$;
