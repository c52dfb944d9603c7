-- By what a guest is known again, in lower case, beside what is written of them: row-level security lets an index only
-- compare columns as they are.

alter table gas_guests add column own_email text;
alter table gas_guests add column family_name text;

-- Nobody's guest has changed by this: the feed is not told.
drop trigger gas_guests_updated;
update gas_guests set own_email = lower(trim(email)), family_name = lower(trim(last_name));
create trigger gas_guests_updated after update on gas_guests begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'guest', new.id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;

drop index gas_guests_by_identity;
create index gas_guests_by_identity on gas_guests (account_id, own_email, family_name);
