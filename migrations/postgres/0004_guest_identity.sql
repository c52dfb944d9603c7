-- By what a guest is known again, in lower case, beside what is written of them: row-level security lets an index only
-- compare columns as they are.

-- Row-level security holds this file too: it must say that it is the platform's own hand.
select set_config('gassync.account_id', 'platform', true);

alter table gas_guests add column own_email text collate "C";
alter table gas_guests add column family_name text collate "C";
-- Nobody's guest has changed by this: the feed is not told.
alter table gas_guests disable trigger user;
update gas_guests set own_email = lower(trim(email)), family_name = lower(trim(last_name));
alter table gas_guests enable trigger user;

drop index gas_guests_by_identity;
create index gas_guests_by_identity on gas_guests (account_id, own_email, family_name);
