use super::{receiver::Receiver, *};

async fn hook(running: &Running, token: &str, keys: Value) {
    let items: Vec<Value> =
        running.simulator.properties().iter().map(|p| json!({ "id": p.id, "webhooks": keys })).collect();
    let answer = running.post(token, "/properties", json!(items)).await;
    assert_eq!(answer.body[0]["success"], json!(true));
}

async fn delivered(running: &Running) {
    running.until("everything is taken", || running.simulator.webhooks_pending() == 0).await;
}

#[tokio::test]
async fn version_2_carries_the_booking_and_comes_again_until_it_is_taken() {
    let receiver = Receiver::start(&[500, 302]).await;
    let running = Running::start(calm()).await;
    running.simulator.set_webhook(receiver.webhook());
    let id = running.sold();
    assert!(running.simulator.cancel(id, Notification::Webhook));
    for tries in 1..=3 {
        running.until("it is tried", || running.simulator.deliveries().len() == tries).await;
        // Webhooks of bookings are retried without limit, unlike those of rooms.
        running.pass(40 * 60);
    }
    delivered(&running).await;
    let got = receiver.got();
    assert_eq!(got.len(), 3);
    for (retries, got) in got.iter().enumerate() {
        assert_eq!((&*got.method, &*got.uri), ("POST", "/hook"));
        assert_eq!(got.headers["x-proof"], "s3");
        assert_eq!(got.body["retries"], json!(retries));
        assert_eq!((&got.body["booking"]["id"], &got.body["booking"]["status"]), (&json!(id), &json!("cancelled")));
        assert!(got.body["booking"].get("bookingGroup").is_some() && got.body["invoiceItems"].is_array());
        assert_eq!((&got.body["messages"], &got.body["timeStamp"]), (&json!([]), &json!("2027-02-01T12:00:00Z")));
    }
    assert_eq!(running.simulator.webhooks_acknowledged(), [id]);
    let statuses: Vec<_> = running.simulator.deliveries().iter().map(|d| d.status).collect();
    assert_eq!(statuses, [Some(500), Some(302), Some(200)]);
}

#[tokio::test]
async fn nothing_goes_out_where_no_webhook_is_set() {
    let running = Running::start(calm()).await;
    for _ in 0..10 {
        running.simulator.act();
    }
    assert_eq!(running.simulator.webhooks_pending(), 0);
}

#[tokio::test]
async fn without_personal_data_the_keys_are_missing() {
    let receiver = Receiver::start(&[]).await;
    let running = Running::start(Settings { webhook_in_array: true, ..calm() }).await;
    let token = running.token().await;
    hook(&running, &token, json!({ "version": "twoNoPersonalData", "url": receiver.url })).await;
    let id = running.sold();
    assert!(running.simulator.change(
        id,
        &BookingChange { num_adult: Some(4), ..BookingChange::default() },
        Notification::Webhook
    ));
    delivered(&running).await;
    let body = receiver.got()[0].body.clone();
    let booking = &body[0]["booking"];
    assert_eq!((&booking["id"], &booking["numAdult"]), (&json!(id), &json!(4)), "in an array, as asked for");
    for key in super::super::plain_keys::PERSONAL {
        assert!(booking.get(key).is_none(), "{key}");
    }
    assert!(booking["country"].is_string());
}

#[tokio::test]
async fn version_1_names_the_booking_and_hardly_more() {
    let receiver = Receiver::start(&[]).await;
    let running = Running::start(Settings { bookings: 40, properties: 6, ..calm() }).await;
    let token = running.token().await;
    let url = format!("{}?p=[PROPERTYID]", receiver.url);
    hook(&running, &token, json!({ "version": "one", "url": url, "customHeader": "X-Proof: s3\nX-More: 2" })).await;
    let sold: Vec<BookEntry> = running.simulator.book().into_iter().filter(|e| e.status == "new").collect();
    for entry in &sold {
        running.simulator.guest_writes(entry.id, "Hello");
        assert!(running.simulator.cancel(entry.id, Notification::Webhook));
    }
    delivered(&running).await;
    let got = receiver.got();
    let count = |word: &str| got.iter().filter(|got| got.uri.ends_with(&format!("&status={word}"))).count();
    assert_eq!(count("message"), sold.len());
    assert_eq!(count("cancel") + count("modify"), sold.len());
    assert!(count("cancel") > 0 && count("modify") > 0, "modify says nothing about the state");
    let first = &sold[0];
    assert!(got[0].uri.starts_with(&format!("/hook?p={}&bookid={}&status=", first.property_id, first.id)), "{got:?}");
    assert!(got.iter().all(|got| got.method == "GET" && got.body.is_null()));
    assert_eq!(
        (&got[0].headers["x-proof"], &got[0].headers["x-more"]),
        (&"s3".parse().expect("v"), &"2".parse().expect("v"))
    );
}

#[tokio::test]
async fn webhooks_go_to_each_address_of_the_list() {
    let (first, second) = (Receiver::start(&[500]).await, Receiver::start(&[]).await);
    let running = Running::start(calm()).await;
    let token = running.token().await;
    let url = format!("{}?k=1\r\n\n {} ", first.url, second.url);
    let keys = json!({ "version": "twoWithPersonalData", "url": url, "customHeader": "X-Proof: s3" });
    hook(&running, &token, keys).await;
    let answer = running.get(&token, "/properties").await;
    assert_eq!(answer.body["data"][0]["webhooks"]["url"], json!(url), "as it was written");
    let id = running.sold();
    assert!(running.simulator.cancel(id, Notification::Webhook));
    running.until("each was told", || running.simulator.deliveries().len() == 2).await;
    running.pass(40 * 60);
    delivered(&running).await;
    let retries =
        |receiver: &Receiver| -> Vec<Value> { receiver.got().iter().map(|got| got.body["retries"].clone()).collect() };
    assert_eq!((retries(&first), retries(&second)), (vec![json!(0), json!(1)], vec![json!(0)]));
    assert_eq!((&*first.got()[0].uri, &*second.got()[0].uri), ("/hook?k=1", "/hook"));
    assert!([first, second].iter().all(|receiver| receiver.got()[0].headers["x-proof"] == "s3"));
}

#[tokio::test]
async fn a_guests_message_comes_with_its_booking() {
    let receiver = Receiver::start(&[]).await;
    let running = Running::start(calm()).await;
    running.simulator.set_webhook(receiver.webhook());
    let id = running.sold();
    let message = running.simulator.guest_writes(id, "Is there a cot?").expect("a message");
    delivered(&running).await;
    let body = &receiver.got()[0].body;
    assert_eq!(body["booking"]["id"], json!(id));
    assert_eq!((&body["messages"][0]["id"], &body["messages"][0]["source"]), (&json!(message), &json!("guest")));
    let token = running.token().await;
    running.post(&token, "/bookings/messages", json!([{ "bookingId": id, "message": "Yes" }])).await;
    assert_eq!(running.simulator.webhooks_pending(), 0, "what a host writes is told to nobody");
}

#[tokio::test]
async fn api_writes_send_webhooks_only_if_allowed() {
    let receiver = Receiver::start(&[]).await;
    let running = Running::start(empty()).await;
    let token = running.token().await;
    running.simulator.set_webhook(receiver.webhook());
    let loud = json!({ "actions": { "allowWebhooks": true } });
    let silent = running.create(&token, ("2027-03-01", "2027-03-02"), json!({})).await;
    let notified = running.create(&token, ("2027-03-05", "2027-03-06"), loud.clone()).await;
    let writes = [
        json!({ "id": silent, "status": "cancelled" }),
        json!({ "id": notified, "numAdult": 3, "actions": loud["actions"] }),
        json!({ "id": notified, "price": 30, "lastName": "Vogel", "actions": loud["actions"] }),
        json!({ "id": notified, "departure": "2027-03-07", "actions": loud["actions"] }),
        json!({ "id": notified, "status": "cancelled", "actions": loud["actions"] }),
    ];
    running.post(&token, "/bookings", json!(writes)).await;
    delivered(&running).await;
    let seen: Vec<_> = receiver
        .got()
        .iter()
        .map(|g| (g.body["booking"]["departure"].clone(), g.body["booking"]["status"].clone()))
        .collect();
    assert_eq!(
        seen,
        [("2027-03-06", "confirmed"), ("2027-03-07", "confirmed"), ("2027-03-07", "cancelled")]
            .map(|(departure, status)| (json!(departure), json!(status)))
    );
    assert!(running.simulator.webhooks_acknowledged().iter().all(|id| *id == notified));
}

#[tokio::test]
async fn room_webhooks_cover_counts_and_prices_but_not_rules() {
    let receiver = Receiver::start(&[]).await;
    let running = Running::start(empty()).await;
    let token = running.token().await;
    running.simulator.set_inventory_webhook(receiver.webhook());
    let (room, property) = (running.room(), running.simulator.properties()[0].id);
    let set = async |keys: Value| {
        let mut range = json!({ "from": "2027-03-01", "to": "2027-03-02" });
        range.as_object_mut().expect("one").extend(keys.as_object().expect("one").clone());
        let item = json!([{ "roomId": room, "calendar": [range] }]);
        assert_eq!(running.post(&token, "/inventory/rooms/calendar", item).await.body[0]["success"], json!(true));
        running.simulator.webhooks_pending() + receiver.got().len()
    };
    assert_eq!(set(json!({ "minStay": 3, "override": "noCheckIn" })).await, 0);
    set(json!({ "price1": 70 })).await;
    delivered(&running).await;
    assert_eq!(receiver.got().len(), 1);
    let text = |number: u64| json!(number.to_string());
    let got = &receiver.got()[0];
    assert_eq!(got.body["roomId"], text(room));
    assert_eq!((&got.body["propId"], &got.body["action"]), (&text(property), &json!("SYNC_ROOM")));
    assert!(got.body["ownerId"].is_string());
    assert_eq!(got.headers["x-proof"], "s3");
    running.create(&token, ("2027-03-01", "2027-03-02"), json!({})).await;
    delivered(&running).await;
    assert_eq!(receiver.got().len(), 2, "a booking changes what is left");
    assert_eq!(running.simulator.webhooks_acknowledged(), Vec::<u64>::new(), "no booking was told of");
}

#[tokio::test]
async fn news_of_a_room_is_given_up_after_half_an_hour() {
    let running = Running::start(empty()).await;
    let nobody = WebhookTarget { url: "http://127.0.0.1:1/".to_owned(), header: None };
    running.simulator.set_inventory_webhook(nobody);
    running.sold();
    let new = NewBooking {
        room_id: running.room(),
        arrival: day("2027-06-01"),
        departure: day("2027-06-02"),
        room_qty: 1,
        num_adult: 1,
        price_cents: 0,
        first_name: String::new(),
        last_name: String::new(),
    };
    running.simulator.make(new, Notification::None).expect("room");
    running.until("it was tried", || !running.simulator.deliveries().is_empty()).await;
    assert_eq!((running.simulator.webhooks_pending(), running.simulator.deliveries()[0].status), (1, None));
    running.pass(30 * 60);
    running.until("it is given up", || running.simulator.webhooks_pending() == 0).await;
}

#[tokio::test]
async fn deliveries_can_be_late_and_out_of_order() {
    let receiver = Receiver::start(&[]).await;
    let settings = Settings { webhook_late_seconds: 60, webhook_shuffle: true, bookings: 40, properties: 6, ..calm() };
    let running = Running::start(settings).await;
    running.simulator.set_webhook(receiver.webhook());
    let ids: Vec<u64> = running.simulator.book().iter().filter(|e| e.status == "new").map(|e| e.id).collect();
    for id in &ids {
        assert!(running.simulator.cancel(*id, Notification::Webhook));
    }
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(running.simulator.webhooks_pending() > ids.len() / 2, "most are late");
    running.pass(61);
    delivered(&running).await;
    let came = running.simulator.webhooks_acknowledged();
    assert_ne!(came, ids, "not in the order it happened");
    let sorted = |mut ids: Vec<u64>| {
        ids.sort_unstable();
        ids
    };
    assert_eq!(sorted(came), sorted(ids), "and nothing is lost");
}
