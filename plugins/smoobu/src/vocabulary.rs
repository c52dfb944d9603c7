//! Converts Smoobu's words to those of the contract.

use gassync_plugin::{PriceKind, ReservationStatus};

/// The channel of manually closed nights, in lower case.
pub(crate) const BLOCKED_CHANNEL: &str = "blocked channel";
/// The type of a cancelled booking.
pub(crate) const CANCELLATION: &str = "cancellation";

/// The status of a booking: its type is the only one that Smoobu has, and nothing is ever pending.
pub(crate) fn status(kind: Option<&str>) -> ReservationStatus {
    match kind.map(str::to_lowercase).as_deref() {
        Some(CANCELLATION) => ReservationStatus::Cancelled,
        // The latter is not a change request, but an active booking that was changed.
        Some("reservation" | "modification of booking") => ReservationStatus::Confirmed,
        _ => ReservationStatus::Other(kind.unwrap_or("missing").to_owned()),
    }
}

/// The sales channel by name: channel ids differ between accounts.
pub(crate) fn source(channel: &str) -> Option<String> {
    let word = channel.trim().to_lowercase();
    let known = match word.as_str() {
        "" => return None,
        "direct booking" | "direct" | "homepage" | "api" | "homepage/api" | "api/homepage" => "direct",
        "booking" | "bookingcom" => "booking.com",
        "homeaway" | "vrbo" | "fewo-direkt" => "vrbo",
        other => other,
    };
    Some(known.to_owned())
}

/// The kind of a price element; `None` for a commission, which the guest does not pay separately.
pub(crate) fn price_kind(kind: &str) -> Option<PriceKind> {
    Some(match kind {
        "commission" => return None,
        "basePrice" => PriceKind::Stay,
        "cleaningFee" => PriceKind::Cleaning,
        "addon" | "paymentCharge" => PriceKind::Fee,
        "tax" => PriceKind::Tax,
        "longStayDiscount" => PriceKind::Discount,
        _ => PriceKind::Other,
    })
}
