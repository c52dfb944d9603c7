//! The description of the standard API, made from the code.

use std::sync::Arc;

use axum::{Json, Router, routing::get};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{problem::Document, properties, records::RecordOutcome, reservations, room_types};
use crate::app::App;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "GasSync standard API",
        description = "Properties, room types and reservations, in and out. Send properties first, then room types, \
                       then reservations: what names something unknown is kept, parked, and goes on by itself once \
                       that arrives. Unknown fields are kept and are never an error. Money is read as number or text.",
    ),
    paths(
        properties::post, properties::list, properties::one,
        room_types::post, room_types::list, room_types::one,
        reservations::post, reservations::list, reservations::one,
    ),
    components(schemas(Document, RecordOutcome)),
    modifiers(&Key)
)]
struct Description;

struct Key;

impl Modify for Key {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("gsk_…").build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/openapi.json", get(|| async { Json(Description::openapi()) }))
}
