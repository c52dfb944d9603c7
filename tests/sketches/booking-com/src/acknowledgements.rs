//! What was taken leaves its queue.

use gassync_plugin::{ChannelError, Receipt, ReceiptFate, ReceiptOutcome, http, log, malformed};

use crate::{
    Queue, RESERVATIONS, message, send, support_id,
    xml::{Element, element},
};

/// One outcome for each.
pub fn acknowledge(receipts: &[Receipt]) -> Result<Vec<ReceiptOutcome>, ChannelError> {
    let no_queue = |receipt: &Receipt| ReceiptOutcome::Refused(format!("{} names no queue", receipt.token));
    let mut outcomes: Vec<ReceiptOutcome> = receipts.iter().map(no_queue).collect();
    for queue in Queue::ALL {
        let mut taken = Vec::new();
        for (index, receipt) in receipts.iter().enumerate().filter(|(_, receipt)| queue_of(receipt) == Some(queue)) {
            match &receipt.fate {
                ReceiptFate::Applied => taken.push(index),
                // It stays in the queue, and Booking.com writes to the hotel instead.
                ReceiptFate::Refused(why) => {
                    outcomes[index] = ReceiptOutcome::Refused(format!("not acknowledged: {why}"));
                }
            }
        }
        let of_all = post(queue, receipts, &taken)?;
        let is_one_at_fault =
            taken.len() > 1 && matches!(of_all, Some(ReceiptOutcome::Outdated(_) | ReceiptOutcome::Refused(_)));
        for index in taken {
            // By itself each of them tells.
            let outcome = if is_one_at_fault { post(queue, receipts, &[index])? } else { of_all.clone() };
            outcomes[index] = outcome.unwrap_or(ReceiptOutcome::Taken);
        }
    }
    Ok(outcomes)
}

fn queue_of(receipt: &Receipt) -> Option<Queue> {
    Queue::named(receipt.token.split_once('/')?.0)
}

/// Acknowledges several at once: what became of all of them, and none where there are none.
fn post(queue: Queue, receipts: &[Receipt], which: &[usize]) -> Result<Option<ReceiptOutcome>, ChannelError> {
    let Some(first) = which.first() else { return Ok(None) };
    let (list, entry) = queue.path();
    let ids =
        which.iter().map(|index| element("HotelReservationID").with("ResID_Value", &receipts[*index].external_id));
    let entry = element(entry).around([element("ResGlobalInfo").around([element("HotelReservationIDs").around(ids)])]);
    let answer = message(&format!("{}RS", queue.message()), "2.001", &receipts[*first].at)?
        .around([element("Success"), element(list).around([entry])]);
    let request = http::Request::post_xml(format!("{RESERVATIONS}{}", queue.message()), answer.document());
    let heard = match send(request) {
        Ok(heard) => heard,
        // What the other queue has let go of must not be forgotten for it.
        Err(ChannelError::RateLimited(seconds)) => return Ok(Some(ReceiptOutcome::Retry(seconds))),
        Err(ChannelError::Unavailable(_)) => return Ok(Some(ReceiptOutcome::Retry(None))),
        Err(other) => return Err(other),
    };
    let support = support_id(heard.body()).unwrap_or_default();
    Ok(Some(match heard.status() {
        200..=299 => taken(heard.body()),
        400 => ReceiptOutcome::Outdated(format!("there is a newer message, or it is in the other queue ({support})")),
        403 => ReceiptOutcome::Refused(format!("the property is not ours ({support})")),
        404 => ReceiptOutcome::Refused(format!("Booking.com knows no such reservation ({support})")),
        status => ReceiptOutcome::Refused(format!("status {status} ({support})")),
    }))
}

/// A success may be without a body. One that is none of Booking.com's messages is no success: the queue is as it was.
fn taken(body: &[u8]) -> ReceiptOutcome {
    if body.trim_ascii().is_empty() {
        return ReceiptOutcome::Taken;
    }
    let is_theirs = |root: Element| match root.name.starts_with("OTA_") {
        true => Ok(()),
        false => Err(malformed(root.name, "is none of the answers")),
    };
    match Element::parse(body).and_then(is_theirs) {
        Ok(()) => ReceiptOutcome::Taken,
        Err(why) => {
            log::warn(&format!("a receipt was not answered: {why:?}"));
            ReceiptOutcome::Retry(None)
        }
    }
}
