-- A new source listens: what its channel says is taken, and nothing is told to it until somebody has seen what that would change
-- there. Those that are there go on as before.

alter table int_sources add column listening_since text;
-- It was live before its credentials changed, and is again when they show the rooms that it had: the last row of those that
-- were known then.
alter table int_sources add column live_up_to integer;

-- What going live would change at a channel, as somebody was shown it: the last plan of a source is the one that counts.
create table int_go_live_plans (
    account_id integer not null,
    source_id integer not null,
    id integer primary key autoincrement,
    -- When the channel's calendar was asked for.
    read_at text not null,
    -- The nights that would be opened, or change their price or rules, as spans.
    changes text not null,
    -- Whether what is closed by hand is to be opened.
    opens_closed integer not null check (opens_closed in (0, 1)),
    created_at text not null,
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_go_live_plans_by_source on int_go_live_plans (account_id, source_id, id);
