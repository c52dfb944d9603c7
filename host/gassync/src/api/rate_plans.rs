//! `/integration/v1/rate-plans`

use std::sync::Arc;

use axum::{Router, extract::State, http::HeaderMap, response::Response, routing::get};
use gassync_domain::{ChangeKind, RatePlan, Timestamp};
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
        scope::{RatePlansRead, RatePlansWrite},
    },
    store::buffer::rate_plans,
};

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/integration/v1/rate-plans", get(list).post(post))
        .route("/integration/v1/rate-plans/{id}", get(one).delete(withdraw))
}

record_endpoints! {
    table: rate_plans,
    entity: "rate_plan",
    tag: "rate-plans",
    /// Create or update rate plans. Send one record, or a list of up to 1,000; each gets its own outcome.
    post: "/integration/v1/rate-plans", RatePlan, RatePlansWrite, |record| Ok(ChangeKind::RatePlan(record));
    /// The rate plans of this key's source.
    list(tx, caller, filter: RatePlanQuery, cursor): rate_plans::list(tx, caller.source_key(), (filter.property_id.as_deref(), filter.updated_since), cursor);
    /// One rate plan by the source's own id.
    one: "/integration/v1/rate-plans/{id}", RatePlansRead;
    /// Withdraw a rate plan. It is no longer listed; its core entity stays.
    withdraw: RatePlansWrite;
}

/// Filter of rate plans.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct RatePlanQuery {
    /// Received or changed at or after this time (RFC 3339).
    #[serde(default, deserialize_with = "params::instant")]
    #[param(value_type = Option<String>, format = DateTime)]
    updated_since: Option<Timestamp>,
    /// Of this property (the source's own id).
    property_id: Option<String>,
}
