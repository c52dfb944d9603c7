//! `/integration/v1/room-types`

use std::sync::Arc;

use axum::{Router, extract::State, http::HeaderMap, response::Response, routing::get};
use gassync_domain::{ChangeKind, RoomType, Timestamp};
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
        scope::{RoomTypesRead, RoomTypesWrite},
    },
    store::buffer::room_types,
};

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/integration/v1/room-types", get(list).post(post))
        .route("/integration/v1/room-types/{id}", get(one).delete(withdraw))
}

record_endpoints! {
    table: room_types,
    entity: "room_type",
    tag: "room-types",
    /// Create or update room types. Send one record, or a list of up to 1,000; each gets its own outcome.
    post: "/integration/v1/room-types", RoomType, RoomTypesWrite, |record| Ok(ChangeKind::RoomType(record));
    /// The room types of this key's source.
    list(tx, caller, filter: RoomTypeQuery, cursor): room_types::list(tx, caller.source_key(), (filter.property_id.as_deref(), filter.updated_since), cursor);
    /// One room type by the source's own id.
    one: "/integration/v1/room-types/{id}", RoomTypesRead;
    /// Withdraw a room type. It is no longer listed; its core entity stays.
    withdraw: RoomTypesWrite;
}

/// Filter of room types.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct RoomTypeQuery {
    /// Received or changed at or after this time (RFC 3339).
    #[serde(default, deserialize_with = "params::instant")]
    #[param(value_type = Option<String>, format = DateTime)]
    updated_since: Option<Timestamp>,
    /// Of this property (the source's own id).
    property_id: Option<String>,
}
