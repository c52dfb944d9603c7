use gassync_domain::{Date, Extra, Timestamp, lossless_instant};
use serde_json::Value;

use super::{Converted, bad, wit};

pub(in crate::v1_0) fn json(path: &str, text: &str) -> Converted<Value> {
    serde_json::from_str(text).or_else(|error| bad(path, format!("is not JSON: {error}")))
}

pub(in crate::v1_0) fn extra(pairs: wit::Extra) -> Converted<Extra> {
    let extra: Extra =
        pairs.into_iter().map(|(name, value)| Ok((name, json("extra", &value)?))).collect::<Converted<_>>()?;
    Ok(extra.within_bounds())
}

pub(in crate::v1_0) fn instant(path: &str, text: Option<String>) -> Converted<Option<Timestamp>> {
    text.map(|text| exactly(path, &text)).transpose()
}

pub(in crate::v1_0) fn exactly(path: &str, text: &str) -> Converted<Timestamp> {
    lossless_instant(text).map_or_else(|| bad(path, "is not an RFC 3339 instant"), Ok)
}

pub(in crate::v1_0) fn span(path: &str, nights: wit::Nights) -> Converted<(Date, Date)> {
    Ok((date(path, nights.start)?, date(path, nights.until)?))
}

pub(in crate::v1_0) fn date(path: &str, date: wit::Date) -> Converted<Date> {
    let wit::Date { year, month, day } = date;
    let part = |n: u8| i8::try_from(n).unwrap_or(-1);
    Date::new(year, part(month), part(day)).or_else(|_| bad(path, format!("{year}-{month}-{day} is not a date")))
}
