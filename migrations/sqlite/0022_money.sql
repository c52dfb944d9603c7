-- The postal address of a guest, so that a channel is told of it too; with what records have told of it already.

alter table gas_guests add column street text;
alter table gas_guests add column city text;
alter table gas_guests add column state text;
alter table gas_guests add column postcode text;

-- Nobody's guest has changed by this: the feed is not told.
drop trigger gas_guests_updated;
update gas_guests set
    street = json_extract(told.record, '$.address.street'), city = json_extract(told.record, '$.address.city'),
    state = json_extract(told.record, '$.address.state'), postcode = json_extract(told.record, '$.address.postcode')
from (select account_id, gas_guest_id, record, max(id) from int_guests
    where deleted_at is null and json_extract(record, '$.address') is not null group by account_id, gas_guest_id) told
where told.account_id = gas_guests.account_id and told.gas_guest_id = gas_guests.id;
create trigger gas_guests_updated after update on gas_guests begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'guest', new.id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;
