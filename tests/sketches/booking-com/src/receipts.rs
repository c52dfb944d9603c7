//! What was taken leaves its queue.

use gassync_plugin::{ChannelError, Receipt, ReceiptFate, http, malformed};

use crate::{
    Queue, RESERVATIONS, message, send, support_id,
    xml::{Element, element},
};

/// For each none where it left its queue, else why it did not.
pub fn acknowledge(receipts: &[Receipt]) -> Result<Vec<Option<String>>, ChannelError> {
    let mut said: Vec<Option<String>> = vec![None; receipts.len()];
    for queue in Queue::ALL {
        let mut taken = Vec::new();
        for (index, receipt) in receipts.iter().enumerate().filter(|(_, receipt)| queue_of(receipt) == Some(queue)) {
            match &receipt.fate {
                ReceiptFate::Applied => taken.push(index),
                // It stays in the queue, and Booking.com writes to the hotel instead.
                ReceiptFate::Refused(why) => said[index] = Some(format!("not acknowledged: {why}")),
            }
        }
        let Err(why) = post(queue, receipts, &taken)? else { continue };
        if let [one] = *taken {
            said[one] = Some(why);
            continue;
        }
        // One of them is at fault: by itself each of them tells.
        for index in taken {
            said[index] = post(queue, receipts, &[index])?.err();
        }
    }
    for (receipt, said) in receipts.iter().zip(&mut said).filter(|(receipt, _)| queue_of(receipt).is_none()) {
        *said = Some(format!("{} names no queue", receipt.token));
    }
    Ok(said)
}

fn queue_of(receipt: &Receipt) -> Option<Queue> {
    Queue::named(receipt.token.split_once('/')?.0)
}

/// Acknowledges several at once: all of them, or none and why.
fn post(queue: Queue, receipts: &[Receipt], which: &[usize]) -> Result<Result<(), String>, ChannelError> {
    let Some(first) = which.first() else { return Ok(Ok(())) };
    let (list, entry) = queue.path();
    let ids =
        which.iter().map(|index| element("HotelReservationID").with("ResID_Value", &receipts[*index].external_id));
    let entry = element(entry).around([element("ResGlobalInfo").around([element("HotelReservationIDs").around(ids)])]);
    let answer = message(&format!("{}RS", queue.message()), "2.001", &receipts[*first].at)?
        .around([element("Success"), element(list).around([entry])]);
    let request = http::Request::post_xml(format!("{RESERVATIONS}{}", queue.message()), answer.document());
    let heard = send(request)?;
    let support = support_id(heard.body()).unwrap_or_default();
    Ok(match heard.status() {
        200..=299 => {
            taken(heard.body())?;
            Ok(())
        }
        400 => Err(format!("there is a newer message, or it is in the other queue ({support})")),
        403 => Err(format!("the property is not ours ({support})")),
        status => Err(format!("status {status} ({support})")),
    })
}

/// A success may be without a body. One that is none of Booking.com's messages is no success: the queue is as it was.
fn taken(body: &[u8]) -> Result<(), ChannelError> {
    if body.trim_ascii().is_empty() {
        return Ok(());
    }
    let root = Element::parse(body)?;
    if root.name.starts_with("OTA_") { Ok(()) } else { Err(malformed(root.name, "is none of the answers")) }
}
