//! The error of every endpoint: a problem document (RFC 9457) whose type is a help page.

use std::fmt::Write;

use axum::{
    Json, Router,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use gassync_domain::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::{self, Fault, sources::SourceState};

/// The media type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// All problems. The documents and their help pages are generated from this list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The body failed validation.
    Invalid(Vec<FieldError>),
    /// The request cannot be parsed.
    Malformed(String),
    /// No key, or not an active one.
    Unauthorized,
    /// The key lacks a scope.
    Forbidden {
        /// The missing scope.
        scope: &'static str,
    },
    /// The source of the key is stopped.
    SourceStopped {
        /// Where it stands.
        status: SourceState,
    },
    /// The key exceeded its rate limit.
    TooManyRequests {
        /// Seconds until the next window.
        seconds: i64,
    },
    /// Not found, or owned by another account.
    NotFound,
    /// The path does not allow the method.
    MethodNotAllowed,
    /// A conflict with the current state.
    Conflict(String),
    /// Some nights are sold out.
    SoldOut(Vec<FieldError>),
    /// The same request is in progress.
    StillRunning,
    /// The Idempotency-Key was used for another request.
    KeyReused,
    /// The plan is outdated.
    PlanOutdated,
    /// The body or the list is too large.
    TooLarge(String),
    /// The media type is not supported.
    UnsupportedMediaType,
    /// The plugin is not loaded.
    PluginUnavailable {
        /// Seconds until a retry makes sense.
        seconds: u32,
    },
    /// The channel or its plugin failed.
    Channel(String),
    /// The database is unavailable.
    Unavailable,
    /// An internal error.
    Internal,
}

impl Problem {
    /// Status, name, title and advice of every problem.
    const fn describe(&self) -> (u16, &'static str, &'static str, &'static str) {
        match self {
            Self::Invalid(_) => (
                422,
                "invalid",
                "Some fields cannot be accepted",
                "Correct the fields listed in `errors` and send the request again. Nothing was stored.",
            ),
            Self::Malformed(_) => (
                400,
                "malformed",
                "The request cannot be read",
                "Check the request against the documentation of the endpoint.",
            ),
            Self::Unauthorized => (
                401,
                "unauthorized",
                "The caller is not authenticated",
                "Send an active key as `Authorization: Bearer …`. A channel webhook needs the token that was shown when its source was added.",
            ),
            Self::Forbidden { .. } => (
                403,
                "forbidden",
                "The key may not do this",
                "Ask the operator for a key with the scope named in `detail`.",
            ),
            Self::SourceStopped { .. } => (
                403,
                "source-stopped",
                "The source of the key is stopped",
                "The operator has stopped the source, see `detail`. Nothing was stored: send the request again when the source is resumed.",
            ),
            Self::TooManyRequests { .. } => (
                429,
                "too-many-requests",
                "Rate limit exceeded",
                "Wait for `Retry-After`. The header `RateLimit` shows the remaining calls. Send lists of up to 1,000 records to save calls.",
            ),
            Self::SoldOut(_) => (
                409,
                "sold-out",
                "Sold out",
                "The nights listed in `errors` are full. Nothing was stored. Send completed sales without `onConflict=refuse`: they are kept and reported as overbooked.",
            ),
            Self::StillRunning => (
                409,
                "still-running",
                "The same request is in progress",
                "Send it again in a moment with the same Idempotency-Key to get its response.",
            ),
            Self::KeyReused => (
                422,
                "idempotency-key-reused",
                "The Idempotency-Key was used for another request",
                "Use a new key for each request, and the same key only to retry the same request.",
            ),
            Self::PlanOutdated => (
                409,
                "plan-outdated",
                "The plan is outdated",
                "Data has changed since the plan was made. Nothing was stored: request a new plan with `dryRun=true`.",
            ),
            Self::NotFound => (
                404,
                "not-found",
                "Not found",
                "Check the path and the id. Resources of other accounts are reported as not found.",
            ),
            Self::MethodNotAllowed => {
                (405, "method-not-allowed", "The path takes another method", "See the documentation of the endpoint.")
            }
            Self::Conflict(_) => {
                (409, "conflict", "It collides with what is there", "Read what is there, then decide.")
            }
            Self::TooLarge(_) => (413, "too-large", "The request is too large", "Send it in smaller parts."),
            Self::UnsupportedMediaType => {
                (415, "unsupported-media-type", "The body is of another type", "Send `Content-Type: application/json`.")
            }
            Self::PluginUnavailable { .. } => {
                (503, "plugin-away", "The plugin is not loaded", "Come back later; nothing was kept.")
            }
            Self::Channel(_) => (502, "channel", "The channel failed", "See `detail` for the response of the channel."),
            Self::Unavailable => (
                503,
                "unavailable",
                "The database is unavailable",
                "Send the same request again later. Retries are safe.",
            ),
            Self::Internal => (
                500,
                "internal",
                "Internal error",
                "Send the same request again later, and report the time of the error to the operator.",
            ),
        }
    }

    /// One value of each problem, for the help pages.
    fn all() -> [Self; 19] {
        let text = String::new;
        [
            Self::Invalid(Vec::new()),
            Self::Malformed(text()),
            Self::Unauthorized,
            Self::Forbidden { scope: "" },
            Self::SourceStopped { status: SourceState::Paused },
            Self::TooManyRequests { seconds: 0 },
            Self::NotFound,
            Self::MethodNotAllowed,
            Self::Conflict(text()),
            Self::SoldOut(Vec::new()),
            Self::StillRunning,
            Self::KeyReused,
            Self::PlanOutdated,
            Self::TooLarge(text()),
            Self::UnsupportedMediaType,
            Self::PluginUnavailable { seconds: 0 },
            Self::Channel(text()),
            Self::Unavailable,
            Self::Internal,
        ]
    }
}

/// A problem document.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document {
    /// Help page of this problem.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid")]
    pub kind: String,
    /// Short title.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Details of this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The fields concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
}

/// The error of a handler.
#[derive(Debug)]
pub struct ApiError(Problem);

impl ApiError {
    /// The problem.
    pub fn problem(&self) -> &Problem {
        &self.0
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "database error in a request");
        let passing = store::fault(&error) == Fault::Passing;
        Self(if passing { Problem::Unavailable } else { Problem::Internal })
    }
}

impl Problem {
    /// Converts to the document.
    pub fn document(self) -> Document {
        let (status, name, title, _) = self.describe();
        let (detail, errors) = match self {
            Self::Invalid(errors) | Self::SoldOut(errors) => (None, errors),
            Self::Malformed(text) | Self::Conflict(text) | Self::TooLarge(text) | Self::Channel(text) => {
                (Some(text), Vec::new())
            }
            Self::Forbidden { scope } => (Some(format!("the key lacks the scope {scope}")), Vec::new()),
            Self::SourceStopped { status } => (Some(format!("the source is {status}")), Vec::new()),
            Self::TooManyRequests { seconds } => {
                (Some(format!("the next window begins in {seconds} seconds")), Vec::new())
            }
            _ => (None, Vec::new()),
        };
        Document { kind: format!("/problems/{name}"), title: title.to_owned(), status, detail, errors }
    }

    fn retry_after(&self) -> Option<i64> {
        match self {
            Self::PluginUnavailable { seconds } => Some(i64::from(*seconds)),
            Self::TooManyRequests { seconds } => Some(*seconds),
            Self::StillRunning => Some(1),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry_after = self.0.retry_after();
        let document = self.0.document();
        let status = StatusCode::from_u16(document.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The routes of the help pages.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/problems/{name}", get(page))
}

async fn page(Path(name): Path<String>) -> Result<Html<String>, ApiError> {
    let problem = Problem::all().into_iter().find(|p| p.describe().1 == name).ok_or(Problem::NotFound)?;
    let (status, name, title, advice) = problem.describe();
    let mut html = String::from("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
    // Writing to a String cannot fail.
    let _ = write!(html, "<title>{name}</title><h1>{title}</h1><p>HTTP status {status}</p><p>{advice}</p></html>");
    Ok(Html(html))
}
