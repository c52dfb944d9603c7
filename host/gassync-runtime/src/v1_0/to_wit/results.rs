//! Converts change results, quotes and acknowledgements.

use gassync_domain::{Acknowledgement, ChangeResult, CoreBooking, Quote, Refusal, RefusalReason, Verdict};

use super::{extra, instant, money, price_line, reservation, wit};

pub(in crate::v1_0) fn acknowledgement(acknowledgement: Acknowledgement) -> wit::Acknowledgement {
    wit::Acknowledgement {
        token: acknowledgement.token,
        external_id: acknowledgement.external_id,
        our_reference: acknowledgement.reference,
        kind: acknowledgement.refused.map_or(wit::AcknowledgementKind::Applied, wit::AcknowledgementKind::Refused),
        at: instant(acknowledgement.at),
    }
}

pub(in crate::v1_0) fn change_result(result: ChangeResult) -> wit::ChangeResult {
    match result {
        ChangeResult::Applied { verdict, reference, at } => wit::ChangeResult::Applied(wit::AppliedChange {
            verdict: match verdict {
                Verdict::Created => wit::Verdict::Created,
                Verdict::Updated => wit::Verdict::Updated,
                Verdict::Unchanged => wit::Verdict::Unchanged,
                Verdict::Parked => wit::Verdict::Parked,
                Verdict::AwaitingReview => wit::Verdict::AwaitingReview,
                Verdict::Duplicate => wit::Verdict::Duplicate,
            },
            our_reference: reference,
            at: instant(at),
        }),
        ChangeResult::Refused { reasons } => wit::ChangeResult::Refused(reasons.into_iter().map(refusal).collect()),
        ChangeResult::Available => wit::ChangeResult::Available,
        ChangeResult::Held { reference, until } => {
            wit::ChangeResult::Held(wit::Hold { reference, until: instant(until) })
        }
        ChangeResult::Released => wit::ChangeResult::Released,
        ChangeResult::Quote(price) => wit::ChangeResult::Quote(quote(price)),
        ChangeResult::Bookings { bookings } => {
            wit::ChangeResult::Bookings(bookings.into_iter().map(core_booking).collect())
        }
        ChangeResult::Other { kind, value } => wit::ChangeResult::Other((kind, value.to_string())),
    }
}

pub(in crate::v1_0) fn refusal(refusal: Refusal) -> wit::Refusal {
    wit::Refusal {
        reason: match refusal.reason {
            RefusalReason::SoldOut => wit::RefusalReason::SoldOut,
            RefusalReason::Closed => wit::RefusalReason::Closed,
            RefusalReason::MinStay => wit::RefusalReason::MinStay,
            RefusalReason::MaxStay => wit::RefusalReason::MaxStay,
            RefusalReason::ExactStay => wit::RefusalReason::ExactStay,
            RefusalReason::ClosedToArrival => wit::RefusalReason::ClosedToArrival,
            RefusalReason::ClosedToDeparture => wit::RefusalReason::ClosedToDeparture,
            RefusalReason::Occupancy => wit::RefusalReason::Occupancy,
            RefusalReason::AdvanceNotice => wit::RefusalReason::AdvanceNotice,
            RefusalReason::NoRate => wit::RefusalReason::NoRate,
            RefusalReason::Pets => wit::RefusalReason::Pets,
            RefusalReason::UnknownProperty => wit::RefusalReason::UnknownProperty,
            RefusalReason::UnknownRoomType => wit::RefusalReason::UnknownRoomType,
            RefusalReason::UnknownRatePlan => wit::RefusalReason::UnknownRatePlan,
            RefusalReason::UnknownReservation => wit::RefusalReason::UnknownReservation,
            RefusalReason::Invalid => wit::RefusalReason::Invalid,
            RefusalReason::Other => wit::RefusalReason::Other,
        },
        path: refusal.path,
        text: refusal.text,
    }
}

pub(in crate::v1_0) fn quote(quote: Quote) -> wit::Quote {
    let currency = Some(&*quote.currency);
    let lines = quote.lines.into_iter().map(|line| price_line(line, currency));
    wit::Quote { lines: lines.collect(), total: money(quote.total, currency), extra: extra(quote.extra) }
}

pub(in crate::v1_0) fn core_booking(booking: CoreBooking) -> wit::CoreBooking {
    wit::CoreBooking {
        our_reference: booking.reference,
        changed_at: instant(booking.changed_at),
        reservation: reservation(booking.reservation),
    }
}
