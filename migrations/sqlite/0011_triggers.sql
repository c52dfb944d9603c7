-- Triggers that write every change of the core to the outbox, once per row. The origin is read from
-- `gas_change_context`.

create trigger gas_properties_created after insert on gas_properties begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'property', new.id, 'created', origin_source_id, new.updated_at from gas_change_context;
end;

create trigger gas_properties_updated after update on gas_properties begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'property', new.id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;

create trigger gas_properties_deleted after delete on gas_properties begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'property', old.id, 'deleted', origin_source_id, old.updated_at from gas_change_context;
end;

create trigger gas_bookable_units_created after insert on gas_bookable_units begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.id, 'created', origin_source_id, new.updated_at from gas_change_context;
end;

create trigger gas_bookable_units_updated after update on gas_bookable_units begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;

create trigger gas_bookable_units_deleted after delete on gas_bookable_units begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'bookable_unit', old.id, 'deleted', origin_source_id, old.updated_at from gas_change_context;
end;

create trigger gas_guests_created after insert on gas_guests begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'guest', new.id, 'created', origin_source_id, new.updated_at from gas_change_context;
end;

create trigger gas_guests_deleted after delete on gas_guests begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'guest', old.id, 'deleted', origin_source_id, old.updated_at from gas_change_context;
end;

create trigger gas_guests_updated after update on gas_guests begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'guest', new.id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;

create trigger gas_bookings_deleted after delete on gas_bookings begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'booking', old.id, 'deleted', origin_source_id, old.updated_at from gas_change_context;
end;

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

-- A room belongs to its booking, which usually waits in the outbox already. Rooms of holds belong to no booking.
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

-- Facts about nights that wait for the relay are one row per unit, whose span grows.
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

create trigger gas_unit_nights_overbooked after update on gas_unit_nights when new.overbooked > old.overbooked begin
    insert into int_outbox
        (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
    select new.account_id, 'overbooking', new.unit_id, 'created', origin_source_id, new.updated_at, new.night, new.night
    from gas_change_context where true
    on conflict (account_id, entity_type, entity_id, coalesce(origin_source_id, 0))
        where sequence is null and first_night is not null
    do update set first_night = min(first_night, excluded.first_night), last_night = max(last_night, excluded.last_night);
end;

-- A night that is no longer overbooked has as many units as before, but the channel that gave one back sells it again:
-- a change of its availability.
create trigger gas_unit_nights_relieved after update on gas_unit_nights
when new.overbooked < old.overbooked
    and (new.capacity, new.sold, new.held, new.blocked) = (old.capacity, old.sold, old.held, old.blocked) begin
    insert into int_outbox
        (account_id, entity_type, entity_id, action, origin_source_id, created_at, first_night, last_night)
    select new.account_id, 'availability', new.unit_id, 'updated', origin_source_id, new.updated_at, new.night, new.night
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

-- Changes of maintenance, housekeeping, links and websites are changes of the unit.
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
