-- How often in a row the channel has refused credentials that should have been good.

alter table int_connections add column refusals bigint not null default 0;
