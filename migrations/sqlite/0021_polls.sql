-- What polls, look-ups and webhooks that fail leave behind: which polls have failed how often, reservations that the channel does
-- not answer for any more, changes that no webhook told, and the time zone of a source's houses whose channel tells none.

create table int_poll_failures (
    account_id integer not null,
    source_id integer not null,
    poll text not null,
    failures integer not null check (failures > 0),
    first_failed_at text not null,
    last_failed_at text not null,
    message text not null,
    -- Failed so often, or in such a way, that its source is in error.
    bad integer not null check (bad in (0, 1)),
    primary key (account_id, source_id, poll),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create table int_missing_reservations (
    account_id integer not null,
    source_id integer not null,
    external_id text not null,
    -- The first question that was answered without it, and the last.
    first_missed_at text not null,
    last_missed_at text not null,
    -- When a second question agreed.
    confirmed_at text,
    -- When a person said that it stands.
    kept_at text,
    primary key (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

alter table int_sources add column time_zone text;

alter table int_connections add column last_webhook_at text;
-- Polls in a row, since the last webhook, that brought changes of bookings that no webhook had told.
alter table int_connections add column untold_polls integer not null default 0;
alter table int_connections add column untold_since text;
