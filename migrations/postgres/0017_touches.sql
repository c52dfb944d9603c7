-- Nights that lie far apart are touched apart: between them nothing is reckoned.

alter table int_calendar_touches drop constraint int_calendar_touches_pkey;
alter table int_calendar_touches
    add primary key (account_id, source_id, int_room_type_id, first_night, last_night);
