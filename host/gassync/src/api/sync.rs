//! `/integration/v1/sync-log` and `/integration/v1/sources/{id}/status`.

use std::sync::Arc;

use axum::{Json, Router, extract::State, http::HeaderMap, response::Response, routing::get};
use gassync_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiState;
use crate::{
    app::App,
    http::{
        ApiError, Caller, Problem,
        page::{ListPage, PageQuery, with_etag},
        params::{self, Params, PathId},
        problem::Document,
        scope::SyncRead,
    },
    store::{
        outbound::ages,
        sources, status,
        sync_log::{self, LogAction, LogDirection, LogStatus},
        sync_runs::{self, SyncRunKind, SyncRunStatus},
    },
};

/// Number of runs shown with a source.
const RUNS_SHOWN: i64 = 10;

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/integration/v1/sync-log", get(log))
        .route("/integration/v1/sources/{id}/status", get(source_status))
}

/// Filter of the sync log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct SyncLogQuery {
    /// `property`, `room_type`, `rate_plan`, `reservation`, `guest`, `availability`.
    entity_type: Option<String>,
    /// The source's own id.
    entity_id: Option<String>,
    /// `success`, `failed` or `pending`.
    #[param(inline)]
    status: Option<LogStatus>,
    /// Written at or after this time (RFC 3339).
    #[serde(default, deserialize_with = "params::instant")]
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// An entry of the sync log. It names records by id and contains no guest data.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncLogEntry {
    /// Identifier.
    #[schema(example = 4711)]
    id: i64,
    /// `inbound` or `outbound`.
    #[schema(example = "inbound")]
    direction: LogDirection,
    /// Kind of record.
    #[schema(example = "reservation")]
    entity_type: String,
    /// The source's own id.
    #[schema(example = "res-2027-0417")]
    entity_id: String,
    /// Action: `create`, `update`, `delete`, `map`, `park`, `refuse`, `reject`, `ignore`.
    #[schema(example = "park")]
    action: LogAction,
    /// Status: `success`, `failed`, `pending`.
    #[schema(example = "pending")]
    status: LogStatus,
    /// Reason, unless it simply succeeded.
    #[schema(example = "room type room-garden is not mapped")]
    message: Option<String>,
    /// Time.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// The sync log of this key's source, oldest first. Unchanged records are not logged.
#[utoipa::path(
    get, path = "/integration/v1/sync-log", tag = "sync", operation_id = "list_sync_log", params(PageQuery, SyncLogQuery),
    responses(
        (status = 200, description = "A page", body = ListPage<SyncLogEntry>),
        (status = 304, description = "Not modified"),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn log(
    State(app): State<Arc<App>>,
    caller: Caller<SyncRead>,
    Params(page): Params<PageQuery>,
    Params(filter): Params<SyncLogQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let cursor = page.to_cursor()?;
    let filter = sync_log::SyncLogFilter {
        entity_type: filter.entity_type,
        entity_id: filter.entity_id,
        status: filter.status,
        since: filter.since,
    };
    let mut tx = app.db.read(caller.account).await?;
    let lines = sync_log::of_source(&mut tx, caller.source_key(), &filter, cursor).await?;
    let show = |line: sync_log::SyncLogLine| SyncLogEntry {
        id: line.id,
        direction: line.direction,
        entity_type: line.entity_type,
        entity_id: line.entity_id,
        action: line.action,
        status: line.status,
        message: line.error_message,
        at: line.created_at.into(),
    };
    with_etag(&headers, &ListPage::cut(lines, cursor, |line| line.id, show))
}

/// Record counts of one kind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntityStatus {
    /// `properties`, `room-types`, …
    #[schema(example = "reservations")]
    entity: &'static str,
    /// Stored records.
    #[schema(example = 212)]
    total: i64,
    /// Records linked to the core.
    #[schema(example = 209)]
    linked: i64,
    /// Parked records.
    #[schema(example = 3)]
    parked: i64,
    /// When a record of this kind was last received.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_synced_at: Option<Timestamp>,
}

/// A synchronisation run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncRunResponse {
    /// Such as `booking_import`, `availability_export` or `content_sync`.
    #[schema(example = "booking_import")]
    sync_type: SyncRunKind,
    /// `started`, `success`, `partial_success`, `failure`.
    #[schema(example = "success")]
    status: SyncRunStatus,
    /// Records processed; for outbound runs, nights or bookings sent.
    records_processed: i64,
    /// Created.
    records_created: i64,
    /// Updated, or accepted by the channel.
    records_updated: i64,
    /// Rejected or parked.
    records_failed: i64,
    /// Unchanged.
    records_skipped: i64,
    /// Outbound: confirmed at the channel. The rest is verified by a read-back.
    records_confirmed: i64,
    /// Outbound: in doubt whether the channel received it.
    records_in_doubt: i64,
    /// Error, if the run failed.
    error_message: Option<String>,
    /// Start time.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// Duration in milliseconds. Null while running.
    duration_ms: Option<i64>,
}

/// How up to date the channel of a source is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutboundStatus {
    /// Time of the oldest core change not confirmed at the channel. Null if all are confirmed.
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest_missing: Option<Timestamp>,
    /// Time of the latest confirmation.
    #[schema(value_type = Option<String>, format = DateTime)]
    newest_confirmed: Option<Timestamp>,
    /// Nights to be sent or verified.
    #[schema(example = 0)]
    nights_pending: i64,
    /// Nights confirmed at the channel.
    #[schema(example = 365)]
    nights_confirmed: i64,
    /// Nights rejected by the channel.
    #[schema(example = 0)]
    nights_rejected: i64,
    /// Bookings to be sent or verified.
    #[schema(example = 0)]
    bookings_pending: i64,
    /// Bookings rejected by the channel.
    #[schema(example = 0)]
    bookings_rejected: i64,
}

/// Status of a source.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatus {
    /// Identifier.
    #[schema(example = 7)]
    id: i64,
    /// Name.
    #[schema(example = "front desk")]
    name: String,
    /// The channel, or `partner`.
    #[schema(example = "partner")]
    channel: String,
    /// `pending`, `active`, `paused`, `disabled`, `error`, `expired`, `disconnected`.
    #[schema(example = "active")]
    status: sources::SourceState,
    /// Whether the source creates core entities. Records of other sources wait to be linked.
    creates: bool,
    /// Time of the last exchange with the channel or partner, accurate to ten seconds.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sync_at: Option<Timestamp>,
    /// Time of the last successful exchange.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_successful_sync_at: Option<Timestamp>,
    /// Number of consecutive failures since then.
    error_count: i64,
    /// Error of the last failure.
    error_message: Option<String>,
    /// Time.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_error_at: Option<Timestamp>,
    /// Outbound status. Null for sources without a channel.
    outbound: Option<OutboundStatus>,
    /// Record counts by kind.
    entities: Vec<EntityStatus>,
    /// Latest runs, newest first.
    runs: Vec<SyncRunResponse>,
}

/// Status of this key's source.
#[utoipa::path(
    get, path = "/integration/v1/sources/{id}/status", tag = "sync", operation_id = "get_source_status",
    params(("id" = String, Path, description = "Id of the source, or `me` for the source of the key")),
    responses(
        (status = 200, description = "The status", body = SourceStatus),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn source_status(
    State(app): State<Arc<App>>,
    caller: Caller<SyncRead>,
    PathId(id): PathId,
) -> Result<Json<SourceStatus>, ApiError> {
    if id != "me" && id != caller.source.to_string() {
        return Err(Problem::NotFound.into());
    }
    let mut tx = app.db.read(caller.account).await?;
    let source = sources::get(&mut tx, caller.source_key()).await?.ok_or(Problem::NotFound)?;
    let entities = status::of_source(&mut tx, caller.source_key()).await?;
    let runs = sync_runs::newest(&mut tx, caller.source_key(), RUNS_SHOWN).await?;
    let age = ages::of_source(&mut tx, caller.source_key()).await?;
    let outbound = source.connection.map(|_| OutboundStatus {
        oldest_missing: age.oldest_missing,
        newest_confirmed: age.newest_confirmed,
        nights_pending: age.nights_pending + age.nights_unconfirmed,
        nights_confirmed: age.nights_confirmed,
        nights_rejected: age.nights_rejected,
        bookings_pending: age.bookings_pending,
        bookings_rejected: age.bookings_rejected,
    });
    let entities = entities.into_iter().map(|(entity, count)| EntityStatus {
        entity,
        total: count.total,
        linked: count.linked,
        parked: count.parked,
        last_synced_at: count.last_synced_at.map(Timestamp::from),
    });
    let runs = runs.into_iter().map(|run| SyncRunResponse {
        sync_type: run.kind,
        status: run.status,
        records_processed: run.records_processed,
        records_created: run.records_created,
        records_updated: run.records_updated,
        records_failed: run.records_failed,
        records_skipped: run.records_skipped,
        records_confirmed: run.records_confirmed,
        records_in_doubt: run.records_in_doubt,
        error_message: run.error_message,
        started_at: run.started_at.into(),
        duration_ms: run.duration_ms,
    });
    Ok(Json(SourceStatus {
        id: source.id.0,
        name: source.name,
        channel: source.source_type,
        status: source.status,
        creates: source.creates,
        last_sync_at: source.last_sync_at,
        last_successful_sync_at: source.last_successful_sync_at,
        error_count: source.error_count,
        error_message: source.error_message,
        last_error_at: source.last_error_at,
        outbound,
        entities: entities.collect(),
        runs: runs.collect(),
    }))
}
