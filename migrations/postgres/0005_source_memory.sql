-- What plugins remember for a source, sealed for its account; written with the outcome of the call that wrote it.

create table int_source_memory (
    account_id bigint not null,
    source_id bigint not null,
    key text collate "C" not null,
    value bytea not null,
    updated_at timestamptz not null,
    primary key (account_id, source_id, key),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

alter table int_source_memory enable row level security;
alter table int_source_memory force row level security;
create policy tenant on int_source_memory using (gassync_sees(account_id));
