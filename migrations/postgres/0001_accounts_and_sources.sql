-- Accounts, and what they connect: connections to channels, sources, credentials and API keys. Types: money is bigint
-- in ten-thousandths, text sorts by code point.

-- Row-level security. A transaction sees the rows of the account that it names in `gassync.account_id`; `platform` sees
-- all rows, and a transaction without the setting sees none. Every table forces its policy, so that it also binds the
-- owner of the tables. Written as a case, because the planner then estimates rows well: an `in` list made it assume one
-- row in two hundred.
create function gassync_sees(account bigint) returns boolean language sql stable as $$
    select case current_setting('gassync.account_id', true)
        when 'platform' then true
        when account::text then true
        else false
    end
$$;

create table gas_accounts (
    id bigint generated always as identity primary key,
    name text collate "C" not null,
    time_zone text collate "C" not null,
    created_at timestamptz not null
);

-- One row: the installation id sent to others. A copy of the database keeps it.
create table int_installation (
    one bigint primary key check (one = 1),
    id text collate "C" not null
);

-- A connection to a channel. Its sources share its credentials and its webhook address.
create table int_connections (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    channel text collate "C" not null,
    webhook_key text collate "C" not null unique,
    webhook_token_hash text collate "C" not null,
    created_at timestamptz not null,
    -- The process that renews the credentials holds this lease.
    renewing_until timestamptz,
    renewing_by text collate "C",
    -- Consecutive refusals by the channel of credentials that should be valid.
    refusals bigint not null default 0,
    last_webhook_at timestamptz,
    -- Polls since the last webhook that found booking changes without a webhook.
    unannounced_polls bigint not null default 0,
    unannounced_since timestamptz,
    primary key (account_id, id)
);

-- A source: one system that sends records to an account, or receives changes from it.
create table int_sources (
    account_id bigint not null,
    id bigint generated always as identity,
    connection_id bigint,
    source_type text collate "C" not null,
    source_name text collate "C" not null,
    -- The external system's id of this account.
    workspace_id text collate "C",
    config jsonb not null,
    status text collate "C" not null
        check (status in ('pending', 'active', 'paused', 'disabled', 'error', 'expired', 'disconnected')),
    creates boolean not null,
    last_sync_at timestamptz,
    created_at timestamptz not null,
    -- Identifiers at the channel.
    channel_property_id text collate "C",
    channel_account_id text collate "C",
    channel_listing_url text collate "C",
    sync_enabled boolean not null default true,
    sync_direction text collate "C" not null default 'bidirectional'
        check (sync_direction in ('bidirectional', 'inbound_only', 'outbound_only')),
    sync_availability boolean not null default true,
    sync_pricing boolean not null default true,
    sync_bookings boolean not null default true,
    -- In ten-thousandths: of one per cent, or of one unit of currency.
    price_adjustment_type text collate "C" check (price_adjustment_type in ('percent', 'amount')),
    price_adjustment_value bigint,
    sync_frequency_minutes bigint check (sync_frequency_minutes > 0),
    authority jsonb not null default '{}',
    last_successful_sync_at timestamptz,
    error_message text collate "C",
    error_count bigint not null default 0,
    last_error_at timestamptz,
    push_bookings text collate "C" not null default 'direct' check (push_bookings in ('none', 'direct', 'all')),
    price_rounding text collate "C" not null default 'none'
        check (price_rounding in ('none', 'nearest', 'up', 'down')),
    -- In ten-thousandths.
    price_rounding_step bigint check (price_rounding_step > 0),
    -- The currency of the channel's prices, and how many ten-thousandths of it one unit of the core's currency is
    -- worth.
    price_currency text collate "C",
    price_rate bigint check (price_rate > 0),
    -- Units of each room type held back from the channel.
    safety_stock bigint not null default 0 check (safety_stock >= 0),
    horizon_days bigint not null default 365 check (horizon_days between 1 and 1100),
    -- Whether a push is confirmed only by a read-back.
    read_back boolean not null default true,
    -- The last night computed for the channel.
    computed_until date,
    -- Default time zone of properties whose channel sends none.
    time_zone text collate "C",
    -- Set while the source listens: it imports, but pushes nothing until a person has it go live.
    listening_since timestamptz,
    -- The source was live before its credentials changed, and is live again once they show its rooms: the last row of
    -- the room types known then.
    live_up_to bigint,
    -- The status before a person paused or disabled the source; resuming restores it.
    status_before text collate "C"
        check (status_before in ('pending', 'active', 'error', 'expired', 'disconnected')),
    primary key (account_id, id),
    unique (account_id, source_name),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
);

-- At most one source creates core entities; two would create every property twice.
create unique index int_sources_one_creates on int_sources (account_id) where creates;

-- Credentials of a connection, field by field, encrypted for the account.
create table int_credentials (
    account_id bigint not null,
    connection_id bigint not null,
    slot text collate "C" not null,
    field text collate "C" not null,
    key_id text collate "C" not null,
    ciphertext bytea not null,
    expires_at timestamptz,
    updated_at timestamptz not null,
    primary key (account_id, connection_id, slot, field),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
);

-- Started consents at channels; the state in the redirect back must have this hash.
create table int_consents (
    account_id bigint not null,
    state_hash text collate "C" not null,
    source_id bigint not null,
    connection_id bigint not null,
    slot text collate "C" not null,
    expires_at timestamptz not null,
    primary key (account_id, state_hash),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
);

create unique index int_consents_by_state on int_consents (state_hash);

-- Keys of partners. Only the hash of a key is stored.
create table int_api_keys (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    source_id bigint not null,
    name text collate "C" not null,
    prefix text collate "C" not null,
    hash text collate "C" not null unique,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    scopes jsonb not null default '["*"]',
    -- Whether records that would need mending are rejected.
    strict boolean not null default false,
    primary key (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create unique index int_api_keys_by_prefix on int_api_keys (prefix);

-- Responses stored by Idempotency-Key and repeated for the same request.
create table int_idempotency_keys (
    account_id bigint not null,
    api_key_id bigint not null,
    endpoint text collate "C" not null,
    idempotency_key text collate "C" not null,
    request_hash text collate "C" not null,
    status bigint not null,
    content_type text collate "C" not null,
    body text collate "C" not null,
    created_at timestamptz not null,
    primary key (account_id, api_key_id, endpoint, idempotency_key),
    foreign key (account_id, api_key_id) references int_api_keys (account_id, id)
);

create index int_idempotency_keys_by_age on int_idempotency_keys (created_at);

alter table gas_accounts enable row level security;
alter table gas_accounts force row level security;
create policy tenant on gas_accounts using (gassync_sees(id));

do $$
declare
    tenant_table text;
begin
    foreach tenant_table in array array[
        'int_connections', 'int_sources', 'int_credentials', 'int_consents', 'int_api_keys', 'int_idempotency_keys'
    ] loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end $$;
