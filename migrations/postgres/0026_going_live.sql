-- A new source listens: what its channel says is taken, and nothing is told to it until somebody has seen what that would change
-- there. Those that are there go on as before.

alter table int_sources add column listening_since timestamptz;
-- It was live before its credentials changed, and is again when they show the rooms that it had: the last row of those that
-- were known then.
alter table int_sources add column live_up_to bigint;

-- What going live would change at a channel, as somebody was shown it: the last plan of a source is the one that counts.
create table int_go_live_plans (
    account_id bigint not null,
    source_id bigint not null,
    id bigint generated always as identity,
    -- When the channel's calendar was asked for.
    read_at timestamptz not null,
    -- The nights that would be opened, or change their price or rules, as spans.
    changes jsonb not null,
    -- Whether what is closed by hand is to be opened.
    opens_closed boolean not null,
    created_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_go_live_plans_by_source on int_go_live_plans (account_id, source_id, id);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['int_go_live_plans'] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end
$$;
