//! One error for every endpoint: a problem document (RFC 9457) whose type is a page that says what to do.

use std::{fmt::Write, sync::Arc};

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

use crate::app::App;

/// What can be wrong. The documents and the pages about them are made from this one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The body is not what the endpoint takes.
    Invalid(Vec<FieldError>),
    /// The body is not JSON, or has no such form at all.
    Malformed(String),
    /// No key, or none that is alive.
    Unauthorized,
    /// There is no such thing, or it is not yours.
    NotFound,
    /// The path takes another method.
    MethodNotAllowed,
    /// It is there already.
    Conflict(String),
    /// The body is too large, or the list too long.
    TooLarge(String),
    /// The body is of another type.
    UnsupportedMediaType,
    /// The plugin that would answer is not loaded.
    PluginAway {
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
    const fn about(&self) -> (u16, &'static str, &'static str, &'static str) {
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
            Self::PluginAway { .. } => {
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
    fn all() -> [Self; 12] {
        let text = String::new;
        [
            Self::Invalid(Vec::new()),
            Self::Malformed(text()),
            Self::Unauthorized,
            Self::NotFound,
            Self::MethodNotAllowed,
            Self::Conflict(text()),
            Self::TooLarge(text()),
            Self::UnsupportedMediaType,
            Self::PluginAway { seconds: 0 },
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

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "the database failed a request");
        let away = matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_));
        Self(if away { Problem::Unavailable } else { Problem::Internal })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, name, title, _) = self.0.about();
        let (detail, errors, retry_after) = match self.0 {
            Problem::Invalid(errors) => (None, errors, None),
            Problem::Malformed(text) | Problem::Conflict(text) | Problem::TooLarge(text) | Problem::Channel(text) => {
                (Some(text), Vec::new(), None)
            }
            Problem::PluginAway { seconds } => (None, Vec::new(), Some(seconds)),
            _ => (None, Vec::new(), None),
        };
        let kind = format!("/problems/{name}");
        let document = Document { kind, title: title.to_owned(), status, detail, errors };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/problems/{name}", get(page))
}

async fn page(Path(name): Path<String>) -> Result<Html<String>, ApiError> {
    let problem = Problem::all().into_iter().find(|p| p.about().1 == name).ok_or(Problem::NotFound)?;
    let (status, name, title, advice) = problem.about();
    let mut html = String::from("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
    // Writing to a String cannot fail.
    let _ = write!(html, "<title>{name}</title><h1>{title}</h1><p>HTTP status {status}</p><p>{advice}</p></html>");
    Ok(Html(html))
}
