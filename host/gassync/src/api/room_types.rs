//! `/integration/v1/room-types`

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use gassync_domain::{News, RoomType, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    ApiError, Caller, Problem,
    page::{Page, PageQuery, tagged},
    problem::Document,
    records::{self, MAX_BODY_BYTES, RecordOutcome, Shown},
};
use crate::{app::App, store::buffer::room_types};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/integration/v1/room-types", get(list).post(post))
        .route("/integration/v1/room-types/{id}", get(one))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// Which room types.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Confirmed or changed since (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    updated_since: Option<Timestamp>,
    /// Only of this property (the source's own id).
    property_id: Option<String>,
}

/// Makes or changes room types: one record, or a list of up to 1,000, each with an outcome of its own.
#[utoipa::path(
    post, path = "/integration/v1/room-types", tag = "room-types", request_body = RoomType,
    responses(
        (status = 201, description = "New in the core", body = RecordOutcome),
        (status = 200, description = "Changed or as it was; for a list, the outcome of each record", body = RecordOutcome),
        (status = 202, description = "Kept, and waiting to be linked", body = RecordOutcome),
        (status = "default", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    records::post::<RoomType>(&app, caller, (headers, body), News::RoomType).await
}

/// The room types this key's source has told of.
#[utoipa::path(
    get, path = "/integration/v1/room-types", tag = "room-types", params(PageQuery, Filter),
    responses(
        (status = 200, description = "A page", body = Page<Shown<RoomType>>),
        (status = 304, description = "As the caller has it"),
        (status = "default", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<PageQuery>,
    Query(filter): Query<Filter>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let slice = page.slice()?;
    let mut tx = app.db.read(caller.account).await?;
    let filter = (filter.property_id.as_deref(), filter.updated_since);
    let rows = room_types::list(&mut tx, caller.account, caller.source, filter, slice).await?;
    tagged(&headers, &Page::cut(rows, slice, |stored| stored.row, Shown::from))
}

/// One room type by the source's own id.
#[utoipa::path(
    get, path = "/integration/v1/room-types/{id}", tag = "room-types",
    params(("id" = String, Path, description = "The source's own id")),
    responses(
        (status = 200, description = "The room type", body = Shown<RoomType>),
        (status = 304, description = "As the caller has it"),
        (status = "default", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut tx = app.db.read(caller.account).await?;
    let stored = room_types::find(&mut tx, caller.account, caller.source, &id).await?.ok_or(Problem::NotFound)?;
    tagged(&headers, &Shown::from(stored))
}
