//! The rules of the table: checks of a field and how it is mended.

use jiff::{Timestamp, civil::Date};
use sha2::{Digest as _, Sha256};

use super::{MAX_FINDINGS, MendResult};
use crate::{
    Address, Extra, FieldError, Guest, Mended, Stay, is_plausible, mend_text, utc_day,
    validate::{MAX_ID_CHARS, MAX_NAME_CHARS, MAX_PEOPLE, MAX_ROOM_TYPES, YEARS},
};

/// Hex digits of the hash that ends a truncated id.
const ID_HASH_CHARS: usize = 16;

/// A record with entries in the table.
pub(super) trait Record: Clone {
    /// Applies its entries, in reporting order.
    fn mend_fields(&mut self, table: &mut Table);
}

/// How a rule treats an invalid field.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Act {
    /// Mend it and report it.
    Mend(&'static str),
    /// Mend it; allowed in requests.
    Allow(&'static str),
    /// Keep it; facts are stored nevertheless.
    Keep,
    /// Refuse the record.
    Refuse,
}

pub(super) const CUT: Act = Act::Mend("it was cut");
pub(super) const LEFT_OUT: Act = Act::Mend("it was left out");

struct Finding {
    path: String,
    problem: String,
    act: Act,
}

/// The rules and their findings.
#[derive(Default)]
pub(super) struct Table {
    /// Path of the nested record.
    within: String,
    found: Vec<Finding>,
    is_full: bool,
}

impl Table {
    pub(super) fn mending(self) -> MendResult {
        let mut mending = MendResult::default();
        for Finding { path, problem, act } in self.found {
            match act {
                Act::Mend(how) | Act::Allow(how) => {
                    mending.mended.push(Mended { path, problem: format!("{problem}; {how}") });
                }
                Act::Refuse => mending.refused.push(FieldError::new(path, problem)),
                Act::Keep => {}
            }
        }
        if self.is_full {
            let problem = format!("has more than {MAX_FINDINGS} fields that had to be mended");
            mending.mended.push(Mended { path: String::new(), problem });
        }
        mending
    }

    pub(super) fn strict(self) -> Vec<FieldError> {
        let wrong = self.found.into_iter().filter(|finding| !matches!(finding.act, Act::Allow(_)));
        wrong.map(|Finding { path, problem, .. }| FieldError::new(path, problem)).collect()
    }

    pub(super) fn add(&mut self, path: &str, problem: impl Into<String>, act: Act) {
        let finding = Finding { path: format!("{}{path}", self.within), problem: problem.into(), act };
        // Errors are few and always reported.
        if self.found.len() >= MAX_FINDINGS && act != Act::Refuse {
            self.is_full = true;
        } else if !self.found.iter().any(|known| known.path == finding.path && known.problem == finding.problem) {
            self.found.push(finding);
        }
    }

    /// Whether there are no findings so far.
    pub(super) fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    /// Continues within a field.
    pub(super) fn within(&mut self, path: &str, go_on: impl FnOnce(&mut Self)) {
        let length = self.within.len();
        self.within.push_str(path);
        go_on(self);
        self.within.truncate(length);
    }

    /// Continues within each entry of a list, keeping at most `max`.
    pub(super) fn each<T>(
        &mut self,
        path: &str,
        list: &mut Vec<T>,
        max: usize,
        mut go_on: impl FnMut(&mut Self, &mut T),
    ) {
        if list.len() > max {
            self.add(path, format!("has {} entries; the limit is {max}", list.len()), CUT);
            list.truncate(max);
        }
        for (index, entry) in list.iter_mut().enumerate() {
            let length = self.within.len();
            self.within.push_str(path);
            self.within.push('/');
            self.within.push_str(&index.to_string());
            go_on(self, entry);
            self.within.truncate(length);
        }
    }

    /// A text, truncated at its limit.
    pub(super) fn text(&mut self, path: &str, text: &mut String, max: usize) {
        if let Some(cut) = self.too_long(path, text, max, CUT) {
            text.truncate(cut);
        }
        self.nul(path, text);
    }

    pub(super) fn some_text(&mut self, path: &str, text: &mut Option<String>, max: usize) {
        if let Some(text) = text {
            self.text(path, text, max);
        }
    }

    /// A required name; falls back to the record's id.
    pub(super) fn name(&mut self, path: &str, name: &mut String, id: &str) {
        if name.trim().is_empty() {
            self.add(path, "must not be empty", Act::Mend("its id stands in for it"));
            id.clone_into(name);
        }
        self.text(path, name, MAX_NAME_CHARS);
    }

    /// An id; longer ones are truncated and end with a hash, so that they stay distinct.
    pub(super) fn id(&mut self, path: &str, id: &mut String) {
        let cut = Act::Mend("it was cut, and a hash of it put at its end");
        if self.too_long(path, id, MAX_ID_CHARS, cut).is_some() {
            let hash = hex::encode(Sha256::digest(id.as_bytes()));
            let kept: String = id.chars().take(MAX_ID_CHARS - ID_HASH_CHARS - 1).collect();
            *id = format!("{kept}~{}", hash.get(..ID_HASH_CHARS).unwrap_or_default());
        }
        self.nul(path, id);
    }

    pub(super) fn some_id(&mut self, path: &str, id: &mut Option<String>) {
        if let Some(id) = id {
            self.id(path, id);
        }
    }

    /// A required id.
    pub(super) fn own_id(&mut self, path: &str, id: &mut String) {
        if id.trim().is_empty() {
            self.add(path, "must not be empty", Act::Refuse);
        }
        self.id(path, id);
    }

    /// Ids of other records; empty ones are removed.
    pub(super) fn ids(&mut self, path: &str, ids: &mut Vec<String>) {
        self.each(path, ids, MAX_ROOM_TYPES, |table, id| {
            if id.trim().is_empty() {
                table.add("", "must not be empty", LEFT_OUT);
            }
            table.id("", id);
        });
        ids.retain(|id| !id.trim().is_empty());
    }

    /// The position at which a text is truncated.
    fn too_long(&mut self, path: &str, text: &str, max: usize, act: Act) -> Option<usize> {
        if text.len() <= max {
            return None;
        }
        let (cut, _) = text.char_indices().nth(max)?;
        self.add(path, format!("has {} characters; the limit is {max}", text.chars().count()), act);
        Some(cut)
    }

    fn nul(&mut self, path: &str, text: &mut String) {
        if text.contains('\0') {
            let replaced = Act::Mend("what cannot be kept was replaced by U+FFFD");
            self.add(path, "contains a NUL character", replaced);
            *text = mend_text(text).into_owned();
        }
    }

    pub(super) fn currency(&mut self, path: &str, currency: &mut Option<String>) {
        let Some(code) = currency else { return };
        if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) {
            return;
        }
        let problem = "must be three capital letters, as in ISO 4217";
        let capitals = code.trim().to_ascii_uppercase();
        if capitals.len() == 3 && capitals.bytes().all(|b| b.is_ascii_uppercase()) {
            self.add(path, problem, Act::Mend("it was put in capital letters"));
            *code = capitals;
        } else {
            self.add(path, problem, LEFT_OUT);
            *currency = None;
        }
    }

    /// A country is kept as received; codes are upper-cased.
    pub(super) fn country(&mut self, path: &str, country: &mut Option<String>) {
        self.some_text(path, country, MAX_NAME_CHARS);
        if let Some(code) = country
            && matches!(code.len(), 2 | 3)
            && code.bytes().all(|b| b.is_ascii_alphabetic())
            && code.bytes().any(|b| b.is_ascii_lowercase())
        {
            self.add(path, "is a code in small letters", Act::Allow("it was put in capital letters"));
            code.make_ascii_uppercase();
        }
    }

    /// A number, removed if beyond its limit.
    pub(super) fn count(&mut self, path: &str, count: &mut Option<u32>, (limit, unit): (u32, &str)) {
        if let Some(number) = count.filter(|number| *number > limit) {
            self.add(path, format!("is {number}; the limit is {limit}{unit}"), LEFT_OUT);
            *count = None;
        }
    }

    pub(super) fn people<'a>(&mut self, counts: impl IntoIterator<Item = (&'a str, &'a mut Option<u32>)>) {
        for (path, count) in counts {
            self.count(path, count, (MAX_PEOPLE, ""));
        }
    }

    pub(super) fn day(&mut self, path: &str, day: &mut Option<Date>, act: Act) {
        if day.is_some_and(|day| !is_plausible(day)) {
            self.add(path, format!("must lie between the years {} and {}", YEARS.start(), YEARS.end()), act);
            *day = None;
        }
    }

    pub(super) fn instant(&mut self, path: &str, instant: &mut Option<Timestamp>) {
        let mut day = instant.map(utc_day);
        self.day(path, &mut day, LEFT_OUT);
        if day.is_none() {
            *instant = None;
        }
    }

    /// Stay dates. Those with no nights or too many are left to an operator.
    pub(super) fn stay(&mut self, check_in: &mut Option<Date>, check_out: &mut Option<Date>) {
        if let (Some(check_in), Some(check_out)) = (*check_in, *check_out)
            && let Err(error) = Stay::new(check_in, check_out)
        {
            self.add("/checkOut", error.to_string(), Act::Keep);
        }
        self.day("/checkIn", check_in, LEFT_OUT);
        self.day("/checkOut", check_out, LEFT_OUT);
    }

    pub(super) fn degrees(&mut self, path: &str, degrees: &mut Option<f64>, limit: f64) {
        if degrees.is_some_and(|d| !d.is_finite() || d.abs() > limit) {
            self.add(path, format!("must lie within ±{limit} degrees"), LEFT_OUT);
            *degrees = None;
        }
    }

    pub(super) fn extra(&mut self, extra: &mut Extra) {
        if let Some(problem) = extra.problem() {
            self.add("/extra", problem, Act::Mend("as much of it was kept as can be"));
            *extra = std::mem::take(extra).within_bounds();
        }
    }

    pub(super) fn address(&mut self, path: &str, address: &mut Option<Address>) {
        let Some(Address { street, city, state, postcode, country }) = address else { return };
        self.within(path, |table| {
            for (path, text) in [("/street", street), ("/city", city), ("/state", state), ("/postcode", postcode)] {
                table.some_text(path, text, MAX_NAME_CHARS);
            }
            table.country("/country", country);
        });
    }

    pub(super) fn guest(&mut self, guest: &mut Guest) {
        let Guest { id, name, first_name, last_name, email, phone, country, language, address, extra } = guest;
        self.some_id("/id", id);
        for (path, text) in [
            ("/name", name),
            ("/firstName", first_name),
            ("/lastName", last_name),
            ("/email", email),
            ("/phone", phone),
        ] {
            self.some_text(path, text, MAX_NAME_CHARS);
        }
        self.country("/country", country);
        self.some_text("/language", language, MAX_NAME_CHARS);
        self.address("/address", address);
        self.extra(extra);
    }
}
