//! Coerces one field to its expected type.

use std::borrow::Cow;

use gassync_domain::{AmountError, Date, mend_amount};
use serde_json::{Map, Number, Value};

use super::PathStep;

/// The expected type of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Expected {
    Text,
    WholeNumber,
    Number,
    Flag,
    List,
    Object,
    Amount,
    Instant,
    Word,
    Date,
}

impl Expected {
    /// Derives the type from the parser's message.
    pub(super) fn of(message: &str) -> Self {
        let amounts = [AmountError::NotANumber, AmountError::TooFine, AmountError::TooLarge];
        if amounts.iter().any(|error| message == error.to_string()) {
            return Self::Amount;
        }
        if message.contains("variant") {
            return Self::Word;
        }
        let Some((_, expected)) = message.rsplit_once("expected ") else {
            return if message.ends_with("instant") { Self::Instant } else { Self::Date };
        };
        let is = |words: &[&str]| words.iter().any(|word| expected.contains(word));
        match () {
            () if is(&["amount of money"]) => Self::Amount,
            () if is(&["date"]) => Self::Date,
            () if is(&["boolean"]) => Self::Flag,
            () if is(&["sequence"]) => Self::List,
            () if is(&["struct", "map"]) => Self::Object,
            () if is(&["f64", "f32"]) => Self::Number,
            () if is(&["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "usize"]) => Self::WholeNumber,
            () if is(&["enum", "variant"]) => Self::Word,
            () => Self::Text,
        }
    }

    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::WholeNumber => "a whole number within its range",
            Self::Number => "a number",
            Self::Flag => "true or false",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Amount => "an amount of money",
            Self::Instant => "an RFC 3339 instant",
            Self::Word => "one of the words it can be",
            Self::Date => "a date",
        }
    }
}

/// The raw text of a number. If items before it were dropped it may be another one: the caller compares.
pub(super) fn raw_at(text: &str, steps: &[PathStep]) -> Option<String> {
    let mut raw: Box<serde_json::value::RawValue> = serde_json::from_str(text).ok()?;
    for step in steps {
        raw = match step {
            PathStep::Key(key) => {
                let mut members: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
                    serde_json::from_str(raw.get()).ok()?;
                members.remove(key)?
            }
            PathStep::Index(index) => {
                let mut items: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(raw.get()).ok()?;
                (*index < items.len()).then(|| items.swap_remove(*index))?
            }
        };
    }
    Some(raw.get().to_owned())
}

/// The digits of a number as written.
fn digits(number: &Number, raw: impl Fn() -> Option<String>) -> String {
    let written = number.to_string();
    if !number.is_f64() {
        return written;
    }
    raw().filter(|raw| raw.parse().ok() == number.as_f64()).unwrap_or(written)
}

/// The coerced value and its warning; None if it cannot be coerced or is already right.
pub(super) fn coerce(field: &Value, expected: Expected, raw: impl Fn() -> Option<String>) -> Option<(Value, String)> {
    let value = match (expected, field) {
        (Expected::Text, Value::Number(number)) => Value::from(digits(number, raw)),
        (Expected::Text, Value::Bool(flag)) => Value::from(flag.to_string()),
        (Expected::WholeNumber, Value::String(text)) => Value::from(whole(text)?),
        (Expected::WholeNumber, Value::Number(number)) if number.is_f64() => Value::from(whole(&digits(number, raw))?),
        (Expected::WholeNumber, Value::Bool(flag)) => Value::from(i64::from(*flag)),
        (Expected::Number, Value::String(text)) => Value::Number(Number::from_f64(text.trim().parse().ok()?)?),
        (Expected::Flag, Value::String(text)) => Value::Bool(flag(text)?),
        (Expected::Flag, Value::Number(number)) => Value::Bool(flag(&number.to_string())?),
        (Expected::List, Value::Object(members)) => Value::Array(listed(members)),
        (Expected::List, Value::String(_) | Value::Number(_)) => Value::Array(vec![field.clone()]),
        (Expected::Amount, Value::String(_) | Value::Number(_)) => {
            let written = match field {
                Value::Number(number) => digits(number, raw),
                other => other.as_str()?.to_owned(),
            };
            let (amount, problem) = mend_amount(&written);
            return Some((Value::from(amount?.to_string()), problem?));
        }
        (Expected::Date, Value::String(text)) => Value::from(day(text)?.to_string()),
        (Expected::Date, Value::Number(number)) => Value::from(day(&number.to_string())?.to_string()),
        (Expected::Instant, Value::String(text)) if text.trim() != text => Value::from(text.trim()),
        (Expected::Word, Value::String(text)) => Value::from(text.trim().to_lowercase().replace(['_', ' '], "-")),
        // Some encoders write single values as lists.
        (expected, Value::Array(items)) if expected != Expected::List => match items.as_slice() {
            [only] if !only.is_array() => only.clone(),
            _ => return None,
        },
        _ => return None,
    };
    (value != *field).then(|| (value, format!("was not written as {}; it was read as one", expected.in_words())))
}

fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    digits.parse().ok()
}

fn flag(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// The date part of a date-time text, in its own zone.
fn day(text: &str) -> Option<Date> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.get(..10)?.parse().ok())
}

/// Some languages encode a list as an object with index keys.
fn listed(members: &Map<String, Value>) -> Vec<Value> {
    let places: Option<Vec<usize>> = members.keys().map(|key| key.parse().ok()).collect();
    match places {
        Some(places) => {
            let mut items: Vec<(usize, &Value)> = places.into_iter().zip(members.values()).collect();
            items.sort_by_key(|(place, _)| *place);
            items.into_iter().map(|(_, item)| item.clone()).collect()
        }
        None => vec![Value::Object(members.clone())],
    }
}

/// Why a value is not an amount.
pub(super) fn amount_problem(field: &Value) -> Option<String> {
    let written: Cow<'_, str> = match field {
        Value::String(text) => text.into(),
        Value::Number(number) => number.to_string().into(),
        _ => return None,
    };
    mend_amount(&written).1
}
