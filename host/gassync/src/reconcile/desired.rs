//! Computes the desired channel calendar from the ledger and prices of the core.

use std::collections::{HashMap, HashSet};

use gassync_domain::{
    Amount, CalendarNight, CalendarParts, ChannelNight, Date, PushSettings, Stay, SyncEvent, SyncState, SyncStatus,
    Timestamp, UnitCount, today_at,
};
use gassync_runtime::Manifest;
use jiff::{SignedDuration, Span};

use super::house_currency::is_foreign;
use crate::store::{
    Result, Tx,
    calendar::{self, ListedNight},
    closures::{self, ClosedNight},
    outbound::{
        invalidations::{self, Invalidation},
        nights::{self, NightKey, NightState},
        observed_nights,
        targets::{PushTarget, PushTargets},
    },
    sources::Source,
    sync_log::{self, LogAction, LogStatus},
};

/// Progress of a computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing invalidated is left.
    Complete,
    /// More invalidated nights are left for another transaction.
    Partial,
}

/// Maximum age of an observed night that was never pushed.
const OBSERVATION_MAX_AGE: SignedDuration = SignedDuration::from_hours(1);

/// Computes the invalidated nights of one room type. One per transaction, because the relay waits for it when it
/// invalidates the same nights.
pub async fn compute_invalidated(
    tx: &mut Tx,
    source: &Source,
    (pushing, manifest, targets): (&PushSettings, &Manifest, &mut PushTargets),
    now: Timestamp,
) -> Result<Progress> {
    let invalidated = merge_adjacent(invalidations::take(tx, source.key()).await?);
    let Some(room_type) = invalidated.first().map(|invalidation| invalidation.int_room_type_id) else {
        return Ok(Progress::Complete);
    };
    let is_pushed = any_part(pushed_parts(pushing));
    if is_pushed {
        targets.load(tx, [room_type]).await?;
    }
    let targets = if is_pushed { targets.get(room_type) } else { &[] };
    // A removed link invalidates all nights.
    if invalidated.iter().any(|invalidation| invalidation.last_night.0 == invalidations::LAST) {
        let plans: Vec<&str> = targets.iter().map(|target| target.rate_plan_id.as_str()).collect();
        nights::retire_all_but(tx, source.key(), room_type, &plans).await?;
    }
    let mut changed = Vec::new();
    for target in targets {
        let (first, mut until) = horizon(target, pushing, now);
        if invalidated.iter().any(|invalidation| invalidation.last_night.0 >= until) {
            // Nights pushed once stay pushed until they are over, even if the horizon shrinks.
            let key = (target.room_type, target.rate_plan_id.as_str());
            let known = nights::last_night(tx, source.key(), key).await?;
            until = until.max(known.and_then(|night| night.tomorrow().ok()).unwrap_or(until));
        }
        let stays: Vec<(Stay, &Invalidation)> = invalidated
            .iter()
            .filter_map(|invalidation| {
                let past = invalidation.last_night.0.tomorrow().unwrap_or(invalidation.last_night.0);
                Some((Stay::spanning(invalidation.first_night.0.max(first), past.min(until))?, invalidation))
            })
            .collect();
        DesiredCalendar { source, pushing, manifest, target }.compute(tx, &stays, now, &mut changed).await?;
    }
    nights::upsert(tx, source.key(), &changed, now).await?;
    let is_more = invalidations::any_pending(tx, source.key()).await?;
    Ok(if is_more { Progress::Partial } else { Progress::Complete })
}

/// From today in the property's time zone to the source's horizon.
pub fn horizon(target: &PushTarget, pushing: &PushSettings, now: Timestamp) -> (Date, Date) {
    let today = today_at(now, target.time_zone.as_deref());
    (today, today.saturating_add(Span::new().days(i64::from(pushing.horizon_days))))
}

/// Calendar parts that are pushed to a source's channel.
pub fn pushed_parts(pushing: &PushSettings) -> CalendarParts {
    let PushSettings { enabled, availability, prices, .. } = *pushing;
    CalendarParts { availability: enabled && availability, price: enabled && prices, rules: enabled && prices }
}

/// Parts pushed for a night closed at the channel by hand: neither availability nor rules, since some channels use one
/// flag for both.
pub fn without_sale_and_rules(parts: CalendarParts) -> CalendarParts {
    CalendarParts { availability: false, rules: false, ..parts }
}

/// Parts in both sets.
pub fn intersect(one: CalendarParts, other: CalendarParts) -> CalendarParts {
    CalendarParts {
        availability: one.availability && other.availability,
        price: one.price && other.price,
        rules: one.rules && other.rules,
    }
}

/// True if `after` has a part that `before` lacks.
pub fn widens(before: CalendarParts, after: CalendarParts) -> bool {
    (after.availability && !before.availability) || (after.price && !before.price) || (after.rules && !before.rules)
}

/// True if any part is set.
pub fn any_part(parts: CalendarParts) -> bool {
    parts.availability || parts.price || parts.rules
}

/// The observed night in a form comparable to the desired one: a channel that decrements its own availability is
/// compared by open or closed only.
pub fn normalised(shown: &CalendarNight, manifest: &Manifest) -> CalendarNight {
    if !manifest.decrements_own_availability || (shown.available.is_none() && shown.units_available.is_none()) {
        return shown.clone();
    }
    let available = shown.available.unwrap_or(true) && shown.units_available.is_none_or(|units| units > 0);
    CalendarNight { available: Some(available), units_available: None, ..shown.clone() }
}

/// Parses a stored night.
pub fn parse(text: &str) -> Option<ChannelNight> {
    serde_json::from_str(text).ok()
}

fn to_text(night: &ChannelNight) -> String {
    // Serialising cannot fail; if it did, the empty text would only cause one more push.
    serde_json::to_string(night).unwrap_or_default()
}

/// A desired night next to what the channel shows.
pub struct ComparedNight {
    /// The night.
    pub key: NightKey,
    /// The channel's id of its room type.
    pub room_type_id: String,
    /// Desired values.
    pub wanted: ChannelNight,
    /// Values at the channel; `None` if it does not show whether the night is for sale.
    pub has: Option<ChannelNight>,
    /// Changed parts.
    pub parts: CalendarParts,
}

impl ComparedNight {
    /// The push would open the night, or raise its unit count.
    pub fn opens(&self) -> bool {
        let had = self.has.as_ref().map_or(0, ChannelNight::sellable);
        self.parts.availability && self.wanted.sellable() > had
    }

    /// The push would close the night, or lower its unit count.
    pub fn closes(&self) -> bool {
        self.parts.availability && !self.opens()
    }

    /// The night state to store, so that only changes are pushed.
    pub fn known(&self, now: Timestamp) -> NightState {
        let is_there = !any_part(self.parts);
        never_sent(self.key.clone(), &self.wanted, (self.has.clone(), is_there), now)
    }
}

/// Compares all nights of a target within the horizon to what its channel shows. `opens_closed` ignores nights that the
/// source closed by hand.
pub async fn compare_with_channel(
    tx: &mut Tx,
    source: &Source,
    (pushing, manifest, target): (&PushSettings, &Manifest, &PushTarget),
    opens_closed: bool,
    now: Timestamp,
) -> Result<Vec<ComparedNight>> {
    let desired = DesiredCalendar { source, pushing, manifest, target };
    let (first, until) = horizon(target, pushing, now);
    let Some(stay) = Stay::spanning(first, until) else { return Ok(Vec::new()) };
    let listed = calendar::nights(tx, source.account, target.unit(), target.plan(), &[stay], now).await?;
    let mut shown = desired.shown(tx, &[stay], Timestamp::UNIX_EPOCH).await?;
    let closed = closures::of_room_type(tx, source.key(), target.room_type, &[stay]).await?;
    let mut closed: HashMap<Date, ClosedNight> = closed.into_iter().map(|closed| (closed.night, closed)).collect();
    let surveyed = listed.into_iter().map(|mut listed| {
        let closed = closed.remove(&listed.night).filter(|closed| !closed.closure.waived);
        if let Some(closed) = closed.as_ref().filter(|_| opens_closed) {
            listed.blocked -= i64::from(closed.closure.units);
        }
        let is_closed = !opens_closed && closed.is_some_and(|closed| closed.is_by_hand());
        let key =
            NightKey { room_type: target.room_type, rate_plan_id: target.rate_plan_id.clone(), night: listed.night };
        let shown = shown.remove(&listed.night);
        let wanted = desired.wanted(listed);
        let has = shown.and_then(|shown| desired.current(&shown, &wanted));
        let parts = intersect(wanted.diff(has.as_ref()), desired.parts(is_closed));
        ComparedNight { key, room_type_id: target.room_type_id.clone(), wanted, has, parts }
    });
    Ok(surveyed.collect())
}

/// Sorts the invalidations of a room type and merges adjacent or overlapping ones.
fn merge_adjacent(mut invalidations: Vec<Invalidation>) -> Vec<Invalidation> {
    invalidations.sort_unstable_by_key(|invalidation| (invalidation.first_night.0, invalidation.last_night.0));
    let mut joined: Vec<Invalidation> = Vec::with_capacity(invalidations.len());
    for invalidation in invalidations {
        let meets = |last: &&mut Invalidation| {
            invalidation.first_night.0 <= last.last_night.0.tomorrow().unwrap_or(last.last_night.0)
        };
        match joined.last_mut().filter(meets) {
            Some(last) => {
                last.last_night = last.last_night.max(invalidation.last_night);
                last.only_own_bookings &= invalidation.only_own_bookings;
                last.force |= invalidation.force;
                last.invalidated_at = last.invalidated_at.min(invalidation.invalidated_at);
            }
            None => joined.push(invalidation),
        }
    }
    joined
}

/// The price is not in the house's currency.
struct Foreign;

struct DesiredCalendar<'a> {
    source: &'a Source,
    pushing: &'a PushSettings,
    manifest: &'a Manifest,
    target: &'a PushTarget,
}

impl DesiredCalendar<'_> {
    /// Computes nights, each with the invalidation next to its stay.
    async fn compute(
        &self,
        tx: &mut Tx,
        invalidated: &[(Stay, &Invalidation)],
        now: Timestamp,
        into: &mut Vec<NightState>,
    ) -> Result<()> {
        let Self { source, target, .. } = self;
        let stays: Vec<Stay> = invalidated.iter().map(|(stay, _)| *stay).collect();
        let listed = calendar::nights(tx, source.account, target.unit(), target.plan(), &stays, now).await?;
        self.log_foreign_prices(tx, &listed, now).await?;
        let known = nights::find(tx, source.key(), target.room_type, &stays).await?;
        let of_plan = known.into_iter().filter(|known| known.key.rate_plan_id == target.rate_plan_id);
        let mut known: HashMap<Date, NightState> = of_plan.map(|known| (known.key.night, known)).collect();
        let shown = if known.len() < listed.len() || known.values().any(is_changed_at_channel) {
            self.shown(tx, &stays, now - OBSERVATION_MAX_AGE).await?
        } else {
            HashMap::new()
        };
        let closed = closures::of_room_type(tx, source.key(), target.room_type, &stays).await?;
        let closed: HashSet<Date> = closed.iter().filter(|closed| closed.is_by_hand()).map(|c| c.night).collect();
        let invalidations = invalidated.iter().flat_map(|(stay, invalidation)| stay.each().map(move |_| *invalidation));
        for (listed, invalidation) in listed.into_iter().zip(invalidations) {
            let night = listed.night;
            let wanted = self.wanted(listed);
            let is_closed = closed.contains(&night);
            let shown = shown.get(&night);
            into.extend(match known.remove(&night) {
                Some(known) => self.computed_before(invalidation, known, wanted, (shown, is_closed)),
                None => Some(self.computed_first(invalidation, (night, shown), &wanted, is_closed)),
            });
        }
        Ok(())
    }

    async fn log_foreign_prices(&self, tx: &mut Tx, listed: &[ListedNight], now: Timestamp) -> Result<()> {
        let foreign = listed.iter().filter(|listed| self.price(listed).is_err()).count();
        if foreign == 0 {
            return Ok(());
        }
        let message = format!("prices of {foreign} nights were left out: not in the property's currency");
        let line = sync_log::NewSyncLogLine {
            source: self.source.id,
            entity_type: "calendar",
            entity_id: &self.target.room_type_id,
            action: LogAction::Push,
            status: LogStatus::Pending,
            message: Some(message),
        };
        sync_log::outbound(tx, self.source.account, &[line], now).await
    }

    /// What the channel has shown since then.
    async fn shown(&self, tx: &mut Tx, stays: &[Stay], since: Timestamp) -> Result<HashMap<Date, CalendarNight>> {
        let Self { source, target, .. } = self;
        let rows = observed_nights::find(tx, source.account, target.room_type, stays, since).await?;
        let of_plan = rows.into_iter().filter(|shown| shown.rate_plan_id == target.rate_plan_id);
        Ok(of_plan.map(|shown| (shown.night.date, shown.night)).collect())
    }

    fn wanted(&self, listed: ListedNight) -> ChannelNight {
        let free = listed.capacity - listed.sold - listed.held - listed.blocked;
        let units = free - i64::from(self.pushing.safety_stock);
        let (price, currency) = self.price(&listed).unwrap_or_default();
        ChannelNight {
            units: u32::try_from(units.max(0)).unwrap_or(u32::MAX),
            closed: listed.closed,
            price,
            currency,
            rules: listed.rules,
        }
    }

    /// The night's price at the channel. An error if its currency is not the house's there, since the channel would
    /// take the number as its own currency.
    fn price(&self, listed: &ListedNight) -> std::result::Result<(Option<Amount>, Option<String>), Foreign> {
        let Some(price) = listed.price else { return Ok((None, None)) };
        let (price, currency) = self.pushing.price(price.into(), listed.currency.clone());
        let house = self.pushing.currency.as_deref().or(self.target.currency.as_deref());
        if is_foreign(currency.as_deref(), house) { Err(Foreign) } else { Ok((Some(price), currency)) }
    }

    /// Parts pushed for a night.
    fn parts(&self, is_closed: bool) -> CalendarParts {
        let parts = pushed_parts(self.pushing);
        if is_closed { without_sale_and_rules(parts) } else { parts }
    }

    /// True if the channel already shows the desired values, so that nothing needs to be pushed.
    fn is_shown(&self, shown: &CalendarNight, wanted: &ChannelNight, is_closed: bool) -> bool {
        let says_sale = shown.available.is_some() || shown.units_available.is_some();
        let says_price = shown.price.is_some() || wanted.price.is_none() || !self.pushing.prices;
        says_sale && says_price && wanted.matches(&normalised(shown, self.manifest), self.parts(is_closed))
    }

    /// State of a night that was never pushed; confirmed if the channel already shows the desired values.
    fn computed_first(
        &self,
        invalidation: &Invalidation,
        (night, shown): (Date, Option<&CalendarNight>),
        wanted: &ChannelNight,
        is_closed: bool,
    ) -> NightState {
        let key = NightKey { room_type: self.target.room_type, rate_plan_id: self.target.rate_plan_id.clone(), night };
        let shown = shown.filter(|_| !invalidation.force);
        let is_there = shown.is_some_and(|shown| self.is_shown(shown, wanted, is_closed));
        let has = shown.and_then(|shown| self.current(shown, wanted));
        never_sent(key, wanted, (has, is_there), invalidation.invalidated_at.into())
    }

    /// Values at the channel according to what it shows.
    fn current(&self, shown: &CalendarNight, wanted: &ChannelNight) -> Option<ChannelNight> {
        wanted.observed(shown, self.manifest.unit_count() == UnitCount::AsSent)
    }

    /// New state of a night computed before; `None` if it is unchanged.
    fn computed_before(
        &self,
        invalidation: &Invalidation,
        known: NightState,
        wanted: ChannelNight,
        (shown, is_closed): (Option<&CalendarNight>, bool),
    ) -> Option<NightState> {
        // A channel that decrements its own availability may have done so before or after our push, and a house may map
        // to several units, so its count is unknown: always resend.
        let has_moved = invalidation.only_own_bookings && self.manifest.decrements_own_availability && !is_closed;
        let is_whole = invalidation.force || has_moved;
        let has = known.confirmed.as_deref().and_then(parse);
        // The last value sent may have arrived, whatever was confirmed before.
        let is_sure = !known.state.in_doubt && (known.sent.is_none() || known.sent == known.confirmed);
        let sent = known.sent.as_deref().filter(|_| !is_sure).and_then(parse);
        // A cleared rule is sent until the channel confirms it.
        let wanted = wanted.with_cleared_rules(has.as_ref()).with_cleared_rules(sent.as_ref());
        let text = to_text(&wanted);
        let is_moved = is_changed_at_channel(&known);
        // For a night changed at the channel by hand, what it shows is what it has.
        let has = has.or_else(|| shown.filter(|_| is_moved).and_then(|shown| self.current(shown, &wanted)));
        if !is_whole && text == known.wanted && !is_moved {
            return None;
        }
        let is_new = any_part(intersect(wanted.diff(has.as_ref()), self.parts(is_closed)));
        let is_said = has.is_some() && is_sure && !is_new && known.state.status != SyncStatus::Unconfirmed;
        let is_shown = is_moved && shown.is_some_and(|shown| self.is_shown(shown, &wanted, is_closed));
        let is_there = !is_whole && (is_said || is_shown);
        Some(NightState {
            confirmed: match (is_whole, is_there) {
                (true, _) => None,
                (_, true) => Some(text.clone()),
                _ => known.confirmed.clone().or(has.as_ref().map(to_text)),
            },
            wanted: text,
            state: known.state.after(computed(is_there)),
            // Keep the time of the oldest unconfirmed change.
            changed_at: if known.state.status == SyncStatus::Confirmed {
                invalidation.invalidated_at.into()
            } else {
                known.changed_at
            },
            ..known
        })
    }
}

fn computed(is_there: bool) -> SyncEvent {
    if is_there { SyncEvent::Known } else { SyncEvent::Changed }
}

/// Initial state of a night that was never pushed.
fn never_sent(
    key: NightKey,
    wanted: &ChannelNight,
    (has, is_there): (Option<ChannelNight>, bool),
    changed_at: Timestamp,
) -> NightState {
    let text = to_text(wanted);
    NightState {
        key,
        confirmed: if is_there { Some(text.clone()) } else { has.as_ref().map(to_text) },
        wanted: text,
        sent: None,
        state: SyncState::NEW.after(computed(is_there)),
        changed_at,
        sent_at: None,
        closed_by_us: false,
    }
}

/// True if the night was changed at the channel by hand, so that what it shows is what it has.
pub(super) fn is_changed_at_channel(known: &NightState) -> bool {
    known.state.status == SyncStatus::Confirmed && known.confirmed.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Day;

    #[test]
    fn adjacent_invalidations_are_merged_and_others_are_not() {
        let invalidation =
            |first: &str, last: &str, (only_own_bookings, force): (bool, bool), second: i64| Invalidation {
                account_id: 1,
                source_id: 1,
                int_room_type_id: 1,
                first_night: Day(first.parse().expect("a date")),
                last_night: Day(last.parse().expect("a date")),
                only_own_bookings,
                force,
                invalidated_at: Timestamp::from_second(second).expect("a time").into(),
            };
        let invalidations = vec![
            invalidation("2027-03-10", "2027-03-11", (true, false), 9),
            invalidation("2027-12-24", "2027-12-26", (true, false), 2),
            invalidation("2027-03-12", "2027-03-14", (false, false), 5),
            invalidation("2027-03-11", "2027-03-11", (true, true), 7),
            invalidation("2027-03-16", "2027-03-16", (true, false), 8),
        ];
        let said = |invalidation: &Invalidation| {
            let nights = (invalidation.first_night.0.to_string(), invalidation.last_night.0.to_string());
            (
                nights,
                invalidation.only_own_bookings,
                invalidation.force,
                Timestamp::from(invalidation.invalidated_at).as_second(),
            )
        };
        let nights = |first: &str, last: &str| (first.to_owned(), last.to_owned());
        let apart: Vec<_> = merge_adjacent(invalidations).iter().map(said).collect();
        assert_eq!(
            apart,
            [
                (nights("2027-03-10", "2027-03-14"), false, true, 5),
                (nights("2027-03-16", "2027-03-16"), true, false, 8),
                (nights("2027-12-24", "2027-12-26"), true, false, 2),
            ]
        );
    }
}
