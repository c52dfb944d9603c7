-- What the standard API keeps beside its records, and how synchronisation went.

select set_config('gassync.account_id', 'platform', true);

alter table int_api_keys add column scopes jsonb not null default '["*"]';
create unique index int_api_keys_by_prefix on int_api_keys (prefix);

-- An answer that was given under an Idempotency-Key, to be given again.
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

-- How a source is to be synchronised, and how that went last.
alter table int_sources add column channel_property_id text collate "C";
alter table int_sources add column channel_account_id text collate "C";
alter table int_sources add column channel_listing_url text collate "C";
alter table int_sources add column sync_enabled boolean not null default true;
alter table int_sources add column sync_direction text collate "C" not null default 'bidirectional'
    check (sync_direction in ('bidirectional', 'inbound_only', 'outbound_only'));
alter table int_sources add column sync_availability boolean not null default true;
alter table int_sources add column sync_pricing boolean not null default true;
alter table int_sources add column sync_bookings boolean not null default true;
alter table int_sources add column price_adjustment_type text collate "C"
    check (price_adjustment_type in ('percent', 'amount'));
alter table int_sources add column price_adjustment_value bigint;
alter table int_sources add column sync_frequency_minutes bigint check (sync_frequency_minutes > 0);
alter table int_sources add column authority jsonb not null default '{}';
alter table int_sources add column last_successful_sync_at timestamptz;
alter table int_sources add column error_message text collate "C";
alter table int_sources add column error_count bigint not null default 0;
alter table int_sources add column last_error_at timestamptz;

create table int_sync_runs (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    sync_type text collate "C" not null check (sync_type in (
        'booking_import', 'booking_export', 'availability_import', 'availability_export', 'price_import',
        'price_export', 'content_sync', 'webhook', 'full_sync')),
    direction text collate "C" not null check (direction in ('inbound', 'outbound')),
    status text collate "C" not null check (status in ('started', 'success', 'partial_success', 'failure', 'skipped')),
    records_processed bigint not null,
    records_created bigint not null,
    records_updated bigint not null,
    records_failed bigint not null,
    records_skipped bigint not null,
    error_message text collate "C",
    error_details jsonb,
    started_at timestamptz not null,
    completed_at timestamptz,
    duration_ms bigint,
    primary key (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_sync_runs_by_source on int_sync_runs (account_id, source_id, id);

-- How each link stands, and what somebody noted beside it.
alter table int_mappings add column state text collate "C" not null default 'linked'
    check (state in ('linked', 'paused', 'broken'));
alter table int_mappings add column metadata jsonb not null default '{}';
alter table int_mappings add column last_synced_at timestamptz;
alter table int_mappings add column last_error text collate "C";
alter table int_mappings add column retries bigint not null default 0;

create table int_rate_plans (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    int_property_id bigint,
    external_id text collate "C" not null,
    name text collate "C" not null,
    description text collate "C",
    currency text collate "C",
    gas_rate_plan_id bigint,
    record jsonb not null,
    raw_data jsonb not null,
    digest text collate "C" not null,
    revision text collate "C",
    modified_at timestamptz,
    observed_at timestamptz not null,
    parked jsonb,
    synced_at timestamptz not null,
    primary key (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_property_id) references int_properties (account_id, id),
    foreign key (account_id, gas_rate_plan_id) references gas_rate_plans (account_id, id)
);

-- A channel's calendar as it told it; rate_plan_external_id is empty where it knows no rate plans.
create table int_availability (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    int_room_type_id bigint not null,
    rate_plan_external_id text collate "C" not null,
    date date not null,
    available boolean,
    units_available bigint check (units_available >= 0),
    price bigint check (price >= 0),
    currency text collate "C",
    min_stay bigint check (min_stay >= 0),
    max_stay bigint check (max_stay >= 0),
    closed_to_arrival boolean,
    closed_to_departure boolean,
    raw_data jsonb not null,
    observed_at timestamptz not null,
    synced_at timestamptz not null,
    primary key (account_id, id),
    unique (account_id, int_room_type_id, rate_plan_external_id, date),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id)
);

-- Who wants to hear of changes. The hash finds a secret; to sign with it, it must be kept, sealed.
create table int_webhooks (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    event_type text collate "C" not null,
    endpoint_url text collate "C" not null,
    secret_hash text collate "C" not null,
    secret_ciphertext bytea not null,
    key_id text collate "C" not null,
    status text collate "C" not null check (status in ('active', 'paused', 'disabled')),
    last_triggered_at timestamptz,
    created_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

-- Triggers ask whether a booking waits in the outbox already.
create index int_outbox_waiting_by_entity on int_outbox (account_id, entity_type, entity_id) where sequence is null;

create index int_reservations_by_arrival on int_reservations (account_id, source_id, check_in);

-- The buffer keeps a guest as it came, too.
alter table int_guests add column record jsonb;
alter table int_guests add column raw_data jsonb;
alter table int_guests add column digest text collate "C";
alter table int_guests add column observed_at timestamptz;
alter table int_guests add column revision text collate "C";
alter table int_guests add column modified_at timestamptz;
alter table int_guests add column parked jsonb;
update int_guests set digest = '', observed_at = synced_at, record = jsonb_build_object('id', external_id,
    'firstName', first_name, 'lastName', last_name, 'email', email, 'phone', phone, 'country', country,
    'language', language);
update int_guests set raw_data = record;

-- The bytes of messages are sealed with a key of their account; null is a message from before that.
alter table int_inbox add column key_id text collate "C";

-- What a source took back is kept until its time is over, and shown to nobody.
alter table int_properties add column deleted_at timestamptz;
alter table int_room_types add column deleted_at timestamptz;
alter table int_rate_plans add column deleted_at timestamptz;
alter table int_reservations add column deleted_at timestamptz;
alter table int_guests add column deleted_at timestamptz;

-- Questions about what channels sent are asked of raw_data.
create index int_properties_raw on int_properties using gin (raw_data jsonb_path_ops);
create index int_room_types_raw on int_room_types using gin (raw_data jsonb_path_ops);
create index int_reservations_raw on int_reservations using gin (raw_data jsonb_path_ops);

create index int_sync_log_by_source on int_sync_log (account_id, source_id, id);

-- A guest is known again by mail address and family name.
create index gas_guests_by_identity on gas_guests (account_id, lower(email), lower(last_name));

do $$
declare
    tenant_table text;
begin
    for tenant_table in
        select c.table_name from information_schema.columns c
        where c.table_schema = current_schema() and c.column_name = 'account_id'
          and not exists (select 1 from pg_policies p where p.tablename = c.table_name)
    loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end $$;
