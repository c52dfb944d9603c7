//! Parked reservation records: which nights they hold, and whether they were decided before.

use std::collections::{BTreeMap, HashMap};

use gassync_domain::{CoreId, Date, Digest, Intent, MAX_STAY_NIGHTS, Reservation, RoomStay, Status, Stay};

use super::apply::IngestContext;
use crate::{
    core::{HoldRequest, WhenFull},
    store::{
        Result, Tx,
        buffer::{Stored, parked_reservations::ParkedReservation},
        core::{
            bookings::{self, BookingState},
            units::{self, Home},
        },
        decisions,
        ledger::Span,
        parked::ParkedKind,
    },
};

/// True if there is no night between two dates.
pub(super) fn no_night_between(check_in: Option<Date>, check_out: Option<Date>) -> bool {
    check_in.zip(check_out).is_some_and(|(check_in, check_out)| check_out <= check_in)
}

/// True if a reservation or one of its rooms has no night.
pub(super) fn has_no_night(reservation: &Reservation) -> bool {
    no_night_between(reservation.check_in, reservation.check_out)
        || reservation.rooms.iter().any(|room| no_night_between(room.check_in, room.check_out))
}

/// The length of a reservation's longest stay, if it exceeds the maximum.
pub(super) fn too_long(reservation: &Reservation) -> Option<i32> {
    let outer = (reservation.check_in, reservation.check_out);
    let stays = reservation.rooms.iter().map(|room| (room.check_in, room.check_out)).chain([outer]);
    let nights = stays.filter_map(|(check_in, check_out)| Some(Stay::spanning(check_in?, check_out?)?.nights()));
    nights.max().filter(|nights| *nights > MAX_STAY_NIGHTS)
}

/// The last applied record of a reservation; `None` if its row is parked or withdrawn.
pub(super) fn applied<'a>(
    stored: Option<&'a Stored<Reservation>>,
    waiting: Option<&ParkedReservation>,
) -> Option<&'a Stored<Reservation>> {
    stored.filter(|stored| {
        let is_what_waits = stored.parked.is_some() && waiting.is_none_or(|waiting| waiting.digest == stored.digest);
        !stored.digest.0.is_empty() && !is_what_waits
    })
}

/// A parked record, and what is known about its reservation.
pub(super) struct HoldCandidate<'a> {
    /// The parked record.
    pub reservation: &'a Reservation,
    /// The last applied record.
    pub applied: Option<&'a Reservation>,
    /// Its existing hold.
    pub known: Option<CoreId>,
    /// The linked booking, if it still exists.
    pub booking: Option<(CoreId, &'a BookingState)>,
}

/// The nights that a parked record holds: those of its linked rooms that its booking does not have. None if the source does not
/// own bookings, if the record is a request or holds no nights, or if its last night is past.
pub(super) async fn hold(
    tx: &mut Tx,
    context: &IngestContext,
    waiting: &HoldCandidate<'_>,
    unit: impl Fn(&str) -> Option<CoreId>,
) -> Result<Vec<Span>> {
    let HoldCandidate { reservation, .. } = waiting;
    let may_hold = reservation.status.holds_nights() || matches!(reservation.status, Status::Other(_));
    let is_fact = reservation.intent == Intent::Fact && context.when_full == WhenFull::Keep;
    if !may_hold || !is_fact || !context.authority.source_owns_bookings() || has_no_night(reservation) {
        return Ok(Vec::new());
    }
    let mut wanted = places(reservation, &unit);
    if wanted.is_empty()
        && lacks_places(reservation)
        && let Some(applied) = waiting.applied
    {
        // A partial record leaves the fields that it omits unchanged.
        wanted = places(applied, &unit);
    }
    let of_wanted: Vec<CoreId> = wanted.iter().map(|span| span.unit).collect();
    let homes: HashMap<CoreId, Home> = units::homes(tx, context.account, &of_wanted).await?;
    wanted.retain(|span| homes.get(&span.unit).is_some_and(|home| span.stay.check_out() > home.today(context.now)));
    match waiting.booking.filter(|(_, state)| state.takes_nights(context.now)) {
        Some((booking, _)) if !wanted.is_empty() => {
            let rooms = bookings::rooms(tx, context.account, &[booking]).await?.remove(&booking).unwrap_or_default();
            let has: Vec<Span> = rooms.iter().filter_map(bookings::RoomRow::span).collect();
            Ok(uncovered(&wanted, &has))
        }
        _ => Ok(wanted),
    }
}

/// The hold of a parked record.
pub(super) fn hold_request(waiting: &HoldCandidate<'_>, spans: Vec<Span>) -> HoldRequest {
    HoldRequest { known: waiting.known, spans, reason: reason(&waiting.reservation.id) }
}

/// The reason of a hold.
pub(super) fn reason(id: &str) -> String {
    format!("reservation {id} waits for a decision")
}

fn lacks_places(reservation: &Reservation) -> bool {
    let whole = |room: &RoomStay| room.room_type_id.is_some() && room.check_in.is_some() && room.check_out.is_some();
    !reservation.rooms.iter().any(whole)
}

fn places(reservation: &Reservation, unit: impl Fn(&str) -> Option<CoreId>) -> Vec<Span> {
    let place = |room: &RoomStay| {
        let unit = unit(room.room_type_id.as_deref()?)?;
        let (check_in, check_out) =
            room.check_in.or(reservation.check_in).zip(room.check_out.or(reservation.check_out))?;
        let stay = Stay::spanning(check_in, check_out).filter(|stay| stay.nights() <= MAX_STAY_NIGHTS)?;
        Some(Span { unit, stay })
    };
    reservation.rooms.iter().filter_map(place).collect()
}

/// The requested nights that are not covered yet, as maximal spans.
fn uncovered(wanted: &[Span], has: &[Span]) -> Vec<Span> {
    let mut left: BTreeMap<(i64, Date), i64> = BTreeMap::new();
    for span in has {
        for night in span.stay.each() {
            *left.entry((span.unit.0, night)).or_default() += 1;
        }
    }
    let mut found: Vec<Span> = Vec::new();
    for span in wanted {
        let mut open: Option<(Date, Date)> = None;
        let mut close = |open: &mut Option<(Date, Date)>| {
            let stay = open.take().and_then(|(first, end)| Stay::spanning(first, end));
            found.extend(stay.map(|stay| Span { unit: span.unit, stay }));
        };
        for night in span.stay.each() {
            match left.get_mut(&(span.unit.0, night)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    close(&mut open);
                }
                _ => {
                    let end = night.tomorrow().unwrap_or(night);
                    open = Some((open.map_or(night, |(first, _)| first), end));
                }
            }
        }
        close(&mut open);
    }
    found
}

/// True if exactly this record was decided and nothing was applied since.
pub(super) async fn was_decided(
    tx: &mut Tx,
    context: &IngestContext,
    (id, digest): (&str, &Digest),
    stored: Option<&Stored<Reservation>>,
) -> Result<bool> {
    let last = decisions::latest(tx, context.key(), (ParkedKind::Reservation, id)).await?;
    Ok(last.is_some_and(|last| {
        let decided_at = gassync_domain::Timestamp::from(last.created_at);
        last.digest == digest.0 && stored.is_none_or(|stored| stored.synced_at <= decided_at)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(unit: i64, from: i8, to: i8) -> Span {
        let day = |day| Date::new(2027, 5, day).expect("a day");
        Span { unit: CoreId(unit), stay: Stay::new(day(from), day(to)).expect("a stay") }
    }

    #[test]
    fn only_uncovered_nights_are_held() {
        let has = [span(1, 10, 13)];
        assert_eq!(uncovered(&[span(1, 10, 13)], &has), []);
        assert_eq!(uncovered(&[span(1, 8, 15)], &has), [span(1, 8, 10), span(1, 13, 15)]);
        assert_eq!(uncovered(&[span(2, 10, 13)], &has), [span(2, 10, 13)]);
        // Two rooms of one unit; the booking has one of them.
        assert_eq!(uncovered(&[span(1, 10, 13), span(1, 10, 12)], &has), [span(1, 10, 12)]);
    }
}
