-- What polls, look-ups and webhooks that fail leave behind: which polls have failed how often, reservations that the channel does
-- not answer for any more, changes that no webhook told, and the time zone of a source's houses whose channel tells none.

create table int_poll_failures (
    account_id bigint not null,
    source_id bigint not null,
    poll text collate "C" not null,
    failures bigint not null check (failures > 0),
    first_failed_at timestamptz not null,
    last_failed_at timestamptz not null,
    message text collate "C" not null,
    -- Failed so often, or in such a way, that its source is in error.
    bad boolean not null,
    primary key (account_id, source_id, poll),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create table int_missing_reservations (
    account_id bigint not null,
    source_id bigint not null,
    external_id text collate "C" not null,
    -- The first question that was answered without it, and the last.
    first_missed_at timestamptz not null,
    last_missed_at timestamptz not null,
    -- When a second question agreed.
    confirmed_at timestamptz,
    -- When a person said that it stands.
    kept_at timestamptz,
    primary key (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

alter table int_sources add column time_zone text collate "C";

alter table int_connections add column last_webhook_at timestamptz;
-- Polls in a row, since the last webhook, that brought changes of bookings that no webhook had told.
alter table int_connections add column untold_polls bigint not null default 0;
alter table int_connections add column untold_since timestamptz;

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array['int_poll_failures', 'int_missing_reservations'] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end
$$;
