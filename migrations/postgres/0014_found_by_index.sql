-- What is looked for without end is found by index: deliveries of a subscriber, facts of a time, and what is old.

select set_config('gassync.account_id', 'platform', true);

-- A subscriber's deliveries, the newest first.
create index int_jobs_deliveries on int_jobs (account_id, lane, id) where kind = 'deliver';
-- What of them waits before a place in the feed.
create index int_jobs_before on int_jobs (account_id, lane, sequence) where state = 'waiting' and sequence is not null;
-- What is dead, by lane too: of subscribers it is a list of each.
drop index int_jobs_dead;
create index int_jobs_dead on int_jobs (account_id, source_id, lane, id) where state = 'dead';

-- A lane is one source's and a source one account's. Taken for independent of each other, they let a lane look so short that
-- all of it was read and sorted for its newest few.
create statistics int_jobs_lanes (dependencies) on account_id, source_id, lane from int_jobs;

-- What ended, apart because it is kept for different times: each job is in one of the two.
create index int_jobs_ended on int_jobs (finished_at) where finished_at is not null and kind <> 'deliver';
create index int_jobs_delivered on int_jobs (finished_at) where finished_at is not null and kind = 'deliver';

-- Facts by when they happened, for replays and for what is old.
create index int_outbox_by_age on int_outbox (account_id, created_at, sequence) where sequence is not null;

create index int_inbox_by_end on int_inbox (finished_at) where finished_at is not null;
-- Answers are nothing that ends.
create index int_inbox_answers on int_inbox (received_at) where kind = 'answer' and state = 'applied';
create index int_sync_log_by_age on int_sync_log (created_at);
create index int_sync_runs_by_age on int_sync_runs (started_at);
create index int_reservations_taken_back on int_reservations (deleted_at) where deleted_at is not null;
create index int_guests_taken_back on int_guests (deleted_at) where deleted_at is not null;
create index int_rate_plans_taken_back on int_rate_plans (deleted_at) where deleted_at is not null;
create index int_job_runs_by_age on int_job_runs (created_at);

-- Whom the relay asks about each batch of facts, and who is gone.
create index int_webhooks_active on int_webhooks (account_id, id) where status = 'active' and deleted_at is null;
create index int_webhooks_gone on int_webhooks (deleted_at) where deleted_at is not null;

-- Attempts are found by their delivery alone: one index in place of two.
alter table int_delivery_attempts
    drop constraint int_delivery_attempts_pkey,
    add primary key (account_id, job_id, id);
drop index int_delivery_attempts_by_job;
