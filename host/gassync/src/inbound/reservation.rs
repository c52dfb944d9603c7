//! Reservations into buffer, mapping and core: read what is known of all, judge each, write together.

use std::collections::HashMap;

use gassync_domain::{
    CoreId, Decision, Digest, Intent, Mended, Missing, Parked, RawJson, Reservation, Status, Version, decide, fill,
};

use super::{
    apply::{Incoming, Outcome, Told},
    guest,
};
use crate::{
    core::{Bookable, Desk, Placed, WhenFull},
    outbound,
    store::{
        Result, Tx,
        buffer::reservations,
        core::bookings::{self, Standing},
        mappings::{self, Kind, Mapping, Mappings},
        outbound::bookings::awaited,
        sync_log,
    },
};

/// A reservation on its way.
struct Arriving {
    reservation: Reservation,
    raw: RawJson,
    /// What was mended of it.
    mended: Vec<Mended>,
    version: Version,
    digest: Digest,
    /// The booking it is linked to, and where that stands.
    mapping: Option<(Mapping, Option<Standing>)>,
    /// What is decided, as soon as it is.
    outcome: Option<Outcome>,
    /// Whether the buffer takes it as it is now.
    kept: bool,
}

impl Arriving {
    fn end(&mut self, outcome: Outcome) {
        // What is refused has not happened.
        self.kept = !matches!(outcome, Outcome::Refused(_));
        self.outcome = Some(outcome);
    }

    /// Whether it may be a booking of ours: by its link, or where nobody had to look that up, by what the buffer knows it as.
    /// Older news counts: within one tick of the channel's clock what stands again is older than what was cancelled.
    fn may_be_ours(&self) -> bool {
        match (&self.mapping, &self.outcome) {
            (Some((mapping, _)), _) => mapping.ours,
            (None, Some(Outcome::Unchanged(core) | Outcome::Older(core))) => core.is_some(),
            (None, _) => false,
        }
    }
}

/// Reservations, no two of one id: older news is told and left out, newer goes into buffer and core, what cannot be
/// placed is parked.
pub(super) async fn apply(tx: &mut Tx, incoming: &Incoming, told: Vec<Told>) -> Result<Vec<Outcome>> {
    let mut arriving = compare(tx, incoming, told).await?;
    let (booking, links) = ready(tx, incoming, &mut arriving).await?;
    book(tx, incoming, &mut arriving, (&booking, &links)).await?;
    let unsaid = Outcome::NotKept;
    let rows: Vec<_> = arriving
        .iter()
        .filter(|arriving| arriving.kept)
        .map(|Arriving { reservation, raw, mended, version, digest, mapping, outcome, .. }| {
            let mut envelope = incoming.envelope(raw, digest, version, outcome.as_ref().unwrap_or(&unsaid));
            envelope.mended = mended;
            // What is parked after it was booked stays linked to its booking.
            envelope.core = envelope.core.or(mapping.as_ref().map(|(mapping, _)| mapping.core));
            (envelope, reservation)
        })
        .collect();
    reservations::put_all(tx, &rows).await?;
    see_own(tx, incoming, &arriving).await?;
    let lines = arriving.iter().filter_map(|arriving| {
        let outcome = arriving.outcome.as_ref().unwrap_or(&unsaid);
        incoming.line(("reservation", &arriving.reservation.id), outcome, &arriving.mended)
    });
    sync_log::inbound(tx, incoming.account, &Vec::from_iter(lines), incoming.now).await?;
    Ok(arriving.into_iter().map(|arriving| arriving.outcome.unwrap_or(Outcome::NotKept)).collect())
}

/// Bookings of ours that the channel was told of, and now shows: those that are to be read back, and those that somebody has
/// changed there.
async fn see_own(tx: &mut Tx, incoming: &Incoming, arriving: &[Arriving]) -> Result<()> {
    let may_be_ours: Vec<&Arriving> = arriving.iter().filter(|arriving| arriving.may_be_ours()).collect();
    if may_be_ours.is_empty() {
        return Ok(());
    }
    let awaited = awaited(tx, incoming.account, incoming.source).await?;
    for Arriving { reservation, outcome, kept, .. } in may_be_ours {
        let core = outcome.as_ref().and_then(Outcome::core);
        let is_news = *kept && matches!(outcome, Some(Outcome::Unchanged(_)));
        if let Some(core) = core.filter(|core| is_news || awaited.contains(core)) {
            outbound::booking_shown::seen(tx, incoming, core, reservation).await?;
        }
    }
    Ok(())
}

/// Beside what is stored: completes what is partial, and decides what is wrong, old or known.
async fn compare(tx: &mut Tx, incoming: &Incoming, told: Vec<Told>) -> Result<Vec<Arriving>> {
    let Incoming { account, source, now, .. } = *incoming;
    let ids: Vec<&str> = told.iter().map(|(reservation, ..)| reservation.id.as_str()).collect();
    let stored = reservations::find_all(tx, account, source, &ids).await?;
    let mut arriving = Vec::with_capacity(told.len());
    for (mut reservation, raw, mut mended) in told {
        reservation.normalise();
        let stored = stored.get(&reservation.id);
        let version = incoming.version(reservation.revision.as_ref(), reservation.modified_at);
        if let Some(stored) = stored {
            fill(&mut reservation, &stored.record);
        }
        let asks = reservation.intent == Intent::Request;
        let strictness = Incoming { strict: incoming.strict || asks, ..*incoming };
        let errors = strictness.mend_or_check(&mut reservation, &mut mended);
        let digest = Digest::of(&reservation);
        let known = stored.map(|s| (&s.version, &s.digest, &s.record.status));
        let outcome = match (decide(known, (&version, &digest, &reservation.status)), stored) {
            _ if !errors.is_empty() => Some(Outcome::Rejected(errors)),
            (Decision::Older, Some(stored)) => Some(Outcome::Older(stored.core)),
            (Decision::Unchanged, Some(stored)) if stored.parked.is_none() => {
                reservations::confirm(tx, account, source, &reservation.id, &version, now).await?;
                Some(Outcome::Unchanged(stored.core))
            }
            _ => None,
        };
        arriving.push(Arriving { reservation, raw, mended, version, digest, mapping: None, outcome, kept: false });
    }
    Ok(arriving)
}

/// Finds what the undecided are linked to, and parks what cannot be placed. The rest can be booked: which, and in what
/// units; with the links, those of their guests too.
async fn ready(
    tx: &mut Tx,
    incoming: &Incoming,
    arriving: &mut [Arriving],
) -> Result<(Vec<(usize, Vec<CoreId>)>, Mappings)> {
    let Incoming { account, source, .. } = *incoming;
    let open = || arriving.iter().filter(|arriving| arriving.outcome.is_none()).map(|arriving| &arriving.reservation);
    let rooms = open().flat_map(|reservation| &reservation.rooms).filter_map(|room| room.room_type_id.as_deref());
    let guests: Vec<String> = open().filter_map(guest::id_of).collect();
    let guests = guests.iter().map(|id| (Kind::Guest, id.as_str()));
    let mut asked: Vec<(Kind, &str)> = rooms.map(|id| (Kind::RoomType, id)).chain(guests).collect();
    asked.sort_unstable_by_key(|(kind, id)| (kind.as_str(), *id));
    asked.dedup();
    asked.extend(open().map(|reservation| (Kind::Reservation, reservation.id.as_str())));
    let mappings = mappings::find_all(tx, account, source, &asked).await?;
    let linked: Vec<CoreId> =
        open().filter_map(|reservation| Some(mappings.get(Kind::Reservation, &reservation.id)?.core)).collect();
    let mut standings = bookings::standings(tx, account, &linked).await?;
    let mut booking = Vec::new();
    for (index, arriving) in arriving.iter_mut().enumerate().filter(|(_, arriving)| arriving.outcome.is_none()) {
        let mut mapping = mappings.get(Kind::Reservation, &arriving.reservation.id);
        if mapping.is_none()
            && let Some(core) = outbound::booking_shown::recognise(tx, incoming, &arriving.reservation).await?
        {
            // It is one of ours, of which the channel has not said yet what it calls it.
            mapping = Some(Mapping { core, auto_sync: false, ours: true });
        }
        arriving.mapping = mapping.map(|mapping| (mapping, standings.remove(&mapping.core)));
        let standing = arriving.mapping.as_ref().map(|(_, standing)| standing.as_ref());
        let unit = |id: &str| mappings.get(Kind::RoomType, id).map(|unit| unit.core);
        match (units(incoming, standing, &arriving.reservation, unit), mapping) {
            (_, Some(mapping)) if !mapping.auto_sync => arriving.end(Outcome::Unchanged(Some(mapping.core))),
            (Err(parked), _) => arriving.end(Outcome::Parked(parked)),
            (Ok(units), _) => booking.push((index, units)),
        }
    }
    Ok((booking, mappings))
}

/// The unit of each room, or all that is missing. Of a linked booking it is told where it stands, if it is still there.
fn units(
    incoming: &Incoming,
    linked: Option<Option<&Standing>>,
    reservation: &Reservation,
    unit: impl Fn(&str) -> Option<CoreId>,
) -> std::result::Result<Vec<CoreId>, Parked> {
    let mut missing = Vec::new();
    if !incoming.authority.bookings_are_theirs() {
        missing.push(Missing::Authority);
    }
    if let Status::Other(word) = &reservation.status {
        missing.push(Missing::Status { word: word.clone() });
    }
    if reservation.check_in.is_none() || reservation.check_out.is_none() {
        missing.push(Missing::Dates);
    }
    if reservation.rooms.is_empty() {
        missing.push(Missing::Rooms);
    }
    let needs_decision = match linked {
        Some(Some(standing)) => {
            let revives = standing.status == Status::Cancelled && reservation.status != Status::Cancelled;
            revives && !incoming.may_revive
        }
        Some(None) => true,
        None => false,
    };
    if needs_decision {
        missing.push(Missing::Decision { status: reservation.status.as_str().to_owned() });
    }
    let mut units = Vec::with_capacity(reservation.rooms.len());
    for room in &reservation.rooms {
        match room.room_type_id.as_ref().map(|id| (id, unit(id))) {
            Some((_, Some(unit))) => units.push(unit),
            Some((id, None)) => missing.push(Missing::RoomType { id: id.clone() }),
            None => missing.push(Missing::Rooms),
        }
    }
    missing.dedup();
    if missing.is_empty() { Ok(units) } else { Err(Parked(missing)) }
}

/// Books what can be: together what is new and finds room, the rest one by one.
async fn book(
    tx: &mut Tx,
    incoming: &Incoming,
    arriving: &mut [Arriving],
    (booking, links): (&[(usize, Vec<CoreId>)], &Mappings),
) -> Result<()> {
    if booking.is_empty() {
        return Ok(());
    }
    let bookables: Vec<Bookable<'_>> = booking
        .iter()
        .map(|(index, units)| {
            let Arriving { reservation, mapping, .. } = &arriving[*index];
            let known = mapping.as_ref().and_then(|(mapping, standing)| Some((mapping.core, standing.clone()?)));
            Bookable { known, reservation, units }
        })
        .collect();
    let mut desk = Desk::open(tx, incoming.account, &bookables, incoming.now).await?;
    let when_full = |place: usize| match arriving[booking[place].0].reservation.intent {
        Intent::Request => WhenFull::Refuse,
        Intent::Fact => incoming.when_full,
    };
    let may_be_refused = |place: usize| when_full(place) == WhenFull::Refuse && !desk.has_room(place);
    let sure: Vec<usize> = (0..booking.len()).filter(|place| !may_be_refused(*place)).collect();
    let reservation = |place: &usize| &arriving[booking[*place].0].reservation;
    let sold: Vec<&Reservation> = sure.iter().map(reservation).collect();
    let guests = guest::of_reservations(tx, incoming, (&sold, links)).await?;
    let mut guests: HashMap<usize, Option<CoreId>> = sure.iter().copied().zip(guests).collect();
    let together: Vec<(usize, Option<CoreId>)> = sure
        .into_iter()
        .filter(|place| desk.is_new_with_room(*place))
        .map(|place| (place, guests.remove(&place).flatten()))
        .collect();
    let done = desk.put(tx, &together, WhenFull::Keep).await?;
    let mut placed: HashMap<usize, Placed> = together.into_iter().map(|(place, _)| place).zip(done).collect();
    // Whoever came first finds room first.
    for place in 0..booking.len() {
        let done = if let Some(guest) = guests.remove(&place) {
            desk.put(tx, &[(place, guest)], WhenFull::Keep).await?.pop()
        } else if placed.contains_key(&place) {
            continue;
        } else {
            ask(tx, incoming, &mut desk, (place, reservation(&place), links)).await?
        };
        placed.extend(done.map(|done| (place, done)));
    }
    let mut links: Vec<(String, CoreId)> = Vec::new();
    for (place, (index, _)) in booking.iter().enumerate() {
        let arriving = &mut arriving[*index];
        let created = arriving.mapping.is_none();
        let outcome = match placed.remove(&place) {
            Some(Placed::Booked { id, overbooked }) => {
                if created {
                    links.push((arriving.reservation.id.clone(), id));
                }
                match (overbooked.is_empty(), created) {
                    (false, created) => Outcome::Overbooked { core: id, created, nights: overbooked },
                    (true, true) => Outcome::Created(id),
                    (true, false) => Outcome::Updated(id),
                }
            }
            Some(Placed::Refused(full)) => Outcome::Refused(full),
            Some(Placed::Unplaceable) | None => Outcome::Parked(Parked(vec![Missing::Rooms])),
        };
        arriving.end(outcome);
    }
    let links: Vec<(&str, CoreId)> = links.iter().map(|(id, core)| (id.as_str(), *core)).collect();
    mappings::link_all(tx, incoming.account, incoming.source, Kind::Reservation, &links, incoming.now).await
}

/// Books what may have to be refused; the guest of what is refused is nobody's.
async fn ask(
    tx: &mut Tx,
    incoming: &Incoming,
    desk: &mut Desk,
    (place, reservation, links): (usize, &Reservation, &Mappings),
) -> Result<Option<Placed>> {
    tx.savepoint("guest").await?;
    let guest = guest::of_reservations(tx, incoming, (&[reservation], links)).await?.pop().flatten();
    let done = desk.put(tx, &[(place, guest)], WhenFull::Refuse).await?.pop();
    if matches!(done, Some(Placed::Refused(_))) {
        tx.undo_to("guest").await?;
    }
    Ok(done)
}
