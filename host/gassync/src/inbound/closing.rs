//! Nights that somebody has closed at a channel by hand: what a calendar shows that neither the channel's bookings nor what it
//! was told explain is closed for everybody, until the channel shows it open.

use std::collections::{BTreeMap, HashMap};

use gassync_domain::{
    ChannelNight, Closure, CoreId, Date, NightHere, NightTold, SourceId, Stay, Timestamp, closed_by_hand,
};
use jiff::SignedDuration;
use serde_json::json;

use super::apply::Incoming;
use crate::{
    core::{self, ClosureAsked},
    schedule::{self, Kind},
    store::{
        Result, Tx,
        buffer::{availability, room_types},
        closures::{self, ClosedNight},
        core::{bookings, holds},
        ledger::{self, Span},
        mappings,
        outbound::{
            SyncStatus,
            invalidations::{self, Invalidation},
            nights::{self, Known},
        },
        queue, sync_log,
    },
};

/// When a calendar is looked at again that shows something newly closed: what merely crossed a booking is open then.
const LOOK_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Nights of a room type that a source has shown, by the channel's id of it.
pub(super) type Shown = (String, Vec<Date>);

/// A room type whose nights are judged.
struct Judged {
    id: String,
    room_type: i64,
    unit: CoreId,
    stays: Vec<Stay>,
    /// It was not shown just now: of each night it counts since when it has been shown so.
    is_anew: bool,
}

/// A night whose closing changes.
struct Moved {
    night: ClosedNight,
    /// How it is closed now; none where it is open.
    now: Option<Closure>,
}

/// Judges nights that calendars have shown, after they were kept. The transaction has said [`Tx::lock_ledger`].
pub(super) async fn judge(tx: &mut Tx, incoming: &Incoming, shown: Vec<Shown>) -> Result<()> {
    if !incoming.closes {
        return Ok(());
    }
    // A room type may have a calendar for each of its rate plans: they are judged together.
    let mut by_room: BTreeMap<String, Vec<Date>> = BTreeMap::new();
    shown.into_iter().for_each(|(id, dates)| by_room.entry(id).or_default().extend(dates));
    let mut moved = Vec::new();
    for (id, dates) in by_room {
        let Some(place) = availability::place(tx, incoming.account, incoming.source, (&id, None)).await? else {
            continue;
        };
        let Some(unit) = place.unit() else { continue };
        let judged = Judged { id, room_type: place.room_type, unit, stays: stays(dates), is_anew: false };
        moved.extend(moves(tx, incoming, &judged).await?);
    }
    move_all(tx, incoming, moved).await
}

/// Judges all that a source has shown once more, from `today` on: its links are others now. What it closed where it is linked no
/// more is open there.
pub async fn judge_anew(tx: &mut Tx, incoming: &Incoming, today: Date) -> Result<()> {
    let Incoming { account, source, .. } = *incoming;
    if !incoming.closes {
        return open_all(tx, incoming).await;
    }
    tx.lock_ledger(account, true).await?;
    let elsewhere = closures::elsewhere(tx, account, source).await?;
    let gone = elsewhere.into_iter().map(|night| Moved { night, now: None });
    move_all(tx, incoming, gone.collect()).await?;
    let mut moved = Vec::new();
    for room_type in closures::linked_room_types(tx, account, source).await? {
        let Some(stay) = room_type.shown_from(today) else { continue };
        let (room, unit) = (room_type.id, room_type.unit());
        let judged = Judged { id: room_type.external_id, room_type: room, unit, stays: vec![stay], is_anew: true };
        moved.extend(moves(tx, incoming, &judged).await?);
    }
    move_all(tx, incoming, moved).await
}

/// What of a room type's nights is closed otherwise than it was.
async fn moves(tx: &mut Tx, incoming: &Incoming, judged: &Judged) -> Result<Vec<Moved>> {
    let Incoming { account, source, now, observed_at, counts, .. } = *incoming;
    let Judged { id, room_type, unit, stays, is_anew } = judged;
    let link = mappings::find(tx, account, source, mappings::Kind::RoomType, id).await?;
    let is_kept_out = link.is_some_and(|link| !link.auto_sync);
    let shown = closures::shown(tx, account, *room_type, stays, observed_at).await?;
    if shown.is_empty() || is_kept_out {
        return Ok(Vec::new());
    }
    let before = closures::of_room_type(tx, account, source, *room_type, stays).await?;
    let mut before: HashMap<Date, ClosedNight> = before.into_iter().map(|closed| (closed.night, closed)).collect();
    let mut known: HashMap<Date, Vec<Known>> = HashMap::new();
    for night in nights::known(tx, account, source, *room_type, stays).await? {
        known.entry(night.place.night).or_default().push(night);
    }
    let taken = closures::taken_there(tx, account, source, *unit, stays).await?;
    let ledger = ledger::nights(tx, account, *unit, stays, now).await?;
    let ledger: HashMap<Date, ledger::Night> = ledger.into_iter().map(|night| (night.night.0, night)).collect();
    let quantity = crate::store::core::units::quantity(tx, account, *unit).await?.unwrap_or(1);
    let record = room_types::find(tx, account, source, id).await?;
    let rooms = record.and_then(|stored| stored.record.quantity);
    // Whose bookings leave what, where several room types are sold of one unit, cannot be told.
    let is_alone = closures::room_types_of_unit(tx, account, source, *unit).await? <= 1;
    let count = |units: i64| u32::try_from(units).unwrap_or(0);
    let mut moved = Vec::new();
    for (night, (shown, since)) in shown {
        let seen_at = if *is_anew { since } else { observed_at };
        let told = known.remove(&night).unwrap_or_default();
        if told.iter().any(|known| known.sent_at.is_some_and(|at| at >= seen_at)) {
            continue; // It was told something since.
        }
        let (standing, elsewhere) = match before.remove(&night) {
            Some(standing) if standing.unit == *unit => (Some(standing), None),
            other => (None, other),
        };
        moved.extend(elsewhere.map(|night| Moved { night, now: None }));
        let mine = standing.as_ref().map(|standing| standing.closure);
        let in_ledger = ledger.get(&night);
        let capacity = in_ledger.map_or(quantity, |night| night.capacity);
        let free = in_ledger.map_or(quantity, |night| night.capacity - night.sold - night.held - night.blocked);
        let own_closure = mine.filter(|closure| !closure.waived).map_or(0, |closure| i64::from(closure.units));
        let here = NightHere {
            rooms: rooms.unwrap_or_else(|| count(capacity)),
            own: if is_alone { taken.get(&night).copied().unwrap_or(0) } else { 0 },
            free: count(free + own_closure),
        };
        let shown = if is_alone { shown } else { gassync_domain::NightShown { units: None, ..shown } };
        let closure = closed_by_hand(shown, told_of(&told), mine, here, counts);
        if closure != mine {
            let open = Closure { by_word: false, units: 0, waived: false };
            let night = standing.unwrap_or(ClosedNight {
                room_type: *room_type,
                unit: *unit,
                night,
                closure: open,
                core: None,
            });
            moved.push(Moved { night, now: closure });
        }
    }
    moved.sort_unstable_by_key(|moved| moved.night.night);
    Ok(moved)
}

/// What the channel has of a night from us, under all its rate plans.
fn told_of(known: &[Known]) -> NightTold {
    let sellable = |text: &Option<String>| -> Option<u32> {
        serde_json::from_str::<ChannelNight>(text.as_deref()?).ok().map(|night| night.sellable())
    };
    let mut open: Option<u32> = None;
    let (mut is_clear, mut is_closed) = (true, true);
    for known in known {
        let (confirmed, sent) = (sellable(&known.confirmed), sellable(&known.sent));
        // Until it is known to be there, what was sent last may be, or what was there before it.
        let sent = sent.filter(|_| known.state != SyncStatus::Confirmed);
        let (one, other) = match (confirmed.or(sent), sent.or(confirmed)) {
            (Some(one), Some(other)) => (one, other),
            _ if known.closed_by_us => (0, 0),
            _ => continue,
        };
        // What it has may be no more than what it shows: a word is ours where one was sent.
        is_closed &= known.closed_by_us;
        is_clear &= one == other;
        open = open.max(Some(one.max(other)));
    }
    match open {
        None => NightTold::Never,
        Some(_) if is_closed => NightTold::Closed,
        Some(units) if is_clear => NightTold::Open(units),
        Some(_) => NightTold::OpenUnclear,
    }
}

/// Writes what is closed otherwise: core, buffer and audit trail; what the source itself is to have is reckoned anew, and a
/// calendar that shows something newly closed is looked at once more.
async fn move_all(tx: &mut Tx, incoming: &Incoming, moved: Vec<Moved>) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    let Incoming { account, source, now, observed_at, .. } = *incoming;
    let closes = |moved: &Moved| moved.now.filter(|closure| !closure.waived).map_or(0, |closure| closure.units);
    let asked: Vec<ClosureAsked> = moved
        .iter()
        .map(|moved| ClosureAsked {
            known: moved.night.core,
            unit: moved.night.unit,
            night: moved.night.night,
            units: closes(moved),
        })
        .collect();
    let cores = core::close(tx, account, &asked, now).await?;
    let (mut standing, mut gone) = (Vec::new(), Vec::new());
    for (moved, core) in moved.iter().zip(cores) {
        match moved.now {
            Some(closure) => standing.push(ClosedNight { closure, core, ..moved.night.clone() }),
            None => gone.push(moved.night.clone()),
        }
    }
    closures::forget(tx, account, source, &gone).await?;
    closures::put(tx, account, source, &standing, (observed_at, now)).await?;
    let mut by_room: BTreeMap<i64, Vec<&Moved>> = BTreeMap::new();
    moved.iter().for_each(|moved| by_room.entry(moved.night.room_type).or_default().push(moved));
    let places: Vec<(i64, Date)> = moved.iter().map(|moved| (moved.night.room_type, moved.night.night)).collect();
    nights::unsure(tx, account, source, &places).await?;
    touch_own(tx, (account, source), &by_room, now).await?;
    log(tx, incoming, &by_room).await?;
    let is_newly = |moved: &Moved| moved.now.is_some_and(|now| !now.waived && now.units > moved.night.closure.units);
    if incoming.has_channel && moved.iter().any(is_newly) {
        let again = Kind::Refetch.put(
            (account, source),
            json!({ "entity": gassync_domain::Entity::Calendar }),
            (now + LOOK_AGAIN_AFTER, now),
        );
        queue::put(tx, &[again], now).await?;
    }
    Ok(())
}

/// What the source's own channel is to have is reckoned before it is told anything more.
async fn touch_own(
    tx: &mut Tx,
    (account, source): (gassync_domain::AccountId, SourceId),
    by_room: &BTreeMap<i64, Vec<&Moved>>,
    now: Timestamp,
) -> Result<()> {
    if !invalidations::hears(tx, account, source).await? {
        return Ok(());
    }
    let mut invalidated = Vec::new();
    for (room_type, moved) in by_room {
        for stay in stays(moved.iter().map(|moved| moved.night.night).collect()) {
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
    invalidations::put(tx, &invalidated).await?;
    queue::put(tx, &[schedule::push_of_calendar((account, source), (now, now))], now).await
}

/// The audit trail's lines: one for nights that follow each other and are moved alike.
async fn log(tx: &mut Tx, incoming: &Incoming, by_room: &BTreeMap<i64, Vec<&Moved>>) -> Result<()> {
    let Incoming { account, source, now, .. } = *incoming;
    for (room_type, moved) in by_room {
        let Some(id) = availability::external_id(tx, account, *room_type).await? else { continue };
        let mut runs: BTreeMap<(bool, bool, u32), Vec<Date>> = BTreeMap::new();
        for moved in moved {
            let closure = moved.now.unwrap_or(Closure { by_word: false, units: 0, waived: false });
            let how = (moved.now.is_some(), closure.by_word, if closure.by_word { 0 } else { closure.units });
            runs.entry(how).or_default().push(moved.night.night);
        }
        for ((is_closed, by_word, units), dates) in runs {
            let (first, last, count) = (dates.iter().min(), dates.iter().max(), dates.len());
            let (Some(first), Some(last)) = (first, last) else { continue };
            let nights =
                if first == last { first.to_string() } else { format!("{count} nights from {first} to {last}") };
            let message = match (is_closed, by_word) {
                (true, true) => format!("{nights}: closed by hand at the channel, so closed everywhere"),
                (true, false) => format!("{nights}: {units} taken out of sale by hand at the channel, so everywhere"),
                (false, _) => format!("{nights}: closed by hand no more"),
            };
            let line = sync_log::Entry {
                source,
                entity_type: "availability",
                entity_id: &id,
                action: if is_closed { "close" } else { "open" },
                status: "success",
                message: Some(message),
            };
            sync_log::inbound(tx, account, &[line], now).await?;
        }
    }
    Ok(())
}

/// The nights that a source's own bookings are about to take are theirs, whatever the same source has closed of them: it is the
/// one that closed them that sells them. `wanted` are the rooms, `has` what they have of it already. Tells what made way.
pub(super) async fn make_way(
    tx: &mut Tx,
    incoming: &Incoming,
    wanted: &[Span],
    has: &[Span],
) -> Result<Vec<ClosedNight>> {
    let Incoming { account, source, now, .. } = *incoming;
    let closed = closures::on_spans(tx, account, source, wanted).await?;
    let mut moved = Vec::new();
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
            moved.push(Moved { now: Some(closure).filter(|closure| closure.by_word || closure.units > 0), night });
        }
    }
    let made_way = moved.iter().map(|moved| moved.night.clone()).collect();
    move_all(tx, incoming, moved).await?;
    Ok(made_way)
}

/// What made way for bookings is closed again where a word closes it, which stands: should they end, it is not sold. Fewer that are
/// for sale were the bookings themselves.
pub(super) async fn close_again(tx: &mut Tx, incoming: &Incoming, made_way: Vec<ClosedNight>) -> Result<()> {
    let by_word = made_way.into_iter().filter(|night| night.closure.by_word);
    let mut moved = Vec::new();
    for before in by_word {
        let stays = stays(vec![before.night]);
        let now = closures::of_room_type(tx, incoming.account, incoming.source, before.room_type, &stays).await?;
        moved.extend(now.into_iter().map(|night| Moved { night, now: Some(before.closure) }));
    }
    move_all(tx, incoming, moved).await
}

/// The nights of bookings and of holds that are there.
pub(super) async fn spans_of(
    tx: &mut Tx,
    incoming: &Incoming,
    (booked, held): (&[CoreId], &[CoreId]),
) -> Result<Vec<Span>> {
    let rooms = bookings::rooms(tx, incoming.account, booked).await?;
    let kept = holds::rooms(tx, incoming.account, held).await?;
    let of_holds = kept.into_values().flatten().map(|(_, span)| span);
    Ok(rooms.values().flatten().filter_map(bookings::RoomRow::span).chain(of_holds).collect())
}

/// Opens all that a source has closed by hand: it goes, or is heard no more, and could open nothing.
pub async fn open_all(tx: &mut Tx, incoming: &Incoming) -> Result<()> {
    let Incoming { account, source, .. } = *incoming;
    tx.lock_ledger(account, true).await?;
    let closed = closures::of_source(tx, account, source, invalidations::FIRST).await?;
    move_all(tx, incoming, closed.into_iter().map(|night| Moved { night, now: None }).collect()).await
}

/// A person says that what is closed by hand at a channel is to be sold all the same: it closes nothing until the channel has
/// shown it open.
pub async fn waive(tx: &mut Tx, incoming: &Incoming, from: Date) -> Result<usize> {
    let Incoming { account, source, .. } = *incoming;
    tx.lock_ledger(account, true).await?;
    let closed = closures::of_source(tx, account, source, from).await?;
    let moved: Vec<Moved> = closed
        .into_iter()
        .filter(|night| !night.closure.waived)
        .map(|night| Moved { now: Some(Closure { waived: true, ..night.closure }), night })
        .collect();
    let count = moved.len();
    move_all(tx, incoming, moved).await?;
    Ok(count)
}

/// Nights in runs that follow each other, each night once.
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
    use super::*;
    use crate::store::outbound::nights::Place;

    fn known(sent: Option<&str>, confirmed: Option<&str>, closed_by_us: bool) -> Known {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Known {
            place: Place { room_type: 1, rate_plan_id: String::new(), night: Date::constant(2027, 6, 1) },
            wanted: String::new(),
            sent: text(sent),
            confirmed: text(confirmed),
            state: if sent == confirmed { SyncStatus::Confirmed } else { SyncStatus::Pending },
            in_doubt: false,
            mismatch_count: 0,
            changed_at: Timestamp::UNIX_EPOCH,
            sent_at: None,
            closed_by_us,
        }
    }

    #[test]
    fn what_it_has_from_us() {
        let (open, closed) = (Some(r#"{"units":3}"#), Some(r#"{"units":3,"closed":true}"#));
        assert_eq!(told_of(&[]), NightTold::Never);
        assert_eq!(told_of(&[known(None, None, false)]), NightTold::Never);
        assert_eq!(told_of(&[known(open, open, false)]), NightTold::Open(3));
        assert_eq!(told_of(&[known(closed, closed, true)]), NightTold::Closed);
        assert_eq!(told_of(&[known(None, closed, false)]), NightTold::Open(0), "it is shown so, and no word of ours");
        assert_eq!(told_of(&[known(None, None, true)]), NightTold::Closed, "whatever it was moved to since");
        assert_eq!(told_of(&[known(open, closed, true)]), NightTold::Closed, "the opening may not have come");
        assert_eq!(told_of(&[known(closed, open, true)]), NightTold::Closed, "the closing may have come");
        assert_eq!(told_of(&[known(Some(r#"{"units":1}"#), open, false)]), NightTold::OpenUnclear);
        let plans = [known(closed, closed, true), known(open, open, false)];
        assert_eq!(told_of(&plans), NightTold::Open(3), "one of its rate plans is sold");
    }

    #[test]
    fn nights_that_follow_each_other_are_one_stay() {
        let date = |day: i8| Date::constant(2027, 6, day);
        let runs = stays(vec![date(3), date(1), date(2), date(2), date(9)]);
        let runs: Vec<(Date, Date)> = runs.iter().map(|stay| (stay.check_in(), stay.check_out())).collect();
        assert_eq!(runs, [(date(1), date(4)), (date(9), date(10))]);
    }
}
