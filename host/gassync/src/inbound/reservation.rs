//! Reservations into buffer, mapping and core: read what is known of all, judge each, write together.

use std::collections::{BTreeMap, HashMap};

use gassync_domain::{CoreId, Decision, Digest, Intent, Missing, Parked, Reservation, Status, Stay, decide, fill};

use super::{
    apply::{Incoming, Outcome, Told},
    arriving::Arriving,
    cancelling, closing, guest,
    parking::{self, Waiting},
};
use crate::{
    core::{Bookable, Desk, HoldAsked, Placed, WhenFull},
    reconcile,
    store::{
        Result, Tx,
        buffer::{
            parked_reservations::{self, NewParked},
            reservations,
        },
        closures::{self, ClosedNight},
        core::bookings,
        ledger::Span,
        mappings::{self, Kind, Mapping, Mappings},
        outbound::bookings::awaited,
        sync_log,
    },
};

/// What can be written of those that arrive.
#[derive(Default)]
struct Ready {
    /// Those that can be booked, and in what units.
    booking: Vec<(usize, Vec<CoreId>)>,
    /// The holds of those that wait, and of those that did.
    holds: Vec<(usize, HoldAsked)>,
}

/// Reservations, no two of one id: older news is told and left out, newer goes into buffer and core, what cannot be
/// placed is parked: it waits beside the last word that was applied, and keeps its nights meanwhile.
pub(super) async fn apply(tx: &mut Tx, incoming: &Incoming, told: Vec<Told>) -> Result<Vec<Outcome>> {
    apply_to_nights(tx, incoming, told, true).await
}

/// The same for one whose nights a block has: what is parked keeps none itself.
pub(super) async fn apply_beside_block(tx: &mut Tx, incoming: &Incoming, told: Vec<Told>) -> Result<Vec<Outcome>> {
    apply_to_nights(tx, incoming, told, false).await
}

async fn apply_to_nights(tx: &mut Tx, incoming: &Incoming, told: Vec<Told>, may_hold: bool) -> Result<Vec<Outcome>> {
    let mut arriving = compare(tx, incoming, told).await?;
    let (mut ready, links) = ready(tx, incoming, &mut arriving).await?;
    if !may_hold {
        ready.holds.iter_mut().for_each(|(_, hold)| hold.spans.clear());
    }
    book(tx, incoming, &mut arriving, (&ready, &links)).await?;
    keep(tx, incoming, &arriving).await?;
    see_own(tx, incoming, &arriving).await?;
    let unsaid = Outcome::NotKept;
    let lines = arriving.iter().filter(|arriving| !arriving.waits_already()).filter_map(|arriving| {
        let outcome = arriving.outcome.as_ref().unwrap_or(&unsaid);
        incoming.line(("reservation", &arriving.reservation.id), outcome, &arriving.mended)
    });
    sync_log::inbound(tx, incoming.account, &Vec::from_iter(lines), incoming.now).await?;
    Ok(arriving.into_iter().map(|arriving| arriving.outcome.unwrap_or(Outcome::NotKept)).collect())
}

/// Writes the buffer: what was applied over what was, what waits beside it. What waits already is not written again.
async fn keep(tx: &mut Tx, incoming: &Incoming, arriving: &[Arriving]) -> Result<()> {
    let Incoming { account, source, now, .. } = *incoming;
    let unsaid = Outcome::NotKept;
    let (mut rows, mut parked, mut flags, mut settled) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for arriving in arriving.iter().filter(|arriving| arriving.kept && !arriving.waits_already()) {
        let Arriving { reservation, raw, version, digest, mapping, outcome, .. } = arriving;
        if let Some(Outcome::Parked(missing)) = outcome {
            let (mended, hold) = (&*arriving.mended, arriving.hold);
            let new = NewParked { record: reservation, raw, digest, version, mended, missing, hold };
            parked.push(new);
            if arriving.applied().is_some() {
                flags.push((reservation.id.as_str(), missing));
                continue;
            }
        } else if arriving.waiting.is_some() {
            settled.push(reservation.id.as_str());
        }
        let mut envelope = incoming.envelope(raw, digest, version, outcome.as_ref().unwrap_or(&unsaid));
        envelope.mended = &arriving.mended;
        // What is parked after it was booked stays linked to its booking.
        envelope.core = envelope.core.or(mapping.as_ref().map(|(mapping, _)| mapping.core));
        rows.push((envelope, reservation));
    }
    reservations::put_all(tx, &rows).await?;
    parked_reservations::put_all(tx, account, source, &parked, now).await?;
    parked_reservations::flag(tx, account, source, &flags).await?;
    parked_reservations::remove_all(tx, account, source, &settled).await
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
            reconcile::reservation::verify(
                tx,
                (incoming.account, incoming.source),
                (core, reservation),
                (incoming.observed_at, incoming.now),
            )
            .await?;
        }
    }
    Ok(())
}

/// Beside what is stored: completes what is partial, and decides what is wrong, old or known.
async fn compare(tx: &mut Tx, incoming: &Incoming, told: Vec<Told>) -> Result<Vec<Arriving>> {
    let Incoming { account, source, now, .. } = *incoming;
    let ids: Vec<&str> = told.iter().map(|(reservation, ..)| reservation.id.as_str()).collect();
    let mut all_stored = reservations::find_all(tx, account, source, &ids).await?;
    let parked: Vec<&str> =
        ids.into_iter().filter(|id| all_stored.get(*id).is_some_and(|s| s.parked.is_some())).collect();
    let mut all_waiting = parked_reservations::find_all(tx, account, source, &parked).await?;
    let mut arriving = Vec::with_capacity(told.len());
    for (mut reservation, raw, mut mended) in told {
        reservation.normalise();
        let (stored, waiting) = (all_stored.remove(&reservation.id), all_waiting.remove(&reservation.id));
        let version = incoming.version(reservation.revision.as_ref(), reservation.modified_at);
        if let Some(stored) = &stored {
            fill(&mut reservation, &stored.record);
        }
        cancelling::complete(&mut reservation, stored.as_ref().map(|stored| &stored.record));
        let asks = reservation.intent == Intent::Request;
        let strictness = Incoming { strict: incoming.strict || asks, ..*incoming };
        let errors = strictness.mend_or_check(&mut reservation, &mut mended);
        let digest = Digest::of(&reservation);
        // What waits is newer than what was applied, or it would not wait.
        let known = waiting.as_ref().map(|w| (&w.version, &w.digest, &w.record.status));
        let known = known.or(stored.as_ref().map(|s| (&s.version, &s.digest, &s.record.status)));
        let outcome = match (decide(known, (&version, &digest, &reservation.status)), &stored) {
            _ if !errors.is_empty() => Some(Outcome::Rejected(errors)),
            (Decision::Older, Some(stored)) => Some(Outcome::Older(stored.core)),
            (Decision::Unchanged, Some(stored)) if stored.parked.is_none() => {
                reservations::confirm(tx, account, source, &reservation.id, &version, now).await?;
                Some(Outcome::Unchanged(stored.core))
            }
            _ => None,
        };
        arriving.push(Arriving {
            reservation,
            raw,
            mended,
            version,
            digest,
            mapping: None,
            outcome,
            kept: false,
            stored,
            waiting,
            ended: None,
            parks: None,
            hold: None,
        });
    }
    Ok(arriving)
}

/// Finds what the undecided are linked to, and parks what cannot be placed. The rest can be booked; with the links, those of
/// their guests too.
async fn ready(tx: &mut Tx, incoming: &Incoming, arriving: &mut [Arriving]) -> Result<(Ready, Mappings)> {
    let Incoming { account, source, .. } = *incoming;
    let open = || arriving.iter().filter(|arriving| arriving.outcome.is_none());
    let rooms = open().flat_map(|arriving| {
        // A word that leaves its rooms out is about those that are known.
        let known = arriving.stored.as_ref().filter(|_| arriving.reservation.rooms.is_empty());
        arriving.reservation.rooms.iter().chain(known.into_iter().flat_map(|stored| &stored.record.rooms))
    });
    let rooms = rooms.filter_map(|room| room.room_type_id.as_deref());
    let guests: Vec<String> = open().filter_map(|arriving| guest::id_of(&arriving.reservation)).collect();
    let guests = guests.iter().map(|id| (Kind::Guest, id.as_str()));
    let mut asked: Vec<(Kind, &str)> = rooms.map(|id| (Kind::RoomType, id)).chain(guests).collect();
    asked.sort_unstable_by_key(|(kind, id)| (kind.as_str(), *id));
    asked.dedup();
    asked.extend(open().map(|arriving| (Kind::Reservation, arriving.reservation.id.as_str())));
    let mappings = mappings::find_all(tx, account, source, &asked).await?;
    let linked: Vec<CoreId> =
        open().filter_map(|arriving| Some(mappings.get(Kind::Reservation, &arriving.reservation.id)?.core)).collect();
    let mut states = bookings::booking_states(tx, account, &linked).await?;
    let mut ready = Ready::default();
    for (index, arriving) in arriving.iter_mut().enumerate().filter(|(_, arriving)| arriving.outcome.is_none()) {
        let mut mapping = mappings.get(Kind::Reservation, &arriving.reservation.id);
        if mapping.is_none()
            && let Some(core) = reconcile::reservation::match_by_reference(
                tx,
                (incoming.account, incoming.source),
                &arriving.reservation,
                incoming.now,
            )
            .await?
        {
            // It is one of ours, of which the channel has not said yet what it calls it.
            mapping = Some(Mapping { core, auto_sync: false, ours: true });
        }
        arriving.mapping = mapping.map(|mapping| (mapping, states.remove(&mapping.core)));
        // What is kept out takes no nights either.
        let unit = |id: &str| mappings.get(Kind::RoomType, id).filter(|unit| unit.auto_sync).map(|unit| unit.core);
        match (units(incoming, arriving, |id| mappings.get(Kind::RoomType, id)), mapping) {
            (_, Some(mapping)) if !mapping.auto_sync => arriving.end(Outcome::Unchanged(Some(mapping.core))),
            (Err(parked), _) => park(tx, incoming, (index, &mut *arriving, parked), &mut ready, unit).await?,
            (Ok(units), _) => ready.booking.push((index, units)),
        }
        let holds_still = ready.holds.last().is_some_and(|(held, _)| *held == index);
        if let (Some(waiting), false, true) =
            (&arriving.waiting, holds_still, arriving.outcome.is_none() || arriving.kept)
            && waiting.hold.is_some()
        {
            // What waited is settled, or keeps no nights any more.
            let reason = parking::reason(&arriving.reservation.id);
            ready.holds.push((index, HoldAsked { known: waiting.hold, spans: Vec::new(), reason }));
        }
    }
    Ok((ready, mappings))
}

/// What becomes of a word that cannot be placed: an end gives back what its booking has, what was decided before is not asked
/// about again, and all else waits.
async fn park(
    tx: &mut Tx,
    incoming: &Incoming,
    (index, arriving, parked): (usize, &mut Arriving, Parked),
    ready: &mut Ready,
    unit: impl Fn(&str) -> Option<CoreId>,
) -> Result<()> {
    if parked.0.iter().any(|missing| matches!(missing, Missing::SwitchedOff { .. })) {
        arriving.end(Outcome::Parked(parked));
        return Ok(());
    }
    let status = arriving.reservation.status.clone();
    let booking = arriving.booking().map(|(id, state)| (id, state.clone()));
    if cancelling::ends(&status) && (incoming.authority.bookings_are_theirs() || booking.is_none()) {
        if let Some(stored) = arriving.applied().map(|stored| stored.record.clone()) {
            cancelling::take_places(&mut arriving.reservation, &stored);
        }
        match booking {
            Some((id, state)) if !cancelling::ends(&state.status) => {
                if let Some((ended, units)) = cancelling::ended(tx, incoming, id, status).await? {
                    arriving.ended = Some(ended);
                    ready.booking.push((index, units));
                    return Ok(());
                }
                arriving.end(Outcome::Unchanged(Some(id)));
            }
            Some((id, _)) => arriving.end(Outcome::Unchanged(Some(id))),
            // Nothing was ever booked: it is known from now on, and holds nothing.
            None => arriving.end(Outcome::Kept),
        }
        return Ok(());
    }
    if let Some((id, state)) = &booking
        && status.holds_nights()
        && cancelling::is_on_its_way(tx, incoming, (*id, state)).await?
    {
        arriving.outcome = Some(Outcome::Unchanged(Some(*id)));
        return Ok(());
    }
    let told = (arriving.reservation.id.as_str(), &arriving.digest);
    if arriving.waiting.is_none() && parking::was_decided(tx, incoming, told, arriving.stored.as_ref()).await? {
        let core = booking.map(|(id, _)| id).or(arriving.stored.as_ref().and_then(|stored| stored.core));
        arriving.outcome = Some(Outcome::Unchanged(core));
        return Ok(());
    }
    if let Some((id, state)) = &booking
        && state.takes_nights(incoming.now)
        && let Some((ended, units)) = cancelling::ended(tx, incoming, *id, Status::Cancelled).await?
        && cancelling::is_over_without_nights(tx, incoming, (&arriving.reservation, &parked), (&ended, &units)).await?
    {
        arriving.ended = Some(ended);
        arriving.parks = Some(parked);
        ready.booking.push((index, units));
        return Ok(());
    }
    let waiting = Waiting {
        reservation: &arriving.reservation,
        applied: arriving.applied().map(|stored| &stored.record),
        known: arriving.waiting.as_ref().and_then(|waiting| waiting.hold),
        booking: arriving.booking(),
    };
    let spans = parking::hold(tx, incoming, &waiting, unit).await?;
    if !spans.is_empty() {
        ready.holds.push((index, parking::asked(&waiting, spans)));
    }
    arriving.end(Outcome::Parked(parked));
    Ok(())
}

/// The unit of each room, or all that is missing.
fn units(
    incoming: &Incoming,
    arriving: &Arriving,
    unit: impl Fn(&str) -> Option<Mapping>,
) -> std::result::Result<Vec<CoreId>, Parked> {
    let reservation = &arriving.reservation;
    let off = switched_off(arriving, &unit);
    if !off.is_empty() {
        return Err(Parked(off));
    }
    let mut missing = Vec::new();
    if !incoming.authority.bookings_are_theirs() {
        missing.push(Missing::Authority);
    }
    if parking::has_no_night(reservation) && reservation.status != Status::Cancelled {
        missing.push(Missing::Nights);
        return Err(Parked(missing));
    }
    if let Some(nights) = parking::too_long(reservation).filter(|_| reservation.status != Status::Cancelled) {
        missing.push(Missing::TooLong { nights });
        return Err(Parked(missing));
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
    let stays_cancelled = reservation.status == Status::Cancelled || incoming.may_revive;
    let needs_decision = match arriving.mapping.as_ref().map(|(_, state)| state.as_ref()) {
        Some(Some(state)) => state.status == Status::Cancelled && !stays_cancelled,
        Some(None) => true,
        // It was cancelled before anybody could book it.
        None => !stays_cancelled && arriving.applied().is_some_and(|stored| stored.record.status == Status::Cancelled),
    };
    if needs_decision {
        missing.push(Missing::Decision { status: reservation.status.as_str().to_owned() });
    }
    let mut units = Vec::with_capacity(reservation.rooms.len());
    for room in &reservation.rooms {
        match room.room_type_id.as_ref().map(|id| (id, unit(id))) {
            Some((_, Some(unit))) => units.push(unit.core),
            Some((id, None)) => missing.push(Missing::RoomType { id: id.clone() }),
            None => missing.push(Missing::Rooms),
        }
    }
    missing.dedup();
    if missing.is_empty() { Ok(units) } else { Err(Parked(missing)) }
}

/// Its room types whose news are kept out of the core; of one that names none, those it had.
fn switched_off(arriving: &Arriving, unit: impl Fn(&str) -> Option<Mapping>) -> Vec<Missing> {
    let told = &arriving.reservation.rooms;
    let known = arriving.stored.as_ref().filter(|_| told.is_empty()).map(|stored| &stored.record.rooms);
    let ids = known.unwrap_or(told).iter().filter_map(|room| room.room_type_id.as_ref());
    let off = ids.filter(|id| unit(id).is_some_and(|unit| !unit.auto_sync));
    let mut off: Vec<Missing> = off.map(|id| Missing::SwitchedOff { id: id.clone() }).collect();
    off.dedup();
    off
}

/// Books what can be: together what is new and finds room, the rest one by one.
async fn book(
    tx: &mut Tx,
    incoming: &Incoming,
    arriving: &mut [Arriving],
    (Ready { booking, holds }, links): (&Ready, &Mappings),
) -> Result<()> {
    if booking.is_empty() && holds.is_empty() {
        return Ok(());
    }
    let bookables: Vec<Bookable<'_>> = booking
        .iter()
        .map(|(index, units)| {
            let Arriving { reservation, ended, .. } = &arriving[*index];
            let known = arriving[*index].booking().map(|(id, state)| (id, state.clone()));
            Bookable { known, reservation: ended.as_ref().unwrap_or(reservation), units }
        })
        .collect();
    let asked: Vec<HoldAsked> = holds.iter().map(|(_, hold)| hold.clone()).collect();
    let closed = own_closures(tx, incoming, (&bookables, &asked)).await?;
    let mut desk = Desk::open_with(tx, incoming.account, &bookables, &asked, incoming.now).await?;
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
    let mut turns: BTreeMap<usize, (Option<usize>, Option<usize>)> = BTreeMap::new();
    booking.iter().enumerate().for_each(|(place, (index, _))| turns.entry(*index).or_default().0 = Some(place));
    holds.iter().enumerate().for_each(|(hold, (index, _))| turns.entry(*index).or_default().1 = Some(hold));
    let mut kept: Vec<(usize, Option<CoreId>)> = Vec::with_capacity(holds.len());
    for (index, (place, hold)) in turns {
        if let Some(hold) = hold {
            desk.release_hold(tx, hold).await?;
        }
        if let Some(place) = place.filter(|place| !placed.contains_key(place)) {
            let done = match guests.remove(&place) {
                Some(guest) => desk.put(tx, &[(place, guest)], WhenFull::Keep).await?.pop(),
                None => ask(tx, incoming, &mut desk, (place, reservation(&place), links)).await?,
            };
            placed.extend(done.map(|done| (place, done)));
        }
        if let Some(hold) = hold {
            if place.is_some_and(|place| matches!(placed.get(&place), Some(Placed::Refused(_)))) {
                desk.restore_hold(hold);
            }
            kept.push((index, desk.keep_hold(tx, hold).await?));
        }
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
        let parks = arriving.parks.take();
        arriving.end(parks.map_or(outcome, Outcome::Parked));
    }
    for (index, hold) in kept {
        arriving[index].hold = hold;
    }
    let links: Vec<(&str, CoreId)> = links.iter().map(|(id, core)| (id.as_str(), *core)).collect();
    mappings::link_all(tx, incoming.account, incoming.source, Kind::Reservation, &links, incoming.now).await?;
    closing::close_again(tx, incoming, closed).await
}

/// Where the source has closed nights by hand that its own bookings take, they make way.
async fn own_closures(
    tx: &mut Tx,
    incoming: &Incoming,
    (bookables, holds): (&[Bookable<'_>], &[HoldAsked]),
) -> Result<Vec<ClosedNight>> {
    if !closures::any(tx, incoming.account, incoming.source).await? {
        return Ok(Vec::new());
    }
    let known: Vec<CoreId> = bookables.iter().filter_map(|asked| asked.known.as_ref().map(|(id, _)| *id)).collect();
    let kept: Vec<CoreId> = holds.iter().filter_map(|hold| hold.known).collect();
    let has = closing::spans_of(tx, incoming, (&known, &kept)).await?;
    let takes = |asked: &&Bookable<'_>| {
        let is_fact = asked.reservation.intent == Intent::Fact && incoming.when_full == WhenFull::Keep;
        is_fact && asked.reservation.status.holds_nights()
    };
    let mut wanted: Vec<Span> = bookables.iter().filter(takes).flat_map(spans).collect();
    wanted.extend(holds.iter().flat_map(|hold| hold.spans.iter().copied()));
    closing::make_way(tx, incoming, &wanted, &has).await
}

/// What each of its rooms takes.
fn spans(asked: &Bookable<'_>) -> Vec<Span> {
    let Reservation { check_in, check_out, rooms, .. } = asked.reservation;
    let rooms = rooms.iter().zip(asked.units);
    let span = |room: &gassync_domain::RoomStay, unit: CoreId| {
        let stay = Stay::spanning(room.check_in.or(*check_in)?, room.check_out.or(*check_out)?)?;
        Some(Span { unit, stay })
    };
    rooms.filter_map(|(room, unit)| span(room, *unit)).collect()
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
