-- Accounts, and what they connect: connections to channels, sources, credentials and API keys. STRICT tables;
-- instants are fixed-width ISO text in UTC, dates are ISO text, money is integer in ten-thousandths, booleans are 0
-- or 1, JSON is text.

create table gas_accounts (
    id integer primary key autoincrement,
    name text not null,
    time_zone text not null,
    created_at text not null
) strict;

-- One row: the installation id sent to others. A copy of the database keeps it.
create table int_installation (
    one integer primary key check (one = 1),
    id text not null
) strict;

-- A connection to a channel. Its sources share its credentials and its webhook address.
create table int_connections (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    channel text not null,
    webhook_key text not null unique,
    webhook_token_hash text not null,
    created_at text not null,
    -- The process that renews the credentials holds this lease.
    renewing_until text,
    renewing_by text,
    -- Consecutive refusals by the channel of credentials that should be valid.
    refusals integer not null default 0,
    last_webhook_at text,
    -- Polls since the last webhook that found booking changes without a webhook.
    unannounced_polls integer not null default 0,
    unannounced_since text,
    unique (account_id, id)
) strict;

-- A source: one system that sends records to an account, or receives changes from it.
create table int_sources (
    account_id integer not null,
    id integer primary key autoincrement,
    connection_id integer,
    source_type text not null,
    source_name text not null,
    -- The external system's id of this account.
    workspace_id text,
    config text not null,
    status text not null
        check (status in ('pending', 'active', 'paused', 'disabled', 'error', 'expired', 'disconnected')),
    creates integer not null check (creates in (0, 1)),
    last_sync_at text,
    created_at text not null,
    -- Identifiers at the channel.
    channel_property_id text,
    channel_account_id text,
    channel_listing_url text,
    sync_enabled integer not null default 1 check (sync_enabled in (0, 1)),
    sync_direction text not null default 'bidirectional'
        check (sync_direction in ('bidirectional', 'inbound_only', 'outbound_only')),
    sync_availability integer not null default 1 check (sync_availability in (0, 1)),
    sync_pricing integer not null default 1 check (sync_pricing in (0, 1)),
    sync_bookings integer not null default 1 check (sync_bookings in (0, 1)),
    -- In ten-thousandths: of one per cent, or of one unit of currency.
    price_adjustment_type text check (price_adjustment_type in ('percent', 'amount')),
    price_adjustment_value integer,
    sync_frequency_minutes integer check (sync_frequency_minutes > 0),
    authority text not null default '{}',
    last_successful_sync_at text,
    error_message text,
    error_count integer not null default 0,
    last_error_at text,
    push_bookings text not null default 'direct' check (push_bookings in ('none', 'direct', 'all')),
    price_rounding text not null default 'none' check (price_rounding in ('none', 'nearest', 'up', 'down')),
    -- In ten-thousandths.
    price_rounding_step integer check (price_rounding_step > 0),
    -- The currency of the channel's prices, and how many ten-thousandths of it one unit of the core's currency is
    -- worth.
    price_currency text,
    price_rate integer check (price_rate > 0),
    -- Units of each room type held back from the channel.
    safety_stock integer not null default 0 check (safety_stock >= 0),
    horizon_days integer not null default 365 check (horizon_days between 1 and 1100),
    -- Whether a push is confirmed only by a read-back.
    read_back integer not null default 1,
    -- The last night computed for the channel.
    computed_until text,
    -- Default time zone of properties whose channel sends none.
    time_zone text,
    -- Set while the source listens: it imports, but pushes nothing until a person has it go live.
    listening_since text,
    -- The source was live before its credentials changed, and is live again once they show its rooms: the last row of
    -- the room types known then.
    live_up_to integer,
    -- The status before a person paused or disabled the source; resuming restores it.
    status_before text check (status_before in ('pending', 'active', 'error', 'expired', 'disconnected')),
    unique (account_id, id),
    unique (account_id, source_name),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
) strict;

-- At most one source creates core entities; two would create every property twice.
create unique index int_sources_one_creates on int_sources (account_id) where creates = 1;

-- Credentials of a connection, field by field, encrypted for the account.
create table int_credentials (
    account_id integer not null,
    connection_id integer not null,
    slot text not null,
    field text not null,
    key_id text not null,
    ciphertext blob not null,
    expires_at text,
    updated_at text not null,
    primary key (account_id, connection_id, slot, field),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
) strict;

-- Started consents at channels; the state in the redirect back must have this hash.
create table int_consents (
    account_id integer not null,
    state_hash text not null,
    source_id integer not null,
    connection_id integer not null,
    slot text not null,
    expires_at text not null,
    primary key (account_id, state_hash),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
) strict;

create unique index int_consents_by_state on int_consents (state_hash);

-- Keys of partners. Only the hash of a key is stored.
create table int_api_keys (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    source_id integer not null,
    name text not null,
    prefix text not null,
    hash text not null unique,
    created_at text not null,
    expires_at text,
    revoked_at text,
    last_used_at text,
    scopes text not null default '["*"]',
    -- Whether records that would need mending are rejected.
    strict integer not null default 0 check (strict in (0, 1)),
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create unique index int_api_keys_by_prefix on int_api_keys (prefix);

-- Responses stored by Idempotency-Key and repeated for the same request.
create table int_idempotency_keys (
    account_id integer not null,
    api_key_id integer not null,
    endpoint text not null,
    idempotency_key text not null,
    request_hash text not null,
    status integer not null,
    content_type text not null,
    body text not null,
    created_at text not null,
    primary key (account_id, api_key_id, endpoint, idempotency_key),
    foreign key (account_id, api_key_id) references int_api_keys (account_id, id)
) strict;

create index int_idempotency_keys_by_age on int_idempotency_keys (created_at);
