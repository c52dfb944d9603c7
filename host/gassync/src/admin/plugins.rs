use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use crate::{
    api::{ApiError, Operator, Problem},
    app::App,
    store,
};

/// A plugin and where it stands.
#[derive(Debug, Serialize, Deserialize)]
pub struct PluginShown {
    /// The channel.
    pub id: String,
    /// `enabled` or `disabled`.
    pub status: String,
    /// By its manifest; of the artefact that serves, or served last.
    pub version: String,
    /// SHA-256 of that artefact.
    pub hash: String,
    /// Whether it serves in this process.
    pub loaded: bool,
    /// Why the file in the folder cannot serve.
    pub problem: Option<String>,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/admin/v1/plugins", get(list)).route("/admin/v1/plugins/{id}/{act}", post(act))
}

async fn list(State(app): State<Arc<App>>, _: Operator) -> Result<Json<Vec<PluginShown>>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let known = store::plugins::all(&mut tx).await?;
    let mut problems = app.plugins.problems();
    let mut shown: Vec<PluginShown> = known
        .into_iter()
        .map(|plugin| PluginShown {
            loaded: app.plugins.get(&plugin.id).is_some(),
            problem: problems.remove(&plugin.id),
            id: plugin.id,
            status: plugin.status,
            version: plugin.version,
            hash: plugin.hash,
        })
        .collect();
    // Files that never served stand in the list too: otherwise nobody would learn why.
    shown.extend(problems.into_iter().map(|(id, problem)| PluginShown {
        id,
        status: "refused".to_owned(),
        version: String::new(),
        hash: String::new(),
        loaded: false,
        problem: Some(problem),
    }));
    Ok(Json(shown))
}

async fn act(
    State(app): State<Arc<App>>,
    _: Operator,
    Path((id, act)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let status = match act.as_str() {
        "enable" => "enabled",
        "disable" => "disabled",
        _ => return Err(Problem::NotFound.into()),
    };
    let mut tx = app.db.platform_write().await?;
    if !store::plugins::set_status(&mut tx, &id, status, app.now()).await? {
        return Err(Problem::NotFound.into());
    }
    tx.commit().await?;
    // What was kept meanwhile is worked off, in order.
    app.wake.notify_waiters();
    Ok(StatusCode::NO_CONTENT)
}
