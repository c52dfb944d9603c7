-- What plugins remember for a source, sealed for its account; written with the outcome of the call that wrote it.

create table int_source_memory (
    account_id integer not null,
    source_id integer not null,
    key text not null,
    value blob not null,
    updated_at text not null,
    primary key (account_id, source_id, key),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;
