-- What the standard API keeps beside its records, and how synchronisation went.

alter table int_api_keys add column scopes text not null default '["*"]';
create unique index int_api_keys_by_prefix on int_api_keys (prefix);

-- An answer that was given under an Idempotency-Key, to be given again.
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

-- How a source is to be synchronised, and how that went last.
alter table int_sources add column channel_property_id text;
alter table int_sources add column channel_account_id text;
alter table int_sources add column channel_listing_url text;
alter table int_sources add column sync_enabled integer not null default 1 check (sync_enabled in (0, 1));
alter table int_sources add column sync_direction text not null default 'bidirectional'
    check (sync_direction in ('bidirectional', 'inbound_only', 'outbound_only'));
alter table int_sources add column sync_availability integer not null default 1 check (sync_availability in (0, 1));
alter table int_sources add column sync_pricing integer not null default 1 check (sync_pricing in (0, 1));
alter table int_sources add column sync_bookings integer not null default 1 check (sync_bookings in (0, 1));
alter table int_sources add column price_adjustment_type text
    check (price_adjustment_type in ('percent', 'amount'));
alter table int_sources add column price_adjustment_value integer;
alter table int_sources add column sync_frequency_minutes integer check (sync_frequency_minutes > 0);
alter table int_sources add column authority text not null default '{}';
alter table int_sources add column last_successful_sync_at text;
alter table int_sources add column error_message text;
alter table int_sources add column error_count integer not null default 0;
alter table int_sources add column last_error_at text;

create table int_sync_runs (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    sync_type text not null check (sync_type in (
        'booking_import', 'booking_export', 'availability_import', 'availability_export', 'price_import',
        'price_export', 'content_sync', 'webhook', 'full_sync')),
    direction text not null check (direction in ('inbound', 'outbound')),
    status text not null check (status in ('started', 'success', 'partial_success', 'failure', 'skipped')),
    records_processed integer not null,
    records_created integer not null,
    records_updated integer not null,
    records_failed integer not null,
    records_skipped integer not null,
    error_message text,
    error_details text,
    started_at text not null,
    completed_at text,
    duration_ms integer,
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_sync_runs_by_source on int_sync_runs (account_id, source_id, id);

-- How each link stands, and what somebody noted beside it.
alter table int_mappings add column state text not null default 'linked'
    check (state in ('linked', 'paused', 'broken'));
alter table int_mappings add column metadata text not null default '{}';
alter table int_mappings add column last_synced_at text;
alter table int_mappings add column last_error text;
alter table int_mappings add column retries integer not null default 0;

create table int_rate_plans (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    int_property_id integer,
    external_id text not null,
    name text not null,
    description text,
    currency text,
    gas_rate_plan_id integer,
    record text not null,
    raw_data text not null,
    digest text not null,
    revision text,
    modified_at text,
    observed_at text not null,
    parked text,
    synced_at text not null,
    unique (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_property_id) references int_properties (account_id, id),
    foreign key (account_id, gas_rate_plan_id) references gas_rate_plans (account_id, id)
) strict;

-- A channel's calendar as it told it; rate_plan_external_id is empty where it knows no rate plans.
create table int_availability (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    int_room_type_id integer not null,
    rate_plan_external_id text not null,
    date text not null,
    available integer check (available in (0, 1)),
    units_available integer check (units_available >= 0),
    price integer check (price >= 0),
    currency text,
    min_stay integer check (min_stay >= 0),
    max_stay integer check (max_stay >= 0),
    closed_to_arrival integer check (closed_to_arrival in (0, 1)),
    closed_to_departure integer check (closed_to_departure in (0, 1)),
    raw_data text not null,
    observed_at text not null,
    synced_at text not null,
    unique (account_id, id),
    unique (account_id, int_room_type_id, rate_plan_external_id, date),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id)
) strict;

-- Who wants to hear of changes. The hash finds a secret; to sign with it, it must be kept, sealed.
create table int_webhooks (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    event_type text not null,
    endpoint_url text not null,
    secret_hash text not null,
    secret_ciphertext blob not null,
    key_id text not null,
    status text not null check (status in ('active', 'paused', 'disabled')),
    last_triggered_at text,
    created_at text not null,
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

-- Triggers ask whether a booking waits in the outbox already.
create index int_outbox_waiting_by_entity on int_outbox (account_id, entity_type, entity_id) where sequence is null;

create index int_reservations_by_arrival on int_reservations (account_id, source_id, check_in);

-- The buffer keeps a guest as it came, too.
alter table int_guests add column record text;
alter table int_guests add column raw_data text;
alter table int_guests add column digest text;
alter table int_guests add column observed_at text;
alter table int_guests add column revision text;
alter table int_guests add column modified_at text;
alter table int_guests add column parked text;
update int_guests set digest = '', observed_at = synced_at, record = json_object('id', external_id,
    'firstName', first_name, 'lastName', last_name, 'email', email, 'phone', phone, 'country', country,
    'language', language);
update int_guests set raw_data = record;

-- The bytes of messages are sealed with a key of their account; null is a message from before that.
alter table int_inbox add column key_id text;

-- What a source took back is kept until its time is over, and shown to nobody.
alter table int_properties add column deleted_at text;
alter table int_room_types add column deleted_at text;
alter table int_rate_plans add column deleted_at text;
alter table int_reservations add column deleted_at text;
alter table int_guests add column deleted_at text;

create index int_sync_log_by_source on int_sync_log (account_id, source_id, id);

-- A guest is known again by mail address and family name.
create index gas_guests_by_identity on gas_guests (account_id, lower(email), lower(last_name));
