//! `/integration/v1/guests`

use std::sync::Arc;

use axum::{Router, extract::State, http::HeaderMap, response::Response, routing::get};
use gassync_domain::{ChangeKind, Guest, Timestamp};
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
        scope::{GuestsRead, GuestsWrite},
    },
    store::buffer::guests,
};

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/integration/v1/guests", get(list).post(post))
        .route("/integration/v1/guests/{id}", get(one).delete(withdraw))
}

record_endpoints! {
    table: guests,
    entity: "guest",
    tag: "guests",
    /// Create or update guests. Send one record, or a list of up to 1,000; each gets its own outcome.
    post: "/integration/v1/guests", Guest, GuestsWrite, |record| Ok(ChangeKind::Guest(record));
    /// The guests of this key's source.
    list(tx, caller, filter: GuestQuery, cursor): guests::list(tx, caller.source_key(), (filter.email.as_deref(), filter.updated_since), cursor);
    /// One guest by the source's own id.
    one: "/integration/v1/guests/{id}", GuestsRead;
    /// Withdraw a guest. It is no longer listed; its core entity stays.
    withdraw: GuestsWrite;
}

/// Filter of guests.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct GuestQuery {
    /// Received or changed at or after this time (RFC 3339).
    #[serde(default, deserialize_with = "params::instant")]
    #[param(value_type = Option<String>, format = DateTime)]
    updated_since: Option<Timestamp>,
    /// With exactly this email address.
    email: Option<String>,
}
