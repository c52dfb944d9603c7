-- Fetching what a channel has of a stretch of nights, window by window: what is behind `reached` is done, whatever happens
-- to the process.

create table int_backfills (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    starts_on date not null,
    ends_on date not null,
    reached date not null,
    state text collate "C" not null check (state in ('running', 'done', 'failed')),
    outcome jsonb not null,
    error text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    check (starts_on < ends_on),
    check (reached >= starts_on and reached <= ends_on),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create unique index int_backfills_running on int_backfills (account_id, source_id) where state = 'running';

alter table int_backfills enable row level security;
alter table int_backfills force row level security;
create policy tenant on int_backfills using (gassync_sees(account_id));
