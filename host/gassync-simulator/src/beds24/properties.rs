//! `/properties`: rooms are returned only with `includeAllRooms`, and writes set the webhook.

use axum::{Extension, Router, body::Bytes, extract::State, http::StatusCode, response::Response, routing::get};
use serde_json::{Value, json};

use super::{
    Account, Admitted, Beds24, Settings,
    answer::{self, Malformed, refused},
    fields::whole,
    nights::LONGEST_STAY,
    property::{Beds24Property, Beds24RoomType},
    query::{BadParameter, QueryParams},
    webhook::PropertyHook,
};

const CHANGES: &str = "modify property";

pub(super) fn router() -> Router<Beds24> {
    Router::new().route("/properties", get(list).post(write)).route("/properties/rooms", get(not_ready))
}

async fn list(State(simulator): State<Beds24>, query: QueryParams) -> Result<Response, BadParameter> {
    let (ids, rooms) = (query.numbers("id")?, query.numbers("roomId")?);
    let account = simulator.account();
    let wanted = |property: &&Beds24Property| {
        (ids.is_empty() || ids.contains(&property.id))
            && (rooms.is_empty() || property.room_types.iter().any(|room| rooms.contains(&room.id)))
    };
    let found: Vec<&Beds24Property> = account.book.properties.iter().filter(wanted).collect();
    let settings = &simulator.inner.settings;
    let show = |property: &Beds24Property| {
        let hook = account.book.hooks.get(&property.id).cloned().unwrap_or_default();
        let mut object = wire(property, &hook, settings.owner_id());
        if query.flag("includeAllRooms") {
            let with_details = query.flag("includeUnitDetails");
            let rooms = property.room_types.iter();
            object["roomTypes"] = rooms.map(|room| room_wire(room, property.id, with_details)).collect();
        }
        object
    };
    Ok(answer::list("property", found, &query, settings.page_size, show))
}

/// An endpoint of the vendor's specification that is documented as not ready.
async fn not_ready() -> Response {
    answer::error(StatusCode::NOT_FOUND, "Not found")
}

fn wire(property: &Beds24Property, hook: &PropertyHook, owner: u64) -> Value {
    json!({
        "id": property.id,
        "name": property.name,
        "propertyType": "apartment",
        "currency": property.currency,
        "address": "Main street 1",
        "city": property.city,
        "state": "",
        "country": property.country,
        "postcode": "00001",
        "latitude": 40.5,
        "longitude": -3.25,
        "phone": "", "mobile": "", "fax": "", "email": "", "web": "", "contactFirstName": "", "contactLastName": "",
        "checkInStart": "15:00",
        "checkInEnd": "22:00",
        "checkOutEnd": "11:00",
        "offerType": "perRoom",
        "webhooks": hook.wire(),
        "account": { "ownerId": owner },
    })
}

fn room_wire(room: &Beds24RoomType, property: u64, with_details: bool) -> Value {
    let unit = |number: u32| {
        let mut unit = json!({ "id": number, "name": format!("{} {number}", room.name) });
        if with_details {
            (unit["statusText"], unit["note"]) = (json!(""), json!(""));
        }
        unit
    };
    json!({
        "id": room.id,
        "propertyId": property,
        "name": room.name,
        "roomType": "double",
        "qty": room.qty,
        "minPrice": 60,
        "maxPeople": room.max_people,
        "maxAdult": null,
        "maxChildren": null,
        "minStay": 1,
        "maxStay": LONGEST_STAY,
        "taxPercentage": null,
        "taxPerson": null,
        "rackRate": 0,
        "cleaningFee": 30,
        "securityDeposit": 0,
        "units": (1..=room.qty).map(unit).collect::<Vec<_>>(),
    })
}

async fn write(
    State(simulator): State<Beds24>,
    Extension(call): Extension<Admitted>,
    body: Bytes,
) -> Result<Response, Malformed> {
    let items = answer::items(&body)?;
    Ok(simulator
        .write(&call, |account, settings, _| items.iter().map(|item| set_webhook(account, settings, item)).collect()))
}

/// Writes a property's webhook; all other keys are ignored.
fn set_webhook(account: &mut Account, settings: &Settings, item: &Value) -> Value {
    let known = |id: &u64| account.book.properties.iter().any(|property| property.id == *id);
    let Some(id) = whole(&item["id"]).filter(known) else { return refused(CHANGES, &[("id", "not found")]) };
    let Some(written) = item.get("webhooks") else { return json!({ "success": true }) };
    let mut hook = account.book.hooks.get(&id).cloned().unwrap_or_default();
    if let Err(field) = hook.write(written) {
        return refused(CHANGES, &[(field, "invalid")]);
    }
    account.book.hooks.insert(id, hook.clone());
    if settings.bare_answers {
        return json!({ "success": true });
    }
    json!({ "success": true, "modified": { "webhooks": hook.wire() } })
}
