use super::*;

#[tokio::test]
async fn guests_and_hosts_write_to_each_other() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let booking = running.sold();
    let asked = running.simulator.guest_writes(booking, "Is there a cot?").expect("a message");
    running.pass(60);
    let items = json!([
        { "bookingId": booking, "message": "Yes, and it is free." },
        { "bookingId": booking, "message": "" },
        { "bookingId": 1, "message": "Hello?" },
        { "id": asked, "read": true },
    ]);
    let sent = running.post(&token, "/bookings/messages", items).await;
    let outcomes: Vec<_> = sent.body.as_array().expect("outcomes").iter().map(|o| o["success"] == true).collect();
    assert_eq!((sent.status, outcomes), (201, vec![true, false, false, true]));
    let all = running.get(&token, &format!("/bookings/messages?bookingId={booking}")).await;
    let (question, answer) = (&all.data()[0], &all.data()[1]);
    assert_eq!((&question["source"], &question["read"]), (&json!("guest"), &json!(true)));
    assert_eq!((&answer["source"], &answer["read"]), (&json!("host"), &Value::Null));
    assert_eq!(answer["time"], "2027-02-01T12:01:00Z");
    assert!(question["authorOwnerId"].is_null() && answer["authorOwnerId"].is_u64());
    let find =
        async |query: &str| running.get(&running.token().await, &format!("/bookings/messages?{query}")).await.ids();
    assert_eq!(find("source=guest").await, [asked]);
    assert_eq!(find("filter=unread").await, Vec::<u64>::new());
    assert_eq!(find("filter=read").await, [asked]);
    assert_eq!(find("bookingId=1").await, Vec::<u64>::new());
    running.pass(2 * 86_400);
    assert_eq!(find("maxAge=1").await, Vec::<u64>::new());
    assert_eq!(find("maxAge=3").await.len(), 2);
    for bad in ["maxAge=0", "maxAge=1000", "filter=some"] {
        let refused = running.get(&running.token().await, &format!("/bookings/messages?{bad}")).await;
        assert_eq!(refused.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn many_are_marked_at_once_and_direct_bookings_have_no_thread() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let booking = running.sold();
    let ids = ["one", "two"].map(|text| running.simulator.guest_writes(booking, text).expect("a message"));
    let items = json!(ids.map(|id| json!({ "id": id, "read": true })));
    let marked = running.send(Method::PATCH, "/api/v2/bookings/messages", &[("token", &token)], Some(&items)).await;
    assert_eq!(marked.status, 201);
    assert!(running.simulator.messages().iter().all(|message| message.read == Some(true)));
    let direct = running.create(&token, ("2027-03-01", "2027-03-02"), json!({})).await;
    assert_eq!(running.simulator.guest_writes(direct, "Hello?"), None);
    let sent = running.post(&token, "/bookings/messages", json!([{ "bookingId": direct, "message": "Hello" }])).await;
    assert_eq!(sent.body[0]["success"], json!(false));
}
