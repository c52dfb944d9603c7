//! What a plugin makes of a channel that refuses, stumbles, or is not there: the host waits, tells a person or gives up by
//! the name of the error, and an answer that was none must never look like one.

use gassync_domain::{Entity, HttpResponse, Query};

use super::{
    made_up,
    manners::Deed,
    report::{Check, Failure},
    samples::{Asked, Sample, Samples, Way},
    situations::{SITUATIONS, Situation},
    stand::{Items, Stand, Turn},
    understood::Understood,
    wire::{Answer, Wire},
    wording,
};
use crate::Interface;

/// What asks the channel.
enum Target {
    /// With an answer as it should be, where there is a sample of one.
    Fetch {
        name: String,
        query: Query,
        whole: Option<HttpResponse>,
    },
    Write {
        name: &'static str,
        items: Items,
    },
}

pub(super) async fn checks(stand: &Stand, samples: &Samples, understood: &[Understood<'_>]) -> Vec<Check> {
    let mut targets = fetches(stand, samples);
    targets.extend(writes(stand, samples, understood));
    let mut checks = Vec::new();
    for situation in &SITUATIONS {
        let mut check = Check::new(situation.name, situation.question);
        let mut silent = Vec::new();
        for target in &targets {
            for (how, answer) in situation.answers(stand.plugin.manifest(), target.whole()) {
                if stand.is_time_up() {
                    check.not_begun += 1;
                    continue;
                }
                match meet(stand, situation, target, (&how, answer)).await {
                    Some(outcome) => check.case(outcome),
                    None => silent.push(target.name()),
                }
            }
        }
        silent.dedup();
        if !silent.is_empty() {
            check.note(format!("{}: it asks the channel nothing there", silent.join(", ")));
        }
        checks.push(check.nothing("nothing that it does asks the channel"));
    }
    checks
}

impl Target {
    fn name(&self) -> &str {
        match self {
            Self::Fetch { name, .. } => name,
            Self::Write { name, .. } => name,
        }
    }

    fn whole(&self) -> Option<&HttpResponse> {
        match self {
            Self::Fetch { whole, .. } => whole.as_ref(),
            Self::Write { .. } => None,
        }
    }
}

/// A fetch for each poll, or without polls for each kind of answer there is a sample of.
fn fetches(stand: &Stand, samples: &Samples) -> Vec<Target> {
    if !stand.plugin.exports().contains(&Interface::Pull) {
        return Vec::new();
    }
    let mut targets = Vec::new();
    for poll in &stand.plugin.manifest().polls {
        let queue = poll.queue.as_ref().map(|queue| format!(" ({queue})")).unwrap_or_default();
        let (entity, selection) = (poll.entity, stand.selection(poll.entity, Some(poll)));
        targets.push(Target::Fetch {
            name: format!("fetch of {}{queue}", entity.as_str()),
            query: Query { entity, selection, property_id: None, room_type_id: None, cursor: None },
            whole: answers(samples).find(|(sample, _)| *sample == entity).map(|(_, answer)| answer),
        });
    }
    if targets.is_empty() {
        targets.extend(answers(samples).map(|(entity, answer)| Target::Fetch {
            name: format!("fetch of {}", entity.as_str()),
            query: stand.query(&Asked { entity, query: None }),
            whole: Some(answer),
        }));
    }
    targets
}

/// What the samples have of good answers.
fn answers(samples: &Samples) -> impl Iterator<Item = (Entity, HttpResponse)> {
    samples.all.iter().filter(|sample| sample.is_good()).filter_map(|Sample { payload, way, .. }| match way {
        Way::Answer { asked, status, headers, .. } => {
            let (headers, body) = (headers.clone(), payload.bytes.clone());
            Some((asked.entity, HttpResponse { status: *status, headers, body }))
        }
        Way::Call { .. } => None,
    })
}

fn writes(stand: &Stand, samples: &Samples, understood: &[Understood<'_>]) -> Vec<Target> {
    let exported = |interface| stand.plugin.exports().contains(&interface);
    let told = || understood.iter().filter_map(Understood::told);
    let known = made_up::Known::of(told());
    let pushes = &samples.pushes;
    let mut targets = Vec::new();
    let mut write = |name, items| targets.push(Target::Write { name, items });
    if exported(Interface::PushCalendar) {
        write("push of nights", Items::Calendar(made_up::calendar(&pushes.calendar, &known, stand.now())));
    }
    if exported(Interface::PushReservations) {
        let items = made_up::reservations(&pushes.reservations, &known, stand.now());
        write("push of reservations", Items::Reservations(items));
    }
    if exported(Interface::PushContent) {
        write("push of content", Items::Content(made_up::content(&pushes.content, &known)));
    }
    let acknowledgements = made_up::acknowledgements(told(), stand.now());
    if exported(Interface::Acknowledgements) && !acknowledgements.is_empty() {
        write("acknowledgements", Items::Acknowledgements(acknowledgements));
    }
    targets
}

/// None where the channel was not asked at all.
async fn meet(
    stand: &Stand,
    situation: &Situation,
    target: &Target,
    (how, answer): (&str, Answer),
) -> Option<Result<(), Failure>> {
    let sent = format!("{}, answered with {how}", target.name());
    let wire = Wire::always(answer);
    let (good, came_back, expected) = match target {
        Target::Fetch { query, .. } => {
            let turn = (Turn::default(), Deed::Ordinary);
            let finished = stand.ask(target.name(), query.clone(), wire, turn).await;
            if finished.record.requests.is_empty() && finished.result.is_ok() {
                return None;
            }
            let good = finished.result.as_ref().is_err_and(|error| situation.takes_error(error));
            (good, wording::came_back(&finished), situation.expected(&[]))
        }
        Target::Write { items, .. } => {
            let finished = stand.write(target.name(), items.clone(), wire).await;
            if finished.record.requests.is_empty() && finished.result.is_ok() {
                return None;
            }
            let good = match &finished.result {
                Ok(outcomes) => outcomes.iter().all(|outcome| situation.takes_outcome(outcome)),
                Err(error) => situation.takes_error(error),
            };
            (good, wording::outcomes(&finished), situation.expected(situation.outcomes))
        }
    };
    Some(if good { Ok(()) } else { Err(Failure::new(sent, came_back, expected)) })
}
