//! Converts contract records to domain records. Errors name the path of the value.

mod calendar;
mod change_kind;
mod outcomes;
mod questions;
mod reading;
mod records;
#[cfg(test)]
mod tests;
mod values;

use gassync_domain::{ChannelError, Decoded, HttpRequest, HttpResponse, Page, ResumePoint, Scope};

use self::{change_kind::changes, outcomes::field_error, values::exactly};
pub(super) use self::{
    change_kind::entity_ref,
    outcomes::{acknowledgement_outcomes, chunk, outcomes, report, subscribed},
    questions::stay_query,
    values::{instant, span},
};
use super::bindings::gassync::channel::types as wit;
use crate::CallError;

type Converted<T> = Result<T, CallError>;

fn bad<T>(path: &str, problem: impl Into<String>) -> Converted<T> {
    Err(CallError::InvalidResult { path: path.to_owned(), problem: problem.into() })
}

pub(super) fn request(request: wit::HttpRequest) -> HttpRequest {
    let wit::HttpRequest { method, url, headers, body } = request;
    HttpRequest { method, url, headers: self::headers(headers), body }
}

pub(super) fn response(response: wit::HttpResponse) -> Converted<HttpResponse> {
    let wit::HttpResponse { status, headers, body } = response;
    Ok(HttpResponse { status: self::status(status)?, headers: self::headers(headers), body })
}

fn headers(headers: Vec<wit::Header>) -> Vec<(String, String)> {
    headers.into_iter().map(|header| (header.name, header.value)).collect()
}

fn status(status: u16) -> Converted<u16> {
    if (100..600).contains(&status) { Ok(status) } else { bad("status", format!("{status} is not an HTTP status")) }
}

pub(super) fn channel_error(error: wit::ChannelError) -> CallError {
    CallError::Channel(match error {
        wit::ChannelError::Unauthorized(why) => ChannelError::Unauthorized(why),
        wit::ChannelError::RateLimited(seconds) => ChannelError::RateLimited(seconds),
        wit::ChannelError::Unavailable(why) => ChannelError::Unavailable(why),
        wit::ChannelError::Rejected(errors) => ChannelError::Rejected(errors.into_iter().map(field_error).collect()),
        wit::ChannelError::Malformed(place) => ChannelError::Malformed(place),
        wit::ChannelError::Conflict(why) => ChannelError::Conflict(why),
        wit::ChannelError::Unsupported => ChannelError::Unsupported,
        wit::ChannelError::Broken(why) => ChannelError::Broken(why),
    })
}

pub(super) fn decoded(decoded: wit::Decoded, limit: usize) -> Converted<Decoded> {
    Ok(Decoded {
        event_id: decoded.event_id,
        changes: changes(decoded.changes, limit)?,
        reply: decoded.reply.map(response).transpose()?,
    })
}

pub(super) fn page(page: wit::Page, limit: usize) -> Converted<Page> {
    Ok(Page {
        changes: changes(page.changes, limit)?,
        next: page.next,
        resume: page.resume.map(resume_point).transpose()?,
        scope: match page.scope {
            wit::Scope::Delta => Scope::Delta,
            wit::Scope::Whole(nights) => {
                let (start, until) = span("scope", nights)?;
                Scope::Whole { start, until }
            }
            wit::Scope::WholeEntity => Scope::WholeEntity,
        },
        wait_seconds: page.wait_seconds,
    })
}

fn resume_point(point: wit::ResumePoint) -> Converted<ResumePoint> {
    Ok(match point {
        wit::ResumePoint::Instant(text) => ResumePoint::Instant(exactly("resume", &text)?),
        wit::ResumePoint::Token(token) => ResumePoint::Token(token),
    })
}
