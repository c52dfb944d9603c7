use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::get,
};
use gassync_domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::paths;
use crate::{
    app::App,
    http::{ApiError, Operator, Params, Problem},
    plugins::{self, CallDetail},
    store::{self, plugins::calls},
};

/// Default page size.
const DEFAULT_LIMIT: i64 = 50;
/// Maximum page size.
const MAX_LIMIT: i64 = 500;

/// A plugin call and its resource usage.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginCall {
    /// The call's id.
    pub id: i64,
    /// The tenant.
    pub account_id: i64,
    /// The connection.
    pub connection_id: i64,
    /// The called version.
    pub version: String,
    /// SHA-256 of that version.
    pub hash: String,
    /// Called function, such as `inbound.decode`.
    pub entry: String,
    /// Subject, such as `message-12`.
    pub subject: String,
    /// `ok`, the name of the channel's error, `trap`, or the limit that ended it.
    pub outcome: String,
    /// Wall-clock time in microseconds.
    pub wall_micros: i64,
    /// CPU time in microseconds, in whole ticks.
    pub processor_micros: i64,
    /// Peak memory in bytes.
    pub peak_memory_bytes: i64,
    /// Sent in bodies, in bytes.
    pub sent_bytes: i64,
    /// Received in bodies, in bytes.
    pub received_bytes: i64,
    /// Time of completion.
    pub at: Timestamp,
    /// Requests and log, if requested.
    pub detail: Option<CallDetail>,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route(paths::PLUGIN_CALLS, get(list))
}

#[derive(Debug, Deserialize)]
struct CallsQuery {
    /// Only calls after this id, oldest first; without it the newest.
    after: Option<i64>,
    limit: Option<i64>,
    /// Whether to include requests and log.
    #[serde(default)]
    detail: bool,
}

async fn list(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(id): Path<String>,
    Params(query): Params<CallsQuery>,
) -> Result<Json<Vec<PluginCall>>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let mut tx = app.db.platform_read().await?;
    store::plugins::get(&mut tx, &id).await?.ok_or(Problem::NotFound)?;
    let calls = calls::of_plugin(&mut tx, &id, (query.after, limit), query.detail).await?;
    let calls = calls.into_iter().map(|call| shown(&app, call, query.detail)).collect();
    Ok(Json(calls))
}

fn shown(app: &App, call: calls::StoredCall, detail: bool) -> PluginCall {
    let detail = detail.then(|| {
        plugins::detail_of(&app.vault, &call).unwrap_or_else(|error| {
            tracing::warn!(call = call.id, %error, "details of a plugin call cannot be decrypted");
            CallDetail::default()
        })
    });
    PluginCall {
        id: call.id,
        account_id: call.account_id,
        connection_id: call.connection_id,
        version: call.version,
        hash: call.hash,
        entry: call.entry,
        subject: call.subject,
        outcome: call.outcome,
        wall_micros: call.wall_micros,
        processor_micros: call.processor_micros,
        peak_memory_bytes: call.peak_memory_bytes,
        sent_bytes: call.sent_bytes,
        received_bytes: call.received_bytes,
        at: call.created_at.into(),
        detail,
    }
}
