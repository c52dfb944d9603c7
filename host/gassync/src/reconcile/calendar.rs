//! Compares what a channel shows with what was pushed: matching nights are confirmed, others are pushed again.

use std::collections::{BTreeMap, HashMap};

use gassync_domain::{
    Calendar, CalendarNight, CalendarParts, ChannelNight, Date, Entity, PushSettings, Stay, SyncEvent, SyncStatus,
    Timestamp, UnitCount,
};
use gassync_runtime::{Manifest, Poll};
use jiff::SignedDuration;

use super::desired;
use crate::{
    schedule::{self, JobSpec, PushCalendar},
    store::{
        self, Tx,
        buffer::availability,
        outbound::{
            nights::{self, NightKey, NightState, ReadBackResult},
            push_settings,
        },
        queue,
        sources::Source,
        sync_log,
    },
};

/// How long manual changes of prices and rules stay visible before they are overwritten.
const DIFFERENCE_VISIBLE_FOR: SignedDuration = SignedDuration::from_secs(10);

/// How long a night that may have been sold waits for the channel's bookings to be imported.
const BOOKINGS_READ_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// Compares calendars requested at `observed_at` with what was pushed before, in the transaction that stores them.
pub async fn compare(
    tx: &mut Tx,
    source: &Source,
    manifest: &Manifest,
    calendars: &[Calendar],
    (observed_at, now): (Timestamp, Timestamp),
) -> store::Result<()> {
    if calendars.is_empty() {
        return Ok(());
    }
    let Some(pushing) = push_settings::get(tx, source.key()).await? else { return Ok(()) };
    let pushing = pushing.under(source.push_authority());
    let mut comparison = Comparison::default();
    for calendar in calendars {
        compare_calendar(tx, source, (manifest, &pushing), calendar, (observed_at, now), &mut comparison).await?;
    }
    if comparison.has_sold {
        let imports_bookings = |poll: &Poll| poll.entity == Entity::Reservation;
        schedule::poll_now(tx, source.key(), (manifest, imports_bookings), now).await?;
    }
    if comparison.again {
        let wait = if comparison.has_sold { BOOKINGS_READ_WITHIN } else { SignedDuration::ZERO };
        queue::enqueue(tx, &[PushCalendar {}.of(source.key()).after(wait)], now).await?;
    } else if comparison.differs {
        queue::enqueue(tx, &[PushCalendar {}.of(source.key()).after(DIFFERENCE_VISIBLE_FOR)], now).await?;
    }
    Ok(())
}

/// Result of comparing calendars.
#[derive(Default)]
struct Comparison {
    /// Availability must be pushed again.
    again: bool,
    /// Prices or rules were changed at the channel by hand; they stay visible before they are overwritten.
    differs: bool,
    /// The channel may have sold a night.
    has_sold: bool,
}

async fn compare_calendar(
    tx: &mut Tx,
    source: &Source,
    (manifest, pushing): (&Manifest, &PushSettings),
    calendar: &Calendar,
    (observed_at, now): (Timestamp, Timestamp),
    comparison: &mut Comparison,
) -> store::Result<()> {
    let dates = || calendar.nights.iter().map(|night| night.date);
    let (Some(first), Some(last)) = (dates().min(), dates().max()) else { return Ok(()) };
    let room_type = availability::room_type(tx, source.key(), &calendar.room_type_id).await?;
    let Some(room_type) = room_type else { return Ok(()) };
    let stay = Stay::spanning(first, last.tomorrow().unwrap_or(last));
    let known = nights::find(tx, source.key(), room_type, stay.as_slice()).await?;
    forget_gone_closings(tx, source, (manifest, observed_at), calendar, &known).await?;
    let plan = calendar.rate_plan_id.as_deref().unwrap_or_default();
    let is_pushed =
        |known: &NightState| known.state.status != SyncStatus::Rejected && !desired::is_changed_at_channel(known);
    let known: HashMap<Date, NightState> = known
        .into_iter()
        .filter(|known| known.key.rate_plan_id == plan && is_pushed(known))
        .map(|known| (known.key.night, known))
        .collect();
    let parts = desired::pushed_parts(pushing);
    let place = availability::place(tx, source.key(), (&calendar.room_type_id, None)).await?;
    if !desired::any_part(parts) || place.and_then(|place| place.unit()).is_none() {
        // Nothing is pushed here now. Forget our closings that are gone, so that a later one counts as the channel's.
        let is_open = |shown: &&CalendarNight| !is_less_open(shown) && shown.available.is_some();
        let opened = calendar.nights.iter().filter(is_open).map(|shown| (room_type, shown.date));
        let opened: Vec<(i64, Date)> = opened.filter(|(_, night)| known.contains_key(night)).collect();
        return nights::delete(tx, source.key(), &opened).await;
    }
    let compared = compare_nights((manifest, parts), calendar, &known, comparison);
    nights::record_read_back(tx, source.key(), &compared.read, (observed_at, now)).await?;
    log(tx, source, &calendar.room_type_id, compared.differences, now).await
}

/// Forgets our closings of nights that the channel has shown open since.
async fn forget_gone_closings(
    tx: &mut Tx,
    source: &Source,
    (manifest, observed_at): (&Manifest, Timestamp),
    calendar: &Calendar,
    known: &[NightState],
) -> store::Result<()> {
    let plan = calendar.rate_plan_id.as_deref().unwrap_or_default();
    let shows_open: HashMap<Date, bool> =
        calendar.nights.iter().map(|shown| (shown.date, shows_open(shown, manifest.unit_count()))).collect();
    let is_shown_open = |known: &&NightState| {
        known.closed_by_us
            && (plan.is_empty() || known.key.rate_plan_id == plan)
            && known.sent_at.is_none_or(|at| at < observed_at)
            && shows_open.get(&known.key.night) == Some(&true)
    };
    let opened: Vec<&NightKey> = known.iter().filter(is_shown_open).map(|known| &known.key).collect();
    nights::clear_closed_by_us(tx, source.key(), &opened).await
}

/// What a calendar says of its nights.
#[derive(Default)]
struct ComparedNights<'a> {
    read: Vec<ReadBackResult<'a>>,
    /// Of nights that a person changed at the channel.
    differences: Vec<(Date, String)>,
}

fn compare_nights<'a>(
    (manifest, parts): (&Manifest, CalendarParts),
    calendar: &Calendar,
    known: &'a HashMap<Date, NightState>,
    comparison: &mut Comparison,
) -> ComparedNights<'a> {
    let mut compared = ComparedNights::default();
    for shown in &calendar.nights {
        let Some(known) = known.get(&shown.date) else { continue };
        let Some(wanted) = desired::parse(&known.wanted) else { continue };
        let seen = desired::normalised(shown, manifest);
        if known.state.status == SyncStatus::Pending {
            let difference = overwritten(known, &wanted, &seen, parts);
            compared.differences.extend(difference.map(|difference| (shown.date, difference)));
            continue;
        }
        // The channel may have sold it: import its bookings before pushing anything.
        let may_be_sold = manifest.decrements_own_availability && is_less_open(shown);
        let finding = Finding::of(known, &wanted, &seen, (parts, may_be_sold));
        comparison.has_sold |= finding.has_sold;
        match finding.night {
            NightFinding::AsKnown => {}
            NightFinding::Shown => compared.read.push(ReadBackResult::shown(known)),
            NightFinding::ChangedByHand(difference) => {
                compared.differences.push((shown.date, difference.clone()));
                compared.read.push(ReadBackResult::not_shown(known, Some(difference)));
                comparison.differs = true;
            }
            NightFinding::GivenUp => compared.read.push(ReadBackResult::not_shown(known, None)),
            NightFinding::NotShown => {
                compared.read.push(ReadBackResult::not_shown(known, None));
                comparison.again = true;
            }
        }
    }
    compared
}

/// What a reading says of a night that was sent.
enum NightFinding {
    /// Nothing new, or nothing before the channel's bookings are imported.
    AsKnown,
    /// It shows what was sent.
    Shown,
    /// Its price or rules were changed at the channel; with the difference.
    ChangedByHand(String),
    /// It shows something else once too often.
    GivenUp,
    /// It shows something else.
    NotShown,
}

/// What a reading says of a night that was sent, and whether the channel may have sold it.
struct Finding {
    night: NightFinding,
    has_sold: bool,
}

impl Finding {
    fn of(
        known: &NightState,
        wanted: &ChannelNight,
        seen: &CalendarNight,
        (parts, may_be_sold): (CalendarParts, bool),
    ) -> Self {
        let is_confirmed = known.state.status == SyncStatus::Confirmed;
        if wanted.matches(seen, parts) {
            let night = if is_confirmed { NightFinding::AsKnown } else { NightFinding::Shown };
            return Self { night, has_sold: false };
        }
        let of_sale = CalendarParts { price: false, rules: false, ..parts };
        let night = if may_be_sold && is_confirmed {
            NightFinding::AsKnown
        } else if known.state.after(SyncEvent::NotShown).status == SyncStatus::Rejected {
            NightFinding::GivenUp
        } else if is_confirmed && wanted.matches(seen, of_sale) {
            NightFinding::ChangedByHand(wanted.describe_difference(seen, parts).unwrap_or_default())
        } else {
            NightFinding::NotShown
        };
        Self { night, has_sold: may_be_sold }
    }
}

/// What a person changed at the channel in a night whose push is pending, and the push will overwrite.
fn overwritten(
    known: &NightState,
    wanted: &ChannelNight,
    seen: &CalendarNight,
    parts: CalendarParts,
) -> Option<String> {
    let had = known.confirmed.as_deref().filter(|_| !known.state.in_doubt).and_then(desired::parse)?;
    had.describe_difference(seen, parts)?;
    wanted.describe_difference(seen, parts)
}

/// Audit trail lines, one per group of nights with the same difference.
async fn log(
    tx: &mut Tx,
    source: &Source,
    room_type_id: &str,
    differences: Vec<(Date, String)>,
    now: Timestamp,
) -> store::Result<()> {
    let mut alike: BTreeMap<String, Vec<Date>> = BTreeMap::new();
    for (night, difference) in differences {
        alike.entry(difference).or_default().push(night);
    }
    let line = |(difference, nights): (String, Vec<Date>)| {
        let (first, last) = (nights.iter().min()?, nights.iter().max()?);
        let which = match nights.len() {
            1 => first.to_string(),
            count => format!("{count} nights from {first} to {last}"),
        };
        Some(sync_log::NewSyncLogLine {
            source: source.id,
            entity_type: "availability",
            entity_id: room_type_id,
            action: sync_log::LogAction::Differ,
            status: sync_log::LogStatus::Pending,
            message: Some(format!("{which}: {difference}; it will be overwritten")),
        })
    };
    let lines: Vec<sync_log::NewSyncLogLine<'_>> = alike.into_iter().filter_map(line).collect();
    sync_log::outbound(tx, source.account, &lines, now).await
}

/// True if the night is shown open. A count of zero may be how the channel stores a closing, unless it computes counts
/// itself.
fn shows_open(shown: &CalendarNight, counts: UnitCount) -> bool {
    let has_left = shown.units_available.map(|units| units > 0);
    match shown.available {
        Some(available) => available && (counts == UnitCount::ComputedByChannel || has_left != Some(false)),
        None => has_left == Some(true),
    }
}

/// True if a channel that decrements its own availability has nothing for sale on a night.
fn is_less_open(shown: &CalendarNight) -> bool {
    shown.available == Some(false) || shown.units_available.is_some_and(|units| units <= 0)
}
