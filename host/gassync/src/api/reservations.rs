//! `/integration/v1/reservations`

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use gassync_domain::{Date, News, Reservation, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    ApiError, Caller, Problem,
    page::{Page, PageQuery, tagged},
    problem::Document,
    records::{self, MAX_BODY_BYTES, RecordOutcome, Shown},
};
use crate::{app::App, store::buffer::reservations};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/integration/v1/reservations", get(list).post(post))
        .route("/integration/v1/reservations/{id}", get(one))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// Which reservations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Confirmed or changed since (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    updated_since: Option<Timestamp>,
    /// Only of this property (the source's own id).
    property_id: Option<String>,
    /// Only of this room type (the source's own id); reservations of several rooms have none.
    room_type_id: Option<String>,
    /// Only in this status.
    status: Option<String>,
    /// Arriving on this day or later.
    #[param(value_type = Option<String>, format = Date)]
    check_in_from: Option<Date>,
    /// Arriving on this day or earlier.
    #[param(value_type = Option<String>, format = Date)]
    check_in_to: Option<Date>,
}

/// Makes or changes reservations: one record, or a list of up to 1,000, each with an outcome of its own.
#[utoipa::path(
    post, path = "/integration/v1/reservations", tag = "reservations", request_body = Reservation,
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
    records::post::<Reservation>(&app, caller, (headers, body), |record| News::Reservation(Box::new(record))).await
}

/// The reservations this key's source has told of.
#[utoipa::path(
    get, path = "/integration/v1/reservations", tag = "reservations", params(PageQuery, Filter),
    responses(
        (status = 200, description = "A page", body = Page<Shown<Reservation>>),
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
    let filter = reservations::Filter {
        updated_since: filter.updated_since,
        status: filter.status,
        property_id: filter.property_id,
        room_type_id: filter.room_type_id,
        check_in_from: filter.check_in_from,
        check_in_to: filter.check_in_to,
    };
    let rows = reservations::list(&mut tx, caller.account, caller.source, &filter, slice).await?;
    tagged(&headers, &Page::cut(rows, slice, |stored| stored.row, Shown::from))
}

/// One reservation by the source's own id.
#[utoipa::path(
    get, path = "/integration/v1/reservations/{id}", tag = "reservations",
    params(("id" = String, Path, description = "The source's own id")),
    responses(
        (status = 200, description = "The reservation", body = Shown<Reservation>),
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
    let stored = reservations::find(&mut tx, caller.account, caller.source, &id).await?.ok_or(Problem::NotFound)?;
    tagged(&headers, &Shown::from(stored))
}
