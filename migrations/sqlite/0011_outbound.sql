-- The core speaks: a queue that is fair, calendars and bookings as channels are to have them, and how sources are pushed to.

-- The queue. A lane is worked by one at a time: a source's talk with its channel, and what this host does for it alone.

create table jobs_as_they_are (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    kind text not null,
    payload text not null,
    state text not null check (state in ('waiting', 'done', 'dead', 'cancelled')),
    attempts integer not null,
    run_at text not null,
    error text,
    created_at text not null,
    finished_at text,
    lane text not null default 'channel' check (lane in ('channel', 'host')),
    -- The lower, the sooner.
    priority integer not null default 3,
    -- How often it was put in the queue: what ends is only the time that was worked on.
    version integer not null default 1,
    -- By which taking of its lane it was begun last.
    claim integer not null default 0,
    -- After this it is not tried again.
    deadline text,
    -- The run of the work list that brought it back.
    run_id integer,
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

insert into jobs_as_they_are
    (account_id, id, source_id, kind, payload, state, attempts, run_at, error, created_at, finished_at, lane)
select account_id, id, source_id, kind, payload, state, attempts, run_at, error, created_at, finished_at,
    case kind when 'drive-parked' then 'host' else 'channel' end
from int_jobs;

drop table int_jobs;

alter table jobs_as_they_are rename to int_jobs;

-- The same work waits once.
create unique index int_jobs_once on int_jobs (account_id, source_id, kind, payload) where state = 'waiting';
create index int_jobs_waiting on int_jobs (account_id, source_id, lane, priority, run_at, id) where state = 'waiting';
create index int_jobs_due on int_jobs (account_id, source_id, lane, run_at) where state = 'waiting';
create index int_jobs_dead on int_jobs (account_id, source_id, id) where state = 'dead';
create index int_jobs_by_run on int_jobs (run_id) where run_id is not null;

create table int_lanes (
    account_id integer not null,
    source_id integer not null,
    lane text not null check (lane in ('channel', 'host')),
    -- When the first of what waits in it is due; null where nothing does.
    due_at text,
    -- Until then somebody has it.
    busy_until text,
    -- Its channel wants to be left alone until then, and why.
    shut_until text,
    shut_why text,
    -- How often it was taken: whoever took it last has it.
    fence integer not null default 0,
    served_at text not null,
    primary key (account_id, source_id, lane),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_lanes_due on int_lanes (due_at) where due_at is not null;
create index int_lanes_busy on int_lanes (account_id, busy_until) where busy_until is not null;

insert into int_lanes (account_id, source_id, lane, due_at, served_at)
select account_id, source_id, lane, min(run_at), min(created_at) from int_jobs where state = 'waiting'
group by account_id, source_id, lane;

-- When an account was served last: the one that waited longest is next.
create table int_turns (
    account_id integer not null primary key references gas_accounts (id),
    served_at text not null
) strict;

-- Dead work that is brought back, or thrown away, by a filter.
create table int_job_runs (
    id integer primary key autoincrement,
    filter text not null,
    state text not null check (state in ('running', 'cancelled')),
    jobs integer not null,
    created_at text not null,
    cancelled_at text
) strict;

-- The status that a booking came to with a fact; null where that is not what has changed.

alter table int_outbox add column status text;

drop trigger gas_bookings_created;
drop trigger gas_bookings_updated;
create trigger gas_bookings_created after insert on gas_bookings begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at, status)
    select new.account_id, 'booking', new.id, 'created', origin_source_id, new.updated_at, new.status
    from gas_change_context;
end;
create trigger gas_bookings_updated after update on gas_bookings begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at, status)
    select new.account_id, 'booking', new.id, 'updated', origin_source_id, new.updated_at,
        case when new.status <> old.status then new.status end
    from gas_change_context;
end;

-- A night that was sold too often and is not any more has as many to sell as before, and the channel that gave one back
-- sells it again: it is news of the night.
create trigger gas_unit_nights_relieved after update on gas_unit_nights
when new.excess < old.excess
    and (new.capacity, new.sold, new.held, new.blocked) = (old.capacity, old.sold, old.held, old.blocked) begin
    insert into int_outbox
        (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
    select new.account_id, 'availability', new.unit_id, 'updated', origin_source_id, new.updated_at, new.night, new.night
    from gas_change_context where true
    on conflict (account_id, entity_type, entity_id, coalesce(origin_source_id, 0))
        where sequence is null and first_night is not null
    do update set first_night = min(first_night, excluded.first_night), last_night = max(last_night, excluded.last_night);
end;

-- How a source is pushed to.

alter table int_sources add column push_bookings text not null default 'direct'
    check (push_bookings in ('none', 'direct', 'all'));
alter table int_sources add column price_rounding text not null default 'none'
    check (price_rounding in ('none', 'nearest', 'up', 'down'));
-- In ten-thousandths.
alter table int_sources add column price_rounding_step integer check (price_rounding_step > 0);
-- What the channel's prices are in, and how many ten-thousandths of it one of the core's is.
alter table int_sources add column price_currency text;
alter table int_sources add column price_rate integer check (price_rate > 0);
-- Units of each room type that are not offered there.
alter table int_sources add column safety_stock integer not null default 0 check (safety_stock >= 0);
alter table int_sources add column horizon_days integer not null default 365 check (horizon_days between 1 and 1100);
-- Whether what the channel says it took counts only after it was read there.
alter table int_sources add column read_back integer not null default 1;
-- The last night that was reckoned for it.
alter table int_sources add column reckoned_until text;

-- Whether what changes in the core goes to the channel, entity by entity.
alter table int_mappings add column push integer not null default 1;

create index int_room_types_by_unit on int_room_types (account_id, gas_unit_id) where gas_unit_id is not null;

-- Nights of a room type that are to be reckoned anew: something of the core has changed there.
create table int_calendar_touches (
    account_id integer not null,
    source_id integer not null,
    int_room_type_id integer not null,
    first_night text not null,
    last_night text not null,
    -- Only the source's own bookings have changed it.
    own integer not null,
    -- All of it is to be sent, also what is there.
    whole integer not null,
    touched_at text not null,
    primary key (account_id, source_id, int_room_type_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id)
) strict;

-- What a channel is to have of a night, what was sent, and what it surely has; each as the text of one JSON object.
-- rate_plan_external_id is empty where the source knows no rate plans.
create table int_channel_nights (
    account_id integer not null,
    source_id integer not null,
    int_room_type_id integer not null,
    rate_plan_external_id text not null,
    night text not null,
    wanted text not null,
    sent text,
    confirmed text,
    -- due: to be sent; sent: to be read back; there; refused: for a person to mend.
    state text not null check (state in ('due', 'sent', 'there', 'refused')),
    -- The last call did not end: it may have been taken.
    unknown integer not null,
    -- How often what was sent was not there when it was read back.
    missed integer not null,
    error text,
    -- The oldest change of the core that is not there.
    changed_at text not null,
    sent_at text,
    confirmed_at text,
    primary key (account_id, source_id, int_room_type_id, rate_plan_external_id, night),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id)
) strict;

create index int_channel_nights_open on int_channel_nights (account_id, source_id, state, changed_at)
    where state <> 'there';
create index int_channel_nights_confirmed on int_channel_nights (account_id, source_id, confirmed_at);

-- How a booking of the core stands at a channel.
create table int_channel_bookings (
    account_id integer not null,
    source_id integer not null,
    booking_id integer not null,
    state text not null check (state in ('due', 'sent', 'there', 'refused')),
    unknown integer not null,
    -- How often it has changed: what was told is only the state of then.
    version integer not null default 1,
    -- How often the channel showed something else than it was told.
    missed integer not null default 0,
    -- What was sent last, and what is surely there: digests.
    sent text,
    confirmed text,
    error text,
    changed_at text not null,
    sent_at text,
    confirmed_at text,
    primary key (account_id, source_id, booking_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, booking_id) references gas_bookings (account_id, id)
) strict;

create index int_channel_bookings_open on int_channel_bookings (account_id, source_id, changed_at) where state <> 'there';
create index int_channel_bookings_by_booking on int_channel_bookings (account_id, booking_id);
