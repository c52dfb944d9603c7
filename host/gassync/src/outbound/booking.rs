//! Pushes bookings of the core to a channel: creates, changes and cancels reservations under our reference, and looks a
//! reservation up before creating one that may already exist. [`reconcile::reservation`](crate::reconcile::reservation)
//! compares what the channel shows later.

use std::{collections::HashMap, sync::Arc};

use gassync_domain::{
    Attempt, BookingsPushed, CoreId, Digest, Entity, Operation, OperationKind, Outcome, PushSettings, Reservation,
    Status, Subject, SyncEvent, SyncStatus, Timestamp, reference_of,
};
use gassync_runtime::{CallRecord, Finished};
use jiff::SignedDuration;

use super::{
    READ_BACK_AFTER, describe_errors, describe_unclear, error_paths,
    push_tally::{self, PushTally, RecordResult},
    sent_nothing, trusts_acknowledgements,
};
use crate::{
    app::App,
    channel::{ChannelCallError, ChannelSession, plugin_state},
    plugins,
    reconcile::house_currency::remove_foreign_prices,
    schedule::{JobSpec, Refetch, priority},
    store::{
        self, Tx,
        core::booking_snapshots::{BookingSnapshot, booking_snapshots},
        link_health::LinkOutcome,
        mappings,
        outbound::{
            bookings::{self, PushedReservation, ReservationSyncState},
            external_ids::{self, ExternalIdAssignment, ReservationExternalId, RoomExternalId},
            push_settings,
        },
        queue,
        sources::Source,
        sync_log::{self, LogAction, LogStatus},
    },
};

/// Outcome of pushing one booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushOutcome {
    /// Nothing is left to push.
    Done,
    /// The channel rejected it for good; a person must act.
    Rejected(String),
    /// Push again, after the channel's delay if it gave one; with the reason.
    Retry(Option<SignedDuration>, String),
}

/// A channel's reply, evaluated.
struct Evaluated {
    event: SyncEvent,
    /// Where it stands at the channel now.
    reached: SyncStatus,
    /// Why it is not confirmed.
    error: Option<String>,
    outcome: PushOutcome,
    /// For the audit trail.
    status: LogStatus,
    message: Option<String>,
}

/// A booking whose push is pending.
struct PendingPush {
    /// Index among the requested bookings.
    index: usize,
    operation: Operation,
    digest: String,
    sync_state: ReservationSyncState,
    /// Describes prices left out because their currency is not the house's.
    left_out: Option<String>,
}

/// Pushes these bookings in one call; returns one outcome per booking, in order.
pub async fn push(
    app: &Arc<App>,
    source: &Source,
    asked: &[CoreId],
    tally: &mut PushTally,
) -> Result<Vec<PushOutcome>, ChannelCallError> {
    let session = ChannelSession::open(app, source)?;
    let mut push_outcomes = vec![PushOutcome::Done; asked.len()];
    let mut tx = app.db.write(source.account).await?;
    let pushing = push_settings::get(&mut tx, source.key()).await?.unwrap_or_default();
    if !pushing.enabled || pushing.bookings == BookingsPushed::None {
        bookings::delete(&mut tx, source.key(), asked).await?;
        tx.commit().await?;
        return Ok(push_outcomes);
    }
    let pushes = pending_pushes(&mut tx, (source, &pushing), asked, app.now()).await?;
    // The state is in doubt from here until the channel replies, because the process may die in between.
    let sent: Vec<&ReservationSyncState> = pushes.iter().map(|push| &push.sync_state).collect();
    bookings::mark_in_doubt(&mut tx, source.key(), &sent).await?;
    tx.commit().await?;
    if pushes.is_empty() {
        return Ok(push_outcomes);
    }
    let is_trusted = trusts_acknowledgements(&session, &pushing);
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
    let evaluated = pushes.iter().zip(&outcomes);
    let evaluated: Vec<(&PendingPush, &Outcome, Evaluated)> =
        evaluated.map(|(push, outcome)| (push, outcome, push.evaluate(outcome, is_trusted))).collect();
    record_call(&session, &evaluated, record, tally).await?;
    for (push, _, evaluated) in evaluated {
        if let Some(outcome) = push_outcomes.get_mut(push.index) {
            *outcome = evaluated.outcome;
        }
    }
    Ok(push_outcomes)
}

/// Records one call and its results.
async fn record_call(
    session: &ChannelSession<'_>,
    evaluated: &[(&PendingPush, &Outcome, Evaluated)],
    record: CallRecord,
    tally: &mut PushTally,
) -> store::Result<()> {
    let ChannelSession { app, source, connection, plugin } = session;
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    record_outcomes(&mut tx, source, evaluated, now).await?;
    let links = link_results(evaluated, tally);
    plugins::keep_call(&app.vault, &mut tx, (source.account, *connection), (plugin, &record, None), now).await?;
    plugin_state::save(&app.vault, &mut tx, source, record.memory, now).await?;
    push_tally::record(&mut tx, source, &links, now).await?;
    tx.commit().await
}

/// Counts results, and returns the health of links whose external id is known.
fn link_results<'a>(
    evaluated: &'a [(&'a PendingPush, &'a Outcome, Evaluated)],
    tally: &mut PushTally,
) -> Vec<LinkOutcome<'a>> {
    let links = evaluated.iter().filter_map(|(push, outcome, evaluated)| {
        let result = RecordResult::from(evaluated.reached);
        tally.count(result, 1);
        // Use the audit trail's wording: a channel's own message may repeat what a guest wrote.
        let why = || evaluated.message.clone().unwrap_or_else(|| "the channel has not accepted it".to_owned());
        let stands_against = matches!(result, RecordResult::Rejected | RecordResult::InDoubt).then(why);
        let named = push.assignment(outcome).map(|assignment| assignment.external_id);
        let id = named.or(push.operation.channel_id.as_deref())?;
        Some(LinkOutcome { kind: mappings::EntityKind::Reservation, id, error: stands_against })
    });
    links.collect()
}

/// Nothing was sent: restores the state known before the call.
async fn restore_not_sent(app: &App, source: &Source, pushes: &[PendingPush], why: &str) -> store::Result<()> {
    let now = app.now();
    let was_known = pushes.iter().filter(|push| !push.sync_state.state.in_doubt);
    let marks = was_known.map(|push| push.record(SyncEvent::NotSent, Some(why)));
    let mut tx = app.db.write(source.account).await?;
    bookings::record_results(&mut tx, source.key(), &Vec::from_iter(marks), now).await?;
    tx.commit().await
}

/// Pending pushes for bookings. Bookings with nothing to push are deleted from the sync state.
async fn pending_pushes(
    tx: &mut Tx,
    (source, pushing): (&Source, &PushSettings),
    asked: &[CoreId],
    now: Timestamp,
) -> store::Result<Vec<PendingPush>> {
    let snapshots = booking_snapshots(tx, source.account, asked).await?;
    let units: Vec<CoreId> = snapshots.values().flat_map(|booking| booking.units.iter().copied()).collect();
    let rooms = external_ids::by_units(tx, source.key(), &units).await?;
    let known = external_ids::by_bookings(tx, source.key(), asked).await?;
    let mut sync_states = bookings::get_all(tx, source.key(), asked).await?;
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
    bookings::delete(tx, source.key(), &needless).await?;
    let marks = there.iter().map(|push| push.record(SyncEvent::Known, None));
    bookings::record_results(tx, source.key(), &Vec::from_iter(marks), now).await?;
    Ok(pushes)
}

/// The booking with the channel's ids, reduced to rooms that the channel knows.
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

/// The operation for the channel; `None` if the booking does not concern it.
fn operation(
    source: &Source,
    (booking, mut reservation): (CoreId, Reservation),
    known: Option<&ReservationExternalId>,
    sync_state: &ReservationSyncState,
) -> Option<Operation> {
    // A reservation that came from this channel is the channel's own.
    if known.is_some_and(|known| !known.ours || !known.push) {
        return None;
    }
    let is_there = known.is_some() || sync_state.state.in_doubt;
    let is_sold = match reservation.status {
        Status::Confirmed | Status::NoShow => true,
        // A pending booking is pushed only if the channel already has it.
        Status::Pending => is_there,
        _ => false,
    };
    // A booking moved to rooms unknown to the channel is cancelled there.
    let stands = is_sold && !reservation.rooms.is_empty();
    let kind = match (known, stands) {
        (None, true) => OperationKind::Create,
        (Some(_), true) => OperationKind::Change,
        (Some(_), false) => OperationKind::Cancel,
        // It may exist at the channel: look it up by our reference.
        (None, false) if sync_state.state.in_doubt => OperationKind::Cancel,
        (None, false) => return None,
    };
    reservation.id = known.map(|known| known.external_id.clone()).unwrap_or_default();
    Some(Operation {
        kind,
        attempt: if sync_state.state.in_doubt { Attempt::AfterUnknown } else { Attempt::First },
        reference: reference_of(source.account, booking),
        channel_id: known.map(|known| known.external_id.clone()),
        subject: Subject::Reservation(Box::new(reservation)),
    })
}

/// Digest of the desired reservation, equal for create and change.
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

    fn record<'a>(&'a self, event: SyncEvent, error: Option<&'a str>) -> PushedReservation<'a> {
        PushedReservation { sync_state: &self.sync_state, digest: &self.digest, event, error }
    }

    /// True if the channel has confirmed exactly this.
    fn is_confirmed(&self) -> bool {
        let ReservationSyncState { confirmed, state, .. } = &self.sync_state;
        confirmed.as_deref() == Some(&self.digest) && !state.in_doubt && state.mismatch_count == 0
    }

    /// Evaluates the channel's reply.
    fn evaluate(&self, outcome: &Outcome, is_trusted: bool) -> Evaluated {
        match outcome {
            Outcome::Accepted { id, confirmed, warnings, .. } => {
                let id = id.as_ref().or(self.operation.channel_id.as_ref());
                let acknowledged = SyncEvent::Acknowledged { is_stored: *confirmed, is_trusted };
                self.accepted(id, acknowledged, warnings)
            }
            // The lookup by our reference found nothing, so there is nothing to cancel.
            Outcome::Refused(_)
                if self.operation.kind == OperationKind::Cancel && self.operation.channel_id.is_none() =>
            {
                self.done(SyncEvent::Gone, Some("it did not exist at the channel".to_owned()))
            }
            Outcome::Refused(errors) => Evaluated {
                error: Some(describe_errors(errors)),
                outcome: PushOutcome::Rejected(describe_errors(errors)),
                status: LogStatus::Failed,
                // An earlier attempt may have succeeded, and may be why this one is rejected.
                ..self.done(SyncEvent::Refused { may_be_there: true }, Some(error_paths(errors)))
            },
            Outcome::Retry(seconds) => {
                let wait = seconds.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
                let event = if self.sync_state.state.in_doubt { SyncEvent::Unclear } else { SyncEvent::NotSent };
                self.retry(event, wait, "the channel asked for a retry")
            }
            outcome @ (Outcome::Unknown | Outcome::Other { .. }) => {
                self.retry(SyncEvent::Unclear, None, &describe_unclear(outcome))
            }
        }
    }

    /// Evaluates an acceptance.
    fn accepted(&self, id: Option<&String>, acknowledged: SyncEvent, warnings: &[String]) -> Evaluated {
        let warned = (!warnings.is_empty()).then(|| format!("{} warnings", warnings.len()));
        let Operation { kind, attempt, .. } = &self.operation;
        // A reservation found by our reference has the state it was created with, which may be outdated.
        let was_found = *kind == OperationKind::Create
            && *attempt == Attempt::AfterUnknown
            && self.sync_state.sent.as_deref() != Some(&self.digest);
        match id {
            Some(_) if was_found => Evaluated {
                outcome: PushOutcome::Retry(Some(SignedDuration::ZERO), String::new()),
                ..self.retry(SyncEvent::Found, None, "found at the channel; its current state is pushed")
            },
            Some(_) if self.after(acknowledged) == SyncStatus::Confirmed => self.done(acknowledged, warned),
            Some(_) => {
                let message = Some("awaiting read-back".to_owned());
                Evaluated { status: LogStatus::Pending, ..self.done(acknowledged, message) }
            }
            // Without an external id it does not exist there.
            None if *kind == OperationKind::Cancel => self.done(SyncEvent::Gone, warned),
            None => self.retry(SyncEvent::Unclear, None, "the channel returned no id: it will be looked up"),
        }
    }

    fn after(&self, event: SyncEvent) -> SyncStatus {
        self.sync_state.state.after(event).status
    }

    /// Nothing is left to push.
    fn done(&self, event: SyncEvent, message: Option<String>) -> Evaluated {
        let reached = self.after(event);
        Evaluated { event, reached, error: None, outcome: PushOutcome::Done, status: LogStatus::Success, message }
    }

    /// It is pushed again.
    fn retry(&self, event: SyncEvent, wait: Option<SignedDuration>, why: &str) -> Evaluated {
        let (reached, why) = (self.after(event), why.to_owned());
        let outcome = PushOutcome::Retry(wait, why.clone());
        Evaluated { event, reached, error: Some(why.clone()), outcome, status: LogStatus::Pending, message: Some(why) }
    }

    /// The external id that the channel assigned, if it returned one.
    fn assignment<'a>(&'a self, outcome: &'a Outcome) -> Option<ExternalIdAssignment<'a>> {
        let Outcome::Accepted { id, replaces, .. } = outcome else { return None };
        let external_id = id.as_ref().or(self.operation.channel_id.as_ref())?;
        Some(ExternalIdAssignment { booking: self.booking(), external_id, replaces: replaces.as_deref() })
    }

    /// Audit trail line.
    fn line(&self, source: &Source, evaluated: &Evaluated) -> sync_log::NewSyncLogLine<'_> {
        let action = match self.operation.kind {
            OperationKind::Create => LogAction::Create,
            OperationKind::Cancel => LogAction::Cancel,
            _ => LogAction::Update,
        };
        sync_log::NewSyncLogLine {
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

/// Records the results of a push.
async fn record_outcomes(
    tx: &mut Tx,
    source: &Source,
    evaluated: &[(&PendingPush, &Outcome, Evaluated)],
    now: Timestamp,
) -> store::Result<()> {
    let source_key = source.key();
    let links: Vec<ExternalIdAssignment<'_>> =
        evaluated.iter().filter_map(|(push, outcome, _)| push.assignment(outcome)).collect();
    external_ids::assign(tx, source.key(), &links, now).await?;
    let marks = evaluated.iter().map(|(push, _, evaluated)| push.record(evaluated.event, evaluated.error.as_deref()));
    bookings::record_results(tx, source_key, &Vec::from_iter(marks), now).await?;
    let to_read = evaluated.iter().filter(|(.., evaluated)| evaluated.reached == SyncStatus::Unconfirmed);
    let to_read = to_read.filter_map(|(push, outcome, _)| push.assignment(outcome)).map(|assignment| {
        let refetch = Refetch::record(Entity::Reservation, assignment.external_id);
        refetch.of(source.key()).after(READ_BACK_AFTER).with_priority(priority::VERIFICATION)
    });
    queue::enqueue(tx, &Vec::from_iter(to_read), now).await?;
    let lines: Vec<sync_log::NewSyncLogLine<'_>> =
        evaluated.iter().map(|(push, _, evaluated)| push.line(source, evaluated)).collect();
    sync_log::outbound(tx, source.account, &lines, now).await
}
