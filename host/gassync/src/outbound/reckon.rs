//! From the ledger and the prices of the core to what each night is to be at a channel.

use std::collections::HashMap;

use gassync_domain::{CalendarNight, CalendarParts, ChannelNight, Date, Pushing, Stay, Timestamp};
use gassync_runtime::Manifest;
use jiff::{SignedDuration, Span, tz::TimeZone};

use crate::store::{
    Result, Tx,
    calendar::{self, Listed},
    outbound::{
        nights::{self, Known, Place},
        targets::{self, Target},
        touches::{self, Touch},
    },
    sources::Source,
};

/// Room types reckoned in one transaction: the relay waits for it where it has news of the same.
const ROOM_TYPES_AT_ONCE: i64 = 1;

/// How far a reckoning came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reckoned {
    /// To the end.
    All,
    /// There is more to be reckoned, in another transaction.
    Part,
}

/// How long what a channel has shown is believed, where nothing was ever sent of a night.
const SHOWN_IS_GOOD_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Reckons some of what was touched.
pub async fn touched(
    tx: &mut Tx,
    source: &Source,
    (pushing, manifest): (&Pushing, &Manifest),
    now: Timestamp,
) -> Result<Reckoned> {
    let taken = touches::take(tx, source.account, source.id, ROOM_TYPES_AT_ONCE).await?;
    if taken.is_empty() {
        return Ok(Reckoned::All);
    }
    let rows: Vec<i64> = taken.iter().map(|touch| touch.int_room_type_id).collect();
    let is_told = any(parts_of(pushing)) && !source.authority.calendar_is_theirs();
    let targets =
        if is_told { targets::of_room_types(tx, source.account, source.id, &rows).await? } else { Vec::new() };
    for touch in &taken {
        let of_it = || targets.iter().filter(|target| target.room_type == touch.int_room_type_id);
        let plans: Vec<&str> = of_it().map(|target| target.rate_plan_id.as_str()).collect();
        // A link that is gone touches all nights.
        if touch.last_night.0 == touches::LAST {
            nights::forget_all_but(tx, source.account, source.id, touch.int_room_type_id, &plans).await?;
        }
        let mut changed = Vec::new();
        for target in of_it() {
            let (first, until) = horizon(target, pushing, now);
            // What was told of once is told of until it is over, however far the source looks now.
            let place = (target.room_type, target.rate_plan_id.as_str());
            let known = nights::last_known(tx, source.account, source.id, place).await?;
            let until = until.max(known.and_then(|night| night.tomorrow().ok()).unwrap_or(until));
            let last = touch.last_night.0.tomorrow().unwrap_or(touch.last_night.0);
            let Some(stay) = Stay::spanning(touch.first_night.0.max(first), last.min(until)) else { continue };
            let reckoning = Reckoning { source, pushing, manifest, touch, target };
            reckoning.reckon(tx, stay, now, &mut changed).await?;
        }
        nights::put(tx, source.account, source.id, &changed, now).await?;
    }
    let is_more = touches::wait(tx, source.account, source.id).await?;
    Ok(if is_more { Reckoned::Part } else { Reckoned::All })
}

/// From today, as it is at the property, as far as the source wants.
pub fn horizon(target: &Target, pushing: &Pushing, now: Timestamp) -> (Date, Date) {
    let zone = target.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    let today = now.to_zoned(zone).date();
    (today, today.saturating_add(Span::new().days(i64::from(pushing.horizon_days))))
}

/// What a source's channel may be told of.
pub fn parts_of(pushing: &Pushing) -> CalendarParts {
    let Pushing { enabled, availability, prices, .. } = *pushing;
    CalendarParts { availability: enabled && availability, price: enabled && prices, rules: enabled && prices }
}

/// Those that both name.
pub fn both(one: CalendarParts, other: CalendarParts) -> CalendarParts {
    CalendarParts {
        availability: one.availability && other.availability,
        price: one.price && other.price,
        rules: one.rules && other.rules,
    }
}

/// Whether a part is named that was not before.
pub fn widens(before: CalendarParts, after: CalendarParts) -> bool {
    (after.availability && !before.availability) || (after.price && !before.price) || (after.rules && !before.rules)
}

/// Whether any is named.
pub fn any(parts: CalendarParts) -> bool {
    parts.availability || parts.price || parts.rules
}

/// What a channel shows, as far as it can be held against what is wanted there: one that counts its own bookings counts
/// the free units by itself.
pub fn as_seen(shown: &CalendarNight, manifest: &Manifest) -> CalendarNight {
    if !manifest.counts_own_bookings || (shown.available.is_none() && shown.units_available.is_none()) {
        return shown.clone();
    }
    let available = shown.available.unwrap_or(true) && shown.units_available.is_none_or(|units| units > 0);
    CalendarNight { available: Some(available), units_available: None, ..shown.clone() }
}

/// What is kept of a night that is wanted.
pub fn read(text: &str) -> Option<ChannelNight> {
    serde_json::from_str(text).ok()
}

fn text_of(night: &ChannelNight) -> String {
    // It always has a JSON form; were it not to, a text that is equal to no other would only be sent once more.
    serde_json::to_string(night).unwrap_or_default()
}

struct Reckoning<'a> {
    source: &'a Source,
    pushing: &'a Pushing,
    manifest: &'a Manifest,
    touch: &'a Touch,
    target: &'a Target,
}

impl Reckoning<'_> {
    async fn reckon(&self, tx: &mut Tx, stay: Stay, now: Timestamp, into: &mut Vec<Known>) -> Result<()> {
        let Self { source, target, .. } = self;
        let listed = calendar::nights(tx, source.account, target.unit(), target.plan(), stay, now).await?;
        let span = (stay.check_in(), stay.check_out());
        let known = nights::known(tx, source.account, source.id, target.room_type, span).await?;
        let of_plan = known.into_iter().filter(|known| known.place.rate_plan_id == target.rate_plan_id);
        let mut known: HashMap<Date, Known> = of_plan.map(|known| (known.place.night, known)).collect();
        let mut shown: HashMap<Date, CalendarNight> = HashMap::new();
        if known.len() < listed.len() {
            let since = now - SHOWN_IS_GOOD_FOR;
            let rows = nights::shown(tx, source.account, target.room_type, span, since).await?;
            let of_plan = rows.into_iter().filter(|(plan, _)| *plan == target.rate_plan_id);
            shown.extend(of_plan.map(|(_, night)| (night.date, night)));
        }
        for listed in listed {
            let night = listed.night;
            let wanted = self.wanted(listed);
            into.extend(match known.remove(&night) {
                Some(known) => self.again(known, wanted),
                None => Some(self.first_time(night, &wanted, shown.get(&night))),
            });
        }
        Ok(())
    }

    fn wanted(&self, listed: Listed) -> ChannelNight {
        let count = |n: Option<i64>| n.and_then(|n| u32::try_from(n).ok());
        let free = listed.capacity - listed.sold - listed.held - listed.blocked;
        let units = free - i64::from(self.pushing.safety_stock);
        let (price, currency) = match listed.price {
            Some(price) => {
                let (price, currency) = self.pushing.price(price.into(), listed.currency);
                (Some(price), currency)
            }
            None => (None, None),
        };
        ChannelNight {
            units: u32::try_from(units.max(0)).unwrap_or(u32::MAX),
            closed: listed.closed,
            price,
            currency,
            min_stay: count(listed.min_stay),
            max_stay: count(listed.max_stay),
            closed_to_arrival: listed.closed_to_arrival,
            closed_to_departure: listed.closed_to_departure,
            min_stay_through: count(listed.min_stay_through),
            exact_stay: count(listed.exact_stay),
            min_advance_days: count(listed.min_advance_days),
            max_advance_days: count(listed.max_advance_days),
        }
    }

    /// A night that nothing was ever sent of: where the channel shows what is wanted, nothing needs to be.
    fn first_time(&self, night: Date, wanted: &ChannelNight, shown: Option<&CalendarNight>) -> Known {
        let is_shown = |shown: &CalendarNight| {
            let says_sale = shown.available.is_some() || shown.units_available.is_some();
            let says_price = shown.price.is_some() || wanted.price.is_none() || !self.pushing.prices;
            says_sale && says_price && wanted.reads_as(&as_seen(shown, self.manifest), parts_of(self.pushing))
        };
        let is_there = self.touch.whole == 0 && shown.is_some_and(is_shown);
        let text = text_of(wanted);
        Known {
            place: Place { room_type: self.target.room_type, rate_plan_id: self.target.rate_plan_id.clone(), night },
            confirmed: is_there.then(|| text.clone()),
            wanted: text,
            sent: None,
            state: if is_there { "there" } else { "due" }.to_owned(),
            unknown: false,
            missed: 0,
            changed_at: self.touch.touched_at.into(),
            sent_at: None,
        }
    }

    /// A night that was reckoned before; none where nothing is to be written.
    fn again(&self, known: Known, wanted: ChannelNight) -> Option<Known> {
        // What its own booking did to the channel's count nobody knows: rooms of a house are one there and several here, and
        // what was sent may have crossed it. The night is sent as it is to be.
        let has_moved = self.touch.own == 1 && self.manifest.counts_own_bookings;
        let is_whole = self.touch.whole == 1 || has_moved;
        let has = known.confirmed.as_deref().and_then(read);
        // What was sent last may be there, whatever was surely there before.
        let is_sure = !known.unknown && (known.sent.is_none() || known.sent == known.confirmed);
        let sent = known.sent.as_deref().filter(|_| !is_sure).and_then(read);
        // A word that lifts a rule stays until the channel has it: then nothing more is wanted of that rule.
        let wanted = wanted.lifting(has.as_ref()).lifting(sent.as_ref());
        let text = text_of(&wanted);
        if !is_whole && text == known.wanted {
            return None;
        }
        let is_new = any(both(wanted.differs(has.as_ref()), parts_of(self.pushing)));
        let is_there = !is_whole && has.is_some() && is_sure && !is_new;
        Some(Known {
            confirmed: match (is_whole, is_there) {
                (true, _) => None,
                (_, true) => Some(text.clone()),
                _ => known.confirmed.clone(),
            },
            wanted: text,
            state: if is_there { "there" } else { "due" }.to_owned(),
            // What has been missing for long is missing for as long, whatever else changes.
            changed_at: if known.state == "there" { self.touch.touched_at.into() } else { known.changed_at },
            ..known
        })
    }
}
