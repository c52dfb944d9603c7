-- Which rows a transaction sees, in words by which PostgreSQL reckons with half of them. Of the ones before it made one row
-- in two hundred, held that few rows of a table are read sooner than found, and read all that an account or a source has.

select set_config('gassync.account_id', 'platform', true);

create or replace function gassync_sees(account bigint) returns boolean language sql stable as $$
    select case current_setting('gassync.account_id', true)
        when 'platform' then true
        when account::text then true
        else false
    end
$$;
