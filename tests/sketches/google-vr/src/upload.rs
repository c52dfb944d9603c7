//! Sends a message to Google. Status 200 does not mean success: the body counts.

use gassync_plugin::{ChannelError, FieldError, http, log, xml::Element};

const BASE: &str = "https://www.google.com/travel/hotels/uploads/";

/// The result of a message.
pub enum Heard {
    /// Google has not rejected it so far; later findings appear only in its own console.
    Taken,
    /// Nothing of it was accepted.
    Refused(Vec<FieldError>),
    /// Retry later, after this many seconds if given.
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
        // No key is sent: Google identifies us by IP address.
        401 | 403 => {
            return Err(ChannelError::Unauthorized("this host's address is not on Google's list".to_owned()));
        }
        429 => return Ok(Heard::Later(answer.retry_after())),
        500..=599 => return Ok(Heard::Later(None)),
        status => return Ok(Heard::Refused(vec![error("", format!("status {status}"))])),
    }
    if answer.body().trim_ascii().is_empty() {
        return Ok(Heard::Taken);
    }
    let root = match Element::parse(answer.body()) {
        Ok(root) => root,
        // An error must not fail other properties: only this message has no response.
        Err(error) => return Ok(not_an_answer(&format!("{error:?}"))),
    };
    let errors = root.all("Errors/Error").into_iter().map(|said| {
        let text = said.attribute("ShortText").or(said.text()).unwrap_or("not said why");
        error(
            &format!("xml:{}/Errors/Error", root.name()),
            format!("{} {text}", said.attribute("Code").unwrap_or_default()),
        )
    });
    let errors: Vec<FieldError> = errors.collect();
    Ok(match (errors.is_empty(), root.find("Success")) {
        (false, _) => Heard::Refused(errors),
        (true, Some(_)) => Heard::Taken,
        (true, None) => not_an_answer(&format!("{} says neither success nor error", root.name())),
    })
}

/// Not a response of Google, such as an HTML page during maintenance.
fn not_an_answer(why: &str) -> Heard {
    log::warn(why);
    Heard::Later(None)
}

/// An error of one item.
pub fn error(path: &str, problem: impl Into<String>) -> FieldError {
    FieldError::new(path, problem.into())
}
