//! Checks replies to a waiting channel, from results and from errors.

use gassync_domain::{Change, ChangeKind, ChangeResult, ChannelError, FieldError, HttpRequest, HttpResponse, Intent};
use http::{HeaderName, HeaderValue};

use super::{
    change_results, describe,
    harness::{CallVariation, Harness, ReplyCase, state_after, state_after_call},
    idempotency::{LATER, OTHER_SEED},
    payload::Payload,
    report::{Check, Failure},
    samples_decode::DecodedSample,
};
use crate::{CallError, Finished, InboundRoute, Interface, Memory, RouteKind, Verification};

const REPLY: &str = "a reply that a host can send";
const REPLY_OR_ERROR: &str =
    "a reply, or one of the contract's errors other than broken: then the route's fallbackResponse is answered";
/// Minimum length of a credential to search for, in bytes; shorter ones occur in any text.
const MIN_PROOF_BYTES: usize = 6;
/// Bytes that never occur in UTF-8.
const NO_TEXT: &[u8] = &[0xff, 0xfe, 0xc0];

/// A sample whose caller waits for a reply.
struct PendingReply<'a> {
    name: &'a str,
    request: HttpRequest,
    changes: &'a [Change],
    /// Plugin state after the call was decoded.
    memory: Memory,
    /// True if only `reply` can inform the caller of the result.
    needs_reply: bool,
}

impl<'a> PendingReply<'a> {
    fn of(harness: &Harness, known: &'a DecodedSample<'_>) -> Option<Self> {
        let (request, decoded) = (known.sample.request()?, known.decoded()?);
        let asks = |change: &Change| match &change.data {
            ChangeKind::Ask(_) => true,
            ChangeKind::Reservation(record) => record.intent == Intent::Request,
            _ => false,
        };
        let depends =
            decoded.changes.iter().any(asks) || harness.routes(&request).any(|route| route.kind == RouteKind::Ask);
        let has_reply = decoded.has_reply();
        (depends || !has_reply).then(|| Self {
            name: &known.sample.name,
            request,
            changes: &decoded.changes,
            memory: state_after(&known.finished.record),
            needs_reply: depends && !has_reply,
        })
    }

    fn variation(&self) -> CallVariation {
        CallVariation { memory: self.memory.clone(), ..CallVariation::default() }
    }

    async fn respond(
        &self,
        harness: &Harness,
        results: &[ChangeResult],
        variation: CallVariation,
    ) -> Finished<HttpResponse> {
        let reply_case = ReplyCase::Results(self.changes.to_vec(), results.to_vec());
        harness.reply(self.name, self.request.clone(), reply_case, variation).await
    }
}

/// The checks of replies.
struct ReplyChecks {
    respond: Check,
    same: Check,
    secrets: Check,
    on_error: Check,
}

pub(super) async fn checks(harness: &Harness, decoded_samples: &[DecodedSample<'_>]) -> [Check; 4] {
    let mut checks = ReplyChecks {
        respond: Check::new("reply.respond", "Is there a reply for every result of a call?"),
        same: Check::new("reply.same", "Is the same result answered the same way, also on a repeated call?"),
        secrets: Check::new("reply.secrets", "Do replies contain no placeholders and no caller credentials?"),
        on_error: Check::new("reply.on-error", "Does it handle calls that cannot be processed?"),
    };
    let exported = harness.exports(Interface::Reply);
    let pending = decoded_samples.iter().filter(|_| exported).filter_map(|known| PendingReply::of(harness, known));
    for pending in pending {
        checks.with_results(harness, &pending).await;
        checks.with_errors(harness, &pending).await;
    }
    let reason = if exported { "no sample is a call that waits for words" } else { "it does not export reply" };
    let ReplyChecks { respond, same, secrets, on_error } = checks;
    [respond, same, secrets, on_error].map(|check| check.nothing(reason))
}

impl ReplyChecks {
    /// Replies to every combination of results.
    async fn with_results(&mut self, harness: &Harness, pending: &PendingReply<'_>) {
        let outcomes = change_results::outcomes(pending.changes, harness.now());
        let (mut left_to_host, count) = (Vec::new(), outcomes.len());
        let (mut compared_yes, mut compared_no) = (false, false);
        for outcome in outcomes {
            if harness.is_out_of_time() {
                self.respond.not_begun += 1;
                continue;
            }
            let sent = format!("respond to {}, {}", pending.name, outcome.how);
            let finished = pending.respond(harness, &outcome.results, pending.variation()).await;
            let must_reply = pending.needs_reply && outcome.is_taken;
            self.respond.case(match &finished.result {
                Err(error) if must_reply || !is_an_error(error) => {
                    let expected = if must_reply { REPLY } else { REPLY_OR_ERROR };
                    Err(Failure::new(&sent, describe::failed(error, &finished.record), expected))
                }
                Err(_) => {
                    left_to_host.push(outcome.how.clone());
                    Ok(())
                }
                Ok(reply) => is_sendable_reply(&sent, reply),
            });
            let Ok(reply) = &finished.result else { continue };
            self.secrets.case(leaks_nothing(harness, pending, &sent, reply));
            let compared = if outcome.is_taken { &mut compared_yes } else { &mut compared_no };
            if !std::mem::replace(compared, true) {
                self.repeat(harness, pending, (&sent, &outcome.results), &finished).await;
            }
        }
        if !left_to_host.is_empty() {
            let which = left_to_host.first().map(String::as_str).unwrap_or_default();
            let many = left_to_host.len();
            self.respond.note(format!(
                "{}: {many} of {count} outcomes ({which} …) are answered as the route's fallbackResponse says",
                pending.name
            ));
        }
    }

    /// Replies to the same results once more, and again as if the call had been repeated.
    async fn repeat(
        &mut self,
        harness: &Harness,
        pending: &PendingReply<'_>,
        (sent, results): (&str, &[ChangeResult]),
        first: &Finished<HttpResponse>,
    ) {
        let Ok(before) = &first.result else { return };
        let memory = state_after_call(pending.memory.clone(), &first.record);
        // The body may contain the time or a generated id. The status and our reference must depend on neither.
        let later = CallVariation { seed: OTHER_SEED, later: LATER, memory };
        for (how, variation, whole) in
            [("once more", pending.variation(), true), ("again, ten minutes later", later, false)]
        {
            let finished = pending.respond(harness, results, variation).await;
            let good = finished.result.as_ref().is_ok_and(|after| match whole {
                true => after == before,
                false => after.status == before.status && has_our_reference(after) == has_our_reference(before),
            });
            let expected = if whole { "the same reply" } else { "the same status, and our number where it was there" };
            let came_back = format!("{} and then {}", described(before), reply_text(&finished));
            self.same.case(if good {
                Ok(())
            } else {
                Err(Failure::new(format!("{sent}, {how}"), came_back, expected))
            });
        }
    }

    /// Replies to every error, and to undecodable calls.
    async fn with_errors(&mut self, harness: &Harness, pending: &PendingReply<'_>) {
        let (mut tried, mut left_to_host) = (0, 0);
        for (how, request, why) in error_cases(&pending.request) {
            if harness.is_out_of_time() {
                self.on_error.not_begun += 1;
                continue;
            }
            let sent = format!("on-error for {}, {how}", pending.name);
            let is_handed_back = |error: &CallError| matches!(error, CallError::Channel(back) if *back == why);
            let finished =
                harness.reply(pending.name, request, ReplyCase::Error(why.clone()), pending.variation()).await;
            tried += 1;
            self.on_error.case(match &finished.result {
                Ok(reply) => {
                    is_sendable_reply(&sent, reply).and_then(|()| leaks_nothing(harness, pending, &sent, reply))
                }
                Err(error) if is_an_error(error) || is_handed_back(error) => {
                    left_to_host += 1;
                    Ok(())
                }
                Err(error) => Err(Failure::new(sent, describe::failed(error, &finished.record), REPLY_OR_ERROR)),
            });
        }
        if left_to_host > 0 {
            let name = pending.name;
            self.on_error
                .note(format!("{name}: {left_to_host} of {tried} are answered as the route's fallbackResponse says"));
        }
    }
}

/// Returns calls without a result, and their errors.
fn error_cases(request: &HttpRequest) -> Vec<(String, HttpRequest, ChannelError)> {
    let said = |text: &str| text.to_owned();
    let field = FieldError::new(said("/from"), said("\"<&>\" is no day"));
    let errors = [
        ChannelError::Unauthorized(said("the key is not known")),
        ChannelError::RateLimited(Some(120)),
        ChannelError::RateLimited(None),
        ChannelError::Unavailable(said("the database rests")),
        ChannelError::Rejected(vec![field]),
        ChannelError::Malformed(said("/from is \"<&>\", and no day")),
        ChannelError::Conflict(said("it is another's")),
        ChannelError::Unsupported,
        ChannelError::Broken(said("an exception")),
    ];
    let of = |why: ChannelError| (format!("because of {}", why.name()), request.clone(), why);
    let mut all: Vec<_> = errors.into_iter().map(of).collect();
    // For undecodable calls, the plugin gets the undecodable body.
    let unreadable = || ChannelError::Malformed(said("it cannot be read"));
    let body = request.body.as_deref().unwrap_or_default();
    let bodies = [
        ("half of it", Some(body[..body.len() / 2].to_vec())),
        ("without text", Some(NO_TEXT.to_vec())),
        ("empty", Some(Vec::new())),
        ("without a body", None),
    ];
    let of = |(how, body): (&str, Option<Vec<u8>>)| {
        (format!("malformed: {how}"), HttpRequest { body, ..request.clone() }, unreadable())
    };
    all.extend(bodies.into_iter().map(of));
    all
}

/// True if the error is one the host answers itself.
fn is_an_error(error: &CallError) -> bool {
    matches!(error, CallError::Channel(_)) && !error.is_plugin_fault()
}

/// Checks that a reply can be sent, and that its body matches its content type.
fn is_sendable_reply(sent: &str, reply: &HttpResponse) -> Result<(), Failure> {
    let unfit = |problem: String| Failure::new(sent, format!("{}: {problem}", described(reply)), REPLY);
    let is_sendable = |(name, value): &&(String, String)| {
        HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok()
    };
    if let Some((name, _)) = reply.headers.iter().find(|header| !is_sendable(header)) {
        return Err(unfit(format!("the header {name} cannot be sent")));
    }
    let says = |form: &str| reply.headers.iter().any(|(name, value)| is(name, "content-type") && value.contains(form));
    let payload = Payload::new(reply.body.clone());
    for (form, is_so) in [("json", payload.is_json()), ("xml", payload.is_xml())] {
        if says(form) && !is_so && !reply.body.is_empty() {
            return Err(unfit(format!("its content-type says {form}, and it is none")));
        }
    }
    Ok(())
}

/// Checks that a reply contains no placeholders, and none of the caller's credentials.
fn leaks_nothing(
    harness: &Harness,
    pending: &PendingReply<'_>,
    sent: &str,
    reply: &HttpResponse,
) -> Result<(), Failure> {
    let slots = harness.plugin.manifest().credentials.iter().map(|slot| slot.slot.as_str());
    match carried(slots, &caller_proofs(harness.routes(&pending.request), &pending.request), reply) {
        Some((what, expected)) => Err(Failure::new(sent, format!("a reply with {what}"), expected)),
        None => Ok(()),
    }
}

fn carried<'a>(
    slots: impl Iterator<Item = &'a str>,
    caller_proofs: &[(String, String)],
    reply: &HttpResponse,
) -> Option<(String, &'static str)> {
    let headers = reply.headers.iter().map(|(_, value)| value.clone());
    let texts: Vec<String> = headers.chain([String::from_utf8_lossy(&reply.body).into_owned()]).collect();
    let has = |what: &str| texts.iter().any(|text| text.contains(what));
    let placeholder = slots.map(|slot| format!("{{{{{slot}.")).find(|placeholder| has(placeholder));
    let placeholder = placeholder
        .map(|placeholder| (format!("{placeholder}…}}}}"), "no placeholder: in replies nobody fills them in"));
    let proof = || {
        let (place, _) = caller_proofs.iter().find(|(_, proof)| has(proof))?;
        Some((format!("what the call had in {place}"), "nothing of what proved who calls"))
    };
    placeholder.or_else(proof)
}

/// Finds the caller's credentials in a sample, with their locations.
fn caller_proofs<'a>(routes: impl Iterator<Item = &'a InboundRoute>, request: &HttpRequest) -> Vec<(String, String)> {
    let of_route = routes.filter_map(|route| match &route.verification {
        Verification::StaticHeader { header }
        | Verification::Signature { header, .. }
        | Verification::Jwt { header, .. } => Some(header.as_str()),
        _ => None,
    });
    let names: Vec<&str> = of_route.chain(["authorization"]).collect();
    let named = request.headers.iter().filter(|(name, _)| names.iter().any(|other| is(name, other)));
    // The credential follows the name of the scheme.
    let secret = |value: &str| value.rsplit(' ').next().unwrap_or_default().to_owned();
    let in_headers = named.map(|(name, value)| (format!("the header {name}"), secret(value)));
    let query = request.url.split_once('?').map_or("", |(_, query)| query);
    let in_query = query.split('&').filter_map(|pair| pair.strip_prefix("token="));
    let in_query = in_query.map(|token| ("its query's token".to_owned(), token.to_owned()));
    in_headers.chain(in_query).filter(|(_, proof)| proof.len() >= MIN_PROOF_BYTES).collect()
}

fn is(name: &str, other: &str) -> bool {
    name.eq_ignore_ascii_case(other)
}

/// True if the reply contains our reference.
fn has_our_reference(reply: &HttpResponse) -> bool {
    String::from_utf8_lossy(&reply.body).contains(change_results::REFERENCE)
}

fn described(reply: &HttpResponse) -> String {
    format!("status {} {}", reply.status, describe::excerpt(&reply.body))
}

fn reply_text(finished: &Finished<HttpResponse>) -> String {
    finished.result.as_ref().map_or_else(|error| describe::failed(error, &finished.record), described)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FallbackResponse;

    fn reply(content_type: &str, body: &str) -> HttpResponse {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        HttpResponse { status: 200, headers, body: body.into() }
    }

    #[test]
    fn replies_match_their_content_type_and_can_be_sent() {
        for (content_type, body) in [
            ("application/json", r#"{"yes":true}"#),
            ("application/json", ""),
            ("application/soap+xml; charset=utf-8", "<a b=\"1\"><c/></a>"),
            ("text/plain", "{"),
        ] {
            assert!(is_sendable_reply("a call", &reply(content_type, body)).is_ok(), "{content_type} {body}");
        }
        for (content_type, body) in [
            ("application/problem+json", r#"{"why":"no "double" room"}"#),
            ("text/xml", "<a>no <double> room</a>"),
            ("text/plain\r\nset-cookie: a=b", "yes"),
        ] {
            assert!(is_sendable_reply("a call", &reply(content_type, body)).is_err(), "{content_type} {body}");
        }
    }

    #[test]
    fn caller_proofs_are_found_in_headers_and_query() {
        let route = |verification| InboundRoute {
            path: "/".to_owned(),
            methods: vec!["POST".to_owned()],
            verification,
            kind: RouteKind::Ask,
            budget_millis: 1_000,
            fallback_response: FallbackResponse { status: 503, body: String::new() },
        };
        let route = route(Verification::StaticHeader { header: "X-Acme-Token".to_owned() });
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let request = HttpRequest {
            method: "POST".to_owned(),
            url: "/?page=2&token=in-the-query".to_owned(),
            headers: vec![
                header("x-acme-token", "in-a-header"),
                header("Authorization", "Basic aW52ZW50ZWQ="),
                header("accept", "application/json"),
                header("authorization", "a b"),
            ],
            body: None,
        };
        let caller_proofs = caller_proofs([&route].into_iter(), &request);
        let found: Vec<&str> = caller_proofs.iter().map(|(_, proof)| proof.as_str()).collect();
        assert_eq!(found, ["in-a-header", "aW52ZW50ZWQ=", "in-the-query"]);
        let carries = |body: &str| carried(["acme"].into_iter(), &caller_proofs, &reply("text/plain", body)).is_some();
        assert!(carries("you said aW52ZW50ZWQ=") && carries("{{acme.key}}"));
        assert!(!carries("application/json") && !carries("{{guest.name}}"));
        let mut echo = reply("text/plain", "");
        echo.headers.push(header("x-echo", "in-a-header"));
        assert!(carried(std::iter::empty(), &caller_proofs, &echo).is_some(), "a header carries it too");
    }

    #[test]
    fn error_cases_cover_each_error_and_missing_bodies() {
        let body = Some(br#"{"id":7}"#.to_vec());
        let request = HttpRequest { method: "POST".to_owned(), url: "/".to_owned(), headers: Vec::new(), body };
        let all = error_cases(&request);
        let mut errors: Vec<&str> = all.iter().map(|(_, _, why)| why.name()).collect();
        errors.sort_unstable();
        errors.dedup();
        assert_eq!(errors.len(), 8, "{errors:?}");
        assert!(all.iter().any(|(_, request, _)| request.body.is_none()));
        assert!(all.iter().any(|(_, request, _)| request.body.as_deref() == Some(br#"{"id"#)));
    }
}
