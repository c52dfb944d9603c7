-- Failed messages are looked for by whoever asks for alarms.
create index int_inbox_failed on int_inbox (account_id, connection_id, id) where state = 'failed';
