//! Blocks as Beds24 bookings with status `black`, one per room type.

use gassync_plugin::{Block, FieldError, RoomType, core_data};

use super::{booking_form::Creation, form::Form};

pub(crate) fn creations(block: &Block, reference: &str) -> Result<Vec<Creation>, FieldError> {
    room_types(block)?.into_iter().map(|room_id| creation(block, reference, room_id)).collect()
}

/// Returns the room types of a block; for a whole property the core data lists them.
pub(crate) fn room_types(block: &Block) -> Result<Vec<String>, FieldError> {
    if !block.room_type_ids.is_empty() {
        return Ok(block.room_type_ids.clone());
    }
    let of_house = known(block).into_iter().map(|room_type| room_type.id).collect::<Vec<_>>();
    if of_house.is_empty() {
        Err(FieldError::new("/roomId", "is missing: the house has no known rooms"))
    } else {
        Ok(of_house)
    }
}

/// Builds the booking without checking for other bookings: the nights must be closed in any case.
fn creation(block: &Block, reference: &str, room_id: String) -> Result<Creation, FieldError> {
    let form = Form::default()
        .id("roomId", Some(&room_id))?
        .id("unitId", block.unit_id.as_deref())?
        .text("status", Some("black"))
        .date("arrival", Some(block.stay.start))
        .date("departure", Some(block.stay.until))
        .number("roomQty", Some(units(block, &room_id)?))
        .text("notes", block.reason.as_deref())
        .text("reference", Some(reference));
    Ok(Creation { form, room_id, arrival: block.stay.start })
}

/// Returns the number of units: the given number, or one if the block names a unit, or else all units of the room type.
fn units(block: &Block, room_id: &str) -> Result<u32, FieldError> {
    let all = || known(block).into_iter().find(|room_type| room_type.id == room_id)?.quantity;
    let units = block.units.or(block.unit_id.as_ref().map(|_| 1)).or_else(all);
    match units {
        Some(0) => Err(FieldError::new("/roomQty", "is none: there is nothing to close")),
        Some(units) => Ok(units),
        None => Err(FieldError::new("/roomQty", "is missing: how many units the room has is not known")),
    }
}

fn known(block: &Block) -> Vec<RoomType> {
    block.property_id.as_deref().map(core_data::room_types).unwrap_or_default()
}
