//! The spans of the host: one per request, job and delivery; the runtime opens one per plugin call. Their names and fields, and the
//! event that ends each, are stable: whoever searches logs may rely on them. They hold ids, never secrets, guest data or paths of
//! webhooks, which carry keys.
//!
//! | span | fields | its last event |
//! |---|---|---|
//! | `request` | `method`, `route` (the pattern, not the path) | `request ended` with `status` and `millis` |
//! | `job` | `account`, `source`, `kind`, `job` (the first of a batch), `jobs`, `attempt` | `job ended` with `outcome` and `millis` |
//! | `plugin_call` | `plugin`, `entry`, `call` | `plugin call ended` with `outcome` and `millis` |
//! | `delivery` | `account`, `webhook`, `job`, `attempt` | `delivery ended` with `outcome`, `status` and `millis` |

use std::time::Duration;

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use gassync_domain::{AccountId, SourceKey};
use tracing::Span;

/// The span of a request to this host.
pub fn request(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    tracing::info_span!("request", method = %request.method(), route)
}

/// Ends a request.
pub fn request_ended(response: &Response, took: Duration, _: &Span) {
    tracing::debug!(status = response.status().as_u16(), millis = millis(took), "request ended");
}

/// The span of jobs that run together: those of one kind and source.
pub fn job(source: SourceKey, kind: &str, (first, jobs): (i64, usize), attempt: i64) -> Span {
    tracing::info_span!("job", account = %source.account, source = %source.source, kind, job = first, jobs, attempt)
}

/// Ends a job.
pub fn job_ended(outcome: &str, took: Duration) {
    tracing::debug!(outcome, millis = millis(took), "job ended");
}

/// The span of one attempt to deliver a webhook.
pub fn delivery(account: AccountId, webhook: i64, job: i64, attempt: i64) -> Span {
    tracing::info_span!("delivery", %account, webhook, job, attempt)
}

/// Ends a delivery attempt; `status` is the subscriber's, if it answered.
pub fn delivery_ended(outcome: &str, status: Option<i64>, took_millis: i64) {
    tracing::debug!(outcome, status, millis = took_millis, "delivery ended");
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
