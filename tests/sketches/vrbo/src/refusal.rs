use gassync_plugin::{
    ChangeResult, Refusal, RefusalReason,
    xml::{Element, element, leaf},
};

use crate::booking::VERSION;

/// Vrbo's name for a reason.
pub fn word(why: RefusalReason) -> &'static str {
    match why {
        RefusalReason::SoldOut | RefusalReason::Closed => "PROPERTY_NOT_AVAILABLE",
        RefusalReason::MinStay => "MIN_STAY_NOT_MET",
        RefusalReason::MaxStay => "EXCEEDS_MAX_STAY",
        RefusalReason::ExactStay => "STAY_NIGHT_INCREMENT_MISMATCH",
        RefusalReason::ClosedToArrival => "START_DAY_MISMATCH",
        RefusalReason::ClosedToDeparture => "END_DAY_MISMATCH",
        RefusalReason::Occupancy => "EXCEEDS_MAX_OCCUPANCY",
        RefusalReason::AdvanceNotice => "MIN_ADVANCED_NOTICE_NOT_MET",
        RefusalReason::NoRate => "NO_RATES_CONFIGURED",
        RefusalReason::Pets => "PETS_NOT_ALLOWED",
        RefusalReason::UnknownProperty | RefusalReason::UnknownRoomType => "UNKNOWN_PROPERTY",
        // Vrbo has no rate plans, and only its own bookings.
        RefusalReason::UnknownRatePlan
        | RefusalReason::UnknownReservation
        | RefusalReason::Invalid
        | RefusalReason::Other => "OTHER",
    }
}

/// The reasons of a refusal, or a general one for a result that Vrbo has no name for.
pub fn reasons(result: Option<&ChangeResult>) -> Vec<Refusal> {
    match result {
        Some(ChangeResult::Refused(reasons)) if !reasons.is_empty() => reasons.clone(),
        // A parked request is not a booking: Vrbo must not confirm it.
        _ => vec![Refusal {
            reason: RefusalReason::Other,
            path: None,
            text: "The request cannot be answered now.".to_owned(),
        }],
    }
}

/// A refusal document.
pub fn response(name: &str, result: Option<&ChangeResult>) -> Element {
    document(name, reasons(result))
}

/// A refusal document for an unreadable request, with the error, since Vrbo must correct it.
pub fn unreadable(name: &str, why: &str) -> Element {
    let text = format!("The request cannot be read: {why}");
    document(name, vec![Refusal { reason: RefusalReason::Invalid, path: None, text }])
}

fn document(name: &str, reasons: Vec<Refusal>) -> Element {
    let errors = reasons.into_iter().map(|reason| {
        element("error").with_children([leaf("errorType", word(reason.reason)), leaf("message", reason.text)])
    });
    element(name).with_children([leaf("documentVersion", VERSION), element("errorList").with_children(errors)])
}
