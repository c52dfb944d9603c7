//! `/integration/v1/webhooks/{id}/deliveries` and `…/replay`: what came of what a subscriber was told, and once more.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ApiState, webhooks::WebhookPath};
use crate::{
    app::App,
    http::{
        ApiError, Body, Caller, PathParams,
        page::{ListPage, PageQuery},
        params::Params,
        problem::Document,
        scope::{WebhooksRead, WebhooksWrite},
    },
    webhooks::{
        ReplayPlan, ReplayRequest,
        service::{self, DeliveryDetail, DeliveryFilter, DeliveryResponse, QueuedMessage, ReplayResponse},
    },
};

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/integration/v1/webhooks/{id}/deliveries", get(list))
        .route("/integration/v1/webhooks/{id}/deliveries/{delivery}", get(one))
        .route("/integration/v1/webhooks/{id}/deliveries/{delivery}/replay", post(redeliver))
        .route("/integration/v1/webhooks/{id}/replay", post(replay))
        .route("/integration/v1/webhooks/{id}/replays/{run}", get(progress))
        .route("/integration/v1/webhooks/{id}/replays/{run}/cancel", post(cancel))
}

/// Which delivery.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DeliveryPath {
    /// The subscription's number
    id: i64,
    /// The delivery's number
    delivery: i64,
}

/// Which run of replays.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReplayPath {
    /// The subscription's number
    id: i64,
    /// The run's number
    run: i64,
}

/// What a subscriber was told and will be, the newest first: kept as long as the feed is, 90 days unless the operator says
/// otherwise.
#[utoipa::path(
    get, path = "/integration/v1/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "list_deliveries",
    params(("id" = i64, Path, description = "The subscription's number"), PageQuery, DeliveryFilter),
    responses(
        (status = 200, description = "A page", body = ListPage<DeliveryResponse>),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksRead>,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
    Params(page): Params<PageQuery>,
    Params(filter): Params<DeliveryFilter>,
) -> Result<Json<ListPage<DeliveryResponse>>, ApiError> {
    let webhook = service::find_for_source(&app, (caller.account, caller.source), id).await?;
    Ok(Json(service::list_deliveries(&app, &webhook, &filter, &page).await?))
}

/// One delivery, with each time that it was tried.
#[utoipa::path(
    get, path = "/integration/v1/webhooks/{id}/deliveries/{delivery}", tag = "webhooks", operation_id = "get_delivery",
    params(DeliveryPath),
    responses(
        (status = 200, description = "The delivery", body = DeliveryDetail),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn one(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksRead>,
    PathParams(DeliveryPath { id, delivery }): PathParams<DeliveryPath>,
) -> Result<Json<DeliveryDetail>, ApiError> {
    let webhook = service::find_for_source(&app, (caller.account, caller.source), id).await?;
    Ok(Json(service::delivery(&app, &webhook, delivery).await?))
}

/// Have one message told again, under the `webhook-id` that it had. 409 while it is on its way, where what it tells of is
/// kept no more, and where the subscription is disabled or its source disconnected.
#[utoipa::path(
    post, path = "/integration/v1/webhooks/{id}/deliveries/{delivery}/replay", tag = "webhooks",
    operation_id = "replay_delivery",
    params(DeliveryPath),
    responses(
        (status = 202, description = "It is on its way", body = QueuedMessage),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn redeliver(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    PathParams(DeliveryPath { id, delivery }): PathParams<DeliveryPath>,
) -> Result<(StatusCode, Json<QueuedMessage>), ApiError> {
    let webhook = service::find_for_source(&app, (caller.account, caller.source), id).await?;
    Ok((StatusCode::ACCEPTED, Json(service::redeliver(&app, &webhook, delivery).await?)))
}

/// Have all that fits told again: what was given up, and what happened while the subscription was disabled or was not there.
/// Deliveries are kept as long as what they tell of, so that what arrived is not taken for missed, however long ago that was.
/// With `dryRun` the answer says how much fits, and nothing is sent. A run takes 10,000 messages, and looks at 50,000 entries of
/// the feed for them; `nextCursor` says that there may be more, and where the next run begins. What happens meanwhile is sent
/// before what is told again.
#[utoipa::path(
    post, path = "/integration/v1/webhooks/{id}/replay", tag = "webhooks", operation_id = "replay_webhook",
    params(("id" = i64, Path, description = "The subscription's number")),
    request_body = ReplayRequest,
    responses(
        (status = 200, description = "What would be told again, or that nothing fits", body = ReplayPlan),
        (status = 202, description = "It is on its way", body = ReplayPlan),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn replay(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
    Body(request): Body<ReplayRequest>,
) -> Result<(StatusCode, Json<ReplayPlan>), ApiError> {
    let webhook = service::find_for_source(&app, (caller.account, caller.source), id).await?;
    let (status, replayed) = service::replay(&app, &webhook, &request).await?;
    Ok((status, Json(replayed)))
}

/// How far a run of replays is.
#[utoipa::path(
    get, path = "/integration/v1/webhooks/{id}/replays/{run}", tag = "webhooks", operation_id = "get_replay",
    params(ReplayPath),
    responses(
        (status = 200, description = "How far it is", body = ReplayResponse),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn progress(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksRead>,
    PathParams(ReplayPath { id, run }): PathParams<ReplayPath>,
) -> Result<Json<ReplayResponse>, ApiError> {
    let webhook = service::find_for_source(&app, (caller.account, caller.source), id).await?;
    Ok(Json(service::replay_progress(&app, &webhook, run).await?))
}

/// Stop a run of replays: what still waits of it is thrown away. What is on its way just then ends by itself, and where it does
/// not arrive, asking once more throws it away too. A run that has ended stays as it is.
#[utoipa::path(
    post, path = "/integration/v1/webhooks/{id}/replays/{run}/cancel", tag = "webhooks", operation_id = "cancel_replay",
    params(ReplayPath),
    responses(
        (status = 200, description = "How far it came", body = ReplayResponse),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    PathParams(ReplayPath { id, run }): PathParams<ReplayPath>,
) -> Result<Json<ReplayResponse>, ApiError> {
    let webhook = service::find_for_source(&app, (caller.account, caller.source), id).await?;
    Ok(Json(service::cancel_replay(&app, &webhook, run).await?))
}
