//! Subscriptions of any source.

use gassync_domain::{DeliveryId, RunId, WebhookId};
use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use super::{find::find_source, paths};
use crate::{
    app::App,
    http::{ApiError, Body, ListPage, MaybeBody, Operator, PageQuery, Params, PathParams, Problem},
    store::{self, Tx, sources, webhooks::Webhook},
    webhooks::{
        self, CreatedWebhook, NewWebhook, ReplayPlan, ReplayRequest, Requester, SecretRotation, WebhookChange,
        WebhookResponse,
        service::{self, DeliveryDetail, DeliveryFilter, DeliveryResponse, QueuedMessage, ReplayResponse},
    },
};

/// A subscription with its owner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookListItem {
    /// The tenant.
    pub account_id: i64,
    /// The source's name.
    pub source: String,
    /// The subscription.
    #[serde(flatten)]
    pub webhook: WebhookResponse,
}

#[derive(Debug, Deserialize)]
struct SourceQuery {
    source: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WebhookPath {
    id: WebhookId,
}

#[derive(Debug, Deserialize)]
struct DeliveryPath {
    id: WebhookId,
    delivery: DeliveryId,
}

#[derive(Debug, Deserialize)]
struct ReplayPath {
    id: WebhookId,
    run: RunId,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route(paths::WEBHOOKS, get(list).post(create))
        .route(paths::WEBHOOK, get(one).patch(change).delete(delete))
        .route(paths::WEBHOOK_TEST, post(test))
        .route(paths::WEBHOOK_ROTATE_SECRET, post(rotate))
        .route(paths::WEBHOOK_DELIVERIES, get(deliveries))
        .route(paths::WEBHOOK_DELIVERY, get(delivery))
        .route(paths::WEBHOOK_REDELIVER, post(redeliver))
        .route(paths::WEBHOOK_REPLAY, post(replay))
        .route(paths::WEBHOOK_REPLAY_RUN, get(progress))
        .route(paths::WEBHOOK_REPLAY_CANCEL, post(cancel))
}

/// Lists the subscriptions of all sources, or of the one in the query.
async fn list(
    State(app): State<Arc<App>>,
    _: Operator,
    Params(SourceQuery { source }): Params<SourceQuery>,
    Params(page): Params<PageQuery>,
) -> Result<Json<ListPage<WebhookListItem>>, ApiError> {
    let cursor = page.to_cursor()?;
    let source = match source {
        Some(name) => Some(find_source(&app, &name).await?.id),
        None => None,
    };
    let mut tx = app.db.platform_read().await?;
    let found = store::webhooks::list(&mut tx, source, (cursor.after, cursor.limit)).await?;
    let mut names = BTreeMap::new();
    let mut listed = Vec::with_capacity(found.len());
    for webhook in found {
        listed.push(shown(&app, &mut tx, &webhook, &mut names).await?);
    }
    Ok(Json(ListPage::cut(listed, cursor, |listed| listed.webhook.id, |listed| listed)))
}

async fn shown(
    app: &App,
    tx: &mut Tx,
    webhook: &Webhook,
    names: &mut BTreeMap<i64, String>,
) -> Result<WebhookListItem, ApiError> {
    let source = match names.get(&webhook.source.0) {
        Some(name) => name.clone(),
        None => sources::get(tx, webhook.key()).await?.ok_or(Problem::NotFound)?.name,
    };
    names.insert(webhook.source.0, source.clone());
    Ok(WebhookListItem { account_id: webhook.account.0, source, webhook: webhooks::show(app, tx, webhook).await? })
}

/// Creates a subscription for the source in the query.
async fn create(
    State(app): State<Arc<App>>,
    _: Operator,
    Params(SourceQuery { source }): Params<SourceQuery>,
    Body(new): Body<NewWebhook>,
) -> Result<(StatusCode, Json<CreatedWebhook>), ApiError> {
    let name = source.ok_or_else(|| Problem::Malformed("in the query: source: is missing".to_owned()))?;
    let source = find_source(&app, &name).await?;
    let made = webhooks::create(&app, Requester::Operator, source.key(), new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn one(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
) -> Result<Json<WebhookListItem>, ApiError> {
    let webhook = service::find_any(&app, id).await?;
    let mut tx = app.db.read(webhook.account).await?;
    Ok(Json(shown(&app, &mut tx, &webhook, &mut BTreeMap::new()).await?))
}

async fn change(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
    Body(wanted): Body<WebhookChange>,
) -> Result<Json<WebhookResponse>, ApiError> {
    let webhook = service::find_any(&app, id).await?;
    Ok(Json(service::change(&app, Requester::Operator, webhook, wanted).await?))
}

async fn delete(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
) -> Result<StatusCode, ApiError> {
    let webhook = service::find_any(&app, id).await?;
    service::delete(&app, &webhook).await
}

async fn test(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
) -> Result<(StatusCode, Json<QueuedMessage>), ApiError> {
    let webhook = service::find_any(&app, id).await?;
    Ok((StatusCode::ACCEPTED, Json(service::test(&app, &webhook).await?)))
}

async fn rotate(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
    MaybeBody(rotation): MaybeBody<SecretRotation>,
) -> Result<Json<CreatedWebhook>, ApiError> {
    let webhook = service::find_any(&app, id).await?;
    Ok(Json(webhooks::rotate(&app, &webhook, rotation).await?))
}

async fn deliveries(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
    Params(page): Params<PageQuery>,
    Params(filter): Params<DeliveryFilter>,
) -> Result<Json<ListPage<DeliveryResponse>>, ApiError> {
    let webhook = service::find_any(&app, id).await?;
    Ok(Json(service::list_deliveries(&app, &webhook, &filter, &page).await?))
}

async fn delivery(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams(DeliveryPath { id, delivery }): PathParams<DeliveryPath>,
) -> Result<Json<DeliveryDetail>, ApiError> {
    let webhook = service::find_any(&app, id).await?;
    Ok(Json(service::delivery(&app, &webhook, delivery).await?))
}

async fn redeliver(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams(DeliveryPath { id, delivery }): PathParams<DeliveryPath>,
) -> Result<(StatusCode, Json<QueuedMessage>), ApiError> {
    let webhook = service::find_any(&app, id).await?;
    Ok((StatusCode::ACCEPTED, Json(service::redeliver(&app, &webhook, delivery).await?)))
}

async fn replay(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
    Body(request): Body<ReplayRequest>,
) -> Result<(StatusCode, Json<ReplayPlan>), ApiError> {
    let webhook = service::find_any(&app, id).await?;
    let (status, replayed) = service::replay(&app, &webhook, &request).await?;
    Ok((status, Json(replayed)))
}

async fn progress(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams(ReplayPath { id, run }): PathParams<ReplayPath>,
) -> Result<Json<ReplayResponse>, ApiError> {
    let webhook = service::find_any(&app, id).await?;
    Ok(Json(service::replay_progress(&app, &webhook, run).await?))
}

async fn cancel(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams(ReplayPath { id, run }): PathParams<ReplayPath>,
) -> Result<Json<ReplayResponse>, ApiError> {
    let webhook = service::find_any(&app, id).await?;
    Ok(Json(service::cancel_replay(&app, &webhook, run).await?))
}
