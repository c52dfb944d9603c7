//! `DELETE /api/reservations/{id}`: cancels; a block may be gone for good.

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};

use super::super::{Smoobu, answer, middleware::AdmittedCall};

pub(super) async fn cancel(
    State(simulator): State<Smoobu>,
    Extension(call): Extension<AdmittedCall>,
    Path(id): Path<String>,
) -> Response {
    simulator.write(call, |account, settings, now| {
        let Some(id) = id.parse().ok().filter(|id| account.book.get(*id).is_some()) else {
            return answer::not_found();
        };
        // One that is cancelled stays so, and nothing is sent.
        account.cancel(settings, id, now, crate::Notification::Webhook);
        answer::success()
    })
}
