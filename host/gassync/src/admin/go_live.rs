//! A source that listens goes live: plan first, then just that.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::post,
};
use gassync_domain::Date;
use serde::{Deserialize, Serialize};

use super::sources::find_source;
use crate::{
    app::App,
    http::{ApiError, Operator, Problem},
    outbound::going_live::{self, GoLiveEffect, GoLiveError, NightCount},
};

/// What is asked for: a plan, or that the last one is followed.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct GoLive {
    /// Only show what would change at the channel; true keeps it as the plan that may be followed.
    pub plan: bool,
    /// With a plan: nights that somebody has closed by hand at the channel are to be opened too.
    pub open_closed: bool,
    /// The number of the plan that is to be followed; the last one where none is said.
    pub plan_id: Option<i64>,
}

/// Nights of which the same happens.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NightsCount {
    /// How many.
    pub nights: usize,
    /// The channel's id of the first one's room type.
    pub first_room_type_id: Option<String>,
    /// The first of them.
    pub first_night: Option<Date>,
}

/// What going live changes at the channel.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoLivePlan {
    /// The plan's number; none where it was followed.
    pub plan_id: Option<i64>,
    /// Whether the source is live now.
    pub live: bool,
    /// Nights that are opened, or of which more are sold.
    pub opens: NightsCount,
    /// Nights that are closed, or of which fewer are sold.
    pub closes: NightsCount,
    /// Nights whose price changes.
    pub prices: NightsCount,
    /// Nights whose rules of stay change.
    pub rules: NightsCount,
    /// Nights that somebody has closed there by hand: closed everywhere, and open again when the channel shows them open.
    pub closed_by_hand: NightsCount,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/admin/v1/sources/{name}/go-live", post(go_live))
}

async fn go_live(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Json(asked): Json<GoLive>,
) -> Result<Json<GoLivePlan>, ApiError> {
    if asked.open_closed && !asked.plan {
        let text = "openClosed goes with plan: what is to be opened must have been shown";
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
