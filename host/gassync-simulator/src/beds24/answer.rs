//! The envelopes of answers.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    json_text,
    query::{BadParameter, QueryParams},
};

/// The most items that one write may have.
const ITEMS: usize = 10_000;

/// A refusal of a whole call.
pub(super) fn error(status: StatusCode, text: &str) -> Response {
    let body = json!({ "success": false, "type": "error", "code": status.as_u16(), "error": text });
    (status, Json(body)).into_response()
}

impl IntoResponse for BadParameter {
    fn into_response(self) -> Response {
        error(StatusCode::BAD_REQUEST, &self.0)
    }
}

/// One page of what was found.
pub(super) fn list<T>(
    kind: &str,
    found: Vec<T>,
    query: &QueryParams,
    size: usize,
    wire: impl Fn(T) -> Value,
) -> Response {
    let from = query.page.saturating_sub(1).saturating_mul(size);
    let more = found.len() > from.saturating_add(size);
    let data: Vec<Value> = found.into_iter().skip(from).take(size).map(wire).collect();
    let answer = json!({
        "success": true,
        "type": kind,
        "count": data.len(),
        "pages": { "nextPageExists": more, "nextPageLink": more.then(|| query.next_page()) },
        "data": data,
    });
    ([(header::CONTENT_TYPE, "application/json")], json_text::body(&answer)).into_response()
}

/// What became of each item of a write, in their order. It is 201 whatever became of them.
pub(super) fn written(outcomes: Vec<Value>) -> Response {
    (StatusCode::CREATED, Json(Value::Array(outcomes))).into_response()
}

/// The items of a write, which are always an array.
pub(super) fn items(body: &[u8]) -> Result<Vec<Value>, Malformed> {
    match serde_json::from_slice(body) {
        Ok(Value::Array(items)) if items.len() <= ITEMS => Ok(items),
        Ok(Value::Array(_)) => Err(Malformed("Request body has too many items")),
        Ok(_) => Err(Malformed("Request body must be an array")),
        Err(_) => Err(Malformed("Request body is not valid JSON")),
    }
}

/// A body that is no list of items.
pub(super) struct Malformed(&'static str);

impl IntoResponse for Malformed {
    fn into_response(self) -> Response {
        let body = json!({ "success": false, "code": 400, "error": self.0 });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

/// An item that was refused for what its fields say.
pub(super) fn refused(action: &str, fields: &[(&str, &str)]) -> Value {
    let errors: Vec<Value> =
        fields.iter().map(|(field, message)| json!({ "action": action, "field": field, "message": message })).collect();
    json!({ "success": false, "errors": errors })
}
