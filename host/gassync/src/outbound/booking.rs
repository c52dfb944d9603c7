//! Tells a channel of bookings of the core: made, changed and cancelled under our reference, and looked up before anything is
//! made again that may be there.

use std::{collections::HashMap, sync::Arc};

use gassync_domain::{
    AccountId, Attempt, BookingsPushed, CoreId, Digest, Operation, Outcome, Reservation, SourceId, Status, Subject,
    Timestamp, Verb, reference_of, referenced,
};
use gassync_runtime::Finished;
use jiff::SignedDuration;
use serde_json::json;

use super::{in_words, places, sent_nothing, trusts, unclear};
use crate::{
    app::App,
    inbound::{apply::Incoming, memory},
    jobs::{Kind, push_of_booking},
    plugins,
    store::{
        self, Tx,
        core::told_bookings::{ToldBooking, told_bookings},
        outbound::{
            bookings::{self, Fate, Standing},
            names::{self, BookingName, RoomName},
            pushing,
        },
        queue::{self, Put},
        sources::Source,
        sync_log,
    },
    talk::{Talk, TalkError},
};

/// How long after it was told a booking is read back.
const READ_BACK_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// So many times a booking is told again whose channel says that it took it and shows something else.
const MOST_MISSES: i64 = 3;

/// What came of telling a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// There is nothing left to tell.
    Done,
    /// The channel will not have it: a person is to mend it.
    Refused(String),
    /// It is to be told again, after so long where the channel says, and why.
    Later(Option<SignedDuration>, String),
}

/// What is made of what a channel said.
struct Judged {
    fate: Fate,
    /// The channel may have something that nobody has seen.
    unknown: bool,
    told: Told,
    /// For the audit trail.
    status: &'static str,
    message: Option<String>,
}

impl Judged {
    fn later(wait: Option<SignedDuration>, unknown: bool, why: &str) -> Self {
        let told = Told::Later(wait, why.to_owned());
        let fate = if unknown { Fate::Unknown(why.to_owned()) } else { Fate::NotYet(why.to_owned()) };
        Self { fate, unknown, told, status: "pending", message: Some(why.to_owned()) }
    }
}

/// What is to be told of a booking.
struct Telling {
    /// The place among those that were asked for.
    index: usize,
    operation: Operation,
    digest: String,
    standing: Standing,
}

/// Tells the channel of these bookings in one call; of each what came of it.
pub async fn push(app: &Arc<App>, source: &Source, asked: &[CoreId]) -> Result<Vec<Told>, TalkError> {
    let talk = Talk::open(app, source)?;
    let lane = app.lane(talk.connection).await;
    let _one_at_a_time = lane.lock().await;
    let mut told = vec![Told::Done; asked.len()];
    let mut tx = app.db.write(source.account).await?;
    let pushing = pushing::get(&mut tx, source.account, source.id).await?.unwrap_or_default();
    if !pushing.enabled || pushing.bookings == BookingsPushed::None {
        for booking in asked {
            bookings::forget(&mut tx, source.account, source.id, *booking).await?;
        }
        tx.commit().await?;
        return Ok(told);
    }
    let tellings = tellings(&mut tx, source, asked, app.now()).await?;
    // From here on nobody knows what the channel has until it has said so: the process may die while it works.
    let sent: Vec<CoreId> = tellings.iter().map(Telling::booking).collect();
    bookings::about_to_send(&mut tx, source.account, source.id, &sent).await?;
    tx.commit().await?;
    if tellings.is_empty() {
        return Ok(told);
    }
    let trusts = trusts(&talk, &pushing);
    let operations: Vec<Operation> = tellings.iter().map(|telling| telling.operation.clone()).collect();
    let (call, secrets) = talk.call(format!("bookings-{}", source.id), Arc::new(talk.network()?)).await?;
    let Finished { result, record } = talk.plugin.push_reservations(call, operations).await;
    let outcomes = match result {
        Ok(outcomes) => outcomes,
        Err(error) => {
            if sent_nothing(&record) {
                take_back(app, source, &tellings, &error.to_string()).await?;
            }
            return Err(talk.failed(error, record, secrets).await?);
        }
    };
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    for (telling, outcome) in tellings.iter().zip(&outcomes) {
        if let Some(told) = told.get_mut(telling.index) {
            *told = telling.note(&mut tx, source, (outcome, trusts), now).await?;
        }
    }
    plugins::keep_call(&app.vault, &mut tx, (source.account, talk.connection), (&talk.plugin, &record, None), now)
        .await?;
    memory::keep(&app.vault, &mut tx, source, record.memory, now).await?;
    tx.commit().await?;
    Ok(told)
}

/// Nothing was sent after all: what was known before is known again.
async fn take_back(app: &App, source: &Source, tellings: &[Telling], why: &str) -> store::Result<()> {
    let (now, fate) = (app.now(), Fate::NotYet(why.to_owned()));
    let mut tx = app.db.write(source.account).await?;
    for telling in tellings.iter().filter(|telling| !telling.standing.unknown) {
        let whom = (source.account, source.id);
        bookings::mark(&mut tx, whom, &telling.standing, (&telling.digest, &fate, false), now).await?;
    }
    tx.commit().await
}

/// What is to be told of bookings; those of which there is nothing to tell are forgotten.
async fn tellings(tx: &mut Tx, source: &Source, asked: &[CoreId], now: Timestamp) -> store::Result<Vec<Telling>> {
    let told = told_bookings(tx, source.account, asked).await?;
    let units: Vec<CoreId> = told.values().flat_map(|booking| booking.units.iter().copied()).collect();
    let rooms = names::of_units(tx, source.account, source.id, &units).await?;
    let known = names::of_bookings(tx, source.account, source.id, asked).await?;
    let mut tellings = Vec::new();
    for (index, booking) in asked.iter().copied().enumerate() {
        let Some(standing) = bookings::get(tx, source.account, source.id, booking).await? else { continue };
        let named = told.get(&booking).map(|told| in_its_words(told, &rooms));
        match named.and_then(|reservation| operation(source, (booking, reservation), known.get(&booking), &standing)) {
            None => bookings::forget(tx, source.account, source.id, booking).await?,
            Some(operation) => {
                let digest = digest(&operation);
                if standing.confirmed.as_deref() == Some(&digest) && !standing.unknown && standing.missed == 0 {
                    let whom = (source.account, source.id);
                    bookings::mark(tx, whom, &standing, (&digest, &Fate::There, false), now).await?;
                } else {
                    tellings.push(Telling { index, operation, digest, standing });
                }
            }
        }
    }
    Ok(tellings)
}

/// A booking in the channel's ids: the rooms that it knows of.
fn in_its_words(told: &ToldBooking, rooms: &HashMap<CoreId, RoomName>) -> Reservation {
    let mut reservation = told.reservation.clone();
    let named: Vec<_> = std::mem::take(&mut reservation.rooms)
        .into_iter()
        .zip(&told.units)
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
    known: Option<&BookingName>,
    standing: &Standing,
) -> Option<Operation> {
    // What came from it is its own.
    if known.is_some_and(|known| !known.ours || !known.push) {
        return None;
    }
    let is_there = known.is_some() || standing.unknown;
    let is_sold = match reservation.status {
        Status::Confirmed | Status::NoShow => true,
        // What may yet come to nothing is told only where it is there already.
        Status::Pending => is_there,
        _ => false,
    };
    // Moved to rooms that the channel does not know, it is no booking of its own any more.
    let stands = is_sold && !reservation.rooms.is_empty();
    let verb = match (known, stands) {
        (None, true) => Verb::Create,
        (Some(_), true) => Verb::Change,
        (Some(_), false) => Verb::Cancel,
        // It may be there although nobody has seen it: it is looked for by our reference.
        (None, false) if standing.unknown => Verb::Cancel,
        (None, false) => return None,
    };
    reservation.id = known.map(|known| known.external_id.clone()).unwrap_or_default();
    Some(Operation {
        verb,
        attempt: if standing.unknown { Attempt::AfterUnknown } else { Attempt::First },
        reference: reference_of(source.account, booking),
        channel_id: known.map(|known| known.external_id.clone()),
        subject: Subject::Reservation(Box::new(reservation)),
    })
}

/// Of what the channel is to have: the same whether it is made or changed.
fn digest(operation: &Operation) -> String {
    let Subject::Reservation(reservation) = &operation.subject else { return String::new() };
    let plain = Reservation { id: String::new(), ..(**reservation).clone() };
    let verb = if operation.verb == Verb::Cancel { "cancelled" } else { "standing" };
    format!("{verb} {}", Digest::of_json(&plain).as_str())
}

impl Telling {
    fn booking(&self) -> CoreId {
        CoreId(self.standing.booking_id)
    }

    /// Notes what became of it.
    async fn note(
        &self,
        tx: &mut Tx,
        source: &Source,
        (outcome, trusts): (&Outcome, bool),
        now: Timestamp,
    ) -> store::Result<Told> {
        let was_unknown = self.standing.unknown;
        let Judged { fate, unknown, told, status, message } = match outcome {
            Outcome::Accepted { id, replaces, confirmed, warnings } => {
                let id = id.as_ref().or(self.operation.channel_id.as_ref());
                if let Some(id) = id {
                    let link = (self.booking(), id.as_str(), replaces.as_deref());
                    names::link_booking(tx, source.account, source.id, link, now).await?;
                }
                self.accepted(tx, source, (id, *confirmed && trusts, warnings), now).await?
            }
            // It was looked for under our reference: what is not there needs no cancelling.
            Outcome::Refused(_) if self.operation.verb == Verb::Cancel && self.operation.channel_id.is_none() => {
                Judged {
                    fate: Fate::There,
                    unknown: false,
                    told: Told::Done,
                    status: "success",
                    message: Some("it was never there".to_owned()),
                }
            }
            Outcome::Refused(errors) => Judged {
                fate: Fate::Refused(in_words(errors)),
                // An earlier try may be there nevertheless, and be why this one is refused.
                unknown: was_unknown,
                told: Told::Refused(in_words(errors)),
                status: "failed",
                message: Some(places(errors)),
            },
            Outcome::Retry(seconds) => {
                let wait = seconds.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
                Judged::later(wait, was_unknown, "the channel asks to be told again later")
            }
            outcome @ (Outcome::Unknown | Outcome::Other { .. }) => Judged::later(None, true, &unclear(outcome)),
        };
        let whom = (source.account, source.id);
        bookings::mark(tx, whom, &self.standing, (&self.digest, &fate, unknown), now).await?;
        self.log(tx, source, (status, message), now).await?;
        Ok(told)
    }

    /// What is made of a yes.
    async fn accepted(
        &self,
        tx: &mut Tx,
        source: &Source,
        (id, is_sure, warnings): (Option<&String>, bool, &[String]),
        now: Timestamp,
    ) -> store::Result<Judged> {
        let warned = (!warnings.is_empty()).then(|| format!("{} warnings", warnings.len()));
        let there =
            |message| Judged { fate: Fate::There, unknown: false, told: Told::Done, status: "success", message };
        let Operation { verb, attempt, .. } = &self.operation;
        // What was found by our reference is as it was made, which may be another state of it.
        let was_found = *verb == Verb::Create
            && *attempt == Attempt::AfterUnknown
            && self.standing.sent.as_deref() != Some(&self.digest);
        Ok(match id {
            Some(_) if was_found => Judged {
                told: Told::Later(Some(SignedDuration::ZERO), String::new()),
                ..Judged::later(None, false, "it was found there, and is told as it is now")
            },
            Some(_) if is_sure => there(warned),
            Some(id) => {
                let payload = json!({ "entity": "reservation", "id": id });
                let whose = (source.account, source.id);
                let work = Kind::LookAgain.put(whose, payload, (now + READ_BACK_AFTER, now));
                queue::put(tx, &[Put { priority: Kind::ReadBack.priority(), ..work }], now).await?;
                Judged {
                    fate: Fate::Sent,
                    unknown: false,
                    told: Told::Done,
                    status: "pending",
                    message: Some("to be read back".to_owned()),
                }
            }
            // What has no name there is not there.
            None if *verb == Verb::Cancel => there(warned),
            None => Judged::later(None, true, "the channel does not say which it is: it is looked for"),
        })
    }

    async fn log(
        &self,
        tx: &mut Tx,
        source: &Source,
        (status, message): (&'static str, Option<String>),
        now: Timestamp,
    ) -> store::Result<()> {
        let action = match self.operation.verb {
            Verb::Create => "create",
            Verb::Cancel => "cancel",
            _ => "update",
        };
        let line = sync_log::Entry {
            source: source.id,
            entity_type: "reservation",
            entity_id: &self.operation.reference,
            action,
            status,
            message,
        };
        sync_log::outbound(tx, source.account, &[line], now).await
    }
}

/// The booking of ours that a reservation of a channel is, by our reference beside it: one that this channel is just being
/// told of, and that it has no name for yet. From here on it is linked.
pub async fn recognise(tx: &mut Tx, incoming: &Incoming, reservation: &Reservation) -> store::Result<Option<CoreId>> {
    let said = reservation.extra.get("reference").and_then(|reference| reference.as_str());
    let Some(booking) = said.and_then(|reference| referenced(incoming.account, reference)) else { return Ok(None) };
    let Some(standing) = bookings::get(tx, incoming.account, incoming.source, booking).await? else { return Ok(None) };
    // Anybody may write a reference beside a booking: only what we are in the middle of telling can be it.
    if !standing.unknown || standing.external_id.is_some() {
        return Ok(None);
    }
    let link = (booking, reservation.id.as_str(), None);
    names::link_booking(tx, incoming.account, incoming.source, link, incoming.now).await?;
    Ok(Some(booking))
}

/// Holds what a channel shows of a booking of ours against what it was told: where they agree it is there, else it is told
/// again.
pub async fn seen(tx: &mut Tx, incoming: &Incoming, booking: CoreId, shown: &Reservation) -> store::Result<()> {
    let (account, source, now) = (incoming.account, incoming.source, incoming.now);
    let Some(standing) = bookings::get(tx, account, source, booking).await? else { return Ok(()) };
    let was_told_before = standing.sent_at.is_some_and(|at| Timestamp::from(at) < incoming.observed_at);
    // The core has the say over its own bookings: one that somebody has changed there is told again.
    if !matches!(standing.state.as_str(), "sent" | "there") || !was_told_before {
        return Ok(());
    }
    let Some(told) = told_bookings(tx, account, &[booking]).await?.remove(&booking) else { return Ok(()) };
    // Moved to rooms that the channel does not know, it is none there.
    let rooms = names::of_units(tx, account, source, &told.units).await?;
    let holds = |reservation: &Reservation| reservation.status.holds_nights();
    let stands = holds(&told.reservation) && told.units.iter().any(|unit| rooms.contains_key(unit));
    let stay = |reservation: &Reservation| (reservation.check_in, reservation.check_out);
    let agrees = holds(shown) == stands && (!stands || stay(shown) == stay(&told.reservation));
    let digest = standing.sent.clone().unwrap_or_default();
    if agrees && standing.state == "there" {
        return Ok(());
    }
    if agrees {
        return bookings::mark(tx, (account, source), &standing, (&digest, &Fate::There, false), now).await;
    }
    missed(tx, (account, source), &standing, now).await
}

/// A channel that says that it took a booking and shows something else is told again, and after some times a person is asked.
async fn missed(
    tx: &mut Tx,
    (account, source): (AccountId, SourceId),
    standing: &Standing,
    now: Timestamp,
) -> store::Result<()> {
    let why = "the channel says that it took it, and shows something else".to_owned();
    let digest = standing.sent.clone().unwrap_or_default();
    if standing.missed >= MOST_MISSES {
        return bookings::mark(tx, (account, source), standing, (&digest, &Fate::Refused(why), false), now).await;
    }
    bookings::mark(tx, (account, source), standing, (&digest, &Fate::Missed(why), false), now).await?;
    queue::put(tx, &[push_of_booking((account, source), CoreId(standing.booking_id), now)], now).await
}

/// Bookings that were asked for by the channel's ids and are not there. One that was cancelled is as it should be; what the
/// channel said it had made it has not, and it is made again, after it was looked for.
pub async fn gone(tx: &mut Tx, source: &Source, ids: &[String], now: Timestamp) -> store::Result<()> {
    let whom = (source.account, source.id);
    for (booking, id) in names::bookings_called(tx, source.account, source.id, ids).await? {
        let standing = bookings::get(tx, source.account, source.id, booking).await?;
        let Some(standing) = standing.filter(|standing| standing.state == "sent") else { continue };
        let told = told_bookings(tx, source.account, &[booking]).await?.remove(&booking);
        let digest = standing.sent.clone().unwrap_or_default();
        if told.is_none_or(|told| !told.reservation.status.holds_nights()) {
            bookings::mark(tx, whom, &standing, (&digest, &Fate::There, false), now).await?;
            continue;
        }
        names::unlink_booking(tx, source.account, source.id, &id).await?;
        let why = "the channel says that it took it, and does not have it".to_owned();
        bookings::mark(tx, whom, &standing, (&digest, &Fate::Unknown(why), true), now).await?;
        queue::put(tx, &[push_of_booking(whom, booking, now)], now).await?;
    }
    Ok(())
}
