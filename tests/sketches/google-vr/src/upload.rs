//! One message to Google. A status of 200 says nothing: what is in the answer does.

use gassync_plugin::{ChannelError, FieldError, http};

use crate::xml::Element;

const BASE: &str = "https://www.google.com/travel/hotels/uploads/";

/// What became of a message.
pub enum Heard {
    /// Google has no objection yet; what it finds later stands in its own pages alone.
    Taken,
    /// None of it was taken.
    Refused(Vec<FieldError>),
    /// Not now; after so many seconds where it says so.
    Later(Option<u32>),
}

/// Sends a message and reads the answer.
pub fn send(path: &str, message: &Element) -> Result<Heard, ChannelError> {
    let answer = match http::Request::post_xml(format!("{BASE}{path}"), message.document()).send() {
        Ok(answer) => answer,
        Err(ChannelError::RateLimited(seconds)) => return Ok(Heard::Later(seconds)),
        Err(ChannelError::Unavailable(_)) => return Ok(Heard::Later(None)),
        Err(other) => return Err(other),
    };
    match answer.status() {
        200..=299 => {}
        // No key is sent: it is our address that Google knows.
        401 | 403 => {
            return Err(ChannelError::Unauthorized("this host's address is not on Google's list".to_owned()));
        }
        429 => return Ok(Heard::Later(answer.header("retry-after").and_then(|text| text.parse().ok()))),
        500..=599 => return Ok(Heard::Later(None)),
        status => return Ok(Heard::Refused(vec![error("", format!("status {status}"))])),
    }
    if answer.body().trim_ascii().is_empty() {
        return Ok(Heard::Taken);
    }
    let root = Element::parse(answer.body())?;
    let errors = root.all("Errors/Error").into_iter().map(|said| {
        let text = said.attribute("ShortText").or(said.own_text()).unwrap_or("not said why");
        error(
            &format!("xml:{}/Errors/Error", root.name),
            format!("{} {text}", said.attribute("Code").unwrap_or_default()),
        )
    });
    let errors: Vec<FieldError> = errors.collect();
    Ok(if errors.is_empty() { Heard::Taken } else { Heard::Refused(errors) })
}

/// Something wrong with one item.
pub fn error(path: &str, problem: impl Into<String>) -> FieldError {
    FieldError { path: path.to_owned(), problem: problem.into() }
}
