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
    /// Create or update reservations. Send one record, or a list of up to 1,000; each gets its own outcome.
    post: "/integration/v1/reservations", Reservation, ReservationsWrite, |record| Ok(ChangeKind::Reservation(Box::new(record)));
    /// The reservations of this key's source.
    list(tx, caller, filter: ReservationQuery, cursor): reservations::list(tx, caller.source_key(), &filter.into(), cursor);
    /// One reservation by the source's own id.
    one: "/integration/v1/reservations/{id}", ReservationsRead;
    /// Withdraw a reservation that holds no nights. It is no longer listed. Cancel a reservation that holds nights
    /// first.
    withdraw: ReservationsWrite;
}

/// Filter of reservations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ReservationQuery {
    /// Received or changed at or after this time (RFC 3339).
    #[serde(default, deserialize_with = "params::instant")]
    #[param(value_type = Option<String>, format = DateTime)]
    updated_since: Option<Timestamp>,
    /// Of this property (the source's own id).
    property_id: Option<String>,
    /// Of this room type (the source's own id). Does not match reservations of several rooms.
    room_type_id: Option<String>,
    /// With this status.
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
