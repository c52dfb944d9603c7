//! Applies reservations to buffer, mappings and core: loads what is stored, decides each, and writes in batches.

use std::collections::{BTreeMap, HashMap};

use gassync_domain::{CoreId, Digest, Intent, MergeDecision, Missing, Parked, Reservation, Status, Stay, decide, fill};

use super::{
    apply::{IngestContext, IngestOutcome, ReceivedReservation},
    cancellation, guest, manual_closure,
    parking::{self, HoldCandidate},
    pending_reservation::PendingReservation,
};
use crate::{
    core::{BookingBatch, BookingRequest, BookingResult, HoldRequest, WhenFull},
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
        mappings::{self, EntityKind, Mapping, Mappings},
        outbound::bookings::awaiting_confirmation,
        sync_log,
    },
};

/// The writes of a batch.
#[derive(Default)]
struct Ready {
    /// Bookable reservations with their units.
    booking: Vec<(usize, Vec<CoreId>)>,
    /// The holds of records that are or were parked.
    holds: Vec<(usize, HoldRequest)>,
}

/// Applies reservations with distinct ids: stale ones are ignored, others go to buffer and core. A record that cannot be applied
/// is parked beside the last applied one and holds its nights meanwhile.
pub(super) async fn apply(
    tx: &mut Tx,
    context: &IngestContext,
    received: Vec<ReceivedReservation>,
) -> Result<Vec<IngestOutcome>> {
    apply_to_nights(tx, context, received, true).await
}

/// As [`apply`], for a reservation whose nights are blocked: a parked one holds no nights.
pub(super) async fn apply_beside_block(
    tx: &mut Tx,
    context: &IngestContext,
    received: Vec<ReceivedReservation>,
) -> Result<Vec<IngestOutcome>> {
    apply_to_nights(tx, context, received, false).await
}

async fn apply_to_nights(
    tx: &mut Tx,
    context: &IngestContext,
    received: Vec<ReceivedReservation>,
    may_hold: bool,
) -> Result<Vec<IngestOutcome>> {
    let mut pending = compare(tx, context, received).await?;
    let (mut ready, links) = ready(tx, context, &mut pending).await?;
    if !may_hold {
        ready.holds.iter_mut().for_each(|(_, hold)| hold.spans.clear());
    }
    book(tx, context, &mut pending, (&ready, &links)).await?;
    keep(tx, context, &pending).await?;
    verify_own(tx, context, &pending).await?;
    let unsaid = IngestOutcome::Unsupported;
    let lines = pending.iter().filter(|pending| !pending.waits_already()).filter_map(|pending| {
        let outcome = pending.outcome.as_ref().unwrap_or(&unsaid);
        context.line(("reservation", &pending.reservation.id), outcome, &pending.mended)
    });
    sync_log::inbound(tx, context.account, &Vec::from_iter(lines), context.now).await?;
    Ok(pending.into_iter().map(|pending| pending.outcome.unwrap_or(IngestOutcome::Unsupported)).collect())
}

/// Writes applied records to the buffer and parked ones beside them; already parked records are not written again.
async fn keep(tx: &mut Tx, context: &IngestContext, pending: &[PendingReservation]) -> Result<()> {
    let IngestContext { now, .. } = *context;
    let unsaid = IngestOutcome::Unsupported;
    let (mut rows, mut parked, mut flags, mut settled) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for pending in pending.iter().filter(|pending| pending.kept && !pending.waits_already()) {
        let PendingReservation { reservation, raw, version, digest, mapping, outcome, .. } = pending;
        if let Some(IngestOutcome::Parked(missing)) = outcome {
            let (mended, hold) = (&*pending.mended, pending.hold);
            let new = NewParked { record: reservation, raw, digest, version, mended, missing, hold };
            parked.push(new);
            if pending.applied().is_some() {
                flags.push((reservation.id.as_str(), missing));
                continue;
            }
        } else if pending.waiting.is_some() {
            settled.push(reservation.id.as_str());
        }
        let mut envelope = context.envelope(raw, digest, version, outcome.as_ref().unwrap_or(&unsaid));
        envelope.mended = &pending.mended;
        // A booked reservation stays linked while a later record is parked.
        envelope.core = envelope.core.or(mapping.as_ref().map(|(mapping, _)| mapping.core));
        rows.push((envelope, reservation));
    }
    reservations::put_all(tx, &rows).await?;
    parked_reservations::put_all(tx, context.key(), &parked, now).await?;
    parked_reservations::flag(tx, context.key(), &flags).await?;
    parked_reservations::remove_all(tx, context.key(), &settled).await
}

/// Checks pushed bookings that the channel now returns: read-backs, and changes made at the channel.
async fn verify_own(tx: &mut Tx, context: &IngestContext, pending: &[PendingReservation]) -> Result<()> {
    let may_be_ours: Vec<&PendingReservation> = pending.iter().filter(|pending| pending.may_be_ours()).collect();
    if may_be_ours.is_empty() {
        return Ok(());
    }
    let awaited = awaiting_confirmation(tx, context.key()).await?;
    for PendingReservation { reservation, outcome, kept, .. } in may_be_ours {
        let core = outcome.as_ref().and_then(IngestOutcome::core);
        let is_news = *kept && matches!(outcome, Some(IngestOutcome::Unchanged(_)));
        if let Some(core) = core.filter(|core| is_news || awaited.contains(core)) {
            reconcile::reservation::verify(tx, context.key(), (core, reservation), (context.observed_at, context.now))
                .await?;
        }
    }
    Ok(())
}

/// Compares with stored records: completes partial ones, and decides invalid, stale and unchanged ones.
async fn compare(
    tx: &mut Tx,
    context: &IngestContext,
    received: Vec<ReceivedReservation>,
) -> Result<Vec<PendingReservation>> {
    let IngestContext { now, .. } = *context;
    let ids: Vec<&str> = received.iter().map(|(reservation, ..)| reservation.id.as_str()).collect();
    let mut all_stored = reservations::find_all(tx, context.key(), &ids).await?;
    let parked: Vec<&str> =
        ids.into_iter().filter(|id| all_stored.get(*id).is_some_and(|s| s.parked.is_some())).collect();
    let mut all_waiting = parked_reservations::find_all(tx, context.key(), &parked).await?;
    let mut pending = Vec::with_capacity(received.len());
    for (mut reservation, raw, mut mended) in received {
        reservation.normalise();
        let (stored, waiting) = (all_stored.remove(&reservation.id), all_waiting.remove(&reservation.id));
        let version = context.version(reservation.revision.as_ref(), reservation.modified_at);
        if let Some(stored) = &stored {
            fill(&mut reservation, &stored.record);
        }
        cancellation::complete(&mut reservation, stored.as_ref().map(|stored| &stored.record));
        let asks = reservation.intent == Intent::Request;
        let strictness = IngestContext { strict: context.strict || asks, ..*context };
        let errors = strictness.mend_or_check(&mut reservation, &mut mended);
        let digest = Digest::of(&reservation);
        // A parked record is newer than the applied one.
        let known = waiting.as_ref().map(|w| (&w.version, &w.digest, &w.record.status));
        let known = known.or(stored.as_ref().map(|s| (&s.version, &s.digest, &s.record.status)));
        let outcome = match (decide(known, (&version, &digest, &reservation.status)), &stored) {
            _ if !errors.is_empty() => Some(IngestOutcome::Rejected(errors)),
            (MergeDecision::Stale, Some(stored)) => Some(IngestOutcome::Stale(stored.core)),
            (MergeDecision::Unchanged, Some(stored)) if stored.parked.is_none() => {
                reservations::confirm(tx, context.key(), &reservation.id, &version, now).await?;
                Some(IngestOutcome::Unchanged(stored.core))
            }
            _ => None,
        };
        pending.push(PendingReservation {
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
    Ok(pending)
}

/// Resolves links and parks what cannot be applied. Returns the bookable rest, and all links including those of guests.
async fn ready(tx: &mut Tx, context: &IngestContext, pending: &mut [PendingReservation]) -> Result<(Ready, Mappings)> {
    let IngestContext { account, .. } = *context;
    let open = || pending.iter().filter(|pending| pending.outcome.is_none());
    let rooms = open().flat_map(|pending| {
        // A record without rooms refers to the stored ones.
        let known = pending.stored.as_ref().filter(|_| pending.reservation.rooms.is_empty());
        pending.reservation.rooms.iter().chain(known.into_iter().flat_map(|stored| &stored.record.rooms))
    });
    let rooms = rooms.filter_map(|room| room.room_type_id.as_deref());
    let guests: Vec<String> = open().filter_map(|pending| guest::id_of(&pending.reservation)).collect();
    let guests = guests.iter().map(|id| (EntityKind::Guest, id.as_str()));
    let mut asked: Vec<(EntityKind, &str)> = rooms.map(|id| (EntityKind::RoomType, id)).chain(guests).collect();
    asked.sort_unstable_by_key(|(kind, id)| (kind.as_str(), *id));
    asked.dedup();
    asked.extend(open().map(|pending| (EntityKind::Reservation, pending.reservation.id.as_str())));
    let mappings = mappings::find_all(tx, context.key(), &asked).await?;
    let linked: Vec<CoreId> = open()
        .filter_map(|pending| Some(mappings.get(EntityKind::Reservation, &pending.reservation.id)?.core))
        .collect();
    let mut states = bookings::booking_states(tx, account, &linked).await?;
    let mut ready = Ready::default();
    for (index, pending) in pending.iter_mut().enumerate().filter(|(_, pending)| pending.outcome.is_none()) {
        let mut mapping = mappings.get(EntityKind::Reservation, &pending.reservation.id);
        if mapping.is_none()
            && let Some(core) =
                reconcile::reservation::match_by_reference(tx, context.key(), &pending.reservation, context.now).await?
        {
            // One of our own bookings whose id at the channel is not known yet.
            mapping = Some(Mapping { core, auto_sync: false, ours: true });
        }
        pending.mapping = mapping.map(|mapping| (mapping, states.remove(&mapping.core)));
        // Switched-off room types take no nights.
        let unit =
            |id: &str| mappings.get(EntityKind::RoomType, id).filter(|unit| unit.auto_sync).map(|unit| unit.core);
        match (units(context, pending, |id| mappings.get(EntityKind::RoomType, id)), mapping) {
            (_, Some(mapping)) if !mapping.auto_sync => pending.end(IngestOutcome::Unchanged(Some(mapping.core))),
            (Err(parked), _) => park(tx, context, (index, &mut *pending, parked), &mut ready, unit).await?,
            (Ok(units), _) => ready.booking.push((index, units)),
        }
        let holds_still = ready.holds.last().is_some_and(|(held, _)| *held == index);
        if let (Some(waiting), false, true) = (&pending.waiting, holds_still, pending.outcome.is_none() || pending.kept)
            && waiting.hold.is_some()
        {
            // The parked record is resolved, or holds no nights any more.
            let reason = parking::reason(&pending.reservation.id);
            ready.holds.push((index, HoldRequest { known: waiting.hold, spans: Vec::new(), reason }));
        }
    }
    Ok((ready, mappings))
}

/// Handles a record that cannot be applied: a cancellation releases its booking's nights, a decided record is not parked again,
/// all others are parked.
async fn park(
    tx: &mut Tx,
    context: &IngestContext,
    (index, pending, parked): (usize, &mut PendingReservation, Parked),
    ready: &mut Ready,
    unit: impl Fn(&str) -> Option<CoreId>,
) -> Result<()> {
    if parked.0.iter().any(|missing| matches!(missing, Missing::SwitchedOff { .. })) {
        pending.end(IngestOutcome::Parked(parked));
        return Ok(());
    }
    let status = pending.reservation.status.clone();
    let booking = pending.booking().map(|(id, state)| (id, state.clone()));
    if cancellation::is_ended(&status) && (context.authority.source_owns_bookings() || booking.is_none()) {
        if let Some(stored) = pending.applied().map(|stored| stored.record.clone()) {
            cancellation::copy_rooms(&mut pending.reservation, &stored);
        }
        match booking {
            Some((id, state)) if !cancellation::is_ended(&state.status) => {
                if let Some((ended, units)) = cancellation::ended(tx, context, id, status).await? {
                    pending.ended = Some(ended);
                    ready.booking.push((index, units));
                    return Ok(());
                }
                pending.end(IngestOutcome::Unchanged(Some(id)));
            }
            Some((id, _)) => pending.end(IngestOutcome::Unchanged(Some(id))),
            // Never booked: store it without nights.
            None => pending.end(IngestOutcome::BufferedOnly),
        }
        return Ok(());
    }
    if let Some((id, state)) = &booking
        && status.holds_nights()
        && cancellation::is_cancellation_unconfirmed(tx, context, (*id, state)).await?
    {
        pending.outcome = Some(IngestOutcome::Unchanged(Some(*id)));
        return Ok(());
    }
    let received = (pending.reservation.id.as_str(), &pending.digest);
    if pending.waiting.is_none() && parking::was_decided(tx, context, received, pending.stored.as_ref()).await? {
        let core = booking.map(|(id, _)| id).or(pending.stored.as_ref().and_then(|stored| stored.core));
        pending.outcome = Some(IngestOutcome::Unchanged(core));
        return Ok(());
    }
    if let Some((id, state)) = &booking
        && state.takes_nights(context.now)
        && let Some((ended, units)) = cancellation::ended(tx, context, *id, Status::Cancelled).await?
        && cancellation::is_over_without_nights(tx, context, (&pending.reservation, &parked), (&ended, &units)).await?
    {
        pending.ended = Some(ended);
        pending.parks = Some(parked);
        ready.booking.push((index, units));
        return Ok(());
    }
    let waiting = HoldCandidate {
        reservation: &pending.reservation,
        applied: pending.applied().map(|stored| &stored.record),
        known: pending.waiting.as_ref().and_then(|waiting| waiting.hold),
        booking: pending.booking(),
    };
    let spans = parking::hold(tx, context, &waiting, unit).await?;
    if !spans.is_empty() {
        ready.holds.push((index, parking::hold_request(&waiting, spans)));
    }
    pending.end(IngestOutcome::Parked(parked));
    Ok(())
}

/// The unit of each room, or everything that is missing.
fn units(
    context: &IngestContext,
    pending: &PendingReservation,
    unit: impl Fn(&str) -> Option<Mapping>,
) -> std::result::Result<Vec<CoreId>, Parked> {
    let reservation = &pending.reservation;
    let off = switched_off(pending, &unit);
    if !off.is_empty() {
        return Err(Parked(off));
    }
    let mut missing = Vec::new();
    if !context.authority.source_owns_bookings() {
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
    let stays_cancelled = reservation.status == Status::Cancelled || context.may_revive;
    let needs_decision = match pending.mapping.as_ref().map(|(_, state)| state.as_ref()) {
        Some(Some(state)) => state.status == Status::Cancelled && !stays_cancelled,
        Some(None) => true,
        // Cancelled before it could be booked.
        None => !stays_cancelled && pending.applied().is_some_and(|stored| stored.record.status == Status::Cancelled),
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

/// The record's room types that are switched off; for a record without rooms, those of the stored one.
fn switched_off(pending: &PendingReservation, unit: impl Fn(&str) -> Option<Mapping>) -> Vec<Missing> {
    let received = &pending.reservation.rooms;
    let known = pending.stored.as_ref().filter(|_| received.is_empty()).map(|stored| &stored.record.rooms);
    let ids = known.unwrap_or(received).iter().filter_map(|room| room.room_type_id.as_ref());
    let off = ids.filter(|id| unit(id).is_some_and(|unit| !unit.auto_sync));
    let mut off: Vec<Missing> = off.map(|id| Missing::SwitchedOff { id: id.clone() }).collect();
    off.dedup();
    off
}

/// Books reservations: new ones with availability in one batch, the rest one by one.
async fn book(
    tx: &mut Tx,
    context: &IngestContext,
    pending: &mut [PendingReservation],
    (Ready { booking, holds }, links): (&Ready, &Mappings),
) -> Result<()> {
    if booking.is_empty() && holds.is_empty() {
        return Ok(());
    }
    let bookables: Vec<BookingRequest<'_>> = booking
        .iter()
        .map(|(index, units)| {
            let PendingReservation { reservation, ended, .. } = &pending[*index];
            let known = pending[*index].booking().map(|(id, state)| (id, state.clone()));
            BookingRequest { known, reservation: ended.as_ref().unwrap_or(reservation), units }
        })
        .collect();
    let asked: Vec<HoldRequest> = holds.iter().map(|(_, hold)| hold.clone()).collect();
    let closed = own_closures(tx, context, (&bookables, &asked)).await?;
    let mut batch = BookingBatch::open_with(tx, context.account, &bookables, &asked, context.now).await?;
    let when_full = |place: usize| match pending[booking[place].0].reservation.intent {
        Intent::Request => WhenFull::Refuse,
        Intent::Fact => context.when_full,
    };
    let may_be_refused = |place: usize| when_full(place) == WhenFull::Refuse && !batch.has_room(place);
    let sure: Vec<usize> = (0..booking.len()).filter(|place| !may_be_refused(*place)).collect();
    let reservation = |place: &usize| &pending[booking[*place].0].reservation;
    let sold: Vec<&Reservation> = sure.iter().map(reservation).collect();
    let guests = guest::of_reservations(tx, context, (&sold, links)).await?;
    let mut guests: HashMap<usize, Option<CoreId>> = sure.iter().copied().zip(guests).collect();
    let one_batch: Vec<(usize, Option<CoreId>)> = sure
        .into_iter()
        .filter(|place| batch.is_new_with_room(*place))
        .map(|place| (place, guests.remove(&place).flatten()))
        .collect();
    let done = batch.put(tx, &one_batch, WhenFull::Keep).await?;
    let mut placed: HashMap<usize, BookingResult> = one_batch.into_iter().map(|(place, _)| place).zip(done).collect();
    // In the order of arrival.
    let mut turns: BTreeMap<usize, (Option<usize>, Option<usize>)> = BTreeMap::new();
    booking.iter().enumerate().for_each(|(place, (index, _))| turns.entry(*index).or_default().0 = Some(place));
    holds.iter().enumerate().for_each(|(hold, (index, _))| turns.entry(*index).or_default().1 = Some(hold));
    let mut kept: Vec<(usize, Option<CoreId>)> = Vec::with_capacity(holds.len());
    for (index, (place, hold)) in turns {
        if let Some(hold) = hold {
            batch.release_hold(tx, hold).await?;
        }
        if let Some(place) = place.filter(|place| !placed.contains_key(place)) {
            let done = match guests.remove(&place) {
                Some(guest) => batch.put(tx, &[(place, guest)], WhenFull::Keep).await?.pop(),
                None => ask(tx, context, &mut batch, (place, reservation(&place), links)).await?,
            };
            placed.extend(done.map(|done| (place, done)));
        }
        if let Some(hold) = hold {
            if place.is_some_and(|place| matches!(placed.get(&place), Some(BookingResult::Refused(_)))) {
                batch.restore_hold(hold);
            }
            kept.push((index, batch.place_hold(tx, hold).await?));
        }
    }
    let mut links: Vec<(String, CoreId)> = Vec::new();
    for (place, (index, _)) in booking.iter().enumerate() {
        let pending = &mut pending[*index];
        let created = pending.mapping.is_none();
        let outcome = match placed.remove(&place) {
            Some(BookingResult::Booked { id, overbooked }) => {
                if created {
                    links.push((pending.reservation.id.clone(), id));
                }
                match (overbooked.is_empty(), created) {
                    (false, created) => IngestOutcome::Overbooked { core: id, created, nights: overbooked },
                    (true, true) => IngestOutcome::Created(id),
                    (true, false) => IngestOutcome::Updated(id),
                }
            }
            Some(BookingResult::Refused(full)) => IngestOutcome::Refused(full),
            Some(BookingResult::Invalid) | None => IngestOutcome::Parked(Parked(vec![Missing::Rooms])),
        };
        let parks = pending.parks.take();
        pending.end(parks.map_or(outcome, IngestOutcome::Parked));
    }
    for (index, hold) in kept {
        pending[index].hold = hold;
    }
    let links: Vec<(&str, CoreId)> = links.iter().map(|(id, core)| (id.as_str(), *core)).collect();
    mappings::link_all(tx, context.key(), EntityKind::Reservation, &links, context.now).await?;
    manual_closure::restore_closures(tx, context, closed).await
}

/// Releases the source's own closures on nights that its bookings take.
async fn own_closures(
    tx: &mut Tx,
    context: &IngestContext,
    (bookables, holds): (&[BookingRequest<'_>], &[HoldRequest]),
) -> Result<Vec<ClosedNight>> {
    if !closures::any(tx, context.key()).await? {
        return Ok(Vec::new());
    }
    let known: Vec<CoreId> = bookables.iter().filter_map(|asked| asked.known.as_ref().map(|(id, _)| *id)).collect();
    let kept: Vec<CoreId> = holds.iter().filter_map(|hold| hold.known).collect();
    let has = manual_closure::spans_of(tx, context, (&known, &kept)).await?;
    let takes = |asked: &&BookingRequest<'_>| {
        let is_fact = asked.reservation.intent == Intent::Fact && context.when_full == WhenFull::Keep;
        is_fact && asked.reservation.status.holds_nights()
    };
    let mut wanted: Vec<Span> = bookables.iter().filter(takes).flat_map(spans).collect();
    wanted.extend(holds.iter().flat_map(|hold| hold.spans.iter().copied()));
    manual_closure::release_for_bookings(tx, context, &wanted, &has).await
}

/// The nights of each room.
fn spans(asked: &BookingRequest<'_>) -> Vec<Span> {
    let Reservation { check_in, check_out, rooms, .. } = asked.reservation;
    let rooms = rooms.iter().zip(asked.units);
    let span = |room: &gassync_domain::RoomStay, unit: CoreId| {
        let stay = Stay::spanning(room.check_in.or(*check_in)?, room.check_out.or(*check_out)?)?;
        Some(Span { unit, stay })
    };
    rooms.filter_map(|(room, unit)| span(room, *unit)).collect()
}

/// Books requests that may be refused; the guest of a refused request is not stored.
async fn ask(
    tx: &mut Tx,
    context: &IngestContext,
    batch: &mut BookingBatch,
    (place, reservation, links): (usize, &Reservation, &Mappings),
) -> Result<Option<BookingResult>> {
    tx.savepoint("guest").await?;
    let guest = guest::of_reservations(tx, context, (&[reservation], links)).await?.pop().flatten();
    let done = batch.put(tx, &[(place, guest)], WhenFull::Refuse).await?.pop();
    if matches!(done, Some(BookingResult::Refused(_))) {
        tx.rollback_to("guest").await?;
    }
    Ok(done)
}
