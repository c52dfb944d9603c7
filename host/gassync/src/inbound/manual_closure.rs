//! Manual closures: a night that a channel shows closed, although neither its bookings nor our pushes explain that, was closed
//! manually there. It is closed at all channels until that channel shows it open.

use std::collections::{BTreeMap, HashMap};

use gassync_domain::{
    ChannelNight, Closure, CoreId, CoreNight, Date, Entity, LastSent, SourceKey, Stay, SyncStatus, Timestamp,
    closed_by_hand,
};
use jiff::SignedDuration;

use super::apply::IngestContext;
use crate::{
    core::{self, ClosureRequest},
    schedule::{JobSpec, PushCalendar, Refetch},
    store::{
        Result, Tx,
        buffer::{availability, room_types},
        closures::{self, ClosedNight},
        core::{bookings, holds},
        ledger::{self, Span},
        mappings,
        outbound::{
            invalidations::{self, Invalidation},
            nights::{self, NightState},
        },
        queue, sync_log,
    },
};

/// Delay before a calendar with a new closure is read again, in case the read only crossed a booking.
const VERIFY_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Observed nights of a room type, by the channel's id.
pub(super) type ShownNights = (String, Vec<Date>);

/// A room type whose nights are checked for closures.
struct RoomTypeToCheck {
    id: String,
    room_type: i64,
    unit: CoreId,
    stays: Vec<Stay>,
    /// Uses buffered nights: each night counts from its own time of observation.
    is_recheck: bool,
}

/// A night whose closure changes.
struct ClosureChange {
    night: ClosedNight,
    /// The new closure; `None` opens the night.
    now: Option<Closure>,
}

/// Updates the closures of nights that calendars have shown, after the buffer was written. The caller holds
/// [`Tx::lock_ledger`].
pub(super) async fn check_shown(tx: &mut Tx, context: &IngestContext, shown: Vec<ShownNights>) -> Result<()> {
    if !context.closes {
        return Ok(());
    }
    // A room type may have one calendar per rate plan: they are checked as one.
    let mut by_room: BTreeMap<String, Vec<Date>> = BTreeMap::new();
    shown.into_iter().for_each(|(id, dates)| by_room.entry(id).or_default().extend(dates));
    let mut changed = Vec::new();
    for (id, dates) in by_room {
        let Some(place) = availability::place(tx, context.key(), (&id, None)).await? else {
            continue;
        };
        let Some(unit) = place.unit() else { continue };
        let room_type_to_check =
            RoomTypeToCheck { id, room_type: place.room_type, unit, stays: stays(dates), is_recheck: false };
        changed.extend(changes(tx, context, &room_type_to_check).await?);
    }
    apply_changes(tx, context, changed).await
}

/// Checks all buffered nights from `today` on again after the links changed, and ends closures of units that are no longer
/// linked.
pub async fn recheck(tx: &mut Tx, context: &IngestContext, today: Date) -> Result<()> {
    let IngestContext { account, .. } = *context;
    if !context.closes {
        return reopen_all(tx, context).await;
    }
    tx.lock_ledger(account, true).await?;
    let elsewhere = closures::elsewhere(tx, context.key()).await?;
    let gone = elsewhere.into_iter().map(|night| ClosureChange { night, now: None });
    apply_changes(tx, context, gone.collect()).await?;
    let mut changed = Vec::new();
    for room_type in closures::linked_room_types(tx, context.key()).await? {
        let Some(stay) = room_type.shown_from(today) else { continue };
        let (room, unit) = (room_type.id, room_type.unit());
        let room_type_to_check =
            RoomTypeToCheck { id: room_type.external_id, room_type: room, unit, stays: vec![stay], is_recheck: true };
        changed.extend(changes(tx, context, &room_type_to_check).await?);
    }
    apply_changes(tx, context, changed).await
}

/// The closures of a room type that change.
async fn changes(
    tx: &mut Tx,
    context: &IngestContext,
    room_type_to_check: &RoomTypeToCheck,
) -> Result<Vec<ClosureChange>> {
    let IngestContext { account, now, observed_at, counts, .. } = *context;
    let RoomTypeToCheck { id, room_type, unit, stays, is_recheck } = room_type_to_check;
    let link = mappings::find(tx, context.key(), mappings::EntityKind::RoomType, id).await?;
    let is_kept_out = link.is_some_and(|link| !link.auto_sync);
    let shown = closures::shown(tx, account, *room_type, stays, observed_at).await?;
    if shown.is_empty() || is_kept_out {
        return Ok(Vec::new());
    }
    let before = closures::of_room_type(tx, context.key(), *room_type, stays).await?;
    let mut before: HashMap<Date, ClosedNight> = before.into_iter().map(|closed| (closed.night, closed)).collect();
    let mut known: HashMap<Date, Vec<NightState>> = HashMap::new();
    for night in nights::find(tx, context.key(), *room_type, stays).await? {
        known.entry(night.key.night).or_default().push(night);
    }
    let taken = closures::taken_there(tx, context.key(), *unit, stays).await?;
    let ledger = ledger::nights(tx, account, *unit, stays, now).await?;
    let ledger: HashMap<Date, ledger::LedgerNight> = ledger.into_iter().map(|night| (night.night.0, night)).collect();
    let quantity = crate::store::core::units::quantity(tx, account, *unit).await?.unwrap_or(1);
    let record = room_types::find(tx, context.key(), id).await?;
    let rooms = record.and_then(|stored| stored.record.quantity);
    // With several room types on one unit, counts cannot be attributed.
    let is_alone = closures::room_types_of_unit(tx, context.key(), *unit).await? <= 1;
    let count = |units: i64| u32::try_from(units).unwrap_or(0);
    let mut changed = Vec::new();
    for (night, (shown, since)) in shown {
        let seen_at = if *is_recheck { since } else { observed_at };
        let sent_nights = known.remove(&night).unwrap_or_default();
        if sent_nights.iter().any(|known| known.sent_at.is_some_and(|at| at >= seen_at)) {
            continue; // Pushed since it was observed.
        }
        let (existing_closure, elsewhere) = match before.remove(&night) {
            Some(existing_closure) if existing_closure.unit == *unit => (Some(existing_closure), None),
            other => (None, other),
        };
        changed.extend(elsewhere.map(|night| ClosureChange { night, now: None }));
        let mine = existing_closure.as_ref().map(|existing_closure| existing_closure.closure);
        let in_ledger = ledger.get(&night);
        let capacity = in_ledger.map_or(quantity, |night| night.capacity);
        let free = in_ledger.map_or(quantity, |night| night.capacity - night.sold - night.held - night.blocked);
        let own_closure = mine.filter(|closure| !closure.waived).map_or(0, |closure| i64::from(closure.units));
        let here = CoreNight {
            rooms: rooms.unwrap_or_else(|| count(capacity)),
            own: if is_alone { taken.get(&night).copied().unwrap_or(0) } else { 0 },
            free: count(free + own_closure),
        };
        let shown = if is_alone { shown } else { gassync_domain::ObservedNight { units: None, ..shown } };
        let closure = closed_by_hand(shown, last_sent(&sent_nights), mine, here, counts);
        if closure != mine {
            let open = Closure { by_word: false, units: 0, waived: false };
            let night = existing_closure.unwrap_or(ClosedNight {
                room_type: *room_type,
                unit: *unit,
                night,
                closure: open,
                core: None,
            });
            changed.push(ClosureChange { night, now: closure });
        }
    }
    changed.sort_unstable_by_key(|changed| changed.night.night);
    Ok(changed)
}

/// The last state that we sent for a night, over all rate plans.
fn last_sent(known: &[NightState]) -> LastSent {
    let sellable = |text: &Option<String>| -> Option<u32> {
        serde_json::from_str::<ChannelNight>(text.as_deref()?).ok().map(|night| night.sellable())
    };
    let mut open: Option<u32> = None;
    let (mut is_clear, mut is_closed) = (true, true);
    for known in known {
        let (confirmed, sent) = (sellable(&known.confirmed), sellable(&known.sent));
        // Until confirmed, the channel may have either the last sent or the previous state.
        let sent = sent.filter(|_| known.state.status != SyncStatus::Confirmed);
        let (one, other) = match (confirmed.or(sent), sent.or(confirmed)) {
            (Some(one), Some(other)) => (one, other),
            _ if known.closed_by_us => (0, 0),
            _ => continue,
        };
        // The confirmed state may only repeat what the channel shows: a closure is ours only if we sent one.
        is_closed &= known.closed_by_us;
        is_clear &= one == other;
        open = open.max(Some(one.max(other)));
    }
    match open {
        None => LastSent::Never,
        Some(_) if is_closed => LastSent::Closed,
        Some(units) if is_clear => LastSent::Open(units),
        Some(_) => LastSent::OpenUnclear,
    }
}

/// Writes changed closures to core, buffer and audit trail, invalidates the source's own calendar, and enqueues a second
/// read if something was newly closed.
async fn apply_changes(tx: &mut Tx, context: &IngestContext, changed: Vec<ClosureChange>) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let IngestContext { account, now, observed_at, .. } = *context;
    let closes =
        |changed: &ClosureChange| changed.now.filter(|closure| !closure.waived).map_or(0, |closure| closure.units);
    let asked: Vec<ClosureRequest> = changed
        .iter()
        .map(|changed| ClosureRequest {
            known: changed.night.core,
            unit: changed.night.unit,
            night: changed.night.night,
            units: closes(changed),
        })
        .collect();
    let cores = core::close(tx, account, &asked, now).await?;
    let (mut existing_closure, mut gone) = (Vec::new(), Vec::new());
    for (changed, core) in changed.iter().zip(cores) {
        match changed.now {
            Some(closure) => existing_closure.push(ClosedNight { closure, core, ..changed.night.clone() }),
            None => gone.push(changed.night.clone()),
        }
    }
    closures::forget(tx, context.key(), &gone).await?;
    closures::put(tx, context.key(), &existing_closure, (observed_at, now)).await?;
    let mut by_room: BTreeMap<i64, Vec<&ClosureChange>> = BTreeMap::new();
    changed.iter().for_each(|changed| by_room.entry(changed.night.room_type).or_default().push(changed));
    let places: Vec<(i64, Date)> =
        changed.iter().map(|changed| (changed.night.room_type, changed.night.night)).collect();
    nights::clear_confirmed(tx, context.key(), &places).await?;
    invalidate_own(tx, context.key(), &by_room, now).await?;
    log(tx, context, &by_room).await?;
    let is_newly =
        |changed: &ClosureChange| changed.now.is_some_and(|now| !now.waived && now.units > changed.night.closure.units);
    if context.has_channel && changed.iter().any(is_newly) {
        let again = Refetch::kind(Entity::Calendar).of(context.key()).after(VERIFY_AFTER);
        queue::enqueue(tx, &[again], now).await?;
    }
    Ok(())
}

/// Invalidates the source's own calendar, so that it is computed again before the next push.
async fn invalidate_own(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    by_room: &BTreeMap<i64, Vec<&ClosureChange>>,
    now: Timestamp,
) -> Result<()> {
    if !invalidations::is_pushed_to(tx, SourceKey { account, source }).await? {
        return Ok(());
    }
    let mut invalidated = Vec::new();
    for (room_type, changed) in by_room {
        for stay in stays(changed.iter().map(|changed| changed.night.night).collect()) {
            let last = stay.check_out().yesterday().unwrap_or(stay.check_in());
            invalidated.push(Invalidation {
                account_id: account.0,
                source_id: source.0,
                int_room_type_id: *room_type,
                first_night: crate::store::Day(stay.check_in()),
                last_night: crate::store::Day(last),
                only_own_bookings: false,
                force: false,
                invalidated_at: now.into(),
            });
        }
    }
    invalidations::upsert(tx, &invalidated).await?;
    queue::enqueue(tx, &[PushCalendar {}.of(SourceKey { account, source })], now).await
}

/// Writes audit entries, one per group of nights with the same change.
async fn log(tx: &mut Tx, context: &IngestContext, by_room: &BTreeMap<i64, Vec<&ClosureChange>>) -> Result<()> {
    let IngestContext { account, source, now, .. } = *context;
    for (room_type, changed) in by_room {
        let Some(id) = availability::external_id(tx, account, *room_type).await? else { continue };
        let mut runs: BTreeMap<(bool, bool, u32), Vec<Date>> = BTreeMap::new();
        for changed in changed {
            let closure = changed.now.unwrap_or(Closure { by_word: false, units: 0, waived: false });
            let how = (changed.now.is_some(), closure.by_word, if closure.by_word { 0 } else { closure.units });
            runs.entry(how).or_default().push(changed.night.night);
        }
        for ((is_closed, by_word, units), dates) in runs {
            let (first, last, count) = (dates.iter().min(), dates.iter().max(), dates.len());
            let (Some(first), Some(last)) = (first, last) else { continue };
            let nights =
                if first == last { first.to_string() } else { format!("{count} nights from {first} to {last}") };
            let message = match (is_closed, by_word) {
                (true, true) => format!("{nights}: closed manually at the channel, so closed everywhere"),
                (true, false) => format!("{nights}: {units} taken off sale manually at the channel, so everywhere"),
                (false, _) => format!("{nights}: manual closure ended"),
            };
            let line = sync_log::NewSyncLogLine {
                source,
                entity_type: "availability",
                entity_id: &id,
                action: if is_closed { sync_log::LogAction::Close } else { sync_log::LogAction::Open },
                status: sync_log::LogStatus::Success,
                message: Some(message),
            };
            sync_log::inbound(tx, account, &[line], now).await?;
        }
    }
    Ok(())
}

/// Releases a source's own closures on nights that its bookings are about to take, since the source that closed them also
/// sells them. `wanted` are the requested rooms, `has` their current nights. Returns the released closures.
pub(super) async fn release_for_bookings(
    tx: &mut Tx,
    context: &IngestContext,
    wanted: &[Span],
    has: &[Span],
) -> Result<Vec<ClosedNight>> {
    let IngestContext { account, now, .. } = *context;
    let closed = closures::on_spans(tx, context.key(), wanted).await?;
    let mut changed = Vec::new();
    for night in closed.into_iter().filter(|closed| closed.closure.units > 0 && !closed.closure.waived) {
        let count = |spans: &[Span]| {
            let on_it = |span: &&Span| span.unit == night.unit && span.stay.each().any(|date| date == night.night);
            i64::try_from(spans.iter().filter(on_it).count()).unwrap_or(i64::MAX)
        };
        let ledger = ledger::nights(tx, account, night.unit, &stays(vec![night.night]), now).await?.pop();
        let room = ledger.map_or(0, |night| night.capacity - night.sold - night.held - night.blocked);
        let needed = u32::try_from(count(wanted) - count(has) - room).unwrap_or(0).min(night.closure.units);
        if needed > 0 {
            let closure = Closure { units: night.closure.units - needed, ..night.closure };
            changed.push(ClosureChange {
                now: Some(closure).filter(|closure| closure.by_word || closure.units > 0),
                night,
            });
        }
    }
    let released = changed.iter().map(|changed| changed.night.clone()).collect();
    apply_changes(tx, context, changed).await?;
    Ok(released)
}

/// Restores released stop-sell closures, so that the nights are not sold if the bookings end. Reduced counts are not
/// restored: the bookings explain them.
pub(super) async fn restore_closures(tx: &mut Tx, context: &IngestContext, released: Vec<ClosedNight>) -> Result<()> {
    let by_word = released.into_iter().filter(|night| night.closure.by_word);
    let mut changed = Vec::new();
    for before in by_word {
        let stays = stays(vec![before.night]);
        let now = closures::of_room_type(tx, context.key(), before.room_type, &stays).await?;
        changed.extend(now.into_iter().map(|night| ClosureChange { night, now: Some(before.closure) }));
    }
    apply_changes(tx, context, changed).await
}

/// The current nights of bookings and holds.
pub(super) async fn spans_of(
    tx: &mut Tx,
    context: &IngestContext,
    (booked, held): (&[CoreId], &[CoreId]),
) -> Result<Vec<Span>> {
    let rooms = bookings::rooms(tx, context.account, booked).await?;
    let kept = holds::rooms(tx, context.account, held).await?;
    let of_holds = kept.into_values().flatten().map(|(_, span)| span);
    Ok(rooms.values().flatten().filter_map(bookings::RoomRow::span).chain(of_holds).collect())
}

/// Ends all closures of a source that is removed or no longer read, because it could not reopen them.
pub async fn reopen_all(tx: &mut Tx, context: &IngestContext) -> Result<()> {
    let IngestContext { account, .. } = *context;
    tx.lock_ledger(account, true).await?;
    let closed = closures::of_source(tx, context.key(), invalidations::FIRST).await?;
    apply_changes(tx, context, closed.into_iter().map(|night| ClosureChange { night, now: None }).collect()).await
}

/// Waives closures: an operator sells the nights despite the channel's closure, until the channel has shown them open.
pub async fn waive(tx: &mut Tx, context: &IngestContext, from: Date) -> Result<usize> {
    let IngestContext { account, .. } = *context;
    tx.lock_ledger(account, true).await?;
    let closed = closures::of_source(tx, context.key(), from).await?;
    let changed: Vec<ClosureChange> = closed
        .into_iter()
        .filter(|night| !night.closure.waived)
        .map(|night| ClosureChange { now: Some(Closure { waived: true, ..night.closure }), night })
        .collect();
    let count = changed.len();
    apply_changes(tx, context, changed).await?;
    Ok(count)
}

/// Groups nights into stays of consecutive nights.
fn stays(mut dates: Vec<Date>) -> Vec<Stay> {
    dates.sort_unstable();
    dates.dedup();
    let mut runs: Vec<(Date, Date)> = Vec::new();
    for date in dates {
        let Ok(next) = date.tomorrow() else { continue };
        match runs.last_mut() {
            Some((_, until)) if *until == date => *until = next,
            _ => runs.push((date, next)),
        }
    }
    runs.into_iter().filter_map(|(from, until)| Stay::spanning(from, until)).collect()
}

#[cfg(test)]
mod tests {
    use gassync_domain::{SyncEvent, SyncState};

    use super::*;
    use crate::store::outbound::nights::NightKey;

    fn known(sent: Option<&str>, confirmed: Option<&str>, closed_by_us: bool) -> NightState {
        let text = |text: Option<&str>| text.map(str::to_owned);
        NightState {
            key: NightKey { room_type: 1, rate_plan_id: String::new(), night: Date::constant(2027, 6, 1) },
            wanted: String::new(),
            sent: text(sent),
            confirmed: text(confirmed),
            state: SyncState::NEW.after(if sent == confirmed { SyncEvent::Known } else { SyncEvent::Changed }),
            changed_at: Timestamp::UNIX_EPOCH,
            sent_at: None,
            closed_by_us,
        }
    }

    #[test]
    fn the_last_sent_state_of_a_night() {
        let (open, closed) = (Some(r#"{"units":3}"#), Some(r#"{"units":3,"closed":true}"#));
        assert_eq!(last_sent(&[]), LastSent::Never);
        assert_eq!(last_sent(&[known(None, None, false)]), LastSent::Never);
        assert_eq!(last_sent(&[known(open, open, false)]), LastSent::Open(3));
        assert_eq!(last_sent(&[known(closed, closed, true)]), LastSent::Closed);
        assert_eq!(last_sent(&[known(None, closed, false)]), LastSent::Open(0), "it is shown so, and no word of ours");
        assert_eq!(last_sent(&[known(None, None, true)]), LastSent::Closed, "whatever it was moved to since");
        assert_eq!(last_sent(&[known(open, closed, true)]), LastSent::Closed, "the opening may not have come");
        assert_eq!(last_sent(&[known(closed, open, true)]), LastSent::Closed, "the closing may have come");
        assert_eq!(last_sent(&[known(Some(r#"{"units":1}"#), open, false)]), LastSent::OpenUnclear);
        let plans = [known(closed, closed, true), known(open, open, false)];
        assert_eq!(last_sent(&plans), LastSent::Open(3), "one of its rate plans is sold");
    }

    #[test]
    fn consecutive_nights_form_one_stay() {
        let date = |day: i8| Date::constant(2027, 6, day);
        let runs = stays(vec![date(3), date(1), date(2), date(2), date(9)]);
        let runs: Vec<(Date, Date)> = runs.iter().map(|stay| (stay.check_in(), stay.check_out())).collect();
        assert_eq!(runs, [(date(1), date(4)), (date(9), date(10))]);
    }
}
