//! Takes a listening source live: first plan, then apply the plan.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::post,
};
use gassync_domain::Date;
use serde::{Deserialize, Serialize};

use super::{find::find_source, paths};
use crate::{
    app::App,
    http::{ApiError, Body, Operator, Problem},
    outbound::going_live::{self, GoLiveEffect, GoLiveError, NightCount},
};

/// Request for a plan, or to apply one.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct GoLive {
    /// Only return what would change at the channel, and store it as a plan.
    pub plan: bool,
    /// With `plan`: also open nights that were closed by hand at the channel.
    pub open_closed: bool,
    /// Id of the plan to apply; default: the latest one.
    pub plan_id: Option<i64>,
}

/// Nights with the same change.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NightsCount {
    /// Number of nights.
    pub nights: usize,
    /// The channel's id of the room type of the first night.
    pub first_room_type_id: Option<String>,
    /// The first night.
    pub first_night: Option<Date>,
}

/// What going live changes at the channel.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoLivePlan {
    /// Id of the plan; None once it is applied.
    pub plan_id: Option<i64>,
    /// Whether the source is live now.
    pub live: bool,
    /// Nights opened, or with more units.
    pub opens: NightsCount,
    /// Nights closed, or with fewer units.
    pub closes: NightsCount,
    /// Nights whose price changes.
    pub prices: NightsCount,
    /// Nights whose rules of stay change.
    pub rules: NightsCount,
    /// Nights closed by hand at the channel: closed everywhere until the channel reports them open.
    pub closed_by_hand: NightsCount,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route(paths::SOURCE_GO_LIVE, post(go_live))
}

async fn go_live(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(asked): Body<GoLive>,
) -> Result<Json<GoLivePlan>, ApiError> {
    if asked.open_closed && !asked.plan {
        let text = "openClosed requires plan";
        return Err(Problem::Malformed(text.to_owned()).into());
    }
    let source = find_source(&app, &name).await?;
    let shown = if asked.plan {
        let (id, comes) = going_live::plan(&app, &source, asked.open_closed).await.map_err(refused)?;
        GoLivePlan { plan_id: Some(id), live: source.listening_since.is_none(), ..shown(comes) }
    } else {
        let comes = going_live::execute(&app, &source, asked.plan_id).await.map_err(refused)?;
        GoLivePlan { live: true, ..shown(comes) }
    };
    Ok(Json(shown))
}

fn shown(comes: GoLiveEffect) -> GoLivePlan {
    let counted = |counted: NightCount| {
        let (first_room_type_id, first_night) = counted.first.unzip();
        NightsCount { nights: counted.nights, first_room_type_id, first_night }
    };
    GoLivePlan {
        plan_id: None,
        live: false,
        opens: counted(comes.opens),
        closes: counted(comes.closes),
        prices: counted(comes.prices),
        rules: counted(comes.rules),
        closed_by_hand: counted(comes.closed_by_hand),
    }
}

fn refused(error: GoLiveError) -> ApiError {
    match error {
        GoLiveError::Store(error) => error.into(),
        GoLiveError::Channel(error) => Problem::Channel(error.to_string()).into(),
        GoLiveError::NoChannel => Problem::Malformed(error.to_string()).into(),
        error => Problem::Conflict(error.to_string()).into(),
    }
}
