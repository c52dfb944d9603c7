//! `/integration/v1/reservations/{id}/decision`: a partner decides on its own parked reservation.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::post};
use gassync_domain::{FieldError, Ingested, UnitCount};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ApiState;
use crate::{
    app::App,
    core::WhenFull,
    http::{ApiError, Body, Caller, Problem, params::PathId, problem::Document, scope::ReservationsWrite},
    inbound::{
        apply::IngestContext,
        decide::{self, Choice, DecideError, DecidedBy},
    },
    store::parked::ParkedKind,
};

pub(super) fn router() -> Router<ApiState> {
    Router::new().route("/integration/v1/reservations/{id}/decision", post(decide))
}

/// A decision on a parked reservation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "decision": "stand", "why": "the guest paid again" }))]
pub struct DecisionRequest {
    /// `stand`: apply the last received state, which reinstates a cancelled booking and treats an unknown status as
    /// confirmed. `cancel`: cancel the reservation and release its nights. `ignore`: leave the booking unchanged.
    decision: Choice,
    /// Reason, up to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    why: String,
}

/// The result of a decision.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "id": "res-2027-0417", "decision": "stand", "status": "updated", "gasId": 31 }))]
pub struct DecisionResponse {
    /// Id of the reservation.
    id: String,
    /// The decision.
    decision: Choice,
    /// `created`, `updated` or `unchanged`.
    status: Ingested,
    /// Identifier of the linked core booking.
    gas_id: Option<i64>,
}

/// Decide on a parked reservation: one that was confirmed again after its cancellation, or one with an unknown status.
/// Its nights are held until then. Sending the same data again does not park it again.
#[utoipa::path(
    post, path = "/integration/v1/reservations/{id}/decision", tag = "reservations", operation_id = "decide_reservation",
    params(("id" = String, Path, description = "The source's own id")),
    request_body = DecisionRequest,
    responses(
        (status = 200, description = "The decision was applied", body = DecisionResponse),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller<ReservationsWrite>,
    PathId(id): PathId,
    Body(DecisionRequest { decision, why }): Body<DecisionRequest>,
) -> Result<Json<DecisionResponse>, ApiError> {
    if !caller.authority.source_owns_bookings() {
        let text = "this source has no authority over bookings: the operator decides";
        return Err(Problem::Conflict(text.to_owned()).into());
    }
    let now = app.now();
    let context = IngestContext {
        account: caller.account,
        source: caller.source,
        creates: caller.creates,
        authority: caller.authority,
        when_full: WhenFull::Keep,
        may_revive: false,
        strict: false,
        closes: !caller.authority.nobody_owns_calendar(),
        counts: UnitCount::default(),
        has_channel: false,
        observed_at: now,
        now,
    };
    let who = format!("key {}", caller.key);
    let mut tx = app.db.write_for(caller.source_key()).await?;
    let by = DecidedBy { who: &who, why: &why };
    let decided = decide::decide(&mut tx, &context, (ParkedKind::Reservation, &id), (decision, by)).await;
    let decided = decided.map_err(|error| match error {
        DecideError::Unsaid(_) | DecideError::TooLong { .. } => {
            let wrong = FieldError::new("/why", error.to_string());
            ApiError::from(Problem::Invalid(vec![wrong]))
        }
        error => error.into(),
    })?;
    tx.commit().await?;
    app.wake.notify_waiters();
    let (status, gas_id) = (decided.outcome.ingested(), decided.outcome.core().map(|core| core.0));
    Ok(Json(DecisionResponse { id, decision, status, gas_id }))
}
