//! Tells a channel of bookings of the core: made, changed and cancelled under our reference, and looked up before anything is
//! made again that may be there. What it shows of them later is judged in [`reconcile::reservation`](crate::reconcile::reservation).

use std::{collections::HashMap, sync::Arc};

use gassync_domain::{
    Attempt, BookingsPushed, CoreId, Digest, Operation, OperationKind, Outcome, PushSettings, Reservation, Status,
    Subject, Timestamp, reference_of,
};
use gassync_runtime::Finished;
use jiff::SignedDuration;
use serde_json::json;

use super::{
    describe_errors, describe_unclear, error_paths,
    push_tally::{self, PushTally, RecordResult},
    sent_nothing, trusts_acknowledgements,
};
use crate::{
    app::App,
    channel::{ChannelCallError, ChannelSession, plugin_state},
    plugins,
    reconcile::house_currency::remove_foreign_prices,
    schedule::JobKind,
    store::{
        self, Tx,
        core::booking_snapshots::{BookingSnapshot, booking_snapshots},
        link_health::LinkOutcome,
        mappings,
        outbound::{
            bookings::{self, PushedReservation, ReservationPushResult, ReservationSyncState},
            external_ids::{self, ExternalIdAssignment, ReservationExternalId, RoomExternalId},
            push_settings,
        },
        queue::{self, NewJob},
        sources::Source,
        sync_log,
    },
};

/// How long after it was told a booking is read back.
const READ_BACK_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// What came of telling a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushOutcome {
    /// There is nothing left to tell.
    Done,
    /// The channel will not have it: a person is to mend it.
    Rejected(String),
    /// It is to be told again, after so long where the channel says, and why.
    Retry(Option<SignedDuration>, String),
}

/// What is made of what a channel said.
struct Evaluated {
    result: ReservationPushResult,
    /// The channel may have something that nobody has seen.
    in_doubt: bool,
    outcome: PushOutcome,
    /// For the audit trail.
    status: &'static str,
    message: Option<String>,
}

impl Evaluated {
    fn confirmed(message: Option<String>) -> Self {
        Self {
            result: ReservationPushResult::Confirmed,
            in_doubt: false,
            outcome: PushOutcome::Done,
            status: "success",
            message,
        }
    }

    fn retry(wait: Option<SignedDuration>, in_doubt: bool, why: &str) -> Self {
        let outcome = PushOutcome::Retry(wait, why.to_owned());
        let result = if in_doubt {
            ReservationPushResult::InDoubt(why.to_owned())
        } else {
            ReservationPushResult::NotSent(why.to_owned())
        };
        Self { result, in_doubt, outcome, status: "pending", message: Some(why.to_owned()) }
    }
}

/// What is to be told of a booking.
struct PendingPush {
    /// The place among those that were asked for.
    index: usize,
    operation: Operation,
    digest: String,
    sync_state: ReservationSyncState,
    /// Prices that are in another currency than the house's.
    left_out: Option<String>,
}

/// Tells the channel of these bookings in one call; of each what came of it.
pub async fn push(
    app: &Arc<App>,
    source: &Source,
    asked: &[CoreId],
    tally: &mut PushTally,
) -> Result<Vec<PushOutcome>, ChannelCallError> {
    let session = ChannelSession::open(app, source)?;
    let lane = app.connection_lock(session.connection).await;
    let _one_at_a_time = lane.lock().await;
    let mut push_outcomes = vec![PushOutcome::Done; asked.len()];
    let mut tx = app.db.write(source.account).await?;
    let pushing = push_settings::get(&mut tx, source.account, source.id).await?.unwrap_or_default();
    if !pushing.enabled || pushing.bookings == BookingsPushed::None {
        bookings::delete(&mut tx, source.account, source.id, asked).await?;
        tx.commit().await?;
        return Ok(push_outcomes);
    }
    let pushes = pending_pushes(&mut tx, (source, &pushing), asked, app.now()).await?;
    // From here on nobody knows what the channel has until it has said so: the process may die while it works.
    let sent: Vec<CoreId> = pushes.iter().map(PendingPush::booking).collect();
    bookings::mark_in_doubt(&mut tx, source.account, source.id, &sent).await?;
    tx.commit().await?;
    if pushes.is_empty() {
        return Ok(push_outcomes);
    }
    let trusts_acknowledgements = trusts_acknowledgements(&session, &pushing);
    let operations: Vec<Operation> = pushes.iter().map(|push| push.operation.clone()).collect();
    let (call, secrets, place) = session.call(format!("bookings-{}", source.id), Arc::new(session.network()?)).await?;
    let Finished { result, record } = session.plugin.push_reservations(call, operations).await;
    drop(place);
    let outcomes = match result {
        Ok(outcomes) => outcomes,
        Err(error) => {
            let named = pushes.iter().filter_map(|push| push.operation.channel_id.as_deref());
            let links: Vec<_> = named.map(|id| (mappings::EntityKind::Reservation, id)).collect();
            tally.failed(app, (pushes.len(), &links), &error).await?;
            if sent_nothing(&record) {
                restore_not_sent(app, source, &pushes, &error.to_string()).await?;
            }
            return Err(session.failed(error, record, secrets).await?);
        }
    };
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    let evaluated = pushes.iter().zip(&outcomes);
    let evaluated: Vec<(&PendingPush, &Outcome, Evaluated)> =
        evaluated.map(|(push, outcome)| (push, outcome, push.evaluate(outcome, trusts_acknowledgements))).collect();
    record_outcomes(&mut tx, source, &evaluated, now).await?;
    let links = link_results(&evaluated, tally);
    plugins::keep_call(
        &app.vault,
        &mut tx,
        (source.account, session.connection),
        (&session.plugin, &record, None),
        now,
    )
    .await?;
    plugin_state::save(&app.vault, &mut tx, source, record.memory, now).await?;
    push_tally::record(&mut tx, source, &links, now).await?;
    tx.commit().await?;
    for (push, _, evaluated) in evaluated {
        if let Some(outcome) = push_outcomes.get_mut(push.index) {
            *outcome = evaluated.outcome;
        }
    }
    Ok(push_outcomes)
}

/// Counts what came of bookings; and how their links fared, of those that the channel has a name for.
fn link_results<'a>(
    evaluated: &'a [(&'a PendingPush, &'a Outcome, Evaluated)],
    tally: &mut PushTally,
) -> Vec<LinkOutcome<'a>> {
    let links = evaluated.iter().filter_map(|(push, outcome, evaluated)| {
        let result = match &evaluated.result {
            ReservationPushResult::Confirmed => RecordResult::Confirmed,
            ReservationPushResult::Unconfirmed => RecordResult::Accepted,
            ReservationPushResult::Rejected(_) => RecordResult::Rejected,
            ReservationPushResult::Mismatched(_)
            | ReservationPushResult::InDoubt(_)
            | ReservationPushResult::NotSent(_) => RecordResult::InDoubt,
        };
        tally.count(result, 1);
        // As the audit trail says it: a channel's own words may repeat what a guest wrote.
        let why = || evaluated.message.clone().unwrap_or_else(|| "the channel has not taken it".to_owned());
        let stands_against = matches!(result, RecordResult::Rejected | RecordResult::InDoubt).then(why);
        let named = push.assignment(outcome).map(|assignment| assignment.external_id);
        let id = named.or(push.operation.channel_id.as_deref())?;
        Some(LinkOutcome { kind: mappings::EntityKind::Reservation, id, error: stands_against })
    });
    links.collect()
}

/// Nothing was sent after all: what was known before is known again.
async fn restore_not_sent(app: &App, source: &Source, pushes: &[PendingPush], why: &str) -> store::Result<()> {
    let (now, result) = (app.now(), ReservationPushResult::NotSent(why.to_owned()));
    let was_known = pushes.iter().filter(|push| !push.sync_state.in_doubt);
    let marks = was_known.map(|PendingPush { sync_state, digest, .. }| PushedReservation {
        sync_state,
        digest,
        result: &result,
        in_doubt: false,
    });
    let mut tx = app.db.write(source.account).await?;
    bookings::record_results(&mut tx, (source.account, source.id), &Vec::from_iter(marks), now).await?;
    tx.commit().await
}

/// What is to be told of bookings; those of which there is nothing to tell are forgotten.
async fn pending_pushes(
    tx: &mut Tx,
    (source, pushing): (&Source, &PushSettings),
    asked: &[CoreId],
    now: Timestamp,
) -> store::Result<Vec<PendingPush>> {
    let snapshots = booking_snapshots(tx, source.account, asked).await?;
    let units: Vec<CoreId> = snapshots.values().flat_map(|booking| booking.units.iter().copied()).collect();
    let rooms = external_ids::by_units(tx, source.account, source.id, &units).await?;
    let known = external_ids::by_bookings(tx, source.account, source.id, asked).await?;
    let mut sync_states = bookings::get_all(tx, source.account, source.id, asked).await?;
    let (mut there, mut pushes, mut needless) = (Vec::new(), Vec::new(), Vec::new());
    for (index, booking) in asked.iter().copied().enumerate() {
        let Some(sync_state) = sync_states.remove(&booking) else { continue };
        let named = snapshots.get(&booking).map(|snapshot| {
            let mut reservation = localise(snapshot, &rooms);
            let house = pushing.currency.as_deref().or(snapshot.house_currency.as_deref());
            let left_out = remove_foreign_prices(&mut reservation, house);
            (reservation, left_out)
        });
        let (named, left_out) = named.unzip();
        match named.and_then(|reservation| operation(source, (booking, reservation), known.get(&booking), &sync_state))
        {
            None => needless.push(booking),
            Some(operation) => {
                let left_out = left_out.flatten().filter(|_| operation.kind != OperationKind::Cancel);
                let push = PendingPush { index, digest: digest(&operation), operation, sync_state, left_out };
                if push.is_confirmed() { there.push(push) } else { pushes.push(push) }
            }
        }
    }
    bookings::delete(tx, source.account, source.id, &needless).await?;
    let marks = there.iter().map(|PendingPush { sync_state, digest, .. }| PushedReservation {
        sync_state,
        digest,
        result: &ReservationPushResult::Confirmed,
        in_doubt: false,
    });
    bookings::record_results(tx, (source.account, source.id), &Vec::from_iter(marks), now).await?;
    Ok(pushes)
}

/// A booking in the channel's ids: the rooms that it knows of.
fn localise(snapshot: &BookingSnapshot, rooms: &HashMap<CoreId, RoomExternalId>) -> Reservation {
    let mut reservation = snapshot.reservation.clone();
    let named: Vec<_> = std::mem::take(&mut reservation.rooms)
        .into_iter()
        .zip(&snapshot.units)
        .filter_map(|(room, unit)| Some((room, rooms.get(unit)?)))
        .collect();
    reservation.property_id = named.first().and_then(|(_, name)| name.property_id.clone());
    for (mut room, name) in named {
        room.room_type_id = Some(name.room_type_id.clone());
        reservation.rooms.push(room);
    }
    reservation.normalise();
    reservation
}

/// What the channel is to do; none where it needs not hear of the booking.
fn operation(
    source: &Source,
    (booking, mut reservation): (CoreId, Reservation),
    known: Option<&ReservationExternalId>,
    sync_state: &ReservationSyncState,
) -> Option<Operation> {
    // What came from it is its own.
    if known.is_some_and(|known| !known.ours || !known.push) {
        return None;
    }
    let is_there = known.is_some() || sync_state.in_doubt;
    let is_sold = match reservation.status {
        Status::Confirmed | Status::NoShow => true,
        // What may yet come to nothing is told only where it is there already.
        Status::Pending => is_there,
        _ => false,
    };
    // Moved to rooms that the channel does not know, it is no booking of its own any more.
    let stands = is_sold && !reservation.rooms.is_empty();
    let kind = match (known, stands) {
        (None, true) => OperationKind::Create,
        (Some(_), true) => OperationKind::Change,
        (Some(_), false) => OperationKind::Cancel,
        // It may be there although nobody has seen it: it is looked for by our reference.
        (None, false) if sync_state.in_doubt => OperationKind::Cancel,
        (None, false) => return None,
    };
    reservation.id = known.map(|known| known.external_id.clone()).unwrap_or_default();
    Some(Operation {
        kind,
        attempt: if sync_state.in_doubt { Attempt::AfterUnknown } else { Attempt::First },
        reference: reference_of(source.account, booking),
        channel_id: known.map(|known| known.external_id.clone()),
        subject: Subject::Reservation(Box::new(reservation)),
    })
}

/// Of what the channel is to have: the same whether it is made or changed.
fn digest(operation: &Operation) -> String {
    let Subject::Reservation(reservation) = &operation.subject else { return String::new() };
    let plain = Reservation { id: String::new(), ..(**reservation).clone() };
    let kind = if operation.kind == OperationKind::Cancel { "cancelled" } else { "standing" };
    format!("{kind} {}", Digest::of_json(&plain).as_str())
}

impl PendingPush {
    fn booking(&self) -> CoreId {
        CoreId(self.sync_state.booking_id)
    }

    /// The channel has it already, for sure.
    fn is_confirmed(&self) -> bool {
        let ReservationSyncState { confirmed, in_doubt, mismatch_count, .. } = &self.sync_state;
        confirmed.as_deref() == Some(&self.digest) && !in_doubt && *mismatch_count == 0
    }

    /// What is made of what the channel said.
    fn evaluate(&self, outcome: &Outcome, trusts_acknowledgements: bool) -> Evaluated {
        let was_unknown = self.sync_state.in_doubt;
        match outcome {
            Outcome::Accepted { id, confirmed, warnings, .. } => {
                let id = id.as_ref().or(self.operation.channel_id.as_ref());
                self.accepted(id, *confirmed && trusts_acknowledgements, warnings)
            }
            // It was looked for under our reference: what is not there needs no cancelling.
            Outcome::Refused(_)
                if self.operation.kind == OperationKind::Cancel && self.operation.channel_id.is_none() =>
            {
                Evaluated::confirmed(Some("it was never there".to_owned()))
            }
            Outcome::Refused(errors) => Evaluated {
                result: ReservationPushResult::Rejected(describe_errors(errors)),
                // An earlier try may be there nevertheless, and be why this one is refused.
                in_doubt: was_unknown,
                outcome: PushOutcome::Rejected(describe_errors(errors)),
                status: "failed",
                message: Some(error_paths(errors)),
            },
            Outcome::Retry(seconds) => {
                let wait = seconds.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
                Evaluated::retry(wait, was_unknown, "the channel asks to be told again later")
            }
            outcome @ (Outcome::Unknown | Outcome::Other { .. }) => {
                Evaluated::retry(None, true, &describe_unclear(outcome))
            }
        }
    }

    /// What is made of a yes.
    fn accepted(&self, id: Option<&String>, is_sure: bool, warnings: &[String]) -> Evaluated {
        let warned = (!warnings.is_empty()).then(|| format!("{} warnings", warnings.len()));
        let Operation { kind, attempt, .. } = &self.operation;
        // What was found by our reference is as it was made, which may be another state of it.
        let was_found = *kind == OperationKind::Create
            && *attempt == Attempt::AfterUnknown
            && self.sync_state.sent.as_deref() != Some(&self.digest);
        match id {
            Some(_) if was_found => Evaluated {
                outcome: PushOutcome::Retry(Some(SignedDuration::ZERO), String::new()),
                ..Evaluated::retry(None, false, "it was found there, and is told as it is now")
            },
            Some(_) if is_sure => Evaluated::confirmed(warned),
            Some(_) => Evaluated {
                result: ReservationPushResult::Unconfirmed,
                status: "pending",
                message: Some("to be read back".to_owned()),
                ..Evaluated::confirmed(None)
            },
            // What has no name there is not there.
            None if *kind == OperationKind::Cancel => Evaluated::confirmed(warned),
            None => Evaluated::retry(None, true, "the channel does not say which it is: it is looked for"),
        }
    }

    /// What the channel calls it from now on, where it says so.
    fn assignment<'a>(&'a self, outcome: &'a Outcome) -> Option<ExternalIdAssignment<'a>> {
        let Outcome::Accepted { id, replaces, .. } = outcome else { return None };
        let external_id = id.as_ref().or(self.operation.channel_id.as_ref())?;
        Some(ExternalIdAssignment { booking: self.booking(), external_id, replaces: replaces.as_deref() })
    }

    /// The audit trail's line.
    fn line(&self, source: &Source, evaluated: &Evaluated) -> sync_log::SyncLogEntry<'_> {
        let action = match self.operation.kind {
            OperationKind::Create => "create",
            OperationKind::Cancel => "cancel",
            _ => "update",
        };
        sync_log::SyncLogEntry {
            source: source.id,
            entity_type: "reservation",
            entity_id: &self.operation.reference,
            action,
            status: evaluated.status,
            message: [self.left_out.clone(), evaluated.message.clone()]
                .into_iter()
                .flatten()
                .reduce(|all, further| format!("{all}; {further}")),
        }
    }
}

/// Writes what became of bookings that the channel was told of.
async fn record_outcomes(
    tx: &mut Tx,
    source: &Source,
    evaluated: &[(&PendingPush, &Outcome, Evaluated)],
    now: Timestamp,
) -> store::Result<()> {
    let source_key = (source.account, source.id);
    let links: Vec<ExternalIdAssignment<'_>> =
        evaluated.iter().filter_map(|(push, outcome, _)| push.assignment(outcome)).collect();
    external_ids::assign(tx, source.account, source.id, &links, now).await?;
    let marks =
        evaluated.iter().map(|(PendingPush { sync_state, digest, .. }, _, Evaluated { result, in_doubt, .. })| {
            PushedReservation { sync_state, digest, result, in_doubt: *in_doubt }
        });
    bookings::record_results(tx, source_key, &Vec::from_iter(marks), now).await?;
    let to_read = evaluated.iter().filter(|(.., evaluated)| evaluated.result == ReservationPushResult::Unconfirmed);
    let to_read = to_read.filter_map(|(push, outcome, _)| push.assignment(outcome)).map(|assignment| {
        let payload = json!({ "entity": "reservation", "id": assignment.external_id });
        let work = JobKind::Refetch.job(source_key, payload, (now + READ_BACK_AFTER, now));
        NewJob { priority: JobKind::ReadBack.priority(), ..work }
    });
    queue::enqueue(tx, &Vec::from_iter(to_read), now).await?;
    let lines: Vec<sync_log::SyncLogEntry<'_>> =
        evaluated.iter().map(|(push, _, evaluated)| push.line(source, evaluated)).collect();
    sync_log::outbound(tx, source.account, &lines, now).await
}
