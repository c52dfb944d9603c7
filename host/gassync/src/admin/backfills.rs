use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_domain::{Date, FieldError, Stay};
use jiff::Unit;
use serde::{Deserialize, Serialize};

use super::{find::find_source, paths};
use crate::{
    app::App,
    http::{ApiError, Body, Operator, Problem},
    store::{
        backfills::{self, Backfill, BackfillOutcome, BackfillState},
        queue,
    },
    worker::ContinueBackfill,
};

/// Maximum nights of one backfill.
const MAX_NIGHTS: i32 = 3_660;

/// A range of nights to fetch.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBackfill {
    /// The first night.
    pub from: Date,
    /// The last night.
    pub to: Date,
}

/// Progress of a backfill.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackfillResponse {
    /// The backfill's id.
    pub id: i64,
    /// The first night.
    pub from: Date,
    /// The day after the last night.
    pub until: Date,
    /// Nights before this day are done.
    pub reached: Date,
    /// Total number of nights.
    pub nights: i64,
    /// Number of nights done.
    pub nights_done: i64,
    /// How far it is.
    pub state: BackfillState,
    /// Record counts by entity and outcome.
    pub outcome: BackfillOutcome,
    /// Last error, if it stopped.
    pub error: Option<String>,
    /// Whether an earlier backfill was resumed.
    pub resumed: bool,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route(paths::SOURCE_BACKFILLS, post(create)).route(paths::SOURCE_BACKFILL, get(show))
}

/// Starts a backfill, or resumes the unfinished one of the same nights.
async fn create(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(new): Body<NewBackfill>,
) -> Result<(StatusCode, Json<BackfillResponse>), ApiError> {
    let wrong = |problem: String| Problem::Invalid(vec![FieldError::new("/to", problem)]);
    let until = new.to.tomorrow().map_err(|_| wrong("is out of range".to_owned()))?;
    let stay =
        Stay::spanning(new.from, until).ok_or_else(|| wrong(format!("must not be before from ({})", new.from)))?;
    if stay.nights() > MAX_NIGHTS {
        return Err(wrong(format!("makes {} nights; the limit is {MAX_NIGHTS}", stay.nights())).into());
    }
    let source = find_source(&app, &name).await?;
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    let known = backfills::unfinished(&mut tx, source.key()).await?;
    let (id, resumed) = match known {
        Some(known) if (known.starts_on, known.ends_on) == (new.from, until) => {
            backfills::record_failure(&mut tx, source.account, known.id, (BackfillState::Running, None), now).await?;
            (known.id, true)
        }
        Some(known) if known.state == BackfillState::Running => {
            let text = format!("another backfill is running, from {} until {}", known.starts_on, known.ends_on);
            return Err(Problem::Conflict(text).into());
        }
        _ => (backfills::create(&mut tx, source.key(), (new.from, until), now).await?, false),
    };
    let backfill = backfills::get(&mut tx, source.account, id).await?.ok_or(Problem::Internal)?;
    queue::enqueue(&mut tx, &[ContinueBackfill::next_window(source.account, &backfill)], now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    let status = if resumed { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(BackfillResponse { resumed, ..shown(backfill) })))
}

async fn show(
    State(app): State<Arc<App>>,
    _: Operator,
    Path((name, id)): Path<(String, i64)>,
) -> Result<Json<BackfillResponse>, ApiError> {
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.read(source.account).await?;
    let backfill = backfills::get(&mut tx, source.account, id).await?;
    let backfill = backfill.filter(|backfill| backfill.source == source.id).ok_or(Problem::NotFound)?;
    Ok(Json(shown(backfill)))
}

fn shown(backfill: Backfill) -> BackfillResponse {
    let days = |until: Date| backfill.starts_on.until((Unit::Day, until)).map_or(0, |span| i64::from(span.get_days()));
    BackfillResponse {
        id: backfill.id,
        from: backfill.starts_on,
        until: backfill.ends_on,
        reached: backfill.reached,
        nights: days(backfill.ends_on),
        nights_done: days(backfill.reached),
        state: backfill.state,
        outcome: backfill.outcome,
        error: backfill.error,
        resumed: false,
    }
}
