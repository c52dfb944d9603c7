use gassync_domain::{
    Amount, ChannelError, Date, Extra, Mended, RawJson, Timestamp, mend_amount, mend_instant, mend_json_text, mend_text,
};
use serde_json::Value;

use super::{Converted, values, wit};
use crate::CallError;

/// Maximum notes per record.
const MAX_NOTES: usize = 100;
/// Maximum characters of a note's path, and of its text.
const MAX_NOTE_CHARS: usize = 300;

/// How to convert the values of one record. Facts are kept: an invalid value is rounded, converted to text or omitted,
/// and noted. Requests are converted exactly, or rejected.
///
/// Paths are JSON pointers into the record of the standard schema.
pub(in crate::v1_0) struct Reading {
    strict: bool,
    mended: Vec<Mended>,
}

impl Reading {
    /// Converts a fact; `notes` lists the values the plugin omitted.
    pub fn of_fact(notes: Vec<wit::FieldError>) -> Self {
        let noted = notes
            .into_iter()
            .take(MAX_NOTES)
            .map(|wit::FieldError { path, problem }| Mended { path: cut(&path), problem: cut(&problem) });
        Self { strict: false, mended: noted.collect() }
    }

    /// Converts the same record exactly, or rejects it.
    pub fn strictly(self) -> Self {
        Self { strict: true, ..self }
    }

    /// The mended values.
    pub fn mended(self) -> Vec<Mended> {
        self.mended
    }

    fn note(&mut self, path: &str, problem: String) -> Converted<()> {
        if self.strict {
            // The channel wrote the invalid value, so do not blame the plugin.
            return Err(CallError::Channel(ChannelError::Malformed(format!("{path}: {problem}"))));
        }
        if self.mended.len() < MAX_NOTES {
            self.mended.push(Mended { path: path.to_owned(), problem });
        }
        Ok(())
    }

    fn read<T>(&mut self, path: &str, (value, problem): (Option<T>, Option<String>)) -> Converted<Option<T>> {
        if let Some(problem) = problem {
            self.note(path, problem)?;
        }
        Ok(value)
    }

    pub fn amount(&mut self, path: &str, money: Option<wit::Money>) -> Converted<Option<Amount>> {
        money.map_or(Ok(None), |money| self.money(path, &money))
    }

    pub fn money(&mut self, path: &str, money: &wit::Money) -> Converted<Option<Amount>> {
        self.read(path, mend_amount(&money.amount))
    }

    pub fn instant(&mut self, path: &str, text: Option<String>) -> Converted<Option<Timestamp>> {
        text.map_or(Ok(None), |text| self.read(path, mend_instant(&text)))
    }

    /// Dates of arrival and departure; an invalid date is omitted.
    pub fn stay(&mut self, below: &str, nights: Option<wit::Nights>) -> Converted<(Option<Date>, Option<Date>)> {
        let Some(wit::Nights { start, until }) = nights else { return Ok((None, None)) };
        Ok((self.date(&format!("{below}/checkIn"), start)?, self.date(&format!("{below}/checkOut"), until)?))
    }

    fn date(&mut self, path: &str, date: wit::Date) -> Converted<Option<Date>> {
        match values::date(path, date) {
            Ok(date) => Ok(Some(date)),
            Err(_) => self.note(path, "is a day in no calendar; it was left out".to_owned()).map(|()| None),
        }
    }

    pub fn extra(&mut self, below: &str, pairs: wit::Extra) -> Converted<Extra> {
        let mut members = Vec::with_capacity(pairs.len());
        for (name, text) in pairs {
            let name = mend_text(&name).into_owned();
            let value = match serde_json::from_str(&mend_json_text(&text)) {
                Ok(value) => value,
                Err(error) => {
                    self.note(&format!("{below}/extra/{name}"), format!("is not JSON: {error}; it was kept as text"))?;
                    Value::String(mend_text(&text).into_owned())
                }
            };
            members.push((name, value));
        }
        let extra: Extra = members.into_iter().collect();
        if let (false, Some(problem)) = (self.strict, extra.problem()) {
            self.note(&format!("{below}/extra"), format!("{problem}; what had no room was left out"))?;
        }
        Ok(extra.within_bounds())
    }

    /// The channel's own record; text that is not JSON becomes a JSON string.
    pub fn raw(&mut self, text: Option<&str>) -> Converted<Option<RawJson>> {
        let Some(text) = text else { return Ok(None) };
        match RawJson::parse(&mend_json_text(text)) {
            Ok(raw) => Ok(Some(raw)),
            Err(error) => {
                self.note("/raw", format!("is not JSON: {error}; it was kept as text"))?;
                Ok(Some(RawJson::of(&mend_text(text))))
            }
        }
    }
}

/// A readable message about why a record is invalid.
pub(in crate::v1_0) fn problem(path: &str, problem: &str) -> String {
    cut(&format!("{path}: {problem}"))
}

/// A readable text, without characters that cannot be stored, truncated to `MAX_NOTE_CHARS`.
pub(in crate::v1_0) fn cut(text: &str) -> String {
    mend_text(text).chars().take(MAX_NOTE_CHARS).collect()
}
