//! Deletes a source and all its data, table by table in small transactions. It can be repeated safely. The core keeps
//! its bookings, and the audit trail its lines.

use gassync_domain::{AccountId, ConnectionId, CoreId, SourceKey, Timestamp};
use sqlx::{AssertSqlSafe, FromRow};

use super::{Result, Time, Tx, on, rows};

/// A source's or connection's rows of a table. Referring tables come first.
#[derive(Debug, Clone, Copy)]
pub struct TableSlice {
    /// The table.
    pub table: &'static str,
    /// Its key columns after the account.
    key: &'static str,
    /// Condition; `$2` is the source or connection.
    filter: &'static str,
}

const fn piece(table: &'static str, key: &'static str) -> TableSlice {
    TableSlice { table, key, filter: "source_id = $2" }
}

/// The source itself, last.
pub const SOURCE: TableSlice = TableSlice { table: "int_sources", key: "id", filter: "id = $2" };
/// Its connection, last.
pub const CONNECTION: TableSlice = TableSlice { table: "int_connections", key: "id", filter: "id = $2" };

/// Data of a source.
pub const SOURCE_TABLES: [TableSlice; 31] = [
    TableSlice {
        table: "int_delivery_attempts",
        key: "job_id, id",
        filter: "job_id in (select id from int_jobs where account_id = $1 and source_id = $2)",
    },
    piece("int_jobs", "id"),
    piece("int_queues", "source_id, queue_kind, subscription_id"),
    TableSlice {
        table: "int_webhook_secrets",
        key: "id",
        filter: "webhook_id in (select id from int_webhooks where account_id = $1 and source_id = $2)",
    },
    piece("int_webhooks", "id"),
    TableSlice {
        table: "int_idempotency_keys",
        key: "api_key_id, endpoint, idempotency_key",
        filter: "api_key_id in (select id from int_api_keys where account_id = $1 and source_id = $2)",
    },
    piece("int_api_keys", "id"),
    piece("int_channel_nights", "source_id, int_room_type_id, rate_plan_external_id, night"),
    piece("int_channel_bookings", "source_id, booking_id"),
    piece("int_closures", "source_id, int_room_type_id, night"),
    piece("int_go_live_plans", "id"),
    piece("int_calendar_invalidations", "source_id, int_room_type_id, first_night, last_night"),
    piece("int_availability", "id"),
    piece("int_parked_reservations", "source_id, external_id"),
    piece("int_missing_reservations", "source_id, external_id"),
    piece("int_decisions", "id"),
    piece("int_set_aside", "id"),
    piece("int_poll_failures", "source_id, poll"),
    piece("int_sync_cursors", "source_id, entity"),
    piece("int_plugin_state", "source_id, key"),
    piece("int_backfills", "id"),
    piece("int_sync_runs", "id"),
    piece("int_reservations", "id"),
    TableSlice {
        table: "int_block_maintenance",
        key: "int_block_id, gas_maintenance_id",
        filter: "int_block_id in (select id from int_blocks where account_id = $1 and source_id = $2)",
    },
    piece("int_blocks", "id"),
    piece("int_guests", "id"),
    piece("int_rate_plans", "id"),
    piece("int_room_types", "id"),
    piece("int_properties", "id"),
    piece("int_mappings", "id"),
    piece("int_consents", "state_hash"),
];

const fn at_connection(table: &'static str, key: &'static str) -> TableSlice {
    TableSlice { table, key, filter: "connection_id = $2" }
}

/// Tables of a connection that no source shares any more.
pub const CONNECTION_TABLES: [TableSlice; 5] = [
    at_connection("int_credentials", "connection_id, slot, field"),
    at_connection("int_consents", "state_hash"),
    at_connection("int_plugin_faults", "plugin_id, hash, connection_id"),
    at_connection("int_plugin_calls", "id"),
    at_connection("int_inbox", "id"),
];

/// Deletes up to `limit` rows; returns their number.
pub async fn delete(tx: &mut Tx, piece: TableSlice, account: AccountId, of: i64, limit: i64) -> Result<u64> {
    let TableSlice { table, key, filter } = piece;
    let text = format!(
        "delete from {table} where (account_id, {key}) in (
            select account_id, {key} from {table} where account_id = $1 and {filter} limit $3)"
    );
    on!(tx, c => sqlx::query(AssertSqlSafe(text)).bind(account.0).bind(of).bind(limit).execute(c).await
        .map(|done| done.rows_affected()))
}

/// Data of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
pub struct SourceContents {
    /// Properties from the channel.
    pub properties: i64,
    /// Room types.
    pub room_types: i64,
    /// Rate plans.
    pub rate_plans: i64,
    /// Reservations.
    pub reservations: i64,
    /// Guests.
    pub guests: i64,
    /// Blocks.
    pub blocks: i64,
    /// Nights of calendars.
    pub calendar_nights: i64,
    /// Unreadable records.
    pub set_aside: i64,
    /// Decisions on parked records.
    pub decisions: i64,
    /// Links.
    pub links: i64,
    /// Linked bookings of the core.
    pub bookings: i64,
    /// Maintenance entries made for its blocks.
    pub closures: i64,
    /// Nights closed at its channel by hand.
    pub closed_nights: i64,
    /// Holds for parked records.
    pub holds: i64,
    /// Bookings pushed to its channel.
    pub pushed_bookings: i64,
    /// API keys.
    pub keys: i64,
    /// Subscriptions.
    pub subscriptions: i64,
    /// Waiting jobs.
    pub jobs: i64,
    /// Credential fields.
    pub credentials: i64,
    /// Messages and responses of its channel.
    pub messages: i64,
    /// Messages not yet processed.
    pub waiting_messages: i64,
}

/// Counts a source's data, and its connection's if not shared.
pub async fn count(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    connection: Option<ConnectionId>,
) -> Result<SourceContents> {
    let text = "select
        (select count(*) from int_properties where account_id = $1 and source_id = $2) as properties,
        (select count(*) from int_room_types where account_id = $1 and source_id = $2) as room_types,
        (select count(*) from int_rate_plans where account_id = $1 and source_id = $2) as rate_plans,
        (select count(*) from int_reservations where account_id = $1 and source_id = $2) as reservations,
        (select count(*) from int_guests where account_id = $1 and source_id = $2) as guests,
        (select count(*) from int_blocks where account_id = $1 and source_id = $2) as blocks,
        (select count(*) from int_availability where account_id = $1 and source_id = $2) as calendar_nights,
        (select count(*) from int_set_aside where account_id = $1 and source_id = $2) as set_aside,
        (select count(*) from int_decisions where account_id = $1 and source_id = $2) as decisions,
        (select count(*) from int_mappings where account_id = $1 and source_id = $2) as links,
        (select count(distinct gas_entity_id) from int_mappings where account_id = $1 and source_id = $2
            and gas_entity_type = 'booking') as bookings,
        (select count(*) from int_block_maintenance n join int_blocks b on b.account_id = n.account_id and b.id = n.int_block_id
            where b.account_id = $1 and b.source_id = $2) as closures,
        (select count(*) from int_closures where account_id = $1 and source_id = $2 and not waived) as closed_nights,
        (select count(*) from int_parked_reservations where account_id = $1 and source_id = $2
            and hold_id is not null) as holds,
        (select count(*) from int_channel_bookings where account_id = $1 and source_id = $2
            and state <> 'pending') as pushed_bookings,
        (select count(*) from int_api_keys where account_id = $1 and source_id = $2) as keys,
        (select count(*) from int_webhooks where account_id = $1 and source_id = $2 and deleted_at is null) as subscriptions,
        (select count(*) from int_jobs where account_id = $1 and source_id = $2 and state = 'waiting') as jobs,
        (select count(*) from int_credentials where account_id = $1 and connection_id = $3) as credentials,
        (select count(*) from int_inbox where account_id = $1 and connection_id = $3) as messages,
        (select count(*) from int_inbox where account_id = $1 and connection_id = $3
            and state = 'received') as waiting_messages";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(connection.map(|id| id.0)).fetch_one(c).await)
}

/// Whether somebody holds a queue of the source: a worker, or a request.
pub async fn is_busy(tx: &mut Tx, SourceKey { account, source }: SourceKey, now: Timestamp) -> Result<bool> {
    let text = "select exists (select 1 from int_queues where account_id = $1 and source_id = $2 and busy_until > $3)";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(Time::from(now)).fetch_one(c).await)
}

/// Some holds of a source's parked records; [`delete_holds`] removes them from later results.
pub async fn holds(tx: &mut Tx, SourceKey { account, source }: SourceKey, limit: i64) -> Result<Vec<CoreId>> {
    let text = "select hold_id from int_parked_reservations
        where account_id = $1 and source_id = $2 and hold_id is not null order by hold_id limit $3";
    let ids: Vec<i64> =
        on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(limit).fetch_all(c).await)?;
    Ok(ids.into_iter().map(CoreId).collect())
}

/// Removes these holds from a source's parked records.
pub async fn delete_holds(tx: &mut Tx, SourceKey { account, source }: SourceKey, holds: &[CoreId]) -> Result<()> {
    let text = "update int_parked_reservations set hold_id = null
        where account_id = $1 and source_id = $2 and hold_id in (select id from new)";
    rows::of_ids(holds).write(tx, &[account.0.into(), source.0.into()], text).await
}
