//! What a person should look at, and how it is mended.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::get};
use gassync_domain::Timestamp;
use jiff::{SignedDuration, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::channel_down;
use crate::{
    api::{ApiError, Operator},
    app::App,
    store::alarms::{self, Found},
};

/// How long a channel may lack something before a person should look.
const MAY_LACK: SignedDuration = SignedDuration::from_mins(15);
/// How long nothing may arrive at a subscriber before a person should look.
const MAY_FAIL: SignedDuration = SignedDuration::from_hours(1);

/// Something a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    /// `source`, `plugin`, `dead-jobs`, `refused-nights`, `refused-bookings`, `behind`, `overbooked`,
    /// `channel-down`, `webhook-disabled`, `webhook-failing`, `webhook-silent`, `webhook-dead`.
    pub kind: String,
    /// The source, where it is one's.
    pub source: Option<String>,
    /// How many of it there are.
    pub count: i64,
    /// What of it.
    pub detail: Option<String>,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// What to do about it.
    pub mend: String,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/admin/v1/alarms", get(list))
}

async fn list(State(app): State<Arc<App>>, _: Operator) -> Result<Json<Vec<Alarm>>, ApiError> {
    Ok(Json(all(&app).await?))
}

/// All there are.
pub(super) async fn all(app: &App) -> Result<Vec<Alarm>, ApiError> {
    let now = app.now();
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut tx = app.db.platform_read().await?;
    let mut found = Vec::new();
    let mut add = |kind: &str, of_it: Vec<Found>, mend: &dyn Fn(&str) -> String| {
        found.extend(of_it.into_iter().map(|Found { source_name, count, detail, since, webhook }| Alarm {
            kind: kind.to_owned(),
            mend: match webhook {
                Some(number) => mend(&number.to_string()),
                None => mend(source_name.as_deref().or(detail.as_deref()).unwrap_or_default()),
            },
            source: source_name,
            count,
            detail,
            since: since.map(Timestamp::from),
        }));
    };
    let connect = |name: &str| format!("gassync source connect {name} --credential FIELD=VALUE");
    add("source", alarms::broken_sources(&mut tx).await?, &connect);
    let enable = |name: &str| format!("gassync plugin show {name}, then gassync plugin enable {name}");
    add("plugin", alarms::quarantined_plugins(&mut tx).await?, &enable);
    let retry =
        |name: &str| format!("gassync jobs list --state dead --source {name}, then gassync jobs retry --source {name}");
    add("dead-jobs", alarms::dead_jobs(&mut tx).await?, &retry);
    let push = |name: &str| format!("gassync source status {name}, then gassync source push {name} --all");
    add("refused-nights", alarms::refused_nights(&mut tx).await?, &push);
    let change =
        |name: &str| format!("gassync source status {name}, mend the booking, then gassync jobs retry --source {name}");
    add("refused-bookings", alarms::refused_bookings(&mut tx).await?, &change);
    let look = |name: &str| format!("gassync source status {name} and gassync jobs list --source {name}");
    add("behind", alarms::behind(&mut tx, now - MAY_LACK).await?, &look);
    add("overbooked", alarms::overbooked(&mut tx, today).await?, &|_| {
        "move or cancel a booking of these nights".to_owned()
    });
    let again = |id: &str| {
        let mend = format!("gassync webhooks deliveries {id}, mend the subscriber, gassync webhooks enable {id}");
        format!("{mend}, then gassync webhooks replay {id} --since TIME")
    };
    add("webhook-disabled", alarms::disabled_webhooks(&mut tx).await?, &again);
    let look =
        |id: &str| format!("gassync webhooks deliveries {id}, mend the subscriber, then gassync webhooks test {id}");
    add("webhook-failing", alarms::failing_webhooks(&mut tx, now - MAY_FAIL).await?, &look);
    let end = |id: &str| {
        let mend = format!("gassync webhooks show {id}, gassync source connect SOURCE --credential FIELD=VALUE");
        format!("{mend}, then gassync webhooks replay {id} --since TIME; or gassync webhooks delete {id}")
    };
    add("webhook-silent", alarms::silent_webhooks(&mut tx).await?, &end);
    let tell = |id: &str| {
        let mend = format!("gassync webhooks deliveries {id} --state dead, mend the subscriber");
        format!("{mend}, then gassync webhooks replay {id} --since TIME --state dead; or gassync jobs cancel NUMBER")
    };
    add("webhook-dead", alarms::dead_deliveries(&mut tx).await?, &tell);
    found.extend(channel_down::alarms(app, &mut tx, now).await?);
    Ok(found)
}
