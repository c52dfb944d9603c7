//! Subscriptions of any source.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use super::sources::the_one;
use crate::{
    app::App,
    http::{ApiError, Body, MaybeBody, Numbers, Operator, Page, PageQuery, Params, Problem},
    store::{self, Tx, sources, webhooks::Webhook},
    webhooks::{
        self, Asked, By, NewWebhook, Replayed, SecretRotation, WebhookChange, WebhookMade, WebhookShown,
        desk::{self, DeliveryFilter, DeliveryShown, DeliveryWhole, MessageSent, ReplayShown},
    },
};

/// A subscription, and whose it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookListed {
    /// The tenant.
    pub account_id: i64,
    /// What people call the source.
    pub source: String,
    /// The subscription.
    #[serde(flatten)]
    pub webhook: WebhookShown,
}

#[derive(Debug, Deserialize)]
struct OfSource {
    source: Option<String>,
}

#[derive(Debug, Deserialize)]
struct OfWebhook {
    id: i64,
}

#[derive(Debug, Deserialize)]
struct OfDelivery {
    id: i64,
    delivery: i64,
}

#[derive(Debug, Deserialize)]
struct OfRun {
    id: i64,
    run: i64,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/admin/v1/webhooks", get(list).post(make))
        .route("/admin/v1/webhooks/{id}", get(one).patch(change).delete(forget))
        .route("/admin/v1/webhooks/{id}/test", post(test))
        .route("/admin/v1/webhooks/{id}/rotate-secret", post(rotate))
        .route("/admin/v1/webhooks/{id}/deliveries", get(deliveries))
        .route("/admin/v1/webhooks/{id}/deliveries/{delivery}", get(delivery))
        .route("/admin/v1/webhooks/{id}/deliveries/{delivery}/replay", post(again))
        .route("/admin/v1/webhooks/{id}/replay", post(replay))
        .route("/admin/v1/webhooks/{id}/replays/{run}", get(progress))
        .route("/admin/v1/webhooks/{id}/replays/{run}/cancel", post(cancel))
}

/// Those of all sources, or of the one that the query names.
async fn list(
    State(app): State<Arc<App>>,
    _: Operator,
    Params(OfSource { source }): Params<OfSource>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<WebhookListed>>, ApiError> {
    let slice = page.slice()?;
    let source = match source {
        Some(name) => Some(the_one(&app, &name).await?.id),
        None => None,
    };
    let mut tx = app.db.platform_read().await?;
    let found = store::webhooks::list(&mut tx, source, (slice.after, slice.limit)).await?;
    let mut names = BTreeMap::new();
    let mut listed = Vec::with_capacity(found.len());
    for webhook in found {
        listed.push(shown(&app, &mut tx, &webhook, &mut names).await?);
    }
    Ok(Json(Page::cut(listed, slice, |listed| listed.webhook.id, |listed| listed)))
}

async fn shown(
    app: &App,
    tx: &mut Tx,
    webhook: &Webhook,
    names: &mut BTreeMap<i64, String>,
) -> Result<WebhookListed, ApiError> {
    let source = match names.get(&webhook.source.0) {
        Some(name) => name.clone(),
        None => sources::get(tx, webhook.account, webhook.source).await?.ok_or(Problem::NotFound)?.name,
    };
    names.insert(webhook.source.0, source.clone());
    Ok(WebhookListed { account_id: webhook.account.0, source, webhook: webhooks::show(app, tx, webhook).await? })
}

/// For the source that the query names.
async fn make(
    State(app): State<Arc<App>>,
    _: Operator,
    Params(OfSource { source }): Params<OfSource>,
    Body(new): Body<NewWebhook>,
) -> Result<(StatusCode, Json<WebhookMade>), ApiError> {
    let name = source.ok_or_else(|| Problem::Malformed("in the query: source: is missing".to_owned()))?;
    let source = the_one(&app, &name).await?;
    let made = webhooks::create(&app, By::Operator, (source.account, source.id), new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn one(
    State(app): State<Arc<App>>,
    _: Operator,
    Numbers(OfWebhook { id }): Numbers<OfWebhook>,
) -> Result<Json<WebhookListed>, ApiError> {
    let webhook = desk::of_anybody(&app, id).await?;
    let mut tx = app.db.read(webhook.account).await?;
    Ok(Json(shown(&app, &mut tx, &webhook, &mut BTreeMap::new()).await?))
}

async fn change(
    State(app): State<Arc<App>>,
    _: Operator,
    Numbers(OfWebhook { id }): Numbers<OfWebhook>,
    Body(wanted): Body<WebhookChange>,
) -> Result<Json<WebhookShown>, ApiError> {
    let webhook = desk::of_anybody(&app, id).await?;
    Ok(Json(desk::change(&app, By::Operator, webhook, wanted).await?))
}

async fn forget(
    State(app): State<Arc<App>>,
    _: Operator,
    Numbers(OfWebhook { id }): Numbers<OfWebhook>,
) -> Result<StatusCode, ApiError> {
    let webhook = desk::of_anybody(&app, id).await?;
    desk::forget(&app, &webhook).await
}

async fn test(
    State(app): State<Arc<App>>,
    _: Operator,
    Numbers(OfWebhook { id }): Numbers<OfWebhook>,
) -> Result<(StatusCode, Json<MessageSent>), ApiError> {
    let webhook = desk::of_anybody(&app, id).await?;
    Ok((StatusCode::ACCEPTED, Json(desk::test(&app, &webhook).await?)))
}

async fn rotate(
    State(app): State<Arc<App>>,
    _: Operator,
    Numbers(OfWebhook { id }): Numbers<OfWebhook>,
    MaybeBody(rotation): MaybeBody<SecretRotation>,
) -> Result<Json<WebhookMade>, ApiError> {
    let webhook = desk::of_anybody(&app, id).await?;
    Ok(Json(webhooks::rotate(&app, &webhook, rotation).await?))
}

async fn deliveries(
    State(app): State<Arc<App>>,
    _: Operator,
    Numbers(OfWebhook { id }): Numbers<OfWebhook>,
    Params(page): Params<PageQuery>,
    Params(filter): Params<DeliveryFilter>,
) -> Result<Json<Page<DeliveryShown>>, ApiError> {
    let webhook = desk::of_anybody(&app, id).await?;
    Ok(Json(desk::deliveries(&app, &webhook, &filter, &page).await?))
}

async fn delivery(
    State(app): State<Arc<App>>,
    _: Operator,
    Numbers(OfDelivery { id, delivery }): Numbers<OfDelivery>,
) -> Result<Json<DeliveryWhole>, ApiError> {
    let webhook = desk::of_anybody(&app, id).await?;
    Ok(Json(desk::delivery(&app, &webhook, delivery).await?))
}

async fn again(
    State(app): State<Arc<App>>,
    _: Operator,
    Numbers(OfDelivery { id, delivery }): Numbers<OfDelivery>,
) -> Result<(StatusCode, Json<MessageSent>), ApiError> {
    let webhook = desk::of_anybody(&app, id).await?;
    Ok((StatusCode::ACCEPTED, Json(desk::again(&app, &webhook, delivery).await?)))
}

async fn replay(
    State(app): State<Arc<App>>,
    _: Operator,
    Numbers(OfWebhook { id }): Numbers<OfWebhook>,
    Body(asked): Body<Asked>,
) -> Result<(StatusCode, Json<Replayed>), ApiError> {
    let webhook = desk::of_anybody(&app, id).await?;
    let (status, replayed) = desk::replay_all(&app, &webhook, &asked).await?;
    Ok((status, Json(replayed)))
}

async fn progress(
    State(app): State<Arc<App>>,
    _: Operator,
    Numbers(OfRun { id, run }): Numbers<OfRun>,
) -> Result<Json<ReplayShown>, ApiError> {
    let webhook = desk::of_anybody(&app, id).await?;
    Ok(Json(desk::progress(&app, &webhook, run).await?))
}

async fn cancel(
    State(app): State<Arc<App>>,
    _: Operator,
    Numbers(OfRun { id, run }): Numbers<OfRun>,
) -> Result<Json<ReplayShown>, ApiError> {
    let webhook = desk::of_anybody(&app, id).await?;
    Ok(Json(desk::cancel(&app, &webhook, run).await?))
}
