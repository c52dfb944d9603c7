use gassync_plugin::{Fate, Refusal, Refused};

use crate::{
    booking::VERSION,
    leaf,
    xml::{Element, element},
};

/// Vrbo's word for a reason.
pub fn word(why: Refusal) -> &'static str {
    match why {
        Refusal::SoldOut | Refusal::Closed => "PROPERTY_NOT_AVAILABLE",
        Refusal::MinStay => "MIN_STAY_NOT_MET",
        Refusal::MaxStay => "EXCEEDS_MAX_STAY",
        Refusal::ExactStay => "STAY_NIGHT_INCREMENT_MISMATCH",
        Refusal::ClosedToArrival => "START_DAY_MISMATCH",
        Refusal::ClosedToDeparture => "END_DAY_MISMATCH",
        Refusal::Occupancy => "EXCEEDS_MAX_OCCUPANCY",
        Refusal::AdvanceNotice => "MIN_ADVANCED_NOTICE_NOT_MET",
        Refusal::NoRate => "NO_RATES_CONFIGURED",
        Refusal::Pets => "PETS_NOT_ALLOWED",
        Refusal::UnknownProperty | Refusal::UnknownRoomType => "UNKNOWN_PROPERTY",
        // Vrbo knows no rate plans, and no bookings but its own.
        Refusal::UnknownRatePlan | Refusal::UnknownReservation | Refusal::Invalid | Refusal::Other => "OTHER",
    }
}

/// Why something was not done: the reasons of a refusal, or one for a fate that Vrbo cannot be told.
pub fn reasons(fate: Option<&Fate>) -> Vec<Refused> {
    match fate {
        Some(Fate::Refused(reasons)) if !reasons.is_empty() => reasons.clone(),
        // A request that waits for a person is no booking: Vrbo must not sell on our silence.
        _ => vec![Refused { why: Refusal::Other, path: None, text: "The request cannot be answered now.".to_owned() }],
    }
}

/// A response that says no.
pub fn response(name: &str, fate: Option<&Fate>) -> Element {
    document(name, reasons(fate))
}

/// The same for a request that cannot be read: it is Vrbo that has to mend it, so it is told why.
pub fn unreadable(name: &str, why: &str) -> Element {
    let text = format!("The request cannot be read: {why}");
    document(name, vec![Refused { why: Refusal::Invalid, path: None, text }])
}

fn document(name: &str, reasons: Vec<Refused>) -> Element {
    let errors = reasons
        .into_iter()
        .map(|reason| element("error").around([leaf("errorType", word(reason.why)), leaf("message", reason.text)]));
    element(name).around([leaf("documentVersion", VERSION), element("errorList").around(errors)])
}
