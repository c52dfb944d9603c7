//! Response envelopes.

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

/// Maximum items per write.
const ITEMS: usize = 10_000;

/// Builds the refusal of a whole call.
pub(super) fn error(status: StatusCode, text: &str) -> Response {
    let body = json!({ "success": false, "type": "error", "code": status.as_u16(), "error": text });
    (status, Json(body)).into_response()
}

impl IntoResponse for BadParameter {
    fn into_response(self) -> Response {
        error(StatusCode::BAD_REQUEST, &self.0)
    }
}

/// Builds one page of a list.
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

/// Builds the result list of a write, in the order of its items. The status is 201 even if all were refused.
pub(super) fn written(outcomes: Vec<Value>) -> Response {
    (StatusCode::CREATED, Json(Value::Array(outcomes))).into_response()
}

/// Reads the items of a write, which must be an array.
pub(super) fn items(body: &[u8]) -> Result<Vec<Value>, Malformed> {
    match serde_json::from_slice(body) {
        Ok(Value::Array(items)) if items.len() <= ITEMS => Ok(items),
        Ok(Value::Array(_)) => Err(Malformed("Request body has too many items")),
        Ok(_) => Err(Malformed("Request body must be an array")),
        Err(_) => Err(Malformed("Request body is not valid JSON")),
    }
}

/// A body that is not a valid list of items.
pub(super) struct Malformed(&'static str);

impl IntoResponse for Malformed {
    fn into_response(self) -> Response {
        let body = json!({ "success": false, "code": 400, "error": self.0 });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

/// Builds the result of an item with invalid fields.
pub(super) fn refused(action: &str, fields: &[(&str, &str)]) -> Value {
    let errors: Vec<Value> =
        fields.iter().map(|(field, message)| json!({ "action": action, "field": field, "message": message })).collect();
    json!({ "success": false, "errors": errors })
}
