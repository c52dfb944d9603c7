//! The body of one booking. It contains only known keys, since every key present is a change.

use gassync_plugin::{Date, FieldError, Lenient, to_date_text};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

#[derive(Debug, Clone, Default)]
pub(crate) struct Form(Vec<(&'static str, Box<RawValue>)>);

impl Form {
    /// Creates a change of the booking with this id.
    pub fn of(id: &str) -> Result<Self, FieldError> {
        Self::default().id("id", Some(id))
    }

    pub fn text(self, key: &'static str, text: Option<&str>) -> Self {
        self.with(key, text)
    }

    pub fn number(self, key: &'static str, number: Option<u32>) -> Self {
        self.with(key, number)
    }

    pub fn date(self, key: &'static str, date: Option<Date>) -> Self {
        self.with(key, date.map(to_date_text))
    }

    /// Adds a Beds24 id, which is a number.
    pub fn id(self, key: &'static str, id: Option<&str>) -> Result<Self, FieldError> {
        let Some(id) = id else { return Ok(self) };
        let number: u64 =
            id.parse().map_err(|_| FieldError::new(format_args!("/{key}"), format_args!("{id} is not a number")))?;
        Ok(self.with(key, Some(number)))
    }

    /// Adds an amount with its original digits.
    pub fn amount(mut self, key: &'static str, amount: Option<&str>) -> Result<Self, FieldError> {
        if let Some(amount) = amount {
            self.0.push((key, number(key, amount)?));
        }
        Ok(self)
    }

    /// Adds actions, before all other keys for readability.
    pub fn actions(mut self, actions: &[&'static str]) -> Self {
        let actions = actions.iter().fold(Self::default(), |form, action| form.with(action, Some(true)));
        if !actions.0.is_empty() {
            self.0.insert(0, ("actions", json(&actions)));
        }
        self
    }

    /// True if the form contains only an id, which deletes the record in some lists.
    pub fn is_bare(&self) -> bool {
        self.0.iter().all(|(key, _)| *key == "id")
    }

    pub fn json(&self) -> Box<RawValue> {
        json(self)
    }

    fn with<T: Serialize>(mut self, key: &'static str, value: Option<T>) -> Self {
        self.0.extend(value.map(|value| (key, json(&value))));
        self
    }
}

impl Serialize for Form {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// Converts a decimal to a JSON number with the same digits.
pub(crate) fn number(key: &str, amount: &str) -> Result<Box<RawValue>, FieldError> {
    let wrong = || FieldError::new(format_args!("/{key}"), format_args!("{amount} is not an amount such as 410.00"));
    let is_amount =
        Lenient::from(Some(amount)).exact_amount(key).is_ok_and(|decimal| decimal.as_deref() == Some(amount));
    RawValue::from_string(amount.to_owned()).ok().filter(|_| is_amount).ok_or_else(wrong)
}

/// Texts, numbers and lists always serialise.
fn json<T: Serialize>(value: &T) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use gassync_plugin::parse_date;

    use super::*;

    #[test]
    fn only_what_is_known_is_written() {
        let form = Form::of("71000001").expect("an id").text("firstName", Some("Zoë \"Z\"")).text("lastName", None);
        let form = form.date("arrival", parse_date("2027-03-05")).number("numChild", Some(0)).number("numAdult", None);
        let form = form.amount("price", Some("240.00")).expect("an amount").amount("commission", None).expect("none");
        let form = form.actions(&["checkAvailability"]).actions(&[]);
        let written = r#"{"actions":{"checkAvailability":true},"id":71000001,"firstName":"Zoë \"Z\"","arrival":"2027-03-05","numChild":0,"price":240.00}"#;
        assert_eq!(form.json().get(), written);
        assert!(!form.is_bare() && Form::of("7").expect("an id").is_bare() && Form::default().is_bare());
    }

    #[test]
    fn what_is_no_number_is_refused_by_its_place() {
        let path = |refused: Result<Form, FieldError>| refused.err().map(|error| error.path);
        for id in ["", "room", "-5", "5.0", "99999999999999999999999"] {
            assert_eq!(path(Form::default().id("roomId", Some(id))).as_deref(), Some("/roomId"), "{id}");
        }
        for amount in ["a lot", "", ".5", "007", "1e3", "100000000000", "1,5", "{}"] {
            assert_eq!(path(Form::default().amount("price", Some(amount))).as_deref(), Some("/price"), "{amount}");
        }
        for amount in ["0", "-10.50", "99999999999.9999"] {
            let form = Form::default().amount("price", Some(amount)).expect("an amount");
            assert_eq!(form.json().get(), format!("{{\"price\":{amount}}}"));
        }
    }
}
