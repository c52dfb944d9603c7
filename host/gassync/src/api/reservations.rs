//! `/integration/v1/reservations`

use std::sync::Arc;

use axum::{Router, extract::State, http::HeaderMap, response::Response, routing::get};
use gassync_domain::{ChangeKind, Date, Reservation, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    ApiState,
    records::{OneOrMany, RecordOutcome, RecordResponse, RecordsResponse, record_endpoints},
    submission::SubmissionOptions,
};
use crate::{
    app::App,
    http::{
        ApiError, Caller,
        page::{ListPage, PageQuery, with_etag},
        params,
        problem::Document,
        scope::{ReservationsRead, ReservationsWrite},
    },
    store::buffer::reservations,
};

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/integration/v1/reservations", get(list).post(post))
        .route("/integration/v1/reservations/{id}", get(one).delete(withdraw))
}

record_endpoints! {
    table: reservations,
    entity: "reservation",
    tag: "reservations",
    /// Make or change reservations: one record, or a list of up to 1,000, each with an outcome of its own.
    post: "/integration/v1/reservations", Reservation, ReservationsWrite, |record| Ok(ChangeKind::Reservation(Box::new(record)));
    /// The reservations this key's source has told of.
    list(tx, caller, filter: ReservationQuery, cursor): reservations::list(tx, caller.account, caller.source, &filter.into(), cursor);
    /// One reservation by the source's own id.
    one: "/integration/v1/reservations/{id}", ReservationsRead;
    /// Take a reservation back that holds no nights: it is shown no more. One that does is cancelled first.
    withdraw: ReservationsWrite;
}

/// Which reservations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ReservationQuery {
    /// Confirmed or changed since (RFC 3339).
    #[serde(default, deserialize_with = "params::instant")]
    #[param(value_type = Option<String>, format = DateTime)]
    updated_since: Option<Timestamp>,
    /// Only of this property (the source's own id).
    property_id: Option<String>,
    /// Only of this room type (the source's own id); reservations of several rooms have none.
    room_type_id: Option<String>,
    /// Only in this status.
    status: Option<String>,
    /// Arriving on this day or later.
    #[serde(default, deserialize_with = "params::day")]
    #[param(value_type = Option<String>, format = Date)]
    check_in_from: Option<Date>,
    /// Arriving on this day or earlier.
    #[serde(default, deserialize_with = "params::day")]
    #[param(value_type = Option<String>, format = Date)]
    check_in_to: Option<Date>,
}

impl From<ReservationQuery> for reservations::ReservationFilter {
    fn from(filter: ReservationQuery) -> Self {
        Self {
            updated_since: filter.updated_since,
            status: filter.status,
            property_id: filter.property_id,
            room_type_id: filter.room_type_id,
            check_in_from: filter.check_in_from,
            check_in_to: filter.check_in_to,
        }
    }
}
