//! `GET /api/me`, and the apartments.

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};

use super::{Smoobu, answer};

pub(super) fn router() -> Router<Smoobu> {
    Router::new()
        .route("/api/me", get(me))
        .route("/api/apartments", get(list))
        .route("/api/apartments/{id}", get(details))
}

async fn me(State(simulator): State<Smoobu>) -> Json<Value> {
    let user = simulator.inner.settings.user();
    Json(json!({ "id": user, "firstName": "Ingrid", "lastName": "Musterfrau", "email": "host@example.org" }))
}

async fn list(State(simulator): State<Smoobu>) -> Json<Value> {
    let all: Value = simulator.account().book.apartments.iter().map(|apartment| apartment.named()).collect();
    Json(json!({ "apartments": all }))
}

async fn details(State(simulator): State<Smoobu>, Path(id): Path<String>) -> Response {
    let account = simulator.account();
    let apartment = id.parse().ok().and_then(|id| account.book.apartment(id));
    apartment.map_or_else(answer::not_found, |apartment| Json(apartment.details()).into_response())
}
