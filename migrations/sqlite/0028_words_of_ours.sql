-- Whether a channel has, or may have, a word of ours that closes a night: written where one is sent, struck where the channel
-- shows the night open. What a channel shows closed without it somebody else has closed.
alter table int_channel_nights add column closed_by_us integer not null default 0;

-- Until now that was told from what was sent last and what the channel surely has.
update int_channel_nights set closed_by_us = 1
where sent like '{"units":0%' or sent like '%"closed":true%'
    or confirmed like '{"units":0%' or confirmed like '%"closed":true%';
