//! Results of writes: one per item in order, with an HTTP success status even if all were refused.

use std::collections::BTreeMap;

use gassync_plugin::{ChannelError, FieldError, Lenient, http::Request};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::refusal::{self, ErrorBody};

/// Result of a write request.
#[derive(Debug)]
pub(crate) enum BatchResult {
    /// One result per item; a missing result is unknown.
    Each(Vec<WriteResult>),
    /// Nothing was accepted.
    Refused(Vec<FieldError>),
    /// Rate limited, with the delay in seconds if given.
    Later(Option<u32>),
    /// It may have been accepted: no response, or an unreadable one.
    Unclear,
}

/// Result of one item.
#[derive(Debug, Default)]
pub(crate) struct WriteResult {
    /// `None` if missing.
    pub success: Option<bool>,
    pub id: Option<String>,
    /// Id of the created record. A new booking may exist even if part of it was refused.
    pub made_id: Option<String>,
    /// The echoed record, if readable.
    pub applied: Option<Box<RawValue>>,
    /// Reasons for refusal.
    pub errors: Vec<FieldError>,
    pub warnings: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wire {
    success: Lenient,
    new: Option<Box<RawValue>>,
    modified: Option<Box<RawValue>>,
    errors: Option<Vec<Problem>>,
    warnings: Option<Vec<Problem>>,
    info: Option<Vec<Problem>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    id: Lenient,
    action: Lenient,
    field: Lenient,
    message: Lenient,
}

/// Sends a write request. An error applies to the whole call: invalid credentials or a plugin error.
pub(crate) fn send(request: Request) -> Result<BatchResult, ChannelError> {
    let answer = match request.send() {
        Ok(answer) => answer,
        // The host did not send it.
        Err(ChannelError::RateLimited(seconds)) => return Ok(BatchResult::Later(seconds)),
        // It may have been sent.
        Err(ChannelError::Unavailable(_)) => return Ok(BatchResult::Unclear),
        Err(other) => return Err(other),
    };
    let status = answer.status();
    if !(200..300).contains(&status) {
        let error = refusal::of_status(&answer);
        return match (status, error) {
            // The token is valid but lacks the scope; other calls may succeed.
            (403, ChannelError::Unauthorized(why)) => Ok(BatchResult::Refused(vec![FieldError::new("", why)])),
            (_, error) => judged(error),
        };
    }
    if let Ok(results) = serde_json::from_slice::<Vec<Box<RawValue>>>(answer.body()) {
        let each = results.iter().enumerate().map(|(index, raw)| WriteResult::read(raw, index));
        return Ok(BatchResult::Each(each.collect()));
    }
    // A single object is the result of the whole list.
    #[derive(Deserialize)]
    struct Whole {
        #[serde(default)]
        success: Lenient,
    }
    match serde_json::from_slice::<Whole>(answer.body()) {
        Ok(whole) if whole.success.flag() == Some(false) => {
            let said: ErrorBody = serde_json::from_slice(answer.body()).unwrap_or_default();
            judged(refusal::of_body(&said, &answer))
        }
        _ => Ok(BatchResult::Unclear),
    }
}

fn judged(error: ChannelError) -> Result<BatchResult, ChannelError> {
    match error {
        ChannelError::Rejected(errors) => Ok(BatchResult::Refused(errors)),
        ChannelError::RateLimited(seconds) => Ok(BatchResult::Later(seconds)),
        ChannelError::Unavailable(_) => Ok(BatchResult::Unclear),
        other => Err(other),
    }
}

impl WriteResult {
    fn read(raw: &RawValue, index: usize) -> Self {
        let Ok(wire) = serde_json::from_str::<Wire>(raw.get()) else { return Self::default() };
        let is_object = |raw: &RawValue| raw.get().starts_with('{');
        let id_in = |raw: &RawValue| values(raw).get("id").and_then(Lenient::unless_zero);
        let made_id = wire.new.as_deref().and_then(id_in);
        let applied = [wire.new, wire.modified].into_iter().flatten().find(|raw| is_object(raw));
        // The id is also in the echo; in a notice it may be the only place.
        let named = applied.as_deref().and_then(id_in);
        let (reported_errors, warned, noticed) = (wire.errors, wire.warnings, wire.info.unwrap_or_default());
        let (reported_errors, warned) = (reported_errors.unwrap_or_default(), warned.unwrap_or_default());
        let noticed = || noticed.iter().find_map(|notice| notice.id.unless_zero());
        let success = wire.success.flag();
        let warnings: Vec<String> = warned.iter().filter_map(Problem::text).collect();
        // A refusal may give its reason only as a warning.
        let problems = reported_errors.iter().chain(&warned).map(|problem| problem.at(index));
        let mut errors: Vec<FieldError> = if success == Some(false) { problems.collect() } else { Vec::new() };
        if success == Some(false) && errors.is_empty() {
            errors.push(FieldError::new(format_args!("/{index}"), "is refused, and Beds24 does not say why"));
        }
        Self { success, id: named.or_else(noticed), made_id, applied, errors, warnings }
    }

    /// Describes sent values that the echo shows differently; keys that are not echoed are skipped.
    pub fn differences(&self, sent: &RawValue, keys: &[&str]) -> Vec<String> {
        let Some(applied) = &self.applied else { return Vec::new() };
        let (sent, has) = (values(sent), values(applied));
        let difference = |key: &&str| {
            let (sent, has) = (sent.get(*key)?, has.get(*key)?);
            let (Some(wanted), Some(is)) = (sent.as_str(), has.as_str()) else { return None };
            (!is_same(sent, has)).then(|| format!("{key} is {is} at Beds24 and not {wanted}"))
        };
        keys.iter().filter_map(difference).collect()
    }
}

impl Problem {
    fn text(&self) -> Option<String> {
        self.message.text().or_else(|| self.action.text())
    }

    fn at(&self, index: usize) -> FieldError {
        let problem = self.text().unwrap_or_else(|| "is refused".to_owned());
        match self.field.as_str() {
            Some(field) => FieldError::new(format_args!("/{index}/{field}"), problem),
            None => FieldError::new(format_args!("/{index}"), problem),
        }
    }
}

/// Returns the values of an object by name; empty if it is not an object.
pub(crate) fn values(raw: &RawValue) -> BTreeMap<String, Lenient> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// Compares values. Beds24 echoes numbers as texts or with other digits, and words in another case.
pub(crate) fn is_same(sent: &Lenient, has: &Lenient) -> bool {
    let plain = |said: &Lenient| {
        let text = said.decimal().unwrap_or_else(|| said.lower());
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    };
    plain(sent) == plain(has)
}

#[cfg(test)]
mod tests {
    use gassync_plugin::{Header, HttpResponse, http::HttpError, testing::FakeHost};

    use super::*;

    fn said(status: u16, body: &str) -> Result<BatchResult, ChannelError> {
        FakeHost::reset();
        let header = |name: &str, value: &str| Header { name: name.to_owned(), value: value.to_owned() };
        let headers = vec![header("X-Five-Min-Limit-Resets-In", "117"), header("X-Request-Cost", "1.1")];
        FakeHost::answer_with(Ok(HttpResponse { status, headers, body: body.into() }));
        send(Request::post_json("https://beds.example", "[]"))
    }

    fn each(body: &str) -> Vec<WriteResult> {
        match said(201, body) {
            Ok(BatchResult::Each(each)) => each,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn results_stand_in_the_order_of_what_was_sent() {
        let each = each(
            r#"[{"success":true,"new":{"id":71000101,"roomId":5200},"info":[{"action":"new booking","id":71000101}]},
                {"success":false,"errors":[{"action":"new booking","field":"arrival","message":"invalid"}]},
                {"success":false,"warnings":[{"message":"room is full"}]},
                {"success":true,"info":[{"action":"new booking","id":"71000102","message":"added"}]},
                {"success":true},
                {"success":false},
                {"success":true,"modified":{"id":5},"warnings":[{"field":"price","message":"capped"}]},
                7]"#,
        );
        let ids: Vec<_> = each.iter().map(|written| written.id.as_deref()).collect();
        assert_eq!(ids, [Some("71000101"), None, None, Some("71000102"), None, None, Some("5"), None]);
        assert_eq!(each[1].errors, [FieldError::new("/1/arrival", "invalid")]);
        assert_eq!(each[2].errors, [FieldError::new("/2", "room is full")], "warnings alone can be a refusal");
        assert!(each[4].success == Some(true) && each[4].applied.is_none() && each[4].errors.is_empty());
        assert_eq!(each[5].errors.len(), 1, "a refusal without a reason is one");
        assert_eq!((each[6].warnings.as_slice(), each[6].errors.len()), (&["capped".to_owned()][..], 0));
        assert_eq!(each[7].success, None);
    }

    #[test]
    fn a_single_object_speaks_of_all_that_was_sent() {
        let malformed = r#"{"success":false,"code":400,"error":"Request body must be an array"}"#;
        for status in [200, 201, 400] {
            let Ok(BatchResult::Refused(errors)) = said(status, malformed) else { panic!("{status}") };
            assert_eq!(errors[0].problem, "Request body must be an array");
        }
        assert!(matches!(said(201, r#"{"success":false,"code":429}"#), Ok(BatchResult::Later(Some(117)))));
        assert!(matches!(said(201, r#"{"success":false,"code":401}"#), Err(ChannelError::Unauthorized(_))));
        assert!(matches!(said(201, r#"{"success":true}"#), Ok(BatchResult::Unclear)));
    }

    #[test]
    fn whether_something_was_taken_is_not_guessed() {
        for body in ["", "<html>Back soon</html>", r#"[{"success":true,"new":{"id":7"#] {
            assert!(matches!(said(201, body), Ok(BatchResult::Unclear)), "{body}");
        }
        for status in [500, 502, 503, 504, 302] {
            assert!(matches!(said(status, "[]"), Ok(BatchResult::Unclear)), "{status}");
        }
        for error in [HttpError::TimedOut, HttpError::Connect("reset".to_owned())] {
            FakeHost::reset();
            FakeHost::answer_with(Err(error));
            assert!(matches!(send(Request::post_json("https://beds.example", "[]")), Ok(BatchResult::Unclear)));
        }
    }

    #[test]
    fn refusals_of_the_whole_call_have_names() {
        let error = |code: u16| format!(r#"{{"success":false,"type":"error","code":{code},"error":"so it is"}}"#);
        assert_eq!(said(401, &error(401)).err(), Some(ChannelError::Unauthorized("so it is".to_owned())));
        assert!(matches!(said(429, &error(429)), Ok(BatchResult::Later(Some(117)))));
        // The token may have other scopes.
        assert!(matches!(said(403, &error(403)), Ok(BatchResult::Refused(_))));
        FakeHost::reset();
        FakeHost::answer_with(Err(HttpError::CircuitOpen(Some(9))));
        assert!(matches!(send(Request::post_json("https://beds.example", "[]")), Ok(BatchResult::Later(Some(9)))));
    }

    #[test]
    fn values_are_compared_and_not_their_digits() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).expect("JSON");
        let sent = raw(r#"{"roomId":5200,"price":240.50,"arrival":"2027-03-05","numAdult":2,"lastName":"Hale"}"#);
        let written = |has: &str| WriteResult { applied: Some(raw(has)), ..WriteResult::default() };
        let keys = ["roomId", "price", "arrival", "numAdult"];
        let same = r#"{"roomId":"5200","price":"240.5","arrival":"2027-03-05","lastName":"HALE"}"#;
        assert!(written(same).differences(&sent, &keys).is_empty());
        let other = written(r#"{"numAdult":1,"price":240}"#).differences(&sent, &keys);
        assert_eq!(other, ["price is 240 at Beds24 and not 240.50", "numAdult is 1 at Beds24 and not 2"]);
        assert!(WriteResult::default().differences(&sent, &keys).is_empty());
    }
}
