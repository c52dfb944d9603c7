-- Nights that lie far apart are touched apart: between them nothing is reckoned, unless they were changed between two turns of
-- the relay, whose unread facts of a unit are one here.

create table int_calendar_touches_apart (
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
    primary key (account_id, source_id, int_room_type_id, first_night, last_night),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id)
) strict;
insert into int_calendar_touches_apart select * from int_calendar_touches;
drop table int_calendar_touches;
alter table int_calendar_touches_apart rename to int_calendar_touches;
