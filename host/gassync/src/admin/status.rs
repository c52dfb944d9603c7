use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};
use gassync_domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    alarms::{self, Alarm},
    paths,
};
use crate::{
    app::App,
    http::{ApiError, Operator, Params},
    store::{
        self,
        sync_log::{self, LogAction, LogDirection, LogStatus},
    },
};

/// The page contains no data: it requests the figures with the operator's token.
const PAGE: &str = include_str!("../../assets/status.html");
/// Lines of the audit trail on the page.
const LINES: i64 = 25;
/// Maximum lines per response when following the audit trail.
const FOLLOWED: i64 = 500;

/// Status of the system: counts and ids, never guest data.
#[derive(Debug, Serialize, Deserialize)]
pub struct HostStatus {
    /// Figures by name.
    pub figures: BTreeMap<String, i64>,
    /// Conditions that need an operator.
    pub alarms: Vec<Alarm>,
    /// The newest lines of the audit trail.
    pub lines: Vec<SyncLogLineResponse>,
}

/// A line of the audit trail.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncLogLineResponse {
    /// The line's id.
    pub id: i64,
    /// Time of creation.
    pub at: Timestamp,
    /// Which way the record went.
    pub direction: LogDirection,
    /// The source of the record.
    pub source_id: Option<i64>,
    /// Kind of the record.
    pub entity: String,
    /// The channel's id.
    pub entity_id: String,
    /// What was done.
    pub action: LogAction,
    /// How it ended.
    pub status: LogStatus,
    /// The reason, unless it simply succeeded.
    pub message: Option<String>,
}

impl From<sync_log::SyncLogLine> for SyncLogLineResponse {
    fn from(line: sync_log::SyncLogLine) -> Self {
        Self {
            id: line.id,
            at: line.created_at.into(),
            direction: line.direction,
            source_id: line.source_id,
            entity: line.entity_type,
            entity_id: line.entity_id,
            action: line.action,
            status: line.status,
            message: line.error_message,
        }
    }
}

#[derive(Debug, Deserialize)]
struct SyncLogQuery {
    after: i64,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/", get(page)).route(paths::STATUS, get(status)).route(paths::SYNC_LOG, get(follow))
}

async fn page() -> impl IntoResponse {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(PAGE))
}

async fn status(State(app): State<Arc<App>>, _: Operator) -> Result<Json<HostStatus>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let figures = store::status::figures(&mut tx).await?;
    let figures = figures.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    let lines = sync_log::newest(&mut tx, LINES).await?.into_iter().map(SyncLogLineResponse::from).collect();
    drop(tx);
    let alarms = alarms::all(&app).await?;
    Ok(Json(HostStatus { figures, alarms, lines }))
}

async fn follow(
    State(app): State<Arc<App>>,
    _: Operator,
    Params(SyncLogQuery { after }): Params<SyncLogQuery>,
) -> Result<Json<Vec<SyncLogLineResponse>>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let lines = sync_log::after(&mut tx, after, FOLLOWED).await?;
    Ok(Json(lines.into_iter().map(SyncLogLineResponse::from).collect()))
}
