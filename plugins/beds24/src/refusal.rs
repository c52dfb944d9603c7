//! Errors of Beds24.

use gassync_plugin::{ChannelError, FieldError, Lenient, http::Response};
use serde::Deserialize;

/// V1 error codes for an exceeded usage limit or exhausted credits.
const SPENT: [u32; 3] = [1016, 1020, 1021];
/// Lowest V1 error code; lower ones are HTTP status codes.
const FIRST_OLD_CODE: u32 = 1_000;
/// Maximum cost of a call, in credits.
const DEAREST_CALL: f64 = 10.0;
/// Maximum plausible delay, in seconds; longer ones are ignored.
const MAX_WAIT_SECONDS: f64 = 1e6;

/// An error response, as far as readable.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ErrorBody {
    code: Lenient,
    error_code: Lenient,
    error: Lenient,
    message: Lenient,
}

impl ErrorBody {
    /// Returns the error code, or 400 if there is none.
    fn code(&self) -> u32 {
        self.code.count().or_else(|| self.error_code.count()).unwrap_or(400)
    }

    fn reason(&self) -> String {
        self.error.text().or_else(|| self.message.text()).unwrap_or_else(|| "no reason given".to_owned())
    }
}

/// Returns the error of a response with an error status.
pub(crate) fn of_status(answer: &Response) -> ChannelError {
    let said: ErrorBody = serde_json::from_slice(answer.body()).unwrap_or_default();
    by_code(u32::from(answer.status()), said.reason(), wait(answer))
}

/// Returns the error of a response with `success: false`, whatever its status.
pub(crate) fn of_body(said: &ErrorBody, answer: &Response) -> ChannelError {
    by_code(said.code(), said.reason(), wait(answer))
}

fn by_code(code: u32, reason: String, wait: Option<u32>) -> ChannelError {
    match code {
        401 | 403 => ChannelError::Unauthorized(reason),
        429 => ChannelError::RateLimited(wait),
        _ if SPENT.contains(&code) => ChannelError::RateLimited(wait),
        FIRST_OLD_CODE.. => ChannelError::Rejected(vec![FieldError::new("", format!("{reason} ({code})"))]),
        400..=499 => ChannelError::Rejected(vec![FieldError::new("", reason)]),
        _ => ChannelError::Unavailable(format!("status {code}: {reason}")),
    }
}

/// Returns the seconds until credits are renewed. The header has two spellings: one on the wire, one in the vendor's
/// specification. If credits are left, a concurrent call caused the refusal, and only `Retry-After` can give a delay.
pub(crate) fn wait(answer: &Response) -> Option<u32> {
    let left = ["x-five-min-limit-remaining", "x-fivemincreditlimit-remaining"];
    let left: Option<f64> = left.iter().find_map(|name| answer.header(name)?.trim().parse().ok());
    if left.is_some_and(|left| left > DEAREST_CALL) {
        return answer.retry_after();
    }
    let said = ["x-five-min-limit-resets-in", "x-fivemincreditlimit-resetsin"];
    said.iter().find_map(|name| seconds(answer.header(name)?)).or_else(|| answer.retry_after())
}

/// Rounds up to whole seconds, since an early retry is refused again.
fn seconds(text: &str) -> Option<u32> {
    let seconds: f64 = text.trim().parse().ok()?;
    (0.0..MAX_WAIT_SECONDS).contains(&seconds).then(|| seconds.ceil() as u32)
}

#[cfg(test)]
mod tests {
    use gassync_plugin::{Header, HttpResponse, http::Request, testing::FakeHost};

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        FakeHost::reset();
        let headers = headers.iter().map(|(name, value)| Header { name: (*name).into(), value: (*value).into() });
        FakeHost::answer_with(Ok(HttpResponse { status, headers: headers.collect(), body: body.into() }));
        Request::get("https://beds.example").send().expect("an answer")
    }

    fn error(code: u16) -> String {
        format!(r#"{{"success":false,"type":"error","code":{code},"error":"so it is"}}"#)
    }

    #[test]
    fn each_status_has_its_name() {
        let refused = |status: u16| of_status(&answer(status, &[], &error(status)));
        assert_eq!(refused(401), ChannelError::Unauthorized("so it is".to_owned()));
        assert_eq!(refused(400), ChannelError::Rejected(vec![FieldError::new("", "so it is")]));
        assert!(matches!(refused(429), ChannelError::RateLimited(None)));
        for gone in [302, 500, 503] {
            assert!(matches!(refused(gone), ChannelError::Unavailable(_)), "{gone}");
        }
        let page = of_status(&answer(502, &[], "<html>Bad gateway</html>"));
        assert_eq!(page, ChannelError::Unavailable("status 502: no reason given".to_owned()));
    }

    #[test]
    fn retry_after_is_read_in_both_spellings() {
        for name in ["X-Five-Min-Limit-Resets-In", "x-fivemincreditlimit-resetsin", "X-FiveMinCreditLimit-ResetsIn"] {
            let reported = of_status(&answer(429, &[(name, "116.2"), ("X-Request-Cost", "1.1")], &error(429)));
            assert_eq!(reported, ChannelError::RateLimited(Some(117)), "{name}");
        }
        let reported = |headers: &[(&str, &str)]| wait(&answer(429, headers, ""));
        let another_call = [("x-five-min-limit-remaining", "98.5"), ("x-five-min-limit-resets-in", "240")];
        assert_eq!(reported(&another_call), None, "it was not for want of credits");
        assert_eq!(reported(&[("Retry-After", "30")]), Some(30));
        for odd in ["soon", "-5", "1e99", "NaN", ""] {
            assert_eq!(reported(&[("X-Five-Min-Limit-Resets-In", odd)]), None, "{odd}");
        }
    }

    #[test]
    fn numbers_of_the_older_interface_are_no_faults_of_the_server() {
        let refused = |code: u16| {
            let answer = answer(200, &[("X-Five-Min-Limit-Resets-In", "42")], &error(code));
            let said: ErrorBody = serde_json::from_slice(answer.body()).expect("an error");
            of_body(&said, &answer)
        };
        for spent in SPENT {
            assert_eq!(refused(spent as u16), ChannelError::RateLimited(Some(42)), "{spent}");
        }
        for closed in [1009, 1010, 1022, 2000, 6001] {
            assert!(
                matches!(refused(closed), ChannelError::Rejected(errors) if errors[0].problem == format!("so it is ({closed})"))
            );
        }
        assert!(matches!(refused(401), ChannelError::Unauthorized(_)), "an error inside a success");
    }
}
