//! Calendar ranges: both ends are inclusive, and only keys with a value are present.

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

/// Maximum nights of a range; longer ones are errors.
const MAX_RANGE_NIGHTS: i64 = 3_660;
/// Maximum nights per row; the host accepts two years. Longer ranges are split.
const MAX_ROW_NIGHTS: i64 = 700;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Room {
    room_id: Lenient,
    property_id: Lenient,
    calendar: Option<Vec<Box<RawValue>>>,
}

/// Values by key, because price keys are numbered.
struct Range(BTreeMap<String, Lenient>);

/// Reads the nights of a room type, from a calendar or from the responses that only give availability or units taken.
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
        // For a fully closed night the rules that would apply when open are unknown.
        let closes = |words: &[&str]| is_rule(&closed).then(|| words.contains(&closed.as_str()));
        let units = self.said("numAvail").integer().and_then(|units| i32::try_from(units).ok());
        let row = CalendarNights {
            // The unit count does not tell if a person has closed the night.
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

    /// Returns the room price, which is the first one, and the prices whose number of guests an admin has configured;
    /// others are omitted, since the property defines their meaning. Of several prices for the same number of guests
    /// the first applies; the others belong to other offers.
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

    /// Returns the values that the contract has no field for.
    fn beside(&self, closed: &str) -> Vec<(String, String)> {
        let odd_word = (!closed.is_empty() && closed != "blackout" && !is_rule(closed)).then(|| closed.to_owned());
        let multiplier = self.said("multiplier").decimal().filter(|by| by != "1");
        let beside = [("override", odd_word), ("multiplier", multiplier)];
        beside.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?).to_string()))).collect()
    }
}

/// True if a value of `override` restricts arrival or departure.
fn is_rule(word: &str) -> bool {
    ["none", "nocheckin", "nocheckout", "nocheckinorcheckout"].contains(&word)
}

/// Splits the nights of a range into rows that the host accepts.
fn parts(from: Date, to: Date, path: &str) -> Result<Vec<Nights>, ChannelError> {
    let until = to.next_day();
    let nights = from.days_until(until);
    if !(1..=MAX_RANGE_NIGHTS).contains(&nights) {
        return Err(malformed(format_args!("{path}/to"), format_args!("makes a range of {nights} nights")));
    }
    let starts = (0..nights).step_by(MAX_ROW_NIGHTS as usize).map(|days| from.add_days(days));
    Ok(starts.map(|start| Nights { start, until: start.add_days(MAX_ROW_NIGHTS).min(until) }).collect())
}
