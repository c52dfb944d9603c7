use super::*;

impl Running {
    async fn look(&self, path: &str) -> Value {
        let answer = self.send(Method::GET, &format!("/_simulator/{path}"), &[], None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    async fn act(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, &format!("/_simulator/{path}"), &[], Some(&body)).await
    }
}

#[tokio::test]
async fn the_page_is_there_and_loads_nothing_from_elsewhere() {
    let running = Running::start(calm()).await;
    let answer = running.client.get(&running.root).send().await.expect("an answer");
    let policy = answer.headers()["content-security-policy"].to_str().expect("text").to_owned();
    let page = answer.text().await.expect("a page");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(page.contains("<html lang=\"en\">") && page.contains("name=\"viewport\""));
    for elsewhere in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
}

#[tokio::test]
async fn a_booking_is_made_changed_and_cancelled_by_hand() {
    let running = Running::start(empty()).await;
    let room = running.room();
    let made = running
        .act(
            "bookings",
            json!({ "roomId": room, "arrival": "2027-03-01", "departure": "2027-03-03",
            "numAdult": 2, "price": 120.5, "firstName": "Ilse", "lastName": "Vogel" }),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["id"].as_u64().expect("an id");
    let change = json!({ "departure": "2027-03-04", "price": "130" });
    assert_eq!(running.act(&format!("bookings/{id}"), change).await.status, 200);
    let book = running.look("book").await;
    let shown = (&book[0]["departure"], &book[0]["priceCents"], &book[0]["lastName"]);
    assert_eq!(shown, (&json!("2027-03-04"), &json!(13_000), &json!("Vogel")));
    let path = format!("calendar?roomTypeId={room}&from=2027-03-01&to=2027-03-04");
    let nights = running.look(&path).await[0]["nights"].clone();
    let left: Vec<_> = nights
        .as_array()
        .expect("nights")
        .iter()
        .map(|n| running.qty() - n["available"].as_i64().expect("n"))
        .collect();
    assert_eq!(left, [1, 1, 1, 0]);
    assert_eq!(running.act(&format!("reservations/{id}/cancel"), json!({})).await.status, 200);
    assert_eq!(running.act(&format!("reservations/{id}/cancel"), json!({})).await.status, 409);
    assert_eq!(running.look("book").await[0]["status"], "cancelled");
    for (path, body, status) in [
        ("bookings/1", json!({ "numAdult": 2 }), 404),
        ("bookings", json!({ "roomId": 1, "arrival": "2027-03-01", "departure": "2027-03-03" }), 409),
        ("bookings", json!({ "roomId": room, "arrival": "2027-03-03", "departure": "2027-03-03" }), 409),
        ("bookings", json!({ "roomId": room, "arrival": "2027-03-01", "departure": "2027-03-03", "price": -1 }), 400),
        ("bookings", json!({ "roomId": room, "arrival": "2027-03-01", "departure": "2027-03-03", "roomQty": 99 }), 409),
    ] {
        let answer = running.act(path, body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(answer.body["error"].is_string());
    }
}

#[tokio::test]
async fn faults_are_switched_on_and_off() {
    let running = Running::start(calm()).await;
    let token = running.token().await;
    let rules = json!({ "rules": { "errorBeforeWork": { "next": 1, "only": "GET /bookings" }, "delay": { "rate": 0.25 } },
        "delayMillis": 1 });
    let set = running.act("faults", rules).await;
    assert_eq!((set.status, &set.body["rules"]["errorBeforeWork"]["next"]), (200, &json!(1)));
    assert_eq!(running.get(&token, "/bookings").await.status, 503);
    let shown = running.look("faults").await;
    assert_eq!((&shown["rules"]["delay"]["rate"], &shown["delayMillis"]), (&json!(0.25), &json!(1)));
    assert_eq!(shown["rules"].as_object().expect("rules").len(), InjectedFault::ALL.len(), "all there are are shown");
    for bad in
        [json!({ "rules": { "delay": { "rate": 1.5 } } }), json!({ "rules": { "gremlin": {} } }), json!({ "x": 1 })]
    {
        assert!((400..500).contains(&running.act("faults", bad.clone()).await.status), "{bad}");
    }
    let cleared = running.send(Method::DELETE, "/_simulator/faults", &[], None).await;
    assert_eq!(cleared.body["rules"]["delay"]["rate"], json!(0.0));
    assert_eq!(running.simulator.faults(), FaultSettings::default());
}

#[tokio::test]
async fn control_api_exposes_the_account() {
    let running = Running::start(calm()).await;
    let invited = running.act("invite", json!({ "scopes": ["all:bookings"] })).await;
    let code = invited.body["inviteCode"].as_str().expect("a code").to_owned();
    let token = running.redeem(&code).await.body["token"].as_str().expect("a token").to_owned();
    assert_eq!(running.get(&token, "/properties").await.status, 403);
    running.create(&token, ("2027-05-01", "2027-05-02"), json!({ "reference": "r-9" })).await;
    assert_eq!(running.look("creates").await, json!({ "r-9": 1 }));
    let requests = running.look("requests").await;
    let last = requests.as_array().expect("calls").last().expect("one").clone();
    assert_eq!((&last["path"], &last["status"], &last["credits"]), (&json!("/bookings"), &json!(201), &json!(1.1)));
    assert_eq!(running.look("requests?last=1").await, json!([last]));
    let state = running.look("state").await;
    assert_eq!(
        (&state["figures"]["parallelCalls"], &state["reservations"]),
        (&json!(0), &json!(running.simulator.book().len()))
    );
    let properties = running.look("properties").await;
    assert_eq!(properties[0]["roomTypes"][0]["id"], json!(running.room().to_string()));
    let sold = running.sold();
    assert_eq!(running.act(&format!("bookings/{sold}/message"), json!({ "message": "Hello" })).await.status, 201);
    assert_eq!(running.look("messages").await[0]["bookingId"], json!(sold));
    assert_eq!(running.act("act", json!({})).await.status, 200);
    let url = json!({ "url": "http://127.0.0.1:1/", "header": "X-Proof: s3" });
    assert_eq!(running.act("webhook", url).await.status, 204);
    running.act(&format!("bookings/{sold}/message"), json!({ "message": "Again" })).await;
    running.until("it was tried", || !running.simulator.deliveries().is_empty()).await;
    assert_eq!(running.look("deliveries").await[0]["reservationId"], json!(sold.to_string()));
    assert_eq!(running.act("end-access-tokens", json!({})).await.status, 204);
    assert_eq!(running.get(&token, "/bookings").await.status, 401);
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let running = Running::start(calm()).await;
    let forged = running.client.post(format!("{}/_simulator/invite", running.root)).body("{}").send().await;
    assert_eq!(
        forged.expect("an answer").status().as_u16(),
        415,
        "only JSON is taken, and that browsers ask for first"
    );
}

#[tokio::test]
async fn routes_of_every_channel_book_rebook_cancel_and_close() {
    let running = Running::start(empty()).await;
    let room = running.room().to_string();
    let booked = json!({ "roomTypeId": room, "checkIn": "2027-03-01", "checkOut": "2027-03-03", "adults": 2,
        "totalPrice": 120.5, "firstName": "Ilse", "lastName": "Vogel", "notify": false });
    let made = running.act("reservations", booked.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["id"].as_str().expect("an id").to_owned();
    let nights = json!({ "checkIn": "2027-03-01", "checkOut": "2027-03-04" });
    assert_eq!(running.act(&format!("reservations/{id}"), nights).await.status, 200);
    let shown = running.look("reservations").await[0].clone();
    assert_eq!((&shown["checkOut"], &shown["totalTenThousandths"]), (&json!("2027-03-04"), &json!(1_205_000)));
    assert_eq!((&shown["status"], &shown["adults"]), (&json!("confirmed"), &json!(2)));
    let closed = json!({ "roomTypeId": room, "from": "2027-03-05", "to": "2027-03-06", "closed": true });
    assert_eq!(running.act("calendar", closed).await.status, 204);
    let path = format!("calendar?roomTypeId={room}&from=2027-03-04&to=2027-03-06");
    let nights = running.look(&path).await[0]["nights"].clone();
    let closed: Vec<_> = nights.as_array().expect("nights").iter().map(|night| night["isClosed"] == true).collect();
    assert_eq!(closed, [false, true, true]);
    assert_eq!(running.act(&format!("reservations/{id}/cancel"), json!({})).await.status, 200);
    assert_eq!(running.act(&format!("reservations/{id}/cancel"), json!({})).await.status, 409);
    assert_eq!(running.look("reservations").await[0]["status"], "cancelled");
    let credentials = running.act("credentials", json!({})).await.body;
    let redeemed = running.redeem(credentials["inviteCode"].as_str().expect("a code")).await;
    assert!(redeemed.body["token"].is_string());
    for (path, change, status) in [
        ("reservations", json!({ "roomTypeId": "0" }), 409),
        ("reservations", json!({ "checkOut": "2027-03-01" }), 409),
        ("reservations", json!({ "totalPrice": -1 }), 400),
        ("reservations", json!({ "sum": 1 }), 422),
    ] {
        let mut body = booked.clone();
        body.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        assert_eq!(running.act(path, body).await.status, status, "{change}");
    }
    let nowhere = json!({ "roomTypeId": "x", "from": "2027-03-05", "to": "2027-03-06", "closed": true });
    assert_eq!(running.act("calendar", nowhere).await.status, 404);
}
