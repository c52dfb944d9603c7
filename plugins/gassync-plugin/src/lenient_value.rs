use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;

use crate::{ChannelError, Date, escapes::mend_escapes, instant::moment, malformed, note, parse_date_as};

/// Maximum exponent of an amount; larger ones are errors or attacks.
const MAX_EXPONENT: usize = 30;
/// Maximum integer digits of an amount: the host rejects 100 billion and more.
const MAX_WHOLE_DIGITS: usize = 11;
/// Maximum significant decimal places of an amount: the host stores ten-thousandths.
const MAX_PLACES: usize = 4;
/// Maximum decimal places including zeros; the host cannot parse many more.
const MAX_WRITTEN_PLACES: usize = 16;

/// A value that a channel writes as number or text. It keeps the original digits, so that ids over 53 bits and amounts
/// stay exact.
///
/// Null, a missing key (with `#[serde(default)]`), a blank text, a list and an object are empty. Accessors return
/// `None` if the value is not of the requested kind:
///
/// ```
/// use gassync_plugin::Lenient;
///
/// #[derive(serde::Deserialize, Default)]
/// #[serde(default)]
/// struct Booking {
///     id: Lenient,
///     price: Lenient,
///     adults: Lenient,
///     guest: Lenient,
/// }
///
/// let body = br#"{"id": 9007199254740993, "price": 540.50, "adults": "2", "guest": null}"#;
/// let booking: Booking = serde_json::from_slice(body)?;
/// assert_eq!(booking.id.text().as_deref(), Some("9007199254740993"));
/// assert_eq!(booking.price.decimal().as_deref(), Some("540.50"));
/// assert_eq!((booking.adults.count(), booking.guest.text()), (Some(2), None));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// It deserialises from JSON text only: `serde_json::Value` or `#[serde(flatten)]` would already have converted numbers
/// to floats and is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lenient(Value);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Value {
    #[default]
    Nothing,
    Flag(bool),
    Text(String),
}

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: &RawValue = <&RawValue>::deserialize(deserializer)?;
        let written = raw.get();
        Ok(match written.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(&mend_escapes(written)).map_err(D::Error::custom)?.into(),
            Some(b'0'..=b'9' | b'-') => written.to_owned().into(),
            // Distinguished from texts, since channels write false for a missing name or address.
            Some(b't') => Self(Value::Flag(true)),
            Some(b'f') => Self(Value::Flag(false)),
            _ => Self::default(),
        })
    }
}

impl From<String> for Lenient {
    fn from(text: String) -> Self {
        let text = text.trim();
        Self(if text.is_empty() { Value::Nothing } else { Value::Text(text.to_owned()) })
    }
}

/// For values outside JSON, such as an optional XML attribute.
impl From<Option<&str>> for Lenient {
    fn from(text: Option<&str>) -> Self {
        text.unwrap_or_default().to_owned().into()
    }
}

impl Lenient {
    /// The text, or the digits of a number, trimmed.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Value::Text(text) => Some(text),
            Value::Flag(_) | Value::Nothing => None,
        }
    }

    /// The same, owned.
    pub fn text(&self) -> Option<String> {
        self.as_str().map(str::to_owned)
    }

    /// The same, with `0` as `None`, as in many channels' ids.
    pub fn unless_zero(&self) -> Option<String> {
        self.text().filter(|id| id != "0")
    }

    /// The text in lower case, or an empty text.
    pub fn lower(&self) -> String {
        self.as_str().unwrap_or_default().to_lowercase()
    }

    /// A boolean: true/false, yes/no, or 1/0.
    pub fn flag(&self) -> Option<bool> {
        match (&self.0, self.lower().as_str()) {
            (Value::Flag(flag), _) => Some(*flag),
            (_, "true" | "yes" | "1") => Some(true),
            (_, "false" | "no" | "0") => Some(false),
            _ => None,
        }
    }

    /// An integer, also as text, as `2.0`, or as a boolean.
    pub fn integer(&self) -> Option<i64> {
        if let Value::Flag(flag) = self.0 {
            return Some(i64::from(flag));
        }
        let text = self.as_str()?;
        let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
        let is_whole = !places.is_empty() && places.bytes().all(|byte| byte == b'0');
        whole.parse().ok().filter(|_| is_whole)
    }

    /// A non-negative count.
    pub fn count(&self) -> Option<u32> {
        self.integer()?.try_into().ok()
    }

    /// The same; an invalid count is [noted](note) at `place`.
    pub fn count_or_note(&self, place: impl fmt::Display) -> Option<u32> {
        let count = self.count();
        if count.is_none() && self.as_str().is_some() {
            note(place, "is not a whole number of at least 0");
        }
        count
    }

    /// An exact decimal with its original digits, for money. Only an exponent, which the contract does not allow, is
    /// expanded: `1.5e3` becomes `1500`.
    pub fn decimal(&self) -> Option<String> {
        let text = self.as_str()?;
        let sign = if text.starts_with('-') { "-" } else { "" };
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, Some(exponent.parse().ok()?)),
            None => (unsigned, None),
        };
        let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && places.is_empty()) || !is_digits(whole) || !is_digits(places) {
            return None;
        }
        let written = exponent.map_or_else(|| Some(digits.to_owned()), |exponent| written_out(whole, places, exponent));
        Some(format!("{sign}{}", written?))
    }

    /// A number as the nearest float, such as a latitude. Use [`decimal`](Self::decimal) for money.
    pub fn number(&self) -> Option<f64> {
        self.as_str()?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A date, optionally followed by a time. An invalid text is malformed at `place`, usually a JSON pointer. Use it
    /// for nights, which a record needs; use [`date_or_note`](Self::date_or_note) for other dates.
    pub fn date(&self, place: impl fmt::Display) -> Result<Option<Date>, ChannelError> {
        self.date_as("YYYY-MM-DD", place)
    }

    /// The same in another format, such as `DD.MM.YYYY`: see [`parse_date_as`].
    pub fn date_as(&self, order: &str, place: impl fmt::Display) -> Result<Option<Date>, ChannelError> {
        let Some(text) = self.as_str() else { return Ok(None) };
        parse_date_as(text, order).map(Some).ok_or_else(|| malformed(place, not_a_date(order)))
    }

    /// An informative date, such as that of a cancellation: an invalid text is omitted and [noted](note) at `place`.
    pub fn date_or_note(&self, place: impl fmt::Display) -> Option<Date> {
        self.date_as_or_note("YYYY-MM-DD", place)
    }

    /// The same in another format, such as `DD.MM.YYYY`: see [`parse_date_as`].
    pub fn date_as_or_note(&self, order: &str, place: impl fmt::Display) -> Option<Date> {
        let text = self.as_str()?;
        let date = parse_date_as(text, order);
        if date.is_none() {
            note(place, not_a_date(order));
        }
        date
    }

    /// The unchanged text of an instant: the host omits and notes an invalid one. It never fails.
    pub fn instant(&self, _place: impl fmt::Display) -> Result<Option<String>, ChannelError> {
        Ok(self.text())
    }

    /// An amount with its original digits, as a [`decimal`](Self::decimal) if valid: the host rounds excess decimals,
    /// omits invalid or excessive amounts, and notes both. It never fails.
    pub fn amount(&self, _place: impl fmt::Display) -> Result<Option<String>, ChannelError> {
        Ok(self.decimal().or_else(|| self.text()))
    }
}

impl Lenient {
    /// A [`decimal`](Self::decimal) that the host accepts as money without rounding; any other text is malformed at
    /// `place`. Use it for requests, questions and pushes, where values must be exact.
    pub fn exact_amount(&self, place: impl fmt::Display) -> Result<Option<String>, ChannelError> {
        match (self.as_str(), self.decimal()) {
            (Some(_), None) => Err(malformed(place, "is not an amount such as 410.00")),
            (_, Some(decimal)) if !is_money(&decimal) => {
                Err(malformed(place, "is too large or too fine for an amount"))
            }
            (_, decimal) => Ok(decimal),
        }
    }

    /// An instant that the host accepts unchanged; any other text is malformed at `place`. Use it for requests and
    /// questions.
    pub fn exact_instant(&self, place: impl fmt::Display) -> Result<Option<String>, ChannelError> {
        match self.as_str() {
            Some(text) if moment(text).is_none() => Err(malformed(place, "is not an instant (YYYY-MM-DDTHH:MM:SSZ)")),
            text => Ok(text.map(str::to_owned)),
        }
    }
}

fn is_money(decimal: &str) -> bool {
    let (whole, places) = decimal.split_once('.').unwrap_or((decimal, ""));
    whole.trim_start_matches(['-', '0']).len() <= MAX_WHOLE_DIGITS
        && places.trim_end_matches('0').len() <= MAX_PLACES
        && places.len() <= MAX_WRITTEN_PLACES
}

fn not_a_date(order: &str) -> String {
    format!("is not a date ({order})")
}

/// Applies an exponent by moving the decimal point.
fn written_out(whole: &str, places: &str, exponent: i32) -> Option<String> {
    let moved = usize::try_from(exponent.unsigned_abs()).ok().filter(|moved| *moved <= MAX_EXPONENT)?;
    // Pad with zeros in the direction of the move.
    let (digits, point) = if exponent < 0 {
        (format!("{}{whole}{places}", "0".repeat(moved)), whole.len())
    } else {
        (format!("{whole}{places}{}", "0".repeat(moved.saturating_sub(places.len()))), whole.len() + moved)
    };
    let (whole, places) = digits.split_at(point);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    Some(if places.is_empty() { whole.to_owned() } else { format!("{whole}.{places}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{notes::take_notes, parse_date};

    fn read(json: &str) -> Lenient {
        serde_json::from_str(json).expect(json)
    }

    #[test]
    fn digits_stay_and_nothing_is_nothing() {
        for (json, text) in [
            ("9007199254740993", "9007199254740993"),
            ("540.50", "540.50"),
            ("-1", "-1"),
            (r#"" Zo\u00eb ""#, "Zoë"),
            (r#""false""#, "false"),
        ] {
            assert_eq!(read(json).as_str(), Some(text));
        }
        for json in ["null", r#""""#, r#"" ""#, "[1]", r#"{"a":1}"#, "false"] {
            assert_eq!(read(json).text(), None, "{json}");
        }
        assert_eq!(read("null"), Lenient::default());
        assert_eq!((read("0").unless_zero(), read("10").unless_zero()), (None, Some("10".to_owned())));
        assert_eq!(read(r#""half \ud83d""#).as_str(), Some("half \u{fffd}"));
        assert_eq!(read(r#""\u0000\ude00\ud83d\ude00""#).as_str(), Some("\u{fffd}\u{fffd}😀"));
        assert!(serde_json::from_value::<Lenient>(serde_json::json!(1.5)).is_err(), "a float has been there before");
    }

    #[test]
    fn decimals_never_pass_through_a_float() {
        let decimal = |json: &str| read(json).decimal();
        for exact in ["540.50", "0", "-12.3456", "0.10000000000000000555", "123456789012345678901234567890.12"] {
            assert_eq!(decimal(exact).as_deref(), Some(exact));
            assert_eq!(decimal(&format!("\"{exact}\"")).as_deref(), Some(exact));
        }
        for (json, written) in [
            ("1e2", "100"),
            ("1.5E3", "1500"),
            ("-4.505e+2", "-450.5"),
            ("45050e-2", "450.50"),
            ("5e-3", "0.005"),
            ("0.5e1", "5"),
            ("12.345e1", "123.45"),
            (r#""+67.50""#, "67.50"),
        ] {
            assert_eq!(decimal(json).as_deref(), Some(written), "{json}");
        }
        for none in [
            "1e31",
            "true",
            "null",
            r#""1,50""#,
            r#""12 EUR""#,
            r#""-""#,
            r#""+-5""#,
            r#"".""#,
            r#""1.2.3""#,
            r#""NaN""#,
            r#""1e""#,
        ] {
            assert_eq!(decimal(none), None, "{none}");
        }
    }

    #[test]
    fn whole_numbers_words_and_flags() {
        for (json, number) in [
            ("2", Some(2)),
            (r#""2""#, Some(2)),
            ("2.0", Some(2)),
            (r#""2.00""#, Some(2)),
            ("-1", Some(-1)),
            ("true", Some(1)),
            ("false", Some(0)),
        ] {
            assert_eq!(read(json).integer(), number, "{json}");
        }
        for none in ["2.5", r#""2.""#, r#""two""#, "null", "99999999999999999999"] {
            assert_eq!(read(none).integer(), None, "{none}");
        }
        assert_eq!(
            (read("4294967295").count(), read("4294967296").count(), read("-1").count()),
            (Some(u32::MAX), None, None)
        );
        assert_eq!(
            (read("true").flag(), read(r#""Yes""#).flag(), read("1").flag()),
            (Some(true), Some(true), Some(true))
        );
        assert_eq!(
            (read("false").flag(), read(r#""no""#).flag(), read("0").flag()),
            (Some(false), Some(false), Some(false))
        );
        assert_eq!((read("2").flag(), read("null").flag()), (None, None));
        assert_eq!(read(r#""4.53""#).number(), Some(4.53));
        assert_eq!((read("1e999").number(), read(r#""NaN""#).number()), (None, None));
        assert_eq!((read(r#""NoShow""#).lower(), read("null").lower()), ("noshow".to_owned(), String::new()));
    }

    #[test]
    fn instants_and_amounts_are_handed_on_as_they_were_written() {
        for text in ["2027-01-09 08:02:30", "2027-01-09T08:02:30.25+07:00", "2027-02-30T10:00:00Z", "now", "99"] {
            assert_eq!(Lenient::from(text.to_owned()).instant("at"), Ok(Some(text.to_owned())));
        }
        assert_eq!(read("null").instant("at"), Ok(None));
        for text in ["410.00", "1714.28571", "-0000000000410.1000000", ".5", "100000000000", "a lot", "1,50"] {
            assert_eq!(Lenient::from(Some(text)).amount("price"), Ok(Some(text.to_owned())));
        }
        assert_eq!(read("1e2").amount("price"), Ok(Some("100".to_owned())));
        assert_eq!((read("null").amount("price"), read("true").amount("price")), (Ok(None), Ok(None)));
    }

    #[test]
    fn what_is_meant_exactly_says_where_it_stands() {
        for text in ["2027-01-09", "2027-01-09T08:02Z", "2027-01-09T08:02:30.25+07:00"] {
            assert_eq!(Lenient::from(text.to_owned()).exact_instant("at"), Ok(Some(text.to_owned())));
        }
        for amount in ["99999999999.9999", "-0000000000410.1000000", ".5"] {
            assert_eq!(Lenient::from(Some(amount)).exact_amount("at"), Ok(Some(amount.to_owned())));
        }
        let wrong_instants = ["2027-02-30T10:00:00Z", "now", "2027-01-09T25:00:00Z", "99"];
        let wrong_amounts = ["a lot", "100000000000", "1e11", "410.00001", "1.00000000000000000"];
        let reported = wrong_instants.map(|text| Lenient::from(Some(text)).exact_instant("at"));
        let reported =
            reported.into_iter().chain(wrong_amounts.map(|text| Lenient::from(Some(text)).exact_amount("at")));
        for reported in reported {
            assert!(matches!(&reported, Err(ChannelError::Malformed(why)) if why.starts_with("at: ")), "{reported:?}");
        }
        assert_eq!((read("null").exact_instant("at"), read("null").exact_amount("at")), (Ok(None), Ok(None)));
    }

    #[test]
    fn what_the_record_can_do_without_is_left_out_and_noted() {
        take_notes();
        assert_eq!(read(r#""31.02.2027""#).date_as_or_note("DD.MM.YYYY", "/from"), None);
        assert_eq!(read(r#""2027-03-05""#).date_or_note("/until"), parse_date("2027-03-05"));
        assert_eq!((read("null").date_or_note("/x"), read("null").count_or_note("/x")), (None, None));
        assert_eq!((read("2").count_or_note("/x"), read("-2").count_or_note("/children")), (Some(2), None));
        let noted: Vec<String> = take_notes().into_iter().map(|note| note.path).collect();
        assert_eq!(noted, ["/from", "/children"]);
    }

    #[test]
    fn a_date_that_is_none_says_where_it_stands() {
        let date = |json: &str| read(json).date(format_args!("/{}/from", 0));
        assert_eq!(date(r#""2027-03-05T10:00:00Z""#).expect("a date"), parse_date("2027-03-05"));
        let german = |json: &str| read(json).date_as("DD.MM.YYYY", "from");
        assert_eq!((german(r#""05.03.2027""#), german("null")), (Ok(parse_date("2027-03-05")), Ok(None)));
        let wrong = german(r#""31.02.2027""#);
        assert!(matches!(wrong, Err(ChannelError::Malformed(why)) if why == "from: is not a date (DD.MM.YYYY)"));
        assert_eq!(date("null").expect("nothing"), None);
        let wrong = date(r#""05.03.2027""#);
        assert!(matches!(wrong, Err(ChannelError::Malformed(why)) if why == "/0/from: is not a date (YYYY-MM-DD)"));
    }
}
