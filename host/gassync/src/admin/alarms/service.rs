//! Collects the alarms.

use gassync_domain::{Missing, Timestamp, today_at};
use jiff::SignedDuration;

use super::dto::{Alarm, AlarmKind};
use crate::{
    admin::channel_down,
    app::App,
    http::ApiError,
    store::{
        Day,
        alarms::{self, Found},
        connections::{self, SilentChannel},
        missing::{self, MissingReservation},
        parked::{self, ParkedAlarm, ParkedKind},
        poll_failures::{self, PollInError},
        set_aside::{self, SetAside},
        time_zones::{self, HouseWithoutZone},
    },
};

/// Minimum age of an unconfirmed change that raises an alarm.
const MAY_LACK: SignedDuration = SignedDuration::from_mins(15);
/// How late a webhook may report a booking found by a poll.
const CALL_MAY_BE_LATE: SignedDuration = SignedDuration::from_mins(10);
/// How long a source may listen before an alarm is raised.
const MAY_LISTEN: SignedDuration = SignedDuration::from_hours(1);
/// How long deliveries to a subscriber may fail before an alarm is raised.
const MAY_FAIL: SignedDuration = SignedDuration::from_hours(1);

/// All alarms, in the order in which they are added.
#[derive(Default)]
struct Alarms(Vec<Alarm>);

/// Arguments of the command that remedies an alarm.
struct Names<'a> {
    source: &'a str,
    reference: &'a str,
    detail: &'a str,
    number: i64,
}

impl Alarms {
    fn add(&mut self, kind: AlarmKind, found: Vec<Found>, remedy: impl Fn(&Names<'_>) -> String) {
        self.0.extend(found.into_iter().map(|found| {
            let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
            let (source, reference, detail) = (text(&found.source_name), text(&found.reference), text(&found.detail));
            let names = Names {
                source: &source,
                reference: &reference,
                detail: &detail,
                number: found.number.unwrap_or_default(),
            };
            Alarm {
                kind,
                remedy: remedy(&names),
                source: found.source_name,
                house: found.house,
                room: found.room,
                first_night: found.first_night.map(|day| day.0),
                last_night: found.last_night.map(|day| day.0),
                reference: found.reference,
                count: found.count,
                detail: found.detail,
                since: found.since.map(Timestamp::from),
                last: found.last.map(Timestamp::from),
            }
        }));
    }
}

/// All alarms: incoming first, then outgoing, then subscribers.
pub(in crate::admin) async fn all(app: &App) -> Result<Vec<Alarm>, ApiError> {
    let now = app.now();
    // Without a particular property: the earliest current day anywhere.
    let today = today_at(now, None);
    let mut tx = app.db.platform_read().await?;
    let mut all = Alarms::default();
    all.add(AlarmKind::Source, alarms::expired_sources(&mut tx).await?, |Names { source, .. }| {
        format!("gassync source connect {source} --credential FIELD=VALUE")
    });
    let failing = poll_failures::failing(&mut tx).await?.into_iter().map(IntoFound::into_found).collect();
    all.add(AlarmKind::Source, failing, |Names { source, .. }| format!("gassync source sync {source}"));
    let mut listening = alarms::listening_sources(&mut tx).await?;
    listening.retain(|found| found.since.is_some_and(|since| now.duration_since(since.into()) > MAY_LISTEN));
    all.add(AlarmKind::Listening, listening, |Names { source, .. }| {
        format!("gassync source go-live {source} --plan, then gassync source go-live {source}")
    });
    all.add(AlarmKind::Plugin, alarms::quarantined_plugins(&mut tx).await?, |Names { detail, .. }| {
        format!("gassync plugin show {detail}, then gassync plugin enable {detail}")
    });
    all.add(AlarmKind::FailedMessages, alarms::failed_messages(&mut tx).await?, |Names { source, number, .. }| {
        format!(
            "gassync inbox show {number}, then gassync inbox replay --failed {source}, or gassync inbox dismiss --failed \
             {source} --by WHO --why TEXT"
        )
    });
    let set_aside = set_aside::waiting(&mut tx).await?.into_iter().map(IntoFound::into_found).collect();
    all.add(AlarmKind::SetAside, set_aside, |Names { number, .. }| {
        format!(
            "gassync inbox set-aside show {number}, then gassync inbox set-aside retry {number}, or gassync inbox \
             set-aside dismiss {number} --by WHO --why TEXT"
        )
    });
    for waiting in parked::waiting(&mut tx, today).await? {
        let remedy = remedy_of_parked(&waiting);
        all.add(AlarmKind::Parked, vec![waiting.into_found()], |_| remedy.clone());
    }
    let gone = missing::undecided(&mut tx, today).await?.into_iter().map(IntoFound::into_found).collect();
    all.add(AlarmKind::Gone, gone, |Names { source, reference, .. }| {
        format!("gassync map decide {source} reservation {reference} cancel|stand --by WHO --why TEXT")
    });
    let silent = connections::silent_channels(&mut tx, now - CALL_MAY_BE_LATE)
        .await?
        .into_iter()
        .map(IntoFound::into_found)
        .collect();
    all.add(AlarmKind::ChannelSilent, silent, |Names { source, .. }| {
        format!("gassync source show {source}, and have the channel call the webhook address that it names")
    });
    all.add(AlarmKind::ChannelDown, channel_down::found(app, &mut tx, now).await?, |Names { source, .. }| {
        format!("gassync source status {source}; when the channel is back: gassync source sync {source}")
    });
    let without_zone = time_zones::missing(&mut tx).await?.into_iter().map(IntoFound::into_found).collect();
    all.add(AlarmKind::NoTimeZone, without_zone, |Names { source, .. }| {
        format!("gassync source time-zone {source} ZONE")
    });
    all.add(AlarmKind::Overbooked, alarms::overbooked(&mut tx, today).await?, |Names { reference, .. }| {
        format!("move or cancel {reference}, or another booking of these nights, where it was sold")
    });
    all.add(AlarmKind::DeadJobs, alarms::dead_jobs(&mut tx).await?, |Names { source, .. }| {
        format!("gassync jobs list --state dead --source {source}, then gassync jobs retry --source {source}")
    });
    all.add(AlarmKind::RefusedNights, alarms::refused_nights(&mut tx).await?, |Names { source, .. }| {
        format!("gassync source status {source}, then gassync source push {source} --full")
    });
    all.add(AlarmKind::RefusedBookings, alarms::refused_bookings(&mut tx).await?, |Names { source, .. }| {
        format!("gassync source status {source}, correct the booking, then gassync jobs retry --source {source}")
    });
    all.add(AlarmKind::Behind, alarms::behind(&mut tx, now - MAY_LACK).await?, |Names { source, .. }| {
        format!("gassync source status {source} and gassync jobs list --source {source}")
    });
    all.add(AlarmKind::WebhookDisabled, alarms::disabled_webhooks(&mut tx).await?, |Names { number, .. }| {
        format!(
            "gassync webhooks deliveries {number}, fix the endpoint, gassync webhooks enable {number}, then gassync \
             webhooks replay {number} --since TIME"
        )
    });
    all.add(
        AlarmKind::WebhookFailing,
        alarms::failing_webhooks(&mut tx, now - MAY_FAIL).await?,
        |Names { number, .. }| {
            format!("gassync webhooks deliveries {number}, fix the endpoint, then gassync webhooks test {number}")
        },
    );
    all.add(AlarmKind::WebhookSilent, alarms::silent_webhooks(&mut tx).await?, |Names { number, .. }| {
        format!(
            "gassync webhooks show {number}, gassync source connect SOURCE --credential FIELD=VALUE, then gassync \
             webhooks replay {number} --since TIME; or gassync webhooks delete {number}"
        )
    });
    all.add(AlarmKind::WebhookDead, alarms::dead_deliveries(&mut tx).await?, |Names { number, .. }| {
        format!(
            "gassync webhooks deliveries {number} --state dead, fix the endpoint, then gassync webhooks replay \
             {number} --since TIME --state dead; or gassync jobs cancel NUMBER"
        )
    });
    Ok(all.0)
}

/// What the store found, as an alarm shows it.
trait IntoFound {
    fn into_found(self) -> Found;
}

impl IntoFound for PollInError {
    fn into_found(self) -> Found {
        let failing = self;
        Found {
            count: failing.failures,
            detail: Some(format!("polls of the kind {} fail: {}", failing.poll, failing.message)),
            since: Some(failing.since),
            source_name: Some(failing.source_name),
            ..Found::default()
        }
    }
}

impl IntoFound for MissingReservation {
    fn into_found(self) -> Found {
        let missing = self;
        Found {
            house: Some(missing.property_name.clone()),
            room: missing.room_name.clone(),
            first_night: Some(Day(missing.check_in())),
            last_night: missing.check_out().yesterday().ok().map(Day),
            reference: Some(missing.external_id),
            count: 1,
            detail: Some("missing at the channel; its nights are held".to_owned()),
            since: Some(missing.since),
            source_name: Some(missing.source_name),
            ..Found::default()
        }
    }
}

impl IntoFound for SilentChannel {
    fn into_found(self) -> Found {
        let silent = self;
        Found {
            count: silent.unannounced_polls,
            detail: Some("polls find bookings that the channel's webhook did not report".to_owned()),
            since: Some(silent.last_webhook_at),
            source_name: Some(silent.source_name),
            ..Found::default()
        }
    }
}

impl IntoFound for HouseWithoutZone {
    fn into_found(self) -> Found {
        let house = self;
        Found {
            house: Some(house.property_name),
            count: 1,
            detail: Some("its time zone is unknown: each day begins early there".to_owned()),
            since: Some(house.since),
            source_name: Some(house.source_name),
            ..Found::default()
        }
    }
}

/// Commands: link what waits for a link, decide what waits for a person.
fn remedy_of_parked(waiting: &ParkedAlarm) -> String {
    let ParkedAlarm { source_name, kind, external_id, missing, .. } = waiting;
    let about = format!("{source_name} {} {external_id}", kind.in_commands());
    let decide = |words: &str| format!("gassync map decide {about} {words} --by WHO --why TEXT");
    let off = missing.0.iter().find_map(|missing| match missing {
        Missing::SwitchedOff { id } => Some(id),
        _ => None,
    });
    if let Some(id) = off {
        return format!("gassync map resume {source_name} room-type {id}, or its property; or {}", decide("ignore"));
    }
    let link = missing.0.iter().find_map(|missing| match missing {
        Missing::Property { id } => Some(format!("property {id}")),
        Missing::RoomType { id } => Some(format!("room-type {id}")),
        Missing::RatePlan { id } => Some(format!("rate-plan {id}")),
        _ => None,
    });
    match (*kind, link) {
        (_, Some(link)) => format!(
            "gassync source sync {source_name}, then gassync map apply {source_name} {link} --to NUMBER; or {}",
            decide("ignore")
        ),
        (ParkedKind::Property | ParkedKind::RoomType | ParkedKind::RatePlan, None) => {
            format!("gassync map apply {about} --to NUMBER; or {}", decide("ignore"))
        }
        _ => decide("stand|cancel|ignore"),
    }
}

impl IntoFound for SetAside {
    fn into_found(self) -> Found {
        let record = self;
        Found {
            reference: record.external_id,
            count: record.times_seen,
            detail: Some(format!("a {} could not be read: {}", record.entity, record.problem)),
            since: Some(record.first_seen_at),
            last: Some(record.last_seen_at),
            number: Some(record.id),
            source_name: Some(record.source_name),
            ..Found::default()
        }
    }
}

impl IntoFound for ParkedAlarm {
    fn into_found(self) -> Found {
        let waiting = self;
        let nights = match (waiting.first_night, waiting.held) {
            (None, _) => "",
            (Some(_), true) => "; its nights are held",
            (Some(_), false) => "; its nights are not held",
        };
        Found {
            house: waiting.property,
            room: waiting.room,
            first_night: waiting.first_night.map(Day),
            last_night: waiting.last_night.map(Day),
            reference: Some(waiting.external_id),
            count: 1,
            detail: Some(format!("{}{nights}", waiting.missing)),
            since: Some(waiting.since.into()),
            source_name: Some(waiting.source_name),
            ..Found::default()
        }
    }
}
