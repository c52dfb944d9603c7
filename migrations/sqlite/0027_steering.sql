-- How people steer sources.

-- Where a source stood when somebody paused or disabled it: there it goes on.
alter table int_sources add column status_before text
    check (status_before in ('pending', 'active', 'error', 'expired', 'disconnected'));

-- Of a run outward: what the channel surely has, and of what nobody knows whether it has it.
alter table int_sync_runs add column records_confirmed integer not null default 0;
alter table int_sync_runs add column records_unknown integer not null default 0;
