-- The founding schema. STRICT tables; instants are fixed-width ISO text in UTC, dates ISO text,
-- money integer ten-thousandths, booleans 0 or 1, JSON text.

create table gas_accounts (
    id integer primary key autoincrement,
    name text not null,
    time_zone text not null,
    created_at text not null
) strict;

-- The core. No column here knows of a channel.

create table gas_properties (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    name text not null,
    description text,
    street text,
    city text,
    state text,
    postcode text,
    country text,
    latitude real,
    longitude real,
    currency text,
    time_zone text,
    created_at text not null,
    updated_at text not null,
    unique (account_id, id)
) strict;

create table gas_bookable_units (
    account_id integer not null,
    id integer primary key autoincrement,
    property_id integer not null,
    name text not null,
    description text,
    max_occupancy integer check (max_occupancy >= 0),
    quantity integer not null check (quantity >= 0),
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    foreign key (account_id, property_id) references gas_properties (account_id, id)
) strict;

create table gas_guests (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    first_name text,
    last_name text,
    email text,
    phone text,
    country text,
    language text,
    created_at text not null,
    updated_at text not null,
    unique (account_id, id)
) strict;

create table gas_bookings (
    account_id integer not null,
    id integer primary key autoincrement,
    property_id integer not null,
    guest_id integer,
    status text not null check (status in ('confirmed', 'pending', 'inquiry', 'cancelled', 'declined', 'no-show')),
    check_in text not null,
    check_out text not null,
    guests integer check (guests >= 0),
    adults integer check (adults >= 0),
    children integer check (children >= 0),
    infants integer check (infants >= 0),
    total_price integer,
    currency text,
    notes text,
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    check (check_in < check_out),
    foreign key (account_id, property_id) references gas_properties (account_id, id),
    foreign key (account_id, guest_id) references gas_guests (account_id, id)
) strict;

create table gas_booking_rooms (
    account_id integer not null,
    id integer primary key autoincrement,
    booking_id integer not null,
    position integer not null check (position >= 0),
    unit_id integer not null,
    check_in text not null,
    check_out text not null,
    guests integer check (guests >= 0),
    adults integer check (adults >= 0),
    children integer check (children >= 0),
    infants integer check (infants >= 0),
    total_price integer,
    updated_at text not null,
    unique (account_id, booking_id, position),
    check (check_in < check_out),
    foreign key (account_id, booking_id) references gas_bookings (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
) strict;

create index gas_booking_rooms_by_unit on gas_booking_rooms (account_id, unit_id, check_in);

-- Who and what is connected.

create table int_plugins (
    id text primary key,
    status text not null check (status in ('enabled', 'disabled')),
    hash text not null,
    version text not null,
    changed_at text not null
) strict;

create table int_connections (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    channel text not null,
    webhook_key text not null unique,
    webhook_token_hash text not null,
    created_at text not null,
    unique (account_id, id)
) strict;

create table int_sources (
    account_id integer not null,
    id integer primary key autoincrement,
    connection_id integer,
    source_type text not null,
    source_name text not null,
    workspace_id text,
    config text not null,
    status text not null
        check (status in ('pending', 'active', 'paused', 'disabled', 'error', 'expired', 'disconnected')),
    creates integer not null check (creates in (0, 1)),
    last_sync_at text,
    created_at text not null,
    unique (account_id, id),
    unique (account_id, source_name),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
) strict;

-- Two creating sources would make every house twice.
create unique index int_sources_one_creates on int_sources (account_id) where creates = 1;

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
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

-- The buffer.

create table int_properties (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    external_id text not null,
    name text not null,
    description text,
    address text,
    city text,
    country text,
    thumbnail_url text,
    gas_property_id integer,
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
    foreign key (account_id, gas_property_id) references gas_properties (account_id, id)
) strict;

create table int_room_types (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    int_property_id integer,
    external_id text not null,
    name text not null,
    description text,
    max_occupancy integer,
    amenities text not null,
    gas_unit_id integer,
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
    foreign key (account_id, gas_unit_id) references gas_bookable_units (account_id, id)
) strict;

create table int_guests (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    external_id text not null,
    first_name text,
    last_name text,
    email text,
    phone text,
    country text,
    language text,
    gas_guest_id integer,
    synced_at text not null,
    unique (account_id, id),
    unique (account_id, source_id, external_id),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, gas_guest_id) references gas_guests (account_id, id)
) strict;

create table int_reservations (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    int_room_type_id integer,
    external_id text not null,
    property_external_id text,
    check_in text,
    check_out text,
    status text not null,
    source_channel text,
    guest_first_name text,
    guest_last_name text,
    guest_email text,
    guest_phone text,
    adults integer,
    children integer,
    total_price integer,
    currency text,
    gas_booking_id integer,
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
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id),
    foreign key (account_id, gas_booking_id) references gas_bookings (account_id, id)
) strict;

create index int_reservations_parked on int_reservations (account_id, source_id) where parked is not null;

create table int_mappings (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    external_entity_type text not null,
    external_entity_id text not null,
    gas_entity_type text not null,
    gas_entity_id integer not null,
    auto_sync integer not null check (auto_sync in (0, 1)),
    origin text not null check (origin in ('external', 'core')),
    created_at text not null,
    unique (account_id, id),
    unique (account_id, source_id, external_entity_type, external_entity_id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_mappings_by_core on int_mappings (account_id, gas_entity_type, gas_entity_id);

create table int_sync_log (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    source_id integer,
    direction text not null check (direction in ('inbound', 'outbound')),
    entity_type text not null,
    entity_id text not null,
    action text not null,
    status text not null check (status in ('success', 'failed', 'pending')),
    error_message text,
    request_data text,
    response_data text,
    created_at text not null,
    unique (account_id, id)
) strict;

create index int_sync_log_by_entity on int_sync_log (account_id, entity_type, entity_id, id);

-- The queues.

create table int_inbox (
    account_id integer not null,
    id integer primary key autoincrement,
    connection_id integer not null,
    kind text not null check (kind in ('call', 'answer')),
    method text not null,
    url text not null,
    headers text not null,
    body blob not null,
    state text not null check (state in ('received', 'applied', 'failed')),
    attempts integer not null,
    available_at text not null,
    error text,
    received_at text not null,
    finished_at text,
    unique (account_id, id),
    foreign key (account_id, connection_id) references int_connections (account_id, id)
) strict;

create index int_inbox_waiting on int_inbox (available_at, id) where state = 'received';

create table int_outbox (
    account_id integer not null references gas_accounts (id),
    id integer primary key autoincrement,
    entity_type text not null,
    entity_id integer not null,
    action text not null check (action in ('created', 'updated', 'deleted')),
    origin_source_id integer,
    created_at text not null,
    sequence integer,
    unique (account_id, id)
) strict;

create table int_jobs (
    account_id integer not null,
    id integer primary key autoincrement,
    source_id integer not null,
    kind text not null,
    payload text not null,
    state text not null check (state in ('waiting', 'done', 'dead')),
    attempts integer not null,
    run_at text not null,
    error text,
    created_at text not null,
    finished_at text,
    unique (account_id, id),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

create index int_jobs_waiting on int_jobs (run_at, id) where state = 'waiting';
-- The same work waits once.
create unique index int_jobs_once on int_jobs (account_id, source_id, kind, payload) where state = 'waiting';

-- Where the next fetch of an entity begins: an instant or token of the channel's.
create table int_poll_points (
    account_id integer not null,
    source_id integer not null,
    entity text not null,
    resume text not null,
    updated_at text not null,
    primary key (account_id, source_id, entity),
    foreign key (account_id, source_id) references int_sources (account_id, id)
) strict;

-- Whose hand changes the core: one row, set inside a transaction and null again before it commits.
create table gas_change_context (
    one integer primary key check (one = 1),
    origin_source_id integer
) strict;

insert into gas_change_context (one, origin_source_id) values (1, null);

-- Whoever writes the core writes the outbox.

create trigger gas_properties_created after insert on gas_properties begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'property', new.id, 'created', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_properties_updated after update on gas_properties begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'property', new.id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_properties_deleted after delete on gas_properties begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'property', old.id, 'deleted', origin_source_id, old.updated_at from gas_change_context;
end;

create trigger gas_bookable_units_created after insert on gas_bookable_units begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.id, 'created', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_bookable_units_updated after update on gas_bookable_units begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'bookable_unit', new.id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_bookable_units_deleted after delete on gas_bookable_units begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'bookable_unit', old.id, 'deleted', origin_source_id, old.updated_at from gas_change_context;
end;

create trigger gas_guests_created after insert on gas_guests begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'guest', new.id, 'created', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_guests_updated after update on gas_guests begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'guest', new.id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_guests_deleted after delete on gas_guests begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'guest', old.id, 'deleted', origin_source_id, old.updated_at from gas_change_context;
end;

create trigger gas_bookings_created after insert on gas_bookings begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'booking', new.id, 'created', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_bookings_updated after update on gas_bookings begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'booking', new.id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_bookings_deleted after delete on gas_bookings begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'booking', old.id, 'deleted', origin_source_id, old.updated_at from gas_change_context;
end;

-- A room belongs to its booking: the booking is what changed.
create trigger gas_booking_rooms_created after insert on gas_booking_rooms begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'booking', new.booking_id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_booking_rooms_updated after update on gas_booking_rooms begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select new.account_id, 'booking', new.booking_id, 'updated', origin_source_id, new.updated_at from gas_change_context;
end;
create trigger gas_booking_rooms_deleted after delete on gas_booking_rooms begin
    insert into int_outbox (account_id, entity_type, entity_id, action, origin_source_id, created_at)
    select old.account_id, 'booking', old.booking_id, 'updated', origin_source_id, old.updated_at from gas_change_context;
end;
