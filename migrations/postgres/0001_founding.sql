-- The founding schema. Native types; money is bigint ten-thousandths; text sorts by code point.

create table gas_accounts (
    id bigint generated always as identity primary key,
    name text collate "C" not null,
    time_zone text collate "C" not null,
    created_at timestamptz not null
);

-- The core. No column here knows of a channel.

create table gas_properties (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    name text collate "C" not null,
    description text collate "C",
    street text collate "C",
    city text collate "C",
    state text collate "C",
    postcode text collate "C",
    country text collate "C",
    latitude double precision,
    longitude double precision,
    currency text collate "C",
    time_zone text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id)
);

create table gas_bookable_units (
    account_id bigint not null,
    id bigint generated always as identity,
    property_id bigint not null,
    name text collate "C" not null,
    description text collate "C",
    max_occupancy bigint check (max_occupancy >= 0),
    quantity bigint not null check (quantity >= 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, property_id) references gas_properties (account_id, id)
);

create table gas_guests (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    first_name text collate "C",
    last_name text collate "C",
    email text collate "C",
    phone text collate "C",
    country text collate "C",
    language text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id)
);

create table gas_bookings (
    account_id bigint not null,
    id bigint generated always as identity,
    property_id bigint not null,
    guest_id bigint,
    status text collate "C" not null check (status in ('confirmed', 'pending', 'inquiry', 'cancelled', 'declined', 'no-show')),
    check_in date not null,
    check_out date not null,
    guests bigint check (guests >= 0),
    adults bigint check (adults >= 0),
    children bigint check (children >= 0),
    infants bigint check (infants >= 0),
    total_price bigint,
    currency text collate "C",
    notes text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, id),
    check (check_in < check_out),
    foreign key (account_id, property_id) references gas_properties (account_id, id),
    foreign key (account_id, guest_id) references gas_guests (account_id, id)
);

create table gas_booking_rooms (
    account_id bigint not null,
    id bigint generated always as identity,
    booking_id bigint not null,
    position bigint not null check (position >= 0),
    unit_id bigint not null,
    check_in date not null,
    check_out date not null,
    guests bigint check (guests >= 0),
    adults bigint check (adults >= 0),
    children bigint check (children >= 0),
    infants bigint check (infants >= 0),
    total_price bigint,
    updated_at timestamptz not null,
    primary key (account_id, id),
    unique (account_id, booking_id, position),
    check (check_in < check_out),
    foreign key (account_id, booking_id) references gas_bookings (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
);

create index gas_booking_rooms_by_unit on gas_booking_rooms (account_id, unit_id, check_in);

-- Who and what is connected.

create table int_plugins (
    id text collate "C" primary key,
    status text collate "C" not null check (status in ('enabled', 'disabled')),
    hash text collate "C" not null,
    version text collate "C" not null,
    changed_at timestamptz not null
);

create table int_connections (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    channel text collate "C" not null,
    webhook_key text collate "C" not null unique,
    webhook_token_hash text collate "C" not null,
    created_at timestamptz not null,
    primary key (account_id, id)
);

create table int_sources (
    account_id bigint not null,
    id bigint generated always as identity,
    connection_id bigint,
    source_type text collate "C" not null,
    source_name text collate "C" not null,
    workspace_id text collate "C",
    config jsonb not null,
    status text collate "C" not null
        check (status in ('pending', 'active', 'paused', 'disabled', 'error', 'expired', 'disconnected')),
    creates boolean not null,
    last_sync_at timestamptz,
    created_at timestamptz not null,
    primary key (account_id, id),
    unique (account_id, source_name),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
);

-- Two creating sources would make every house twice.
create unique index int_sources_one_creates on int_sources (account_id) where creates;

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
    primary key (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

-- The buffer.

create table int_properties (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    external_id text collate "C" not null,
    name text collate "C" not null,
    description text collate "C",
    address text collate "C",
    city text collate "C",
    country text collate "C",
    thumbnail_url text collate "C",
    gas_property_id bigint,
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
    foreign key (account_id, gas_property_id) references gas_properties (account_id, id)
);

create table int_room_types (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    int_property_id bigint,
    external_id text collate "C" not null,
    name text collate "C" not null,
    description text collate "C",
    max_occupancy bigint,
    amenities jsonb not null,
    gas_unit_id bigint,
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
    foreign key (account_id, gas_unit_id) references gas_bookable_units (account_id, id)
);

create table int_guests (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    external_id text collate "C" not null,
    first_name text collate "C",
    last_name text collate "C",
    email text collate "C",
    phone text collate "C",
    country text collate "C",
    language text collate "C",
    gas_guest_id bigint,
    synced_at timestamptz not null,
    primary key (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, gas_guest_id) references gas_guests (account_id, id)
);

create table int_reservations (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    int_room_type_id bigint,
    external_id text collate "C" not null,
    property_external_id text collate "C",
    check_in date,
    check_out date,
    status text collate "C" not null,
    source_channel text collate "C",
    guest_first_name text collate "C",
    guest_last_name text collate "C",
    guest_email text collate "C",
    guest_phone text collate "C",
    adults bigint,
    children bigint,
    total_price bigint,
    currency text collate "C",
    gas_booking_id bigint,
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
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id),
    foreign key (account_id, gas_booking_id) references gas_bookings (account_id, id)
);

create index int_reservations_parked on int_reservations (account_id, source_id) where parked is not null;

create table int_mappings (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    external_entity_type text collate "C" not null,
    external_entity_id text collate "C" not null,
    gas_entity_type text collate "C" not null,
    gas_entity_id bigint not null,
    auto_sync boolean not null,
    origin text collate "C" not null check (origin in ('external', 'core')),
    created_at timestamptz not null,
    primary key (account_id, id),
    unique (account_id, source_id, external_entity_type, external_entity_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_mappings_by_core on int_mappings (account_id, gas_entity_type, gas_entity_id);

create table int_sync_log (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    source_id bigint,
    direction text collate "C" not null check (direction in ('inbound', 'outbound')),
    entity_type text collate "C" not null,
    entity_id text collate "C" not null,
    action text collate "C" not null,
    status text collate "C" not null check (status in ('success', 'failed', 'pending')),
    error_message text collate "C",
    request_data jsonb,
    response_data jsonb,
    created_at timestamptz not null,
    primary key (account_id, id)
);

create index int_sync_log_by_entity on int_sync_log (account_id, entity_type, entity_id, id);

-- The queues.

create table int_inbox (
    account_id bigint not null,
    id bigint generated always as identity,
    connection_id bigint not null,
    kind text collate "C" not null check (kind in ('call', 'answer')),
    method text collate "C" not null,
    url text collate "C" not null,
    headers jsonb not null,
    body bytea not null,
    state text collate "C" not null check (state in ('received', 'applied', 'failed')),
    attempts bigint not null,
    available_at timestamptz not null,
    error text collate "C",
    received_at timestamptz not null,
    finished_at timestamptz,
    primary key (account_id, id),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
);

create index int_inbox_waiting on int_inbox (available_at, id) where state = 'received';

create table int_outbox (
    account_id bigint not null references gas_accounts (id),
    id bigint generated always as identity,
    entity_type text collate "C" not null,
    entity_id bigint not null,
    action text collate "C" not null check (action in ('created', 'updated', 'deleted')),
    origin_source_id bigint,
    created_at timestamptz not null,
    sequence bigint,
    primary key (account_id, id)
);

create table int_jobs (
    account_id bigint not null,
    id bigint generated always as identity,
    source_id bigint not null,
    kind text collate "C" not null,
    payload jsonb not null,
    state text collate "C" not null check (state in ('waiting', 'done', 'dead')),
    attempts bigint not null,
    run_at timestamptz not null,
    error text collate "C",
    created_at timestamptz not null,
    finished_at timestamptz,
    primary key (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

create index int_jobs_waiting on int_jobs (run_at, id) where state = 'waiting';
-- The same work waits once.
create unique index int_jobs_once on int_jobs (account_id, source_id, kind, payload) where state = 'waiting';

-- Where the next fetch of an entity begins: an instant or token of the channel's.
create table int_poll_points (
    account_id bigint not null,
    source_id bigint not null,
    entity text collate "C" not null,
    resume text collate "C" not null,
    updated_at timestamptz not null,
    primary key (account_id, source_id, entity),
    foreign key (account_id, source_id) references int_sources (account_id, id)
);

-- Whoever writes the core writes the outbox: once per statement, however many rows it changes.
-- Whose hand it was is a setting of the transaction; none means the core's own.

create function gas_to_outbox() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'gas_booking_rooms' then
        -- A room belongs to its booking: the booking is what changed.
        insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
        select account_id, 'booking', booking_id, 'updated',
               nullif(current_setting('gassync.origin_source_id', true), '')::bigint, max(updated_at)
        from changed group by account_id, booking_id;
    else
        insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
        select account_id, tg_argv[0], id, tg_argv[1],
               nullif(current_setting('gassync.origin_source_id', true), '')::bigint, updated_at
        from changed;
    end if;
    return null;
end $$;

create trigger gas_properties_created after insert on gas_properties referencing new table as changed
    for each statement execute function gas_to_outbox('property', 'created');
create trigger gas_properties_updated after update on gas_properties referencing new table as changed
    for each statement execute function gas_to_outbox('property', 'updated');
create trigger gas_properties_deleted after delete on gas_properties referencing old table as changed
    for each statement execute function gas_to_outbox('property', 'deleted');

create trigger gas_bookable_units_created after insert on gas_bookable_units referencing new table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'created');
create trigger gas_bookable_units_updated after update on gas_bookable_units referencing new table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'updated');
create trigger gas_bookable_units_deleted after delete on gas_bookable_units referencing old table as changed
    for each statement execute function gas_to_outbox('bookable_unit', 'deleted');

create trigger gas_guests_created after insert on gas_guests referencing new table as changed
    for each statement execute function gas_to_outbox('guest', 'created');
create trigger gas_guests_updated after update on gas_guests referencing new table as changed
    for each statement execute function gas_to_outbox('guest', 'updated');
create trigger gas_guests_deleted after delete on gas_guests referencing old table as changed
    for each statement execute function gas_to_outbox('guest', 'deleted');

create trigger gas_bookings_created after insert on gas_bookings referencing new table as changed
    for each statement execute function gas_to_outbox('booking', 'created');
create trigger gas_bookings_updated after update on gas_bookings referencing new table as changed
    for each statement execute function gas_to_outbox('booking', 'updated');
create trigger gas_bookings_deleted after delete on gas_bookings referencing old table as changed
    for each statement execute function gas_to_outbox('booking', 'deleted');

create trigger gas_booking_rooms_created after insert on gas_booking_rooms referencing new table as changed
    for each statement execute function gas_to_outbox('booking', 'created');
create trigger gas_booking_rooms_updated after update on gas_booking_rooms referencing new table as changed
    for each statement execute function gas_to_outbox('booking', 'updated');
create trigger gas_booking_rooms_deleted after delete on gas_booking_rooms referencing old table as changed
    for each statement execute function gas_to_outbox('booking', 'deleted');

-- A tenant's rows are seen by that tenant's transactions and by the platform's own; with nothing set, nobody's are.
-- Forced, so that the owner of the tables is held by it too.

create function gassync_sees(account bigint) returns boolean language sql stable as $$
    select current_setting('gassync.account_id', true) in (account::text, 'platform')
$$;

alter table gas_accounts enable row level security;
alter table gas_accounts force row level security;
create policy tenant on gas_accounts using (gassync_sees(id));

do $$
declare
    tenant_table text;
begin
    for tenant_table in
        select c.table_name from information_schema.columns c
        where c.table_schema = current_schema() and c.column_name = 'account_id'
    loop
        execute format('alter table %I enable row level security', tenant_table);
        execute format('alter table %I force row level security', tenant_table);
        execute format('create policy tenant on %I using (gassync_sees(account_id))', tenant_table);
    end loop;
end $$;
