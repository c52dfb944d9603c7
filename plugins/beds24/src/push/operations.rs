//! Operations on bookings and blocks. First every operation is planned, with a lookup if necessary; then all are
//! written in order.

use gassync_plugin::{Accepted, ChannelError, Operation, Outcome};
use serde_json::value::RawValue;

use super::{
    group::cancellation,
    plan::{self, Plan, Write},
    session::{Backoff, WriteSession},
    write_results::{BatchResult, WriteResult},
};

/// Keys of a change compared with the echo; Beds24 may reformat others.
const COMPARED: [&str; 8] = ["status", "roomId", "arrival", "departure", "numAdult", "numChild", "price", "roomQty"];
/// Key of a new booking compared with the echo. Its id proves that it exists, but it may have become a request.
const COMPARED_OF_NEW: [&str; 1] = ["status"];
/// Requests needed for a reservation of several rooms: one to create it, one to undo.
const OF_A_GROUP: u32 = 2;

pub(crate) fn push(operations: &[Operation]) -> Result<Vec<Outcome>, ChannelError> {
    let mut session = WriteSession::open()?;
    let mut outcomes = vec![Outcome::Unknown; operations.len()];
    let mut writes = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        match plan::plan(&mut session, operation) {
            Ok(Plan::Write(write)) => writes.push((index, write)),
            Ok(Plan::Settled(outcome)) => outcomes[index] = outcome,
            Err(abort) => outcomes[index] = abort.outcome(operation)?,
        }
    }
    for batch in batches(&writes) {
        let item_results = write(&mut session, batch)?;
        for ((index, _), outcome) in batch.iter().zip(item_results) {
            outcomes[*index] = outcome;
        }
    }
    Ok(outcomes)
}

/// Batches consecutive writes of single bookings. Writes that create a group are sent alone, since Beds24 would combine
/// all bookings of the request into one group.
fn batches(writes: &[(usize, Write)]) -> impl Iterator<Item = &[(usize, Write)]> {
    writes.chunk_by(|(_, one), (_, next)| one.forms.len() == 1 && next.forms.len() == 1)
}

fn write(session: &mut WriteSession, batch: &[(usize, Write)]) -> Result<Vec<Outcome>, ChannelError> {
    let all = |outcome: &Outcome| vec![outcome.clone(); batch.len()];
    // Unsent operations are retried later.
    if let Err(waits) = session.may_write(OF_A_GROUP) {
        return Ok(all(&waits));
    }
    let sent: Vec<Box<RawValue>> = batch.iter().flat_map(|(_, write)| &write.forms).map(|form| form.json()).collect();
    let bodies: Vec<&RawValue> = sent.iter().map(|form| &**form).collect();
    let answered = match session.write(&bodies) {
        Ok(answered) => answered,
        // Earlier writes must not be lost through this error; the next call will return it again.
        Err(_) if session.has_written => {
            session.back_off(Backoff::Gone);
            return Ok(all(&Outcome::Retry(None)));
        }
        Err(error) => return Err(error),
    };
    Ok(match answered {
        BatchResult::Refused(errors) => all(&Outcome::Refused(errors)),
        BatchResult::Later(seconds) => {
            session.back_off(Backoff::Later(seconds));
            all(&Outcome::Retry(seconds))
        }
        BatchResult::Unclear => {
            session.back_off(Backoff::Gone);
            all(&Outcome::Unknown)
        }
        BatchResult::Each(results) => {
            let (mut results, mut sent) = (results.into_iter(), sent.iter());
            let mut outcomes = Vec::with_capacity(batch.len());
            for (_, write) in batch {
                let of_job = write.forms.iter().zip(&mut sent);
                let item_results: Vec<_> =
                    of_job.map(|(_, sent)| (&**sent, results.next().unwrap_or_default())).collect();
                outcomes.push(judge(session, write, &item_results));
            }
            outcomes
        }
    })
}

/// Returns one outcome for all bookings of an operation.
fn judge(session: &mut WriteSession, write: &Write, item_results: &[(&RawValue, WriteResult)]) -> Outcome {
    if item_results.iter().any(|(_, written)| written.success.is_none()) {
        return Outcome::Unknown;
    }
    let (taken, refused): (Vec<_>, Vec<_>) =
        item_results.iter().partition(|(_, written)| written.success == Some(true));
    if !refused.is_empty() {
        let is_undone = !write.makes || undo(session, write, item_results);
        let errors = refused.into_iter().flat_map(|(_, written)| written.errors.clone()).collect();
        return if is_undone { Outcome::Refused(errors) } else { Outcome::Unknown };
    }
    let (mut confirmed, mut warnings) = (true, write.warnings.clone());
    for (sent, written) in &taken {
        let compared = if write.makes { &COMPARED_OF_NEW[..] } else { &COMPARED };
        let differences = written.differences(sent, compared);
        // A new booking is confirmed by its id, a change by its echo.
        let is_echoed = if write.makes { written.id.is_some() } else { written.applied.is_some() };
        confirmed &= is_echoed && differences.is_empty();
        warnings.extend(written.warnings.iter().cloned().chain(differences));
    }
    let first = || taken.iter().find_map(|(_, written)| written.id.clone());
    Outcome::Accepted(Accepted {
        channel_id: write.known_id.clone().or_else(first),
        replaces: None,
        confirmed,
        warnings,
    })
}

/// Cancels the bookings of an incomplete reservation, from this call and earlier attempts. Returns true if none can be
/// left.
fn undo(session: &mut WriteSession, write: &Write, item_results: &[(&RawValue, WriteResult)]) -> bool {
    let (mut ids, mut is_known) = (write.adopted.clone(), true);
    for (_, written) in item_results {
        let id = if written.success == Some(true) { &written.id } else { &written.made_id };
        // A success without id: something was created, but not known what.
        is_known &= id.is_some() || written.success == Some(false);
        ids.extend(id.clone());
    }
    if ids.is_empty() {
        return is_known;
    }
    // Remove our reference, so that a later lookup does not find the cancelled booking.
    let taken_back = |id: &String| Some(cancellation(id).ok()?.text("reference", Some("")).json());
    let forms: Vec<Box<RawValue>> = ids.iter().filter_map(taken_back).collect();
    let bodies: Vec<&RawValue> = forms.iter().map(|form| &**form).collect();
    let is_taken = |results: &[WriteResult]| {
        results.len() == ids.len() && results.iter().all(|written| written.success == Some(true))
    };
    is_known && matches!(session.write(&bodies), Ok(BatchResult::Each(results)) if is_taken(&results))
}
