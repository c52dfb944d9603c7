use super::*;

#[tokio::test]
async fn apartments_are_listed_and_their_details_do_not_repeat_who_they_are() {
    let running = Running::start(calm()).await;
    let list = running.get("/api/apartments").await.body;
    let properties = running.simulator.properties();
    assert_eq!(list["apartments"].as_array().expect("a list").len(), properties.len());
    for (listed, property) in list["apartments"].as_array().expect("a list").iter().zip(&properties) {
        assert_eq!((listed["id"].to_string(), listed["name"].as_str()), (property.id.clone(), Some(&*property.name)));
        let details = running.get(&format!("/api/apartments/{}", property.id)).await.body;
        assert!(details.get("id").is_none() && details.get("name").is_none());
        assert_eq!(details["currency"], json!(property.currency));
        assert_eq!(details["rooms"]["maxOccupancy"], json!(property.room_types[0].max_occupancy));
        let zone = details["timeZone"].as_str().expect("a zone");
        assert!(jiff::tz::TimeZone::get(zone).is_ok(), "{zone}");
        assert!(details["location"]["latitude"].is_string() && details["price"]["minimal"].is_string());
        assert_eq!((property.room_types.len(), property.room_types[0].units), (1, 1));
    }
}

#[tokio::test]
async fn what_is_not_there_is_an_html_page() {
    let running = Running::start(calm()).await;
    for path in ["/api/apartments/1", "/api/reservations/1", "/api/reservations/x", "/api/guests/1", "/api/nothing"] {
        let answer = running.get(path).await;
        assert!(answer.status == 404 && answer.is_html() && answer.text.contains("<h1>"), "{path}");
    }
    let answer = running.signed(Method::DELETE, "/api/apartments", None).await;
    assert!(answer.status == 405 && answer.is_html());
    assert_eq!(running.send(Method::GET, "/api/nothing", &[], None).await.status, 401);
}

#[tokio::test]
async fn the_control_page_needs_no_key() {
    let running = Running::start(calm()).await;
    let page = running.send(Method::GET, "/", &[], None).await;
    assert!(page.status == 200 && page.is_html());
    let state = running.send(Method::GET, "/_simulator/state", &[], None).await;
    assert_eq!(state.body["channel"], json!("smoobu"));
    assert!(running.simulator.requests().is_empty(), "it is no call of the API");
    let shared = crate::SimulatorSettings { properties: 2, bookings: 0, ..crate::SimulatorSettings::default() };
    let made = (crate::channel("smoobu").expect("a channel").account)(&shared, turned_clock().1);
    assert_eq!((made.channel(), made.properties().len()), ("smoobu", 2));
}

#[tokio::test]
async fn a_guest_is_found_by_the_id_in_the_booking() {
    let running = Running::start(empty()).await;
    let keys = json!({ "firstName": "Paul", "lastName": "Okoro", "email": "paul@example.org", "country": "Ghana",
        "address": { "street": "Ring 1", "postalCode": "10115", "location": "Accra" } });
    let id = running.create(("2026-10-01", "2026-10-04"), keys).await.body["id"].clone();
    let booking = running.get(&format!("/api/reservations/{id}")).await.body;
    let guest = running.get(&format!("/api/guests/{}", booking["guestId"])).await.body;
    assert_eq!((&guest["firstName"], &guest["emails"]), (&json!("Paul"), &json!(["paul@example.org"])));
    assert_eq!(
        guest["address"],
        json!({ "street": "Ring 1", "postalCode": "10115", "city": "Accra",
        "country": "Ghana" })
    );
    let list = running.get("/api/guests").await.body;
    assert_eq!((&list["total_items"], &list["guests"][0]), (&json!(1), &guest));
}
