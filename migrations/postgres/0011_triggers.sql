-- Triggers that write every change of the core to the outbox, once per statement. The origin is the transaction's
-- setting `gassync.origin_source_id`; without it the core itself made the change.

create function gas_to_outbox() returns trigger language plpgsql as $$
declare
    origin bigint := nullif(current_setting('gassync.origin_source_id', true), '')::bigint;
begin
    if tg_table_name = 'gas_booking_rooms' then
        -- A room belongs to its booking, which usually waits in the outbox of this transaction already. Rooms of holds
        -- belong to no booking.
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
        where n.overbooked > f.overbooked group by n.account_id, n.unit_id;
    elsif tg_table_name = 'gas_nightly_rates' then
        insert into int_outbox
            (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
        select account_id, 'rate', unit_id, 'updated', origin, max(updated_at), min(night), max(night)
        from changed group by account_id, unit_id;
    elsif tg_argv[0] = 'bookable_unit' and tg_table_name <> 'gas_bookable_units' then
        -- Changes of housekeeping, maintenance, links and websites are changes of the unit.
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

-- A fact about a booking carries the new status, or null when the status did not change.
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

-- A night that is no longer overbooked has as many units as before, but the channel that gave one back sells it again: a
-- change of its availability.
create function gas_overbooked_to_outbox() returns trigger language plpgsql as $$
begin
    insert into int_outbox
        (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
    select n.account_id, 'availability', n.unit_id, 'updated',
           nullif(current_setting('gassync.origin_source_id', true), '')::bigint, max(n.updated_at), min(n.night), max(n.night)
    from changed n join former f using (account_id, unit_id, night)
    where n.overbooked < f.overbooked and (n.capacity, n.sold, n.held, n.blocked) = (f.capacity, f.sold, f.held, f.blocked)
    group by n.account_id, n.unit_id;
    return null;
end $$;

create trigger gas_properties_created after insert on gas_properties referencing new table as changed
    for each statement execute function gas_to_outbox('property', 'created');
create trigger gas_properties_updated after update on gas_properties referencing new table as changed
    for each statement execute function gas_to_outbox('property', 'updated');
create trigger gas_properties_deleted after delete on gas_properties referencing old table as changed
    for each statement execute function gas_to_outbox('property', 'deleted');

create trigger gas_bookable_units_created after insert on gas_bookable_units referencing new table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'created');
create trigger gas_bookable_units_updated after update on gas_bookable_units referencing new table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');
create trigger gas_bookable_units_deleted after delete on gas_bookable_units referencing old table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'deleted');

create trigger gas_guests_created after insert on gas_guests referencing new table as changed
    for each statement execute function gas_to_outbox('guest', 'created');
create trigger gas_guests_updated after update on gas_guests referencing new table as changed
    for each statement execute function gas_to_outbox('guest', 'updated');
create trigger gas_guests_deleted after delete on gas_guests referencing old table as changed
    for each statement execute function gas_to_outbox('guest', 'deleted');

create trigger gas_bookings_created after insert on gas_bookings referencing new table as changed
    for each statement execute function gas_bookings_to_outbox();
create trigger gas_bookings_updated after update on gas_bookings
    referencing old table as former new table as changed
    for each statement execute function gas_bookings_to_outbox();
create trigger gas_bookings_deleted after delete on gas_bookings referencing old table as changed
    for each statement execute function gas_to_outbox('booking', 'deleted');

create trigger gas_booking_rooms_created after insert on gas_booking_rooms referencing new table as changed
    for each statement execute function gas_to_outbox('booking', 'created');
create trigger gas_booking_rooms_updated after update on gas_booking_rooms referencing new table as changed
    for each statement execute function gas_to_outbox('booking', 'updated');
create trigger gas_booking_rooms_deleted after delete on gas_booking_rooms referencing old table as changed
    for each statement execute function gas_to_outbox('booking', 'deleted');

create trigger gas_payments_created after insert on gas_payments referencing new table as changed
    for each statement execute function gas_to_outbox('booking', 'updated');
create trigger gas_payments_updated after update on gas_payments referencing new table as changed
    for each statement execute function gas_to_outbox('booking', 'updated');
create trigger gas_payments_deleted after delete on gas_payments referencing old table as changed
    for each statement execute function gas_to_outbox('booking', 'updated');

create trigger gas_unit_nights_updated after update on gas_unit_nights
    referencing old table as former new table as changed
    for each statement execute function gas_to_outbox('availability', 'updated');
create trigger gas_unit_nights_relieved after update on gas_unit_nights
    referencing old table as former new table as changed
    for each statement execute function gas_overbooked_to_outbox();

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

create trigger gas_unit_links_created after insert on gas_unit_links referencing new table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');
create trigger gas_unit_links_updated after update on gas_unit_links referencing new table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');
create trigger gas_unit_links_deleted after delete on gas_unit_links referencing old table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');

create trigger gas_maintenance_created after insert on gas_maintenance referencing new table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');
create trigger gas_maintenance_updated after update on gas_maintenance referencing new table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');
create trigger gas_maintenance_deleted after delete on gas_maintenance referencing old table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');

create trigger gas_housekeeping_created after insert on gas_housekeeping referencing new table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');
create trigger gas_housekeeping_updated after update on gas_housekeeping referencing new table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');
create trigger gas_housekeeping_deleted after delete on gas_housekeeping referencing old table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');

create trigger gas_website_units_created after insert on gas_website_units referencing new table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');
create trigger gas_website_units_updated after update on gas_website_units referencing new table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');
create trigger gas_website_units_deleted after delete on gas_website_units referencing old table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');
