-- The rules of stay that channels know besides the shortest and the longest, what else they say of a night, resume
-- points that are words of a channel's own, and what a message came to.

alter table int_availability add column min_stay_through integer check (min_stay_through >= 0);
alter table int_availability add column exact_stay integer check (exact_stay >= 0);
alter table int_availability add column min_advance_days integer check (min_advance_days >= 0);
alter table int_availability add column max_advance_days integer check (max_advance_days >= 0);
alter table int_availability add column extra text not null default '{}';

alter table gas_nightly_rates add column min_stay_through integer check (min_stay_through >= 1);
alter table gas_nightly_rates add column exact_stay integer check (exact_stay >= 1);
alter table gas_nightly_rates add column min_advance_days integer check (min_advance_days >= 1);
alter table gas_nightly_rates add column max_advance_days integer check (max_advance_days >= 0);

alter table int_poll_points add column kind text not null default 'instant' check (kind in ('instant', 'token'));

-- How many records of a message had which outcome, for people: `1 created, 2 parked`.
alter table int_inbox add column outcome text;
