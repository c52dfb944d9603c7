//! How synchronisation goes: `/integration/v1/sync-log` and `/integration/v1/sources/{id}/status`.

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
    store::{outbound::ages, sources, status, sync_log, sync_runs},
};

/// Runs shown with a source.
const RUNS_SHOWN: i64 = 10;

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/integration/v1/sync-log", get(log))
        .route("/integration/v1/sources/{id}/status", get(source_status))
}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct SyncLogQuery {
    /// `property`, `room_type`, `rate_plan`, `reservation`, `guest`, `availability`.
    entity_type: Option<String>,
    /// The source's own id.
    entity_id: Option<String>,
    /// `success`, `failed` or `pending`.
    status: Option<String>,
    /// Written since (RFC 3339).
    #[serde(default, deserialize_with = "params::instant")]
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// A line of the audit trail. It names records by id and never carries what a guest wrote.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncLogEntry {
    /// Its number.
    #[schema(example = 4711)]
    id: i64,
    /// `inbound` or `outbound`.
    #[schema(example = "inbound")]
    direction: String,
    /// What kind of record.
    #[schema(example = "reservation")]
    entity_type: String,
    /// The source's own id.
    #[schema(example = "res-2027-0417")]
    entity_id: String,
    /// What was done: `create`, `update`, `delete`, `map`, `park`, `refuse`, `reject`, `ignore`.
    #[schema(example = "park")]
    action: String,
    /// How it went: `success`, `failed`, `pending`.
    #[schema(example = "pending")]
    status: String,
    /// Why, where it did not simply succeed.
    #[schema(example = "room type room-garden is not mapped")]
    message: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// What was done with the records of this key's source, oldest first. What changed nothing leaves no line.
#[utoipa::path(
    get, path = "/integration/v1/sync-log", tag = "sync", operation_id = "list_sync_log", params(PageQuery, SyncLogQuery),
    responses(
        (status = 200, description = "A page", body = ListPage<SyncLogEntry>),
        (status = 304, description = "As the caller has it"),
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
    let lines = sync_log::of_source(&mut tx, caller.account, caller.source, &filter, cursor).await?;
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

/// How many records of a kind there are, and how they stand.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntityStatus {
    /// `properties`, `room-types`, …
    #[schema(example = "reservations")]
    entity: &'static str,
    /// In the buffer.
    #[schema(example = 212)]
    total: i64,
    /// Linked to the core.
    #[schema(example = 209)]
    linked: i64,
    /// Waiting for something.
    #[schema(example = 3)]
    parked: i64,
    /// When one was last confirmed.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_synced_at: Option<Timestamp>,
}

/// A run of synchronisation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncRunResponse {
    /// Such as `booking_import`, `availability_export` or `content_sync`.
    #[schema(example = "booking_import")]
    sync_type: String,
    /// `started`, `success`, `partial_success`, `failure`.
    #[schema(example = "success")]
    status: String,
    /// Records looked at; of what goes out the nights or bookings that were told.
    records_processed: i64,
    /// Of them new.
    records_created: i64,
    /// Of them changed, or taken by the channel.
    records_updated: i64,
    /// Of them refused or parked.
    records_failed: i64,
    /// Of them as they were.
    records_skipped: i64,
    /// Of what went out: what the channel surely has; what else it took is to be read back.
    records_confirmed: i64,
    /// Of what went out: of what nobody knows whether the channel has it.
    records_in_doubt: i64,
    /// Why it failed.
    error_message: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// How long it took, in milliseconds; null while it runs.
    duration_ms: Option<i64>,
}

/// How old what a source's channel has is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutboundStatus {
    /// The oldest change of the core that is not surely at the channel; null where all is.
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest_missing: Option<Timestamp>,
    /// When something was last surely there.
    #[schema(value_type = Option<String>, format = DateTime)]
    newest_confirmed: Option<Timestamp>,
    /// Nights that are to be sent, or read back.
    #[schema(example = 0)]
    nights_pending: i64,
    /// Nights that the channel has.
    #[schema(example = 365)]
    nights_confirmed: i64,
    /// Nights that it will not have.
    #[schema(example = 0)]
    nights_rejected: i64,
    /// Bookings that are to be told, or read back.
    #[schema(example = 0)]
    bookings_pending: i64,
    /// Bookings that it will not have.
    #[schema(example = 0)]
    bookings_rejected: i64,
}

/// Where a source stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatus {
    /// Its key.
    #[schema(example = 7)]
    id: i64,
    /// What people call it.
    #[schema(example = "front desk")]
    name: String,
    /// The channel, or `partner`.
    #[schema(example = "partner")]
    channel: String,
    /// `pending`, `active`, `paused`, `disabled`, `error`, `expired`, `disconnected`.
    #[schema(example = "active")]
    status: String,
    /// Whether it makes core entities; another than the one that does waits to be linked.
    creates: bool,
    /// When something was last tried with its channel, or its partner called; to ten seconds.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sync_at: Option<Timestamp>,
    /// When that last went well.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_successful_sync_at: Option<Timestamp>,
    /// How many attempts in a row have failed since.
    error_count: i64,
    /// Why the last one did.
    error_message: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_error_at: Option<Timestamp>,
    /// How its channel stands to the core; null where nobody is told anything.
    outbound: Option<OutboundStatus>,
    /// Kind by kind.
    entities: Vec<EntityStatus>,
    /// The newest runs, newest first.
    runs: Vec<SyncRunResponse>,
}

/// Where this key's source stands.
#[utoipa::path(
    get, path = "/integration/v1/sources/{id}/status", tag = "sync", operation_id = "get_source_status",
    params(("id" = String, Path, description = "The source's number, or `me` for that of the key")),
    responses(
        (status = 200, description = "Where it stands", body = SourceStatus),
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
    let source = sources::get(&mut tx, caller.account, caller.source).await?.ok_or(Problem::NotFound)?;
    let entities = status::of_source(&mut tx, caller.account, caller.source).await?;
    let runs = sync_runs::newest(&mut tx, caller.account, caller.source, RUNS_SHOWN).await?;
    let age = ages::of_source(&mut tx, caller.account, caller.source).await?;
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
        sync_type: run.sync_type,
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
