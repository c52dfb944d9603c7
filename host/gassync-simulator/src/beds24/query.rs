//! Query parameters. Lists repeat a parameter, and unknown ones are ignored.

use axum::{
    extract::FromRequestParts,
    http::{header::HOST, request::Parts},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The parameters of a call.
pub(super) struct QueryParams {
    pairs: Vec<(String, String)>,
    /// Page number, from 1.
    pub page: usize,
    address: String,
}

/// An invalid parameter.
#[derive(Debug)]
pub(super) struct BadParameter(pub String);

impl<S: Sync> FromRequestParts<S> for QueryParams {
    type Rejection = BadParameter;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, BadParameter> {
        let pairs = form(parts.uri.query().unwrap_or_default());
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let address = format!("http://{host}/api/v2{}", parts.uri.path());
        let mut query = Self { pairs, page: 1, address };
        if let Some(page) = query.numbers("page")?.pop() {
            query.page = usize::try_from(page).ok().filter(|page| *page > 0).ok_or_else(|| invalid("page"))?;
        }
        Ok(query)
    }
}

impl QueryParams {
    /// Returns all values of a parameter, whose name may end with `[]`. With an index it is a different parameter.
    pub fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |(n, _): &&(String, String)| n.strip_suffix("[]").unwrap_or(n) == name;
        self.pairs.iter().filter(named).map(|(_, value)| value.as_str())
    }

    /// Returns the last value of a parameter.
    pub fn text<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.texts(name).last()
    }

    /// True if the parameter is `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    pub fn numbers(&self, name: &str) -> Result<Vec<u64>, BadParameter> {
        self.texts(name).map(|text| text.parse().map_err(|_| invalid(name))).collect()
    }

    pub fn number(&self, name: &str) -> Result<Option<u64>, BadParameter> {
        Ok(self.numbers(name)?.pop())
    }

    /// Reads one of these words.
    pub fn word<'a>(&'a self, name: &'a str, known: &[&str]) -> Result<Option<&'a str>, BadParameter> {
        let word = self.texts(name).last();
        if word.is_some_and(|word| !known.contains(&word)) {
            return Err(BadParameter(format!("Parameter {name} has an invalid value: {}", word.unwrap_or_default())));
        }
        Ok(word)
    }

    pub fn date(&self, name: &str) -> Result<Option<Date>, BadParameter> {
        self.text(name).map(|text| date(name, text)).transpose()
    }

    /// Reads an instant, or a date as its beginning.
    pub fn instant(&self, name: &str) -> Result<Option<Timestamp>, BadParameter> {
        let Some(text) = self.text(name) else { return Ok(None) };
        if text.len() > "2027-01-01".len() {
            return text.parse().map(Some).map_err(|_| invalid(name));
        }
        let begins = date(name, text)?.to_zoned(TimeZone::UTC).map_err(|_| invalid(name))?;
        Ok(Some(begins.timestamp()))
    }

    /// Builds the query of the next page.
    pub fn next_page(&self) -> String {
        let others = self.pairs.iter().filter(|(name, _)| name != "page");
        let mut text: String = others.map(|(name, value)| format!("{}={}&", encode(name), encode(value))).collect();
        text.push_str(&format!("page={}", self.page + 1));
        format!("{}?{text}", self.address)
    }
}

fn invalid(name: &str) -> BadParameter {
    BadParameter(format!("Parameter {name} is in an invalid format"))
}

fn date(name: &str, text: &str) -> Result<Date, BadParameter> {
    let strict = (text.len() == "2027-01-01".len()).then(|| text.parse().ok()).flatten();
    strict.ok_or_else(|| BadParameter(format!("Parameter {name} is in an invalid format. Expected format: YYYY-MM-DD")))
}

fn encode(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Returns names and values of a query, in order.
fn form(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let [first, tail @ ..] = rest {
            let hex = (*first == b'%').then(|| tail.get(..2)).flatten();
            let byte = hex.and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
            bytes.push(byte.unwrap_or(*first));
            rest = if byte.is_some() { &tail[2..] } else { tail };
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(n, v)| (decode(n), decode(v))).collect()
}
