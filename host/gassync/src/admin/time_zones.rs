//! Time zone of a source's properties.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::post,
};
use gassync_domain::is_time_zone;
use serde::{Deserialize, Serialize};

use super::{find::find_source, paths};
use crate::{
    app::App,
    core,
    http::{ApiError, Body, Operator, Problem},
    schedule,
    store::{outbound::invalidations, time_zones},
};

/// Time zone of a source's properties.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTimeZone {
    /// IANA name, such as `Europe/Lisbon`.
    pub time_zone: String,
}

/// Result of the change.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeZoneResponse {
    /// Number of properties updated.
    pub houses: u64,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route(paths::SOURCE_TIME_ZONE, post(set))
}

/// Sets the time zone of properties whose channel sends none.
async fn set(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(new): Body<NewTimeZone>,
) -> Result<Json<TimeZoneResponse>, ApiError> {
    check(Some(&new.time_zone))?;
    let source = find_source(&app, &name).await?;
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    let before = time_zones::kept(&mut tx, source.key()).await?;
    time_zones::keep(&mut tx, source.key(), &new.time_zone).await?;
    let houses = core::set_missing_time_zone(&mut tx, source.key(), before.as_deref(), now).await?;
    // Days now start at another hour, so the calendar is recomputed.
    schedule::invalidate_source(&mut tx, source.key(), (invalidations::FIRST, false), now).await?;
    tx.commit().await?;
    app.facts.notify_one();
    app.wake.notify_waiters();
    Ok(Json(TimeZoneResponse { houses }))
}

pub(super) fn check(zone: Option<&str>) -> Result<(), Problem> {
    match zone.filter(|zone| !is_time_zone(zone)) {
        Some(zone) => Err(Problem::Malformed(format!(
            "{zone} is not a name of the IANA time zone database, such as Europe/Lisbon"
        ))),
        None => Ok(()),
    }
}
