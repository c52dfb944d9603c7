//! `/integration/v1/webhooks`: subscriptions of the caller's source. Deliveries are in `webhook_deliveries`.

use gassync_domain::WebhookId;
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

/// Path of a subscription.
#[derive(Debug, Deserialize)]
pub struct WebhookPath {
    pub(super) id: WebhookId,
}

/// Create a subscription. Only this response contains the secret. `"payload": "full"` requires the read scopes of all
/// records that the events can carry; otherwise the response is 403 and names the first missing scope. This endpoint
/// ignores Idempotency-Key. If you did not receive the response, list your subscriptions and rotate the secret.
#[utoipa::path(
    post, path = "/integration/v1/webhooks", tag = "webhooks", operation_id = "post_webhook",
    request_body = NewWebhook,
    responses(
        (status = 201, description = "Created", body = CreatedWebhook),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    Body(new): Body<NewWebhook>,
) -> Result<(StatusCode, Json<CreatedWebhook>), ApiError> {
    let made = webhooks::create(&app, Requester::Key(caller.scopes()), caller.source_key(), new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// List the subscriptions of this key's source, oldest first.
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
    let found = store::webhooks::list_for_source(&mut tx, caller.source_key(), place).await?;
    let mut shown = Vec::with_capacity(found.len());
    for webhook in &found {
        shown.push(webhooks::show(&app, &mut tx, webhook).await?);
    }
    Ok(Json(ListPage::cut(shown, cursor, |webhook| webhook.id, |webhook| webhook)))
}

/// Get a subscription and its delivery health.
#[utoipa::path(
    get, path = "/integration/v1/webhooks/{id}", tag = "webhooks", operation_id = "get_webhook",
    params(("id" = i64, Path, description = "Id of the subscription")),
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
    let webhook = service::find_for_source(&app, caller.source_key(), id).await?;
    Ok(Json(service::show(&app, &webhook).await?))
}

/// Update a subscription; omitted fields keep their value. `"enabled": false` cancels waiting deliveries; after `true`
/// use a replay for the events in between. `full` payloads require the same scopes as on creation.
#[utoipa::path(
    patch, path = "/integration/v1/webhooks/{id}", tag = "webhooks", operation_id = "patch_webhook",
    params(("id" = i64, Path, description = "Id of the subscription")),
    request_body = WebhookChange,
    responses(
        (status = 200, description = "The updated subscription", body = WebhookResponse),
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
    let webhook = service::find_for_source(&app, caller.source_key(), id).await?;
    Ok(Json(service::change(&app, Requester::Key(caller.scopes()), webhook, wanted).await?))
}

/// Delete a subscription and its secrets.
#[utoipa::path(
    delete, path = "/integration/v1/webhooks/{id}", tag = "webhooks", operation_id = "delete_webhook",
    params(("id" = i64, Path, description = "Id of the subscription")),
    responses(
        (status = 204, description = "Deleted"),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
) -> Result<StatusCode, ApiError> {
    let webhook = service::find_for_source(&app, caller.source_key(), id).await?;
    service::delete(&app, &webhook).await
}

/// Send a `webhook.test` message. It is a normal delivery with attempts and retries. 409 if the subscription is
/// disabled.
#[utoipa::path(
    post, path = "/integration/v1/webhooks/{id}/test", tag = "webhooks", operation_id = "test_webhook",
    params(("id" = i64, Path, description = "Id of the subscription")),
    responses(
        (status = 202, description = "Enqueued", body = QueuedMessage),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn test(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    PathParams(WebhookPath { id }): PathParams<WebhookPath>,
) -> Result<(StatusCode, Json<QueuedMessage>), ApiError> {
    let webhook = service::find_for_source(&app, caller.source_key(), id).await?;
    Ok((StatusCode::ACCEPTED, Json(service::test(&app, &webhook).await?)))
}

/// Rotate the secret. During the grace period messages carry signatures of both secrets, so that you can switch without
/// losing messages. Only this response contains the new secret.
#[utoipa::path(
    post, path = "/integration/v1/webhooks/{id}/rotate-secret", tag = "webhooks", operation_id = "rotate_webhook_secret",
    params(("id" = i64, Path, description = "Id of the subscription")),
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
    let webhook = service::find_for_source(&app, caller.source_key(), id).await?;
    Ok(Json(webhooks::rotate(&app, &webhook, rotation).await?))
}
