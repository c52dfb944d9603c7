//! Pushes nights to Smoobu. Prices are written directly; nights are closed by creating a blocked booking over them and
//! opened by deleting it, so the ids of our blocks are stored.
//!
//! There are two kinds of state keys: `ours/APARTMENT/ID` for an existing block, and `owed/APARTMENT/START/UNTIL` for
//! one that must be created, or whose creation was attempted and may have succeeded. Owed blocks are settled before
//! anything else is done to an apartment.

use std::collections::BTreeMap;

use gassync_plugin::{
    Accepted, Attempt, CalendarNights, CalendarPart, ChannelError, FieldError, Lenient, Outcome, http, malformed,
    read_json, state, to_date_text,
};
use serde::{Deserialize, Serialize};

use crate::{
    booking::{Booking, OUR_MARK, ours},
    pull::number_of,
    signature::{Request, failure},
};

/// The channel of blocked bookings, the same in every account.
const BLOCKED_CHANNEL: u32 = 11;
/// A call that exceeds the request budget is aborted and loses its state, so it stops earlier.
const MAX_REQUESTS: u32 = 18;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewBlock<'a> {
    arrival_date: &'a str,
    departure_date: &'a str,
    channel_id: u32,
    apartment_id: u64,
    notice: &'a str,
}

#[derive(Deserialize)]
struct Made {
    id: Lenient,
}

#[derive(Deserialize)]
struct Rates {
    data: BTreeMap<String, BTreeMap<String, Night>>,
}

#[derive(Deserialize)]
struct Night {
    #[serde(default)]
    available: Lenient,
}

#[derive(Deserialize)]
struct Blocks {
    bookings: Vec<Booking>,
}

/// A push call.
struct Push {
    attempt: Attempt,
    asked: u32,
    warnings: Vec<String>,
}

pub(crate) fn push(updates: &[CalendarNights], attempt: Attempt) -> Result<Vec<Outcome>, ChannelError> {
    let mut push = Push { attempt, asked: 0, warnings: Vec::new() };
    let one = |update: &CalendarNights| match push.one(update) {
        Ok(outcome) => Ok(outcome),
        Err(ChannelError::Rejected(errors)) => Ok(Outcome::Refused(errors)),
        Err(ChannelError::RateLimited(seconds)) => Ok(Outcome::Retry(seconds)),
        Err(ChannelError::Unavailable(_)) => Ok(Outcome::Retry(None)),
        // The state is stored whether the call succeeds or fails.
        Err(error) => Err(error),
    };
    updates.iter().map(one).collect()
}

impl Push {
    fn one(&mut self, update: &CalendarNights) -> Result<Outcome, ChannelError> {
        self.warnings.clear();
        let room = &update.room_type_id;
        let apartment = number_of(room).map_err(|_| rejected("/apartments/0", format!("{room} is not a number")))?;
        if self.attempt == Attempt::AfterUnknown {
            self.find_ours(apartment, update)?;
        }
        self.settle(apartment)?;
        let priced = self.write_rates(apartment, update)?;
        let available = update.available.or_else(|| update.units_available.map(|units| units > 0));
        let (start, until) = (to_date_text(update.stay.start), to_date_text(update.stay.until));
        match available {
            Some(true) => self.open(apartment, &start, &until)?,
            Some(false) => self.close(apartment, update)?,
            None => {}
        }
        // The response does not show whether all prices were accepted, and nights that we open may also be closed by
        // another block.
        let confirmed = !priced && available != Some(true) && self.warnings.is_empty();
        let warnings = std::mem::take(&mut self.warnings);
        Ok(Outcome::Accepted(Accepted { channel_id: None, replaces: None, confirmed, warnings }))
    }

    fn ask(&mut self, request: Request) -> Result<http::Response, ChannelError> {
        if self.asked == MAX_REQUESTS {
            return Err(ChannelError::RateLimited(Some(0)));
        }
        self.asked += 1;
        request.send()
    }

    /// Writes prices and rules with each night listed, since the end of a range is not documented as inclusive.
    fn write_rates(&mut self, apartment: u64, update: &CalendarNights) -> Result<bool, ChannelError> {
        if !update.changed.intersects(CalendarPart::PRICE | CalendarPart::RULES) {
            return Ok(false);
        }
        let rules = &update.rules;
        if rules.max_stay.is_some() || rules.closed_to_arrival == Some(true) || rules.closed_to_departure == Some(true)
        {
            self.warnings.push("Smoobu has a shortest stay and no other rule".to_owned());
        }
        let mut said = Vec::new();
        if let Some(price) = update.prices.first() {
            let amount = &price.amount.amount;
            let number =
                amount.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && amount.parse::<f64>().is_ok();
            if !number {
                return Err(rejected("/operations/0/daily_price", format!("{amount} is no price")));
            }
            said.push(format!(r#""daily_price":{amount}"#));
        }
        said.extend(rules.min_stay_arrival.map(|nights| format!(r#""min_length_of_stay":{nights}"#)));
        if said.is_empty() {
            return Ok(false);
        }
        let dates: Vec<String> = nights(update).iter().map(|night| format!(r#""{night}""#)).collect();
        let body = format!(
            r#"{{"apartments":[{apartment}],"operations":[{{"dates":[{}],{}}}]}}"#,
            dates.join(","),
            said.join(",")
        );
        let answer = self.ask(Request::new("POST", "/api/rates").body(body))?;
        if (200..300).contains(&answer.status()) { Ok(true) } else { Err(failure(&answer)) }
    }

    /// Closes the open nights: sold or manually closed ones cannot be closed again.
    fn close(&mut self, apartment: u64, update: &CalendarNights) -> Result<(), ChannelError> {
        let request = Request::new("GET", "/api/rates")
            .query("apartments[]", apartment.to_string())
            .query("start_date", to_date_text(update.stay.start))
            .query("end_date", to_date_text(update.stay.until));
        let answer = self.ask(request)?;
        if answer.status() != 200 {
            return Err(failure(&answer));
        }
        let rates: Rates = read_json(answer.body(), "")?;
        let known = rates.data.get(&apartment.to_string());
        let is_open = |night: &String| {
            known.and_then(|nights| nights.get(night)).is_none_or(|night| night.available.as_str() != Some("0"))
        };
        let mut start: Option<String> = None;
        let until = to_date_text(update.stay.until);
        for night in nights(update).into_iter().chain([until.clone()]) {
            match (night != until && is_open(&night), start.take()) {
                (true, begun) => start = begun.or(Some(night)),
                (false, Some(begun)) => state::set(&owed(apartment, &begun, &night), &false)?,
                (false, None) => {}
            }
        }
        self.settle(apartment)
    }

    /// Deletes our blocks there; their nights outside the span are closed again.
    fn open(&mut self, apartment: u64, start: &str, until: &str) -> Result<(), ChannelError> {
        for key in state::keys(&ours(&apartment.to_string(), "")) {
            let Some((first, end)) = state::get::<(String, String)>(&key)? else { continue };
            if *end <= *start || *first >= *until {
                continue;
            }
            let id = key.rsplit('/').next().unwrap_or_default();
            let answer = self.ask(Request::new("DELETE", format!("/api/reservations/{id}")))?;
            // A block already deleted by someone else counts as deleted.
            if !matches!(answer.status(), 200..=299 | 404) {
                return Err(failure(&answer));
            }
            state::delete(&key);
            if *first < *start {
                state::set(&owed(apartment, &first, start), &false)?;
            }
            if *end > *until {
                state::set(&owed(apartment, until, &end), &false)?;
            }
        }
        self.settle(apartment)
    }

    /// An aborted call lost the ids of its blocks; they are found by our mark.
    fn find_ours(&mut self, apartment: u64, update: &CalendarNights) -> Result<(), ChannelError> {
        let request = Request::new("GET", "/api/reservations")
            .query("apartmentId", apartment.to_string())
            .query("departureFrom", to_date_text(update.stay.start))
            .query("arrivalTo", to_date_text(update.stay.until))
            .query("pageSize", "100");
        for block in self.list(request)?.into_iter().filter(Booking::has_our_mark) {
            let nights = (block.arrival.as_str(), block.departure.as_str());
            if let (Some(id), (Some(start), Some(until))) = (block.id.text(), nights) {
                state::set(&ours(&apartment.to_string(), &id), &(start, until))?;
            }
        }
        Ok(())
    }

    /// The existing blocks.
    fn list(&mut self, request: Request) -> Result<Vec<Booking>, ChannelError> {
        let answer = self.ask(request)?;
        if answer.status() != 200 {
            return Err(failure(&answer));
        }
        let mut blocks: Blocks = read_json(answer.body(), "")?;
        blocks.bookings.retain(|booking| booking.is_block() && !booking.is_cancelled());
        Ok(blocks.bookings)
    }

    /// Creates the owed blocks. If a creation was attempted before, the block is looked up first: Smoobu has no
    /// idempotency key.
    fn settle(&mut self, apartment: u64) -> Result<(), ChannelError> {
        for key in state::keys(&format!("owed/{apartment}/")) {
            let mut ends = key.rsplit('/');
            let (Some(until), Some(start)) = (ends.next(), ends.next()) else { continue };
            let was_tried = state::get::<bool>(&key)?.unwrap_or(false);
            let found = if was_tried { self.find(apartment, start, until)? } else { None };
            let id = match found {
                Some(id) => Some(id),
                None => self.make(apartment, (start, until), &key)?,
            };
            state::delete(&key);
            if let Some(id) = id {
                state::set(&ours(&apartment.to_string(), &id), &(start, until))?;
            }
        }
        Ok(())
    }

    fn make(
        &mut self,
        apartment: u64,
        (start, until): (&str, &str),
        key: &str,
    ) -> Result<Option<String>, ChannelError> {
        state::set(key, &true)?;
        let block = NewBlock {
            arrival_date: start,
            departure_date: until,
            channel_id: BLOCKED_CHANNEL,
            apartment_id: apartment,
            notice: OUR_MARK,
        };
        let body = serde_json::to_string(&block).map_err(|error| ChannelError::Broken(error.to_string()))?;
        let answer = self.ask(Request::new("POST", "/api/reservations").body(body))?;
        match answer.status() {
            200..=299 => {
                let made: Made = read_json(answer.body(), "")?;
                made.id.text().map(Some).ok_or_else(|| malformed("/id", "is missing"))
            }
            // Someone else was faster and has the nights; the read-back shows that.
            400 | 409 | 422 => {
                self.warnings.push(format!("{start} to {until} could not be closed: it may be sold"));
                Ok(None)
            }
            _ => Err(failure(&answer)),
        }
    }

    fn find(&mut self, apartment: u64, start: &str, until: &str) -> Result<Option<String>, ChannelError> {
        let request = Request::new("GET", "/api/reservations")
            .query("apartmentId", apartment.to_string())
            .query("arrivalFrom", start)
            .query("arrivalTo", start)
            .query("pageSize", "100");
        let is_it =
            |booking: &Booking| (booking.arrival.as_str(), booking.departure.as_str()) == (Some(start), Some(until));
        Ok(self.list(request)?.into_iter().find(is_it).and_then(|booking| booking.id.text()))
    }
}

fn owed(apartment: u64, start: &str, until: &str) -> String {
    format!("owed/{apartment}/{start}/{until}")
}

fn nights(update: &CalendarNights) -> Vec<String> {
    update.stay.each_night().map(to_date_text).collect()
}

fn rejected(path: &str, problem: String) -> ChannelError {
    ChannelError::Rejected(vec![FieldError::new(path, problem)])
}

#[cfg(test)]
mod tests;
