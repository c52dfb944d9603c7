//! A connection that is tested and subscribed, with a channel that says yes, refuses, stumbles, or is not there: a person
//! looks at what comes of it, and goes by it.

use gassync_domain::{ChannelError, HttpResponse, Report, Subscribed};

use super::{
    report::{Check, Failure},
    samples::Samples,
    situations::{SITUATIONS, Situation},
    stand::{Doing, Done, Stand, Turn, ended_well, remembered},
    wire::Wire,
    wording,
};
use crate::{CallError, Finished, Interface, Memory};

/// What the host fills in where the channel is told whom to call.
const ENDPOINT: &str = "{{webhook.url}}";
/// A subscription, where no sample tells of one.
const SUBSCRIPTION: &str = "1";

/// One of the interface's functions.
struct Target<'a> {
    /// As the contract calls it, and the samples.
    name: &'static str,
    doing: Doing,
    memory: Memory,
    /// What the channel answers where all is well.
    answers: Option<&'a Vec<HttpResponse>>,
}

pub(super) async fn checks(stand: &Stand, samples: &Samples) -> [Check; 3] {
    let mut check = Check::new("connection.check", "Does its test of the connection tell how the connection stands?");
    let mut subscribe = Check::new("connection.subscribe", "Does it count as subscribed only what the channel took?");
    let mut unsubscribe = Check::new("connection.unsubscribe", "Does it count as gone only what the channel let go?");
    if !stand.exports(Interface::Connection) {
        if !samples.connection.is_empty() {
            let expected = "an export connection, or no samples of it";
            check.expect(false, ("samples/connection", "no export connection", expected));
        }
        return [check, subscribe, unsubscribe].map(|check| check.nothing("it does not export connection"));
    }
    let target = |name, doing, memory| Target { name, doing, memory, answers: samples.connection.get(name) };
    try_all(stand, &target("check", Doing::Check, Memory::new()), &mut check).await;
    let doing = Doing::Subscribe { endpoint: ENDPOINT.to_owned() };
    let subscribed = try_all(stand, &target("subscribe", doing, Memory::new()), &mut subscribe).await;
    let (mut ids, memory) = subscribed.unwrap_or_default();
    if ids.is_empty() {
        ids.push(SUBSCRIPTION.to_owned());
    }
    try_all(stand, &target("unsubscribe", Doing::Unsubscribe { ids }, memory), &mut unsubscribe).await;
    [
        check.nothing("it answers that it does not test connections"),
        subscribe.nothing("it answers that it does not subscribe"),
        unsubscribe.nothing("it answers that it does not end subscriptions"),
    ]
}

/// Good weather and bad. What was subscribed in good weather, and what that left in the plugin's memory.
async fn try_all(stand: &Stand, target: &Target<'_>, check: &mut Check) -> Option<(Vec<String>, Memory)> {
    let mut subscribed = None;
    if let Some(answers) = target.answers {
        let finished = call(stand, target, Wire::playing(answers.clone())).await;
        let sent = format!("{}, answered with samples/connection/{}", target.name, target.name);
        check.case(yes(target, &finished).map_err(|expected| Failure::new(sent, shown(&finished), expected)));
        if let Ok(Done::Subscribed(Subscribed { ids, .. })) = &finished.result {
            subscribed = Some((ids.clone(), remembered(&finished.record)));
        }
    }
    let nothing_said = HttpResponse {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: b"{}".to_vec(),
    };
    let finished = call(stand, target, Wire::always(Ok(nothing_said))).await;
    if matches!(&finished.result, Err(CallError::Channel(ChannelError::Unsupported))) && target.answers.is_none() {
        return None;
    }
    let sent = format!("{}, answered with status 200 and {{}}", target.name);
    let expected = match target.doing {
        Doing::Unsubscribe { .. } => {
            "ids out of those that were given, or one of the contract's errors other than broken"
        }
        _ => "what it says, and no empty texts, or one of the contract's errors other than broken",
    };
    let good = ended_well(&finished) && finished.result.as_ref().ok().is_none_or(|done| is_sound(target, done));
    check.case(if good { Ok(()) } else { Err(Failure::new(sent, shown(&finished), expected)) });
    // At the first request and, where the samples show that there are more, at the last one after all went well so far.
    let before = target.answers.and_then(|all| all.split_last()).map(|(_, before)| before).unwrap_or_default();
    let mut is_silent = false;
    for situation in &SITUATIONS {
        is_silent |= !fails(stand, target, situation, (&[], check)).await;
        if !before.is_empty() {
            fails(stand, target, situation, (before, check)).await;
        }
    }
    if is_silent {
        check.note("it asks the channel nothing there");
    }
    subscribed
}

/// A situation that begins after these answers. Whether the channel was asked at all.
async fn fails(
    stand: &Stand,
    target: &Target<'_>,
    situation: &Situation,
    (before, check): (&[HttpResponse], &mut Check),
) -> bool {
    let mut is_asked = true;
    let whole = target.answers.and_then(|all| all.get(before.len()));
    for (how, answer) in situation.answers(stand.plugin.manifest(), whole) {
        if stand.is_time_up() {
            check.not_begun += 1;
            continue;
        }
        let finished = call(stand, target, Wire::then(before, answer)).await;
        if finished.record.requests.is_empty() && finished.result.is_ok() {
            is_asked = false;
            continue;
        }
        let good = match &finished.result {
            Ok(done) => is_sound(target, done) && stands(situation, target, done, !before.is_empty()),
            Err(error) => situation.takes_error(error),
        };
        let which = if before.is_empty() { "" } else { "at its last request " };
        let sent = format!("{}, {which}answered with {how}", target.name);
        let expected = format!("{}{}", situation.expected(&[]), or(&target.doing));
        check.case(if good { Ok(()) } else { Err(Failure::new(sent, shown(&finished), expected)) });
    }
    is_asked
}

async fn call(stand: &Stand, target: &Target<'_>, wire: Wire) -> Finished<Done> {
    let turn = Turn { memory: target.memory.clone(), ..Turn::default() };
    let name = format!("connection.{}", target.name);
    stand.connect(&name, target.doing.clone(), wire, turn).await
}

/// Whether a channel that says yes is understood; otherwise what was expected of it.
fn yes(target: &Target<'_>, finished: &Finished<Done>) -> Result<(), &'static str> {
    match &finished.result {
        Ok(Done::Checked(_)) => Ok(()),
        Ok(Done::Subscribed(Subscribed { ids, steps })) if !ids.is_empty() || !steps.is_empty() => Ok(()),
        Ok(done @ Done::Unsubscribed(gone)) if !gone.is_empty() && is_sound(target, done) => Ok(()),
        _ => Err(match target.doing {
            Doing::Check => "a report",
            Doing::Subscribe { .. } => "ids of what is subscribed, or steps for a person",
            Doing::Unsubscribe { .. } => "the ids that are gone, out of those that were given",
        }),
    }
}

/// Whether it is something that the contract allows.
fn is_sound(target: &Target<'_>, done: &Done) -> bool {
    let is_said = |text: &String| !text.trim().is_empty();
    match (done, &target.doing) {
        (Done::Checked(Report { missing, .. }), _) => missing.iter().all(is_said),
        (Done::Subscribed(Subscribed { ids, steps }), _) => ids.iter().chain(steps).all(is_said),
        (Done::Unsubscribed(gone), Doing::Unsubscribe { ids }) => gone.iter().all(|id| ids.contains(id)),
        (Done::Unsubscribed(_), _) => false,
    }
}

/// Whether it is true of a channel in this situation, though it is no error: a person is told what is missing, or what is
/// still to be done. Where a part went well before, that part may be told as done.
fn stands(situation: &Situation, target: &Target<'_>, done: &Done, in_part: bool) -> bool {
    let tells_no = match (done, &target.doing) {
        (Done::Checked(report), _) => !report.missing.is_empty(),
        (Done::Subscribed(Subscribed { ids, steps }), _) => (ids.is_empty() || in_part) && !steps.is_empty(),
        (Done::Unsubscribed(gone), Doing::Unsubscribe { ids }) if in_part => gone.len() < ids.len(),
        (Done::Unsubscribed(gone), _) => gone.is_empty(),
    };
    tells_no || situation.may_be_yes()
}

fn or(doing: &Doing) -> &'static str {
    match doing {
        Doing::Check => ", or a report that says what is missing",
        Doing::Subscribe { .. } => ", or no ids, and steps for a person",
        Doing::Unsubscribe { .. } => ", or no ids",
    }
}

fn shown(finished: &Finished<Done>) -> String {
    match &finished.result {
        Ok(Done::Checked(report)) => format!("a report: {}", wording::json(report)),
        Ok(Done::Subscribed(subscribed)) => format!("subscribed: {}", wording::json(subscribed)),
        Ok(Done::Unsubscribed(gone)) => format!("gone: {}", wording::json(gone)),
        Err(error) => wording::failed(error, &finished.record),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation(name: &str) -> &'static Situation {
        SITUATIONS.iter().find(|situation| situation.name == name).expect(name)
    }

    fn target(doing: Doing) -> Target<'static> {
        Target { name: "of a test", doing, memory: Memory::new(), answers: None }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_report_stands_where_it_says_what_is_missing() {
        let report = |missing: &[&str]| {
            let (scopes, missing) = (Vec::new(), texts(missing));
            Done::Checked(Report { account: None, scopes, missing, extra: Default::default() })
        };
        let stands = |name: &str, done: &Done| stands(situation(name), &target(Doing::Check), done, false);
        for name in ["errors.unauthorized", "errors.html", "errors.no-answer"] {
            assert!(!stands(name, &report(&[])), "{name}");
            assert!(stands(name, &report(&["the key is not known"])), "{name}");
        }
        assert!(stands("errors.empty", &report(&[])), "many say nothing where all is well");
    }

    #[test]
    fn what_was_refused_is_left_to_a_person() {
        let target = target(Doing::Subscribe { endpoint: ENDPOINT.to_owned() });
        let subscribed = |ids: &[&str], steps: &[&str]| {
            let done = Done::Subscribed(Subscribed { ids: texts(ids), steps: texts(steps) });
            [false, true].map(|in_part| stands(situation("errors.forbidden"), &target, &done, in_part))
        };
        let step = "Enter the address by hand.";
        assert_eq!(subscribed(&[], &[step]), [true, true]);
        assert_eq!(subscribed(&["7"], &[step]), [false, true], "one may have been taken before");
        assert_eq!((subscribed(&["7"], &[]), subscribed(&[], &[])), ([false, false], [false, false]));
    }

    #[test]
    fn only_what_was_given_can_be_gone() {
        let target = target(Doing::Unsubscribe { ids: texts(&["7", "8"]) });
        let gone = |ids: &[&str]| Done::Unsubscribed(texts(ids));
        assert!(is_sound(&target, &gone(&["7"])) && is_sound(&target, &gone(&[])));
        assert!(!is_sound(&target, &gone(&["9"])));
        let stands = |ids: &[&str], in_part| stands(situation("errors.forbidden"), &target, &gone(ids), in_part);
        assert!(stands(&[], false) && !stands(&["7"], false));
        assert!(stands(&["7"], true) && !stands(&["7", "8"], true));
    }
}
