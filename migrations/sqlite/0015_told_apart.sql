-- What tells one database from another, one state of a subscription from the next, and what an answer may be kept of.

-- One row: what this database is called, in what it tells others. A copy keeps it.
create table int_installation (
    one integer primary key check (one = 1),
    id text not null
) strict;

-- Grows with each change that somebody makes, so that what came of an earlier state is not held against a later one.
alter table int_webhooks add column revision integer not null default 0;

-- Answers were kept as they came, with whatever they repeated of credentials and guests.
update int_delivery_attempts set answer = null where answer is not null;
