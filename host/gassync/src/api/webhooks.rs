//! `/integration/v1/webhooks`: what the caller's source is told by itself. What came of that is in `webhook_deliveries`.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;

use super::ApiState;
use crate::{
    app::App,
    http::{
        ApiError, Body, Caller, MaybeBody, PathParams,
        page::{ListPage, PageQuery},
        params::Params,
        problem::Document,
        scope::{WebhooksRead, WebhooksWrite},
    },
    store,
    webhooks::{
        self, CreatedWebhook, NewWebhook, Requester, SecretRotation, WebhookChange, WebhookResponse,
        service::{self, QueuedMessage},
    },
};

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/integration/v1/webhooks", get(list).post(create))
        .route("/integration/v1/webhooks/{id}", get(one).patch(change).delete(delete))
        .route("/integration/v1/webhooks/{id}/test", post(test))
        .route("/integration/v1/webhooks/{id}/rotate-secret", post(rotate))
}

/// Which subscription.
#[derive(Debug, Deserialize)]
pub struct WebhookPath {
    pub(super) id: i64,
}

/// Subscribe. The secret is in this answer and in no other. `"payload": "full"` asks for the scopes that read what its events
/// can carry: without them the answer is 403, and names the first that is missing. No Idempotency-Key is read here: whoever is not sure that it
/// was made looks at the list, and has the secret replaced.
#[utoipa::path(
    post, path = "/integration/v1/webhooks", tag = "webhooks", operation_id = "post_webhook",
    request_body = NewWebhook,
    responses(
        (status = 201, description = "It is told from now on", body = CreatedWebhook),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    Body(new): Body<NewWebhook>,
) -> Result<(StatusCode, Json<CreatedWebhook>), ApiError> {
    let made = webhooks::create(&app, Requester::Key(caller.scopes()), (caller.account, caller.source), new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// The subscriptions of this key's source, oldest first.
#[utoipa::path(
    get, path = "/integration/v1/webhooks", tag = "webhooks", operation_id = "list_webhooks", params(PageQuery),
    responses(
        (status = 200, description = "A page", body = ListPage<WebhookResponse>),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksRead>,
    Params(page): Params<PageQuery>,
) -> Result<Json<ListPage<WebhookResponse>>, ApiError> {
    let cursor = page.to_cursor()?;
    let mut tx = app.db.read(caller.account).await?;
    let place = (cursor.after, cursor.limit);
    let found = store::webhooks::list_for_source(&mut tx, caller.account, caller.source, place).await?;
    let mut shown = Vec::with_capacity(found.len());
    for webhook in &found {
        shown.push(webhooks::show(&app, &mut tx, webhook).await?);
    }
    Ok(Json(ListPage::cut(shown, cursor, |webhook| webhook.id, |webhook| webhook)))
}

/// One subscription, and how it takes what it is told.
#[utoipa::path(
    get, path = "/integration/v1/webhooks/{id}", tag = "webhooks", operation_id = "get_webhook",
    params(("id" = i64, Path, description = "The subscription's number")),
    responses(
        (status = 200, description = "The subscription", body = WebhookResponse),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn one(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksRead>,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
) -> Result<Json<WebhookResponse>, ApiError> {
    let webhook = service::find_for_source(&app, (caller.account, caller.source), id).await?;
    Ok(Json(service::show(&app, &webhook).await?))
}

/// Change one; what is not said stays. `"enabled": false` ends what waits for it, `true` begins anew: replay what happened
/// meanwhile. What is `full` afterwards asks for the scopes that read what its events can carry, as when it is made.
#[utoipa::path(
    patch, path = "/integration/v1/webhooks/{id}", tag = "webhooks", operation_id = "patch_webhook",
    params(("id" = i64, Path, description = "The subscription's number")),
    request_body = WebhookChange,
    responses(
        (status = 200, description = "As it is now", body = WebhookResponse),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn change(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
    Body(wanted): Body<WebhookChange>,
) -> Result<Json<WebhookResponse>, ApiError> {
    let webhook = service::find_for_source(&app, (caller.account, caller.source), id).await?;
    Ok(Json(service::change(&app, Requester::Key(caller.scopes()), webhook, wanted).await?))
}

/// End one. It is told nothing more, and its secrets are forgotten.
#[utoipa::path(
    delete, path = "/integration/v1/webhooks/{id}", tag = "webhooks", operation_id = "delete_webhook",
    params(("id" = i64, Path, description = "The subscription's number")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
) -> Result<StatusCode, ApiError> {
    let webhook = service::find_for_source(&app, (caller.account, caller.source), id).await?;
    service::delete(&app, &webhook).await
}

/// Send it a `webhook.test`. It is a delivery like any other: its attempts are shown, and it is tried again. 409 where the
/// subscription is disabled.
#[utoipa::path(
    post, path = "/integration/v1/webhooks/{id}/test", tag = "webhooks", operation_id = "test_webhook",
    params(("id" = i64, Path, description = "The subscription's number")),
    responses(
        (status = 202, description = "It is on its way", body = QueuedMessage),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn test(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
) -> Result<(StatusCode, Json<QueuedMessage>), ApiError> {
    let webhook = service::find_for_source(&app, (caller.account, caller.source), id).await?;
    Ok((StatusCode::ACCEPTED, Json(service::test(&app, &webhook).await?)))
}

/// Replace the secret. For a while messages carry a signature of the former one too, so that you can change over without
/// losing any. The new one is in this answer and in no other.
#[utoipa::path(
    post, path = "/integration/v1/webhooks/{id}/rotate-secret", tag = "webhooks", operation_id = "rotate_webhook_secret",
    params(("id" = i64, Path, description = "The subscription's number")),
    request_body = Option<SecretRotation>,
    responses(
        (status = 200, description = "The new secret", body = CreatedWebhook),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn rotate(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
    MaybeBody(rotation): MaybeBody<SecretRotation>,
) -> Result<Json<CreatedWebhook>, ApiError> {
    let webhook = service::find_for_source(&app, (caller.account, caller.source), id).await?;
    Ok(Json(webhooks::rotate(&app, &webhook, rotation).await?))
}
