-- Nights that channels have taken out of sale themselves. What stands for one in the core are notes of maintenance, one for
-- each unit.

create table int_blocks (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    external_id text not null,
    record text not null,
    raw_data text not null,
    digest text not null,
    revision text,
    modified_at text,
    observed_at text not null,
    parked text,
    synced_at text not null,
    deleted_at text,
    unique (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create table int_block_notes (
    account_id integer not null,
    int_block_id integer not null,
    gas_maintenance_id integer not null,
    primary key (account_id, int_block_id, gas_maintenance_id),
    foreign key (account_id, int_block_id) references int_blocks (account_id, id)
) strict, without rowid;
