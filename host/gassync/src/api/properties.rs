//! `/integration/v1/properties`

use std::sync::Arc;

use axum::{Router, extract::State, http::HeaderMap, response::Response, routing::get};
use gassync_domain::{ChangeKind, Property, Timestamp};
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
        scope::{PropertiesRead, PropertiesWrite},
    },
    store::buffer::properties,
};

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/integration/v1/properties", get(list).post(post))
        .route("/integration/v1/properties/{id}", get(one).delete(withdraw))
}

record_endpoints! {
    table: properties,
    entity: "property",
    tag: "properties",
    /// Create or update properties. Send one record, or a list of up to 1,000; each gets its own outcome.
    post: "/integration/v1/properties", Property, PropertiesWrite, |record| Ok(ChangeKind::Property(record));
    /// The properties of this key's source.
    list(tx, caller, filter: PropertyQuery, cursor): properties::list(tx, caller.source_key(), filter.updated_since, cursor);
    /// One property by the source's own id.
    one: "/integration/v1/properties/{id}", PropertiesRead;
    /// Withdraw a property. It is no longer listed; its core entity stays.
    withdraw: PropertiesWrite;
}

/// Filter of properties.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct PropertyQuery {
    /// Received or changed at or after this time (RFC 3339).
    #[serde(default, deserialize_with = "params::instant")]
    #[param(value_type = Option<String>, format = DateTime)]
    updated_since: Option<Timestamp>,
}
