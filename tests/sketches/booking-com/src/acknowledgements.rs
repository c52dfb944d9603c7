//! Acknowledges messages, which removes them from their queue.

use gassync_plugin::{
    Acknowledgement, AcknowledgementKind, AcknowledgementOutcome, ChannelError, http, log, malformed,
    xml::{Element, element},
};

use crate::{Queue, RESERVATIONS, message, send, support_id};

/// One outcome per acknowledgement.
pub fn acknowledge(acknowledgements: &[Acknowledgement]) -> Result<Vec<AcknowledgementOutcome>, ChannelError> {
    let no_queue = |acknowledgement: &Acknowledgement| {
        AcknowledgementOutcome::Refused(format!("{} names no queue", acknowledgement.token))
    };
    let mut outcomes: Vec<AcknowledgementOutcome> = acknowledgements.iter().map(no_queue).collect();
    for queue in Queue::ALL {
        let mut taken = Vec::new();
        for (index, acknowledgement) in
            acknowledgements.iter().enumerate().filter(|(_, acknowledgement)| queue_of(acknowledgement) == Some(queue))
        {
            match &acknowledgement.kind {
                AcknowledgementKind::Applied => taken.push(index),
                // It stays in the queue, and Booking.com e-mails the hotel instead.
                AcknowledgementKind::Refused(why) => {
                    outcomes[index] = AcknowledgementOutcome::Refused(format!("not acknowledged: {why}"));
                }
            }
        }
        let of_all = post(queue, acknowledgements, &taken)?;
        let is_one_at_fault = taken.len() > 1
            && matches!(of_all, Some(AcknowledgementOutcome::Outdated(_) | AcknowledgementOutcome::Refused(_)));
        for index in taken {
            // Send them one by one, to find the faulty one.
            let outcome = if is_one_at_fault { post(queue, acknowledgements, &[index])? } else { of_all.clone() };
            outcomes[index] = outcome.unwrap_or(AcknowledgementOutcome::Accepted);
        }
    }
    Ok(outcomes)
}

fn queue_of(acknowledgement: &Acknowledgement) -> Option<Queue> {
    Queue::named(acknowledgement.token.split_once('/')?.0)
}

/// Acknowledges several messages at once; returns their common outcome, or `None` if there are none.
fn post(
    queue: Queue,
    acknowledgements: &[Acknowledgement],
    which: &[usize],
) -> Result<Option<AcknowledgementOutcome>, ChannelError> {
    let Some(first) = which.first() else { return Ok(None) };
    let (list, entry) = queue.path();
    let ids = which
        .iter()
        .map(|index| element("HotelReservationID").with("ResID_Value", &acknowledgements[*index].external_id));
    let entry = element(entry)
        .with_children([element("ResGlobalInfo").with_children([element("HotelReservationIDs").with_children(ids)])]);
    let answer = message(&format!("{}RS", queue.message()), "2.001", &acknowledgements[*first].at)?
        .with_children([element("Success"), element(list).with_children([entry])]);
    let request = http::Request::post_xml(format!("{RESERVATIONS}{}", queue.message()), answer.document());
    let heard = match send(request) {
        Ok(heard) => heard,
        // An error here must not discard the results of the other queue.
        Err(ChannelError::RateLimited(seconds)) => return Ok(Some(AcknowledgementOutcome::Retry(seconds))),
        Err(ChannelError::Unavailable(_)) => return Ok(Some(AcknowledgementOutcome::Retry(None))),
        Err(other) => return Err(other),
    };
    let support = support_id(heard.body()).unwrap_or_default();
    Ok(Some(match heard.status() {
        200..=299 => taken(heard.body()),
        400 => AcknowledgementOutcome::Outdated(format!(
            "there is a newer message, or it is in the other queue ({support})"
        )),
        403 => AcknowledgementOutcome::Refused(format!("the property is not ours ({support})")),
        404 => AcknowledgementOutcome::Refused(format!("Booking.com knows no such reservation ({support})")),
        status => AcknowledgementOutcome::Refused(format!("status {status} ({support})")),
    }))
}

/// A success may have no body. A body that is not a Booking.com message is no success: the queue is unchanged.
fn taken(body: &[u8]) -> AcknowledgementOutcome {
    if body.trim_ascii().is_empty() {
        return AcknowledgementOutcome::Accepted;
    }
    let is_theirs = |root: Element| match root.name().starts_with("OTA_") {
        true => Ok(()),
        false => Err(malformed(root.name(), "is none of the answers")),
    };
    match Element::parse(body).and_then(is_theirs) {
        Ok(()) => AcknowledgementOutcome::Accepted,
        Err(why) => {
            log::warn(&format!("an acknowledgement was not answered: {why:?}"));
            AcknowledgementOutcome::Retry(None)
        }
    }
}
