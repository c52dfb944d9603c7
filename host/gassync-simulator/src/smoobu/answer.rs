//! Answers. Refusals are JSON, but what is not found is an HTML page.

use axum::{
    Json,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde_json::{Value, json};

/// Builds a refusal.
pub(super) fn refused(status: StatusCode, detail: &str) -> Response {
    (status, Json(json!({ "title": "Error occurred", "detail": detail }))).into_response()
}

/// Builds a refusal whose words are in `validation_messages`.
pub(super) fn invalid(status: StatusCode, messages: &Value) -> Response {
    let body = json!({ "title": "Error occurred", "detail": "Failed validation", "validation_messages": messages });
    (status, Json(body)).into_response()
}

/// Builds the HTML page of an error.
pub(super) fn page(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or("Error");
    let text = format!(
        "<!DOCTYPE html>\n<html>\n<head><title>{reason}</title></head>\n\
         <body><h1>Oops! An Error Occurred</h1><h2>The server returned a \"{} {reason}\".</h2></body>\n</html>\n",
        status.as_u16()
    );
    (status, Html(text)).into_response()
}

/// Builds the page of what does not exist.
pub(super) fn not_found() -> Response {
    page(StatusCode::NOT_FOUND)
}

/// Builds the answer of a write that has nothing else to say.
pub(super) fn success() -> Response {
    Json(json!({ "success": true })).into_response()
}

/// Builds one page of a list, under its own key.
pub(super) fn list(key: &str, found: &[Value], page: usize, size: usize) -> Response {
    let from = page.saturating_sub(1).saturating_mul(size);
    let shown: Vec<&Value> = found.iter().skip(from).take(size).collect();
    let mut body = json!({
        "page_count": found.len().div_ceil(size),
        "page_size": size,
        "total_items": found.len(),
        "page": page,
    });
    body[key] = json!(shown);
    Json(body).into_response()
}
