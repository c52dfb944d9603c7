-- How urgent the most urgent job is that waits in a lane: what a lane is taken by, before how long it has waited.

select set_config('gassync.account_id', 'platform', true);

alter table int_lanes add column urgency bigint not null default 1;

update int_lanes set urgency = first.priority from (
    select account_id, source_id, lane, min(priority) as priority from int_jobs where state = 'waiting'
    group by account_id, source_id, lane
) first
where int_lanes.account_id = first.account_id and int_lanes.source_id = first.source_id and int_lanes.lane = first.lane;
