-- Units that somebody has closed by hand: nobody sells them. Each is counted in `gas_unit_nights.blocked` of its night, whose
-- facts are its own.

create table gas_closures (
    account_id bigint not null,
    id bigint generated always as identity,
    unit_id bigint not null,
    night date not null,
    quantity bigint not null check (quantity > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
);

create index gas_closures_by_night on gas_closures (account_id, unit_id, night);

-- What sources show closed that neither their bookings nor what they were told explain. One by a word stays as long as the
-- channel shows the word, one by a count follows the count.
create table int_closures (
    account_id bigint not null,
    source_id bigint not null,
    int_room_type_id bigint not null,
    night date not null,
    gas_unit_id bigint not null,
    by_word boolean not null,
    -- How many units it closes: of a word all there are.
    units bigint not null check (units >= 0),
    -- A person has said that it is to be sold all the same: it closes nothing.
    waived boolean not null,
    gas_closure_id bigint,
    since timestamptz not null,
    observed_at timestamptz not null,
    primary key (account_id, source_id, int_room_type_id, night),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id),
    foreign key (account_id, gas_unit_id) references gas_bookable_units (account_id, id)
);

-- Which sources have closed a unit's night.
create index int_closures_by_unit on int_closures (account_id, gas_unit_id, night);

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['gas_closures', 'int_closures'] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end
$$;
