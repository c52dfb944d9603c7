//! One error for every endpoint: a problem document (RFC 9457) whose type is a page that says what to do.

use std::fmt::Write;

use axum::{
    Json, Router,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use gassync_domain::FieldError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::{self, Fault};

/// The media type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What can be wrong. The documents and the pages about them are made from this one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The body is not what the endpoint takes.
    Invalid(Vec<FieldError>),
    /// The body is not JSON, or has no such form at all.
    Malformed(String),
    /// No key, or none that is alive.
    Unauthorized,
    /// The key is alive, and may not do this.
    Forbidden {
        /// The scope that it lacks.
        scope: &'static str,
    },
    /// The key's source is not at work.
    SourceStopped {
        /// `paused`, `disabled`, …
        status: String,
    },
    /// The key has called too often.
    TooManyRequests {
        /// When its next window begins.
        seconds: i64,
    },
    /// There is no such thing, or it is not yours.
    NotFound,
    /// The path takes another method.
    MethodNotAllowed,
    /// It is there already.
    Conflict(String),
    /// There is no room on some nights.
    SoldOut(Vec<FieldError>),
    /// The same request is being worked on.
    StillRunning,
    /// Another request was sent under the same Idempotency-Key.
    KeyReused,
    /// What would change is no longer what the plan says.
    PlanOutdated,
    /// The body is too large, or the list too long.
    TooLarge(String),
    /// The body is of another type.
    UnsupportedMediaType,
    /// The plugin that would answer is not loaded.
    PluginUnavailable {
        /// When to come back.
        seconds: u32,
    },
    /// The channel or its plugin did not do its part.
    Channel(String),
    /// The database does not answer.
    Unavailable,
    /// A mistake of ours.
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
                "Mend the fields that `errors` names and send again. Nothing was stored.",
            ),
            Self::Malformed(_) => {
                (400, "malformed", "The request cannot be read", "Send what the documentation of the endpoint says.")
            }
            Self::Unauthorized => (
                401,
                "unauthorized",
                "The caller is not known",
                "Send a live key as `Authorization: Bearer …`; a webhook carries the proof that was shown when its source was added.",
            ),
            Self::Forbidden { .. } => {
                (403, "forbidden", "The key may not do this", "Ask for a key with the scope that `detail` names.")
            }
            Self::SourceStopped { .. } => (
                403,
                "source-stopped",
                "The key's source is not at work",
                "Whoever runs this host has stopped the source, as `detail` says. Nothing was stored: send it again when the source goes on.",
            ),
            Self::TooManyRequests { .. } => (
                429,
                "too-many-requests",
                "The key has called too often",
                "Wait as long as `Retry-After` says. `RateLimit` tells after each call how many are left; lists of up to 1,000 records need fewer calls.",
            ),
            Self::SoldOut(_) => (
                409,
                "sold-out",
                "There is no room",
                "The nights that `errors` names are full. Nothing was stored. A sale that has happened is sent without `onConflict=refuse`: it is kept, and told as overbooked.",
            ),
            Self::StillRunning => (
                409,
                "still-running",
                "The same request is being worked on",
                "Send it again in a moment, under the same Idempotency-Key: its answer will be waiting.",
            ),
            Self::KeyReused => (
                422,
                "idempotency-key-reused",
                "The Idempotency-Key was used for another request",
                "Give each request a key of its own, and the same key only to the same request sent again.",
            ),
            Self::PlanOutdated => (
                409,
                "plan-outdated",
                "The plan is no longer what would happen",
                "Something has changed since the plan was made. Nothing was stored: ask for a new plan with `dryRun=true`.",
            ),
            Self::NotFound => (
                404,
                "not-found",
                "There is no such thing here",
                "Look at the path and the id. What belongs to others is not here either.",
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
            Self::Channel(_) => {
                (502, "channel", "The channel did not do its part", "The detail says what it answered.")
            }
            Self::Unavailable => (
                503,
                "unavailable",
                "The database does not answer",
                "Send the same again later: nothing was stored, or the same thing was.",
            ),
            Self::Internal => {
                (500, "internal", "A mistake of ours", "Send the same again later, and tell us the time.")
            }
        }
    }

    /// One of each, for the pages.
    fn all() -> [Self; 19] {
        let text = String::new;
        [
            Self::Invalid(Vec::new()),
            Self::Malformed(text()),
            Self::Unauthorized,
            Self::Forbidden { scope: "" },
            Self::SourceStopped { status: text() },
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
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document {
    /// A page about this kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid")]
    pub kind: String,
    /// What it is.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What it is in this case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The fields it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
}

/// What a handler fails with.
#[derive(Debug)]
pub struct ApiError(Problem);

impl ApiError {
    /// What it is.
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
        tracing::error!(%error, "the database failed a request");
        let passing = store::fault(&error) == Fault::Passing;
        Self(if passing { Problem::Unavailable } else { Problem::Internal })
    }
}

impl Problem {
    /// As it is sent.
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

/// The pages about problems.
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
