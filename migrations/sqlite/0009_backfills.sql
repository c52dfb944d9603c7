-- Fetching what a channel has of a stretch of nights, window by window: what is behind `reached` is done, whatever happens
-- to the process.

create table int_backfills (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    starts_on text not null,
    ends_on text not null,
    reached text not null,
    state text not null check (state in ('running', 'done', 'failed')),
    outcome text not null,
    error text,
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    check (starts_on < ends_on),
    check (reached >= starts_on and reached <= ends_on),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create unique index int_backfills_running on int_backfills (account_id, source_id) where state = 'running';
