-- What was cut, replaced or left out of a record so that it could be kept: a list of path and problem, null where nothing was.
-- A key whose calls are strict has such records refused instead.

alter table int_properties add column mended text;
alter table int_room_types add column mended text;
alter table int_rate_plans add column mended text;
alter table int_reservations add column mended text;
alter table int_guests add column mended text;
alter table int_blocks add column mended text;

alter table int_api_keys add column strict integer not null default 0 check (strict in (0, 1));
