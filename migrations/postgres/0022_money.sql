-- The postal address of a guest, so that a channel is told of it too; with what records have told of it already.

select set_config('gassync.account_id', 'platform', true);

alter table gas_guests add column street text collate "C";
alter table gas_guests add column city text collate "C";
alter table gas_guests add column state text collate "C";
alter table gas_guests add column postcode text collate "C";

-- Nobody's guest has changed by this: the feed is not told.
alter table gas_guests disable trigger user;
update gas_guests set
    street = told.record #>> '{address,street}', city = told.record #>> '{address,city}',
    state = told.record #>> '{address,state}', postcode = told.record #>> '{address,postcode}'
from (select distinct on (account_id, gas_guest_id) account_id, gas_guest_id, record from int_guests
    where deleted_at is null and record #> '{address}' is not null order by account_id, gas_guest_id, id desc) told
where told.account_id = gas_guests.account_id and told.gas_guest_id = gas_guests.id;
alter table gas_guests enable trigger user;
