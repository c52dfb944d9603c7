//! `/integration/v1/webhooks/{id}/deliveries` and `…/replay`: deliveries and replays.

use gassync_domain::{DeliveryId, RunId, WebhookId};
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

/// Path of a delivery.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DeliveryPath {
    /// Id of the subscription
    #[param(value_type = i64)]
    id: WebhookId,
    /// Id of the delivery
    #[param(value_type = i64)]
    delivery: DeliveryId,
}

/// Path of a replay run.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReplayPath {
    /// Id of the subscription
    #[param(value_type = i64)]
    id: WebhookId,
    /// Id of the replay run
    #[param(value_type = i64)]
    run: RunId,
}

/// List the deliveries of a subscription, newest first. They are retained as long as the change feed: 90 days unless
/// the operator configures otherwise.
#[utoipa::path(
    get, path = "/integration/v1/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "list_deliveries",
    params(("id" = i64, Path, description = "Id of the subscription"), PageQuery, DeliveryFilter),
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
    let webhook = service::find_for_source(&app, caller.source_key(), id).await?;
    Ok(Json(service::list_deliveries(&app, &webhook, &filter, &page).await?))
}

/// Get a delivery and its attempts.
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
    let webhook = service::find_for_source(&app, caller.source_key(), id).await?;
    Ok(Json(service::delivery(&app, &webhook, delivery).await?))
}

/// Send one message again with the same `webhook-id`. 409 while it is waiting or in flight, if its event has expired,
/// and if the subscription is disabled or its source disconnected.
#[utoipa::path(
    post, path = "/integration/v1/webhooks/{id}/deliveries/{delivery}/replay", tag = "webhooks",
    operation_id = "replay_delivery",
    params(DeliveryPath),
    responses(
        (status = 202, description = "Enqueued", body = QueuedMessage),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn redeliver(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    PathParams(DeliveryPath { id, delivery }): PathParams<DeliveryPath>,
) -> Result<(StatusCode, Json<QueuedMessage>), ApiError> {
    let webhook = service::find_for_source(&app, caller.source_key(), id).await?;
    Ok((StatusCode::ACCEPTED, Json(service::redeliver(&app, &webhook, delivery).await?)))
}

/// Replay all matching messages: those that failed all attempts, and events from before the subscription existed or
/// while it was disabled. With `dryRun` the response only counts the matches. A run sends up to 10,000 messages and
/// scans up to 50,000 feed entries; `nextCursor` is set if there may be more, and starts the next run. New events are
/// sent before replayed ones.
#[utoipa::path(
    post, path = "/integration/v1/webhooks/{id}/replay", tag = "webhooks", operation_id = "replay_webhook",
    params(("id" = i64, Path, description = "Id of the subscription")),
    request_body = ReplayRequest,
    responses(
        (status = 200, description = "The plan of a dry run, or nothing matched", body = ReplayPlan),
        (status = 202, description = "Enqueued", body = ReplayPlan),
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
    let webhook = service::find_for_source(&app, caller.source_key(), id).await?;
    let (status, replayed) = service::replay(&app, &webhook, &request).await?;
    Ok((status, Json(replayed)))
}

/// Get the progress of a replay run.
#[utoipa::path(
    get, path = "/integration/v1/webhooks/{id}/replays/{run}", tag = "webhooks", operation_id = "get_replay",
    params(ReplayPath),
    responses(
        (status = 200, description = "The progress", body = ReplayResponse),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn progress(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksRead>,
    PathParams(ReplayPath { id, run }): PathParams<ReplayPath>,
) -> Result<Json<ReplayResponse>, ApiError> {
    let webhook = service::find_for_source(&app, caller.source_key(), id).await?;
    Ok(Json(service::replay_progress(&app, &webhook, run).await?))
}

/// Cancel a replay run: waiting messages are discarded. Messages in flight complete; if they fail, cancel again to
/// discard their retries. A finished run stays unchanged.
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
    let webhook = service::find_for_source(&app, caller.source_key(), id).await?;
    Ok(Json(service::cancel_replay(&app, &webhook, run).await?))
}
