//! `GET /properties`: rooms come only with `includeAllRooms`.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    Beds24,
    book::{OWNER_ID, Property},
    bookings::form,
    envelope,
};

pub(super) async fn list(State(simulator): State<Beds24>, RawQuery(query): RawQuery) -> Response {
    let parameters = form(&query.unwrap_or_default());
    let ids: Vec<&str> = values(&parameters, "id");
    let rooms: Vec<&str> = values(&parameters, "roomId");
    let with_rooms = values(&parameters, "includeAllRooms") == ["true"];
    let account = simulator.account();
    let wanted = |p: &&Property| {
        (ids.is_empty() || ids.contains(&p.id.to_string().as_str()))
            && (rooms.is_empty() || p.room_types.iter().any(|r| rooms.contains(&r.id.to_string().as_str())))
    };
    let data = account.book.properties.iter().filter(wanted).map(|p| wire(p, with_rooms)).collect();
    envelope("property", data, None)
}

fn values<'a>(parameters: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    parameters.iter().filter(|(n, _)| n.trim_end_matches("[]") == name).map(|(_, v)| v.as_str()).collect()
}

fn wire(property: &Property, with_rooms: bool) -> Value {
    let mut object = json!({
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
        "webhooks": { "version": "twoWithPersonalData", "url": "", "additionalData": "none", "customHeader": "" },
        "account": { "ownerId": OWNER_ID },
    });
    if with_rooms {
        let rooms = property.room_types.iter().map(|room| {
            let units: Vec<Value> =
                (1..=room.qty).map(|n| json!({ "id": n, "name": format!("{} {n}", room.name) })).collect();
            json!({
                "id": room.id,
                "propertyId": property.id,
                "name": room.name,
                "roomType": "double",
                "qty": room.qty,
                "minPrice": 60,
                "maxPeople": room.max_people,
                "maxAdult": null,
                "maxChildren": null,
                "minStay": 1,
                "maxStay": 365,
                "taxPercentage": null,
                "taxPerson": null,
                "rackRate": 0,
                "cleaningFee": 30,
                "securityDeposit": 0,
                "units": units,
            })
        });
        object["roomTypes"] = rooms.collect();
    }
    object
}
