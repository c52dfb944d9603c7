//! Calendar ranges: both ends inclusive, only the keys that are set.

use std::collections::BTreeMap;

use gassync_plugin::{
    CalendarNights, Change, ChangeKind, ChannelError, Date, Lenient, Nights, Price, StayRules, change, malformed,
    money, read_json,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    free_nights,
    settings::{MAX_PRICES, Settings},
};

/// The longest range that is read, in nights: what is longer is a mistake.
const MAX_RANGE_NIGHTS: i64 = 3_660;
/// The host takes two years of nights as one row at most: longer ranges are told in parts.
const MAX_ROW_NIGHTS: i64 = 700;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Room {
    room_id: Lenient,
    property_id: Lenient,
    calendar: Option<Vec<Box<RawValue>>>,
}

/// By its keys: those of the prices are numbered.
struct Range(BTreeMap<String, Lenient>);

/// Nights of a room type. A calendar says most; what merely says whether a night is free, or which units are taken, is
/// read as well.
pub(crate) fn read(raw: &RawValue, settings: &Settings, path: &str) -> Result<Change, ChannelError> {
    let room: Room = read_json(raw.get(), path)?;
    let room_type_id =
        room.room_id.unless_zero().ok_or_else(|| malformed(format_args!("{path}/roomId"), "is missing"))?;
    let property_id = room.property_id.unless_zero();
    let mut rows = Vec::new();
    match &room.calendar {
        Some(ranges) => {
            for (index, range) in ranges.iter().enumerate() {
                let path = format!("{path}/calendar/{index}");
                let range = Range(read_json(range.get(), &path)?);
                rows.extend(range.nights(&room_type_id, settings, &path)?);
            }
        }
        None => rows = free_nights::read(raw, &room_type_id, path)?,
    }
    for row in &mut rows {
        row.property_id.clone_from(&property_id);
    }
    Ok(change(property_id.as_deref(), ChangeKind::Calendar(rows)))
}

impl Range {
    fn said(&self, key: &str) -> Lenient {
        self.0.get(key).cloned().unwrap_or_default()
    }

    fn nights(&self, room_type_id: &str, settings: &Settings, path: &str) -> Result<Vec<CalendarNights>, ChannelError> {
        let day = |key: &str| self.said(key).date(format_args!("{path}/{key}"));
        let from = day("from")?.ok_or_else(|| malformed(format_args!("{path}/from"), "is missing"))?;
        let to = day("to")?.unwrap_or(from);
        let closed = self.said("override").lower();
        // Of a night that is closed altogether nobody knows what would hold if it were open.
        let closes = |words: &[&str]| is_rule(&closed).then(|| words.contains(&closed.as_str()));
        let units = self.said("numAvail").integer().and_then(|units| i32::try_from(units).ok());
        let row = CalendarNights {
            // How many are left says nothing of whether somebody has closed the night.
            available: if closed == "blackout" { Some(false) } else { units.map(|_| true) },
            units_available: units,
            prices: self.prices(settings, path)?,
            rules: StayRules {
                min_stay_arrival: self.said("minStay").count(),
                max_stay: self.said("maxStay").count(),
                closed_to_arrival: closes(&["nocheckin", "nocheckinorcheckout"]),
                closed_to_departure: closes(&["nocheckout", "nocheckinorcheckout"]),
                ..StayRules::unknown()
            },
            extra: self.beside(&closed),
            ..CalendarNights::new(room_type_id, Nights::through(from, to))
        };
        Ok(parts(from, to, path)?.into_iter().map(|stay| CalendarNights { stay, ..row.clone() }).collect())
    }

    /// The first price is the room's; the others mean what the house has made of them, and are left out where no admin has
    /// said for how many guests they are. Of two for as many guests the first counts: the other is another offer's.
    fn prices(&self, settings: &Settings, path: &str) -> Result<Vec<Price>, ChannelError> {
        let mut prices: Vec<Price> = Vec::new();
        for number in 1..=MAX_PRICES {
            let key = format!("price{number}");
            let Some(amount) = self.said(&key).amount(format_args!("{path}/{key}"))? else { continue };
            let occupancy = settings.guests_of(&key);
            let is_known = occupancy.is_some() || number == 1;
            if is_known && prices.iter().all(|price| price.occupancy != occupancy) {
                prices.push(Price { rate_plan_id: None, occupancy, amount: money(amount, None), tax_included: None });
            }
        }
        Ok(prices)
    }

    /// What the contract has no field for.
    fn beside(&self, closed: &str) -> Vec<(String, String)> {
        let odd_word = (!closed.is_empty() && closed != "blackout" && !is_rule(closed)).then(|| closed.to_owned());
        let multiplier = self.said("multiplier").decimal().filter(|by| by != "1");
        let beside = [("override", odd_word), ("multiplier", multiplier)];
        beside.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?).to_string()))).collect()
    }
}

/// Whether a word of `override` says who may come and go.
fn is_rule(word: &str) -> bool {
    ["none", "nocheckin", "nocheckout", "nocheckinorcheckout"].contains(&word)
}

/// The nights of a range, in rows that the host takes.
fn parts(from: Date, to: Date, path: &str) -> Result<Vec<Nights>, ChannelError> {
    let until = to.next_day();
    let nights = from.days_until(until);
    if !(1..=MAX_RANGE_NIGHTS).contains(&nights) {
        return Err(malformed(format_args!("{path}/to"), format_args!("makes a range of {nights} nights")));
    }
    let starts = (0..nights).step_by(MAX_ROW_NIGHTS as usize).map(|days| from.add_days(days));
    Ok(starts.map(|start| Nights { start, until: start.add_days(MAX_ROW_NIGHTS).min(until) }).collect())
}
