//! Checks connection tests and subscriptions while the channel accepts, refuses, fails or is unreachable. People rely
//! on these results.

use gassync_domain::{ChannelError, HttpResponse, Report, Subscribed};

use super::{
    channel_stub::ChannelStub,
    describe,
    fault_cases::{FAULT_CASES, FaultCase},
    harness::{CallVariation, ConnectionOp, ConnectionResult, Harness, ended_cleanly, state_after},
    report::{Check, Failure},
    samples::Samples,
};
use crate::{CallError, Finished, Interface, Memory};

/// Placeholder of our webhook URL, which the host fills.
const ENDPOINT: &str = "{{webhook.url}}";
/// Subscription id if no sample provides one.
const SUBSCRIPTION: &str = "1";

/// A function of the `connection` interface.
struct Target<'a> {
    /// Name in the contract and the samples.
    name: &'static str,
    op: ConnectionOp,
    memory: Memory,
    /// The channel's responses on success.
    answers: Option<&'a Vec<HttpResponse>>,
}

pub(super) async fn checks(harness: &Harness, samples: &Samples) -> [Check; 3] {
    let mut check = Check::new("connection.check", "Does the connection test report problems?");
    let mut subscribe = Check::new("connection.subscribe", "Does it report only subscriptions the channel accepted?");
    let mut unsubscribe =
        Check::new("connection.unsubscribe", "Does it report only subscriptions the channel removed?");
    if !harness.exports(Interface::Connection) {
        if !samples.connection.is_empty() {
            let expected = "an export connection, or no samples of it";
            check.expect(false, ("samples/connection", "no export connection", expected));
        }
        return [check, subscribe, unsubscribe].map(|check| check.nothing("it does not export connection"));
    }
    let target = |name, op, memory| Target { name, op, memory, answers: samples.connection.get(name) };
    try_all(harness, &target("check", ConnectionOp::Check, Memory::new()), &mut check).await;
    let op = ConnectionOp::Subscribe { endpoint: ENDPOINT.to_owned() };
    let subscribed = try_all(harness, &target("subscribe", op, Memory::new()), &mut subscribe).await;
    let (mut ids, memory) = subscribed.unwrap_or_default();
    if ids.is_empty() {
        ids.push(SUBSCRIPTION.to_owned());
    }
    try_all(harness, &target("unsubscribe", ConnectionOp::Unsubscribe { ids }, memory), &mut unsubscribe).await;
    [
        check.nothing("it answers that it does not test connections"),
        subscribe.nothing("it answers that it does not subscribe"),
        unsubscribe.nothing("it answers that it does not end subscriptions"),
    ]
}

/// Runs the success case and all fault cases. Returns the subscribed ids and the resulting plugin state.
async fn try_all(harness: &Harness, target: &Target<'_>, check: &mut Check) -> Option<(Vec<String>, Memory)> {
    let mut subscribed = None;
    if let Some(answers) = target.answers {
        let finished = call(harness, target, ChannelStub::replaying(answers.clone())).await;
        let sent = format!("{}, answered with samples/connection/{}", target.name, target.name);
        check.case(is_success(target, &finished).map_err(|expected| Failure::new(sent, shown(&finished), expected)));
        if let Ok(ConnectionResult::Subscribed(Subscribed { ids, .. })) = &finished.result {
            subscribed = Some((ids.clone(), state_after(&finished.record)));
        }
    }
    let nothing_said = HttpResponse {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: b"{}".to_vec(),
    };
    let finished = call(harness, target, ChannelStub::always(Ok(nothing_said))).await;
    if matches!(&finished.result, Err(CallError::Channel(ChannelError::Unsupported))) && target.answers.is_none() {
        return None;
    }
    let sent = format!("{}, answered with status 200 and {{}}", target.name);
    let expected = match target.op {
        ConnectionOp::Unsubscribe { .. } => {
            "ids out of those that were given, or one of the contract's errors other than broken"
        }
        _ => "what it says, and no empty texts, or one of the contract's errors other than broken",
    };
    let good = ended_cleanly(&finished) && finished.result.as_ref().ok().is_none_or(|done| is_sound(target, done));
    check.case(if good { Ok(()) } else { Err(Failure::new(sent, shown(&finished), expected)) });
    // Fail at the first request and, if the samples show several, also at the last one after the others succeeded.
    let before = target.answers.and_then(|all| all.split_last()).map(|(_, before)| before).unwrap_or_default();
    let mut is_silent = false;
    for fault_case in &FAULT_CASES {
        is_silent |= !run_fault_case(harness, target, fault_case, (&[], check)).await;
        if !before.is_empty() {
            run_fault_case(harness, target, fault_case, (before, check)).await;
        }
    }
    if is_silent {
        check.note("it asks the channel nothing there");
    }
    subscribed
}

/// Runs a fault case that begins after these responses. Returns true if the plugin called the channel.
async fn run_fault_case(
    harness: &Harness,
    target: &Target<'_>,
    fault_case: &FaultCase,
    (before, check): (&[HttpResponse], &mut Check),
) -> bool {
    let mut is_asked = true;
    let whole = target.answers.and_then(|all| all.get(before.len()));
    for (how, answer) in fault_case.answers(harness.plugin.manifest(), whole) {
        if harness.is_out_of_time() {
            check.not_begun += 1;
            continue;
        }
        let finished = call(harness, target, ChannelStub::then(before, answer)).await;
        if finished.record.requests.is_empty() && finished.result.is_ok() {
            is_asked = false;
            continue;
        }
        let good = match &finished.result {
            Ok(done) => is_sound(target, done) && is_acceptable(fault_case, target, done, !before.is_empty()),
            Err(error) => fault_case.allows_error(error),
        };
        let which = if before.is_empty() { "" } else { "at its last request " };
        let sent = format!("{}, {which}answered with {how}", target.name);
        let expected = format!("{}{}", fault_case.expected(&[]), or(&target.op));
        check.case(if good { Ok(()) } else { Err(Failure::new(sent, shown(&finished), expected)) });
    }
    is_asked
}

async fn call(harness: &Harness, target: &Target<'_>, channel: ChannelStub) -> Finished<ConnectionResult> {
    let variation = CallVariation { memory: target.memory.clone(), ..CallVariation::default() };
    let name = format!("connection.{}", target.name);
    harness.connect(&name, target.op.clone(), channel, variation).await
}

/// Checks that a success response is understood; otherwise returns the expected result.
fn is_success(target: &Target<'_>, finished: &Finished<ConnectionResult>) -> Result<(), &'static str> {
    match &finished.result {
        Ok(ConnectionResult::Checked(_)) => Ok(()),
        Ok(ConnectionResult::Subscribed(Subscribed { ids, steps })) if !ids.is_empty() || !steps.is_empty() => Ok(()),
        Ok(done @ ConnectionResult::Unsubscribed(gone)) if !gone.is_empty() && is_sound(target, done) => Ok(()),
        _ => Err(match target.op {
            ConnectionOp::Check => "a report",
            ConnectionOp::Subscribe { .. } => "ids of what is subscribed, or steps for a person",
            ConnectionOp::Unsubscribe { .. } => "the ids that are gone, out of those that were given",
        }),
    }
}

/// True if the contract allows this result.
fn is_sound(target: &Target<'_>, done: &ConnectionResult) -> bool {
    let is_said = |text: &String| !text.trim().is_empty();
    match (done, &target.op) {
        (ConnectionResult::Checked(Report { missing, .. }), _) => missing.iter().all(is_said),
        (ConnectionResult::Subscribed(Subscribed { ids, steps }), _) => ids.iter().chain(steps).all(is_said),
        (ConnectionResult::Unsubscribed(gone), ConnectionOp::Unsubscribe { ids }) => {
            gone.iter().all(|id| ids.contains(id))
        }
        (ConnectionResult::Unsubscribed(_), _) => false,
    }
}

/// True if a result without error is acceptable in this fault case: it reports what is missing, or steps for a person.
/// If earlier requests succeeded (`in_part`), their part may be reported as done.
fn is_acceptable(fault_case: &FaultCase, target: &Target<'_>, done: &ConnectionResult, in_part: bool) -> bool {
    let is_refusal = match (done, &target.op) {
        (ConnectionResult::Checked(report), _) => !report.missing.is_empty(),
        (ConnectionResult::Subscribed(Subscribed { ids, steps }), _) => {
            (ids.is_empty() || in_part) && !steps.is_empty()
        }
        (ConnectionResult::Unsubscribed(gone), ConnectionOp::Unsubscribe { ids }) if in_part => gone.len() < ids.len(),
        (ConnectionResult::Unsubscribed(gone), _) => gone.is_empty(),
    };
    is_refusal || fault_case.allows_success()
}

fn or(op: &ConnectionOp) -> &'static str {
    match op {
        ConnectionOp::Check => ", or a report that says what is missing",
        ConnectionOp::Subscribe { .. } => ", or no ids, and steps for a person",
        ConnectionOp::Unsubscribe { .. } => ", or no ids",
    }
}

fn shown(finished: &Finished<ConnectionResult>) -> String {
    match &finished.result {
        Ok(ConnectionResult::Checked(report)) => format!("a report: {}", describe::json(report)),
        Ok(ConnectionResult::Subscribed(subscribed)) => format!("subscribed: {}", describe::json(subscribed)),
        Ok(ConnectionResult::Unsubscribed(gone)) => format!("gone: {}", describe::json(gone)),
        Err(error) => describe::failed(error, &finished.record),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_case(name: &str) -> &'static FaultCase {
        FAULT_CASES.iter().find(|fault_case| fault_case.name == name).expect(name)
    }

    fn target(op: ConnectionOp) -> Target<'static> {
        Target { name: "of a test", op, memory: Memory::new(), answers: None }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn reports_are_acceptable_if_they_name_what_is_missing() {
        let report = |missing: &[&str]| {
            let (scopes, missing) = (Vec::new(), texts(missing));
            ConnectionResult::Checked(Report { account: None, scopes, missing, extra: Default::default() })
        };
        let is_acceptable = |name: &str, done: &ConnectionResult| {
            is_acceptable(fault_case(name), &target(ConnectionOp::Check), done, false)
        };
        for name in ["errors.unauthorized", "errors.html", "errors.no-answer"] {
            assert!(!is_acceptable(name, &report(&[])), "{name}");
            assert!(is_acceptable(name, &report(&["the key is not known"])), "{name}");
        }
        assert!(is_acceptable("errors.empty", &report(&[])), "many say nothing where all is well");
    }

    #[test]
    fn refused_subscriptions_need_manual_steps() {
        let target = target(ConnectionOp::Subscribe { endpoint: ENDPOINT.to_owned() });
        let subscribed = |ids: &[&str], steps: &[&str]| {
            let done = ConnectionResult::Subscribed(Subscribed { ids: texts(ids), steps: texts(steps) });
            [false, true].map(|in_part| is_acceptable(fault_case("errors.forbidden"), &target, &done, in_part))
        };
        let step = "Enter the address by hand.";
        assert_eq!(subscribed(&[], &[step]), [true, true]);
        assert_eq!(subscribed(&["7"], &[step]), [false, true], "one may have been taken before");
        assert_eq!((subscribed(&["7"], &[]), subscribed(&[], &[])), ([false, false], [false, false]));
    }

    #[test]
    fn only_given_subscriptions_can_be_removed() {
        let target = target(ConnectionOp::Unsubscribe { ids: texts(&["7", "8"]) });
        let gone = |ids: &[&str]| ConnectionResult::Unsubscribed(texts(ids));
        assert!(is_sound(&target, &gone(&["7"])) && is_sound(&target, &gone(&[])));
        assert!(!is_sound(&target, &gone(&["9"])));
        let is_acceptable =
            |ids: &[&str], in_part| is_acceptable(fault_case("errors.forbidden"), &target, &gone(ids), in_part);
        assert!(is_acceptable(&[], false) && !is_acceptable(&["7"], false));
        assert!(is_acceptable(&["7"], true) && !is_acceptable(&["7", "8"], true));
    }
}
