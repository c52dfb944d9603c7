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
        ApiError, Body, Caller, MaybeBody, Numbers,
        page::{Page, PageQuery},
        params::Params,
        problem::Document,
        scope::{WebhooksRead, WebhooksWrite},
    },
    store,
    webhooks::{
        self, By, NewWebhook, SecretRotation, WebhookChange, WebhookMade, WebhookShown,
        desk::{self, MessageSent},
    },
};

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/integration/v1/webhooks", get(list).post(make))
        .route("/integration/v1/webhooks/{id}", get(one).patch(change).delete(forget))
        .route("/integration/v1/webhooks/{id}/test", post(test))
        .route("/integration/v1/webhooks/{id}/rotate-secret", post(rotate))
}

/// Which subscription.
#[derive(Debug, Deserialize)]
pub struct OfWebhook {
    pub(super) id: i64,
}

/// Subscribe. The secret is in this answer and in no other. `"payload": "full"` asks for the scopes that read what its events
/// can carry: without them the answer is 403, and names the first that is missing. No Idempotency-Key is read here: whoever is not sure that it
/// was made looks at the list, and has the secret replaced.
#[utoipa::path(
    post, path = "/integration/v1/webhooks", tag = "webhooks", operation_id = "post_webhook",
    request_body = NewWebhook,
    responses(
        (status = 201, description = "It is told from now on", body = WebhookMade),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn make(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    Body(new): Body<NewWebhook>,
) -> Result<(StatusCode, Json<WebhookMade>), ApiError> {
    let made = webhooks::create(&app, By::Key(caller.scopes()), (caller.account, caller.source), new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// The subscriptions of this key's source, oldest first.
#[utoipa::path(
    get, path = "/integration/v1/webhooks", tag = "webhooks", operation_id = "list_webhooks", params(PageQuery),
    responses(
        (status = 200, description = "A page", body = Page<WebhookShown>),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksRead>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<WebhookShown>>, ApiError> {
    let slice = page.slice()?;
    let mut tx = app.db.read(caller.account).await?;
    let place = (slice.after, slice.limit);
    let found = store::webhooks::of_source(&mut tx, caller.account, caller.source, place).await?;
    let mut shown = Vec::with_capacity(found.len());
    for webhook in &found {
        shown.push(webhooks::show(&app, &mut tx, webhook).await?);
    }
    Ok(Json(Page::cut(shown, slice, |webhook| webhook.id, |webhook| webhook)))
}

/// One subscription, and how it takes what it is told.
#[utoipa::path(
    get, path = "/integration/v1/webhooks/{id}", tag = "webhooks", operation_id = "get_webhook",
    params(("id" = i64, Path, description = "The subscription's number")),
    responses(
        (status = 200, description = "The subscription", body = WebhookShown),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn one(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksRead>,
    Numbers(OfWebhook { id }): Numbers<OfWebhook>,
) -> Result<Json<WebhookShown>, ApiError> {
    let webhook = desk::of_source(&app, (caller.account, caller.source), id).await?;
    Ok(Json(desk::show(&app, &webhook).await?))
}

/// Change one; what is not said stays. `"enabled": false` ends what waits for it, `true` begins anew: replay what happened
/// meanwhile. What is `full` afterwards asks for the scopes that read what its events can carry, as when it is made.
#[utoipa::path(
    patch, path = "/integration/v1/webhooks/{id}", tag = "webhooks", operation_id = "patch_webhook",
    params(("id" = i64, Path, description = "The subscription's number")),
    request_body = WebhookChange,
    responses(
        (status = 200, description = "As it is now", body = WebhookShown),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn change(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    Numbers(OfWebhook { id }): Numbers<OfWebhook>,
    Body(wanted): Body<WebhookChange>,
) -> Result<Json<WebhookShown>, ApiError> {
    let webhook = desk::of_source(&app, (caller.account, caller.source), id).await?;
    Ok(Json(desk::change(&app, By::Key(caller.scopes()), webhook, wanted).await?))
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
pub async fn forget(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    Numbers(OfWebhook { id }): Numbers<OfWebhook>,
) -> Result<StatusCode, ApiError> {
    let webhook = desk::of_source(&app, (caller.account, caller.source), id).await?;
    desk::forget(&app, &webhook).await
}

/// Send it a `webhook.test`. It is a delivery like any other: its attempts are shown, and it is tried again. 409 where the
/// subscription is disabled.
#[utoipa::path(
    post, path = "/integration/v1/webhooks/{id}/test", tag = "webhooks", operation_id = "test_webhook",
    params(("id" = i64, Path, description = "The subscription's number")),
    responses(
        (status = 202, description = "It is on its way", body = MessageSent),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn test(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    Numbers(OfWebhook { id }): Numbers<OfWebhook>,
) -> Result<(StatusCode, Json<MessageSent>), ApiError> {
    let webhook = desk::of_source(&app, (caller.account, caller.source), id).await?;
    Ok((StatusCode::ACCEPTED, Json(desk::test(&app, &webhook).await?)))
}

/// Replace the secret. For a while messages carry a signature of the former one too, so that you can change over without
/// losing any. The new one is in this answer and in no other.
#[utoipa::path(
    post, path = "/integration/v1/webhooks/{id}/rotate-secret", tag = "webhooks", operation_id = "rotate_webhook_secret",
    params(("id" = i64, Path, description = "The subscription's number")),
    request_body = Option<SecretRotation>,
    responses(
        (status = 200, description = "The new secret", body = WebhookMade),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn rotate(
    State(app): State<Arc<App>>,
    caller: Caller<WebhooksWrite>,
    Numbers(OfWebhook { id }): Numbers<OfWebhook>,
    MaybeBody(rotation): MaybeBody<SecretRotation>,
) -> Result<Json<WebhookMade>, ApiError> {
    let webhook = desk::of_source(&app, (caller.account, caller.source), id).await?;
    Ok(Json(webhooks::rotate(&app, &webhook, rotation).await?))
}
