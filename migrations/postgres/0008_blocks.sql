-- Nights that channels have taken out of sale themselves. What stands for one in the core are notes of maintenance, one for
-- each unit.

create table int_blocks (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    external_id text collate "C" not null,
    record jsonb not null,
    raw_data jsonb not null,
    digest text collate "C" not null,
    revision text collate "C",
    modified_at timestamptz,
    observed_at timestamptz not null,
    parked jsonb,
    synced_at timestamptz not null,
    deleted_at timestamptz,
    primary key (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create table int_block_notes (
    account_id bigint not null,
    int_block_id bigint not null,
    gas_maintenance_id bigint not null,
    primary key (account_id, int_block_id, gas_maintenance_id),
    foreign key (account_id, int_block_id) references int_blocks (account_id, id)
);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['int_blocks', 'int_block_notes'] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end
$$;
