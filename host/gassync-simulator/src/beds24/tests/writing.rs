use super::*;

fn successes(answer: &Answer) -> Vec<bool> {
    answer.body.as_array().expect("outcomes").iter().map(|outcome| outcome["success"] == true).collect()
}

#[tokio::test]
async fn one_array_creates_changes_and_cancels_in_order() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let old = running.create(&token, ("2027-03-01", "2027-03-03"), json!({ "reference": "r-1" })).await;
    let items = json!([
        { "roomId": running.room(), "arrival": "2027-04-01", "departure": "2027-04-05", "status": "new",
          "numAdult": 2, "numChild": 1, "reference": "r-2", "madeUp": { "key": 1 } },
        { "roomId": running.room(), "departure": "2027-04-05" },
        { "id": old, "status": "cancelled" },
        { "id": 5, "numAdult": 2 },
        "what",
    ]);
    let answer = running.post(&token, "/bookings", items).await;
    assert_eq!((answer.status, successes(&answer)), (201, vec![true, false, true, false, false]));
    let new = &answer.body[0]["new"];
    assert_eq!(answer.body[0]["info"][0]["id"], new["id"]);
    assert_eq!((&new["arrival"], &new["numAdult"], &new["status"]), (&json!("2027-04-01"), &json!(2), &json!("new")));
    assert_eq!(answer.body[1]["errors"][0]["field"], "arrival");
    assert_eq!(answer.body[2]["modified"], json!({ "id": old, "status": "cancelled" }));
    assert_eq!(answer.body[3]["errors"][0]["field"], "id");
    let book = running.simulator.book();
    assert_eq!(book.len(), 2);
    assert_eq!((&*book[0].status, &*book[1].reference), ("cancelled", "r-2"));
    let wire = running.get(&token, &format!("/bookings?id={old}")).await;
    assert_eq!(wire.data()[0]["cancelTime"], Value::Null, "an API cancellation has no time");
    assert!(running.simulator.cancel(book[1].id, Notification::None));
    let wire = running.get(&token, &format!("/bookings?id={}", book[1].id)).await;
    assert!(wire.data()[0]["cancelTime"].is_string(), "a channel's has");
}

#[tokio::test]
async fn when_something_was_written_is_noted() {
    let running = Running::start(empty()).await;
    let (token, room) = (running.token().await, running.room());
    let nights = ["2027-03-01", "2027-03-02", "2027-03-03"].map(day);
    let made = running.simulator.now();
    let id = running.create(&token, ("2027-03-01", "2027-03-03"), json!({})).await;
    assert_eq!(running.simulator.booking_written(id), Some(made));
    assert_eq!(running.simulator.night_written(room, nights[0]), None, "a booking is no word on a night");
    running.pass(30);
    let range = json!({ "from": "2027-03-01", "to": "2027-03-02", "price1": 90 });
    running.post(&token, "/inventory/rooms/calendar", json!([{ "roomId": room, "calendar": [range] }])).await;
    running.post(&token, "/bookings", json!([{ "id": id, "status": "cancelled" }])).await;
    let later = Some(running.simulator.now());
    assert_eq!(nights.map(|night| running.simulator.night_written(room, night)), [later, later, None]);
    assert_eq!(running.simulator.booking_written(id), later);
    running.pass(30);
    running.get(&token, "/bookings").await;
    assert_eq!(running.simulator.booking_written(id), later, "who reads does not write");
}

#[tokio::test]
async fn a_body_that_is_no_array_is_refused_as_a_whole() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let one = json!({ "roomId": running.room(), "arrival": "2027-03-01", "departure": "2027-03-02" });
    let refused = running.post(&token, "/bookings", one).await;
    assert_eq!((refused.status, &refused.body["success"], &refused.body["code"]), (400, &json!(false), &json!(400)));
    assert!(refused.body["error"].is_string());
    let many = Value::Array(vec![json!({}); 10_001]);
    assert_eq!(running.post(&token, "/bookings", many).await.status, 400);
    let large = json!([{ "comments": "x".repeat(1 << 20) }]);
    assert_eq!(running.post(&token, "/bookings", large).await.status, 413);
    assert_eq!(running.simulator.book().len(), 0);
}

#[tokio::test]
async fn each_bad_field_is_named() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let good = json!({ "roomId": running.room(), "arrival": "2027-03-01", "departure": "2027-03-03" });
    let bad = [
        ("roomId", json!(1)),
        ("arrival", json!("01-03-2027")),
        ("departure", json!("2027-03-01")),
        ("departure", json!("2037-03-01")),
        ("status", json!("gone")),
        ("numAdult", json!("two")),
        ("price", json!("a lot")),
        ("unitId", json!(99)),
        ("roomQty", json!(0)),
        ("subStatus", json!("late")),
        ("masterId", json!(7)),
    ];
    for (key, value) in bad {
        let mut item = good.clone();
        item[key] = value.clone();
        let refused = running.post(&token, "/bookings", json!([item])).await;
        assert_eq!((refused.status, successes(&refused)), (201, vec![false]), "{key} {value}");
        assert_eq!(refused.body[0]["errors"][0]["field"], json!(key), "{value}: {}", refused.body);
        assert_eq!(refused.body[0]["errors"][0]["action"], "new booking");
    }
    assert_eq!(running.simulator.book().len(), 0);
    let none = running.post(&token, "/bookings", json!([{}])).await;
    let fields: Vec<_> =
        none.body[0]["errors"].as_array().expect("errors").iter().map(|e| e["field"].clone()).collect();
    assert_eq!(fields, ["roomId", "arrival", "departure"]);
}

#[tokio::test]
async fn nothing_is_checked_unless_asked_for_and_then_a_warning_refuses() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let nights = ("2027-03-01", "2027-03-03");
    let available = || running.simulator.nights(running.room(), day(nights.0), day(nights.0))[0].available;
    assert_eq!(available(), running.qty());
    running.create(&token, nights, json!({ "roomQty": running.qty() })).await;
    assert_eq!(available(), 0);
    let mut item = json!({ "roomId": running.room(), "arrival": nights.0, "departure": nights.1,
        "actions": { "checkAvailability": true } });
    let refused = running.post(&token, "/bookings", json!([item])).await;
    assert_eq!((refused.status, successes(&refused)), (201, vec![false]));
    assert!(refused.body[0].get("errors").is_none() && refused.body[0]["warnings"][0]["message"].is_string());
    assert_eq!(running.simulator.book().len(), 1);
    item["actions"] = json!({});
    assert_eq!(successes(&running.post(&token, "/bookings", json!([item])).await), [true]);
    assert_eq!(available(), -1, "more was sold than there is");
    let over = running.simulator.book().pop().expect("a booking");
    assert_eq!(over.unit_id, 0, "no unit is left for it");
    let other = running.create(&token, ("2027-05-01", "2027-05-03"), json!({})).await;
    let moved = json!([{ "id": other, "arrival": nights.0, "departure": nights.1,
        "actions": { "checkAvailability": true } }]);
    assert_eq!(successes(&running.post(&token, "/bookings", moved).await), [true], "only new bookings are checked");
    assert_eq!(available(), -2);
}

#[tokio::test]
async fn a_group_has_its_first_booking_for_a_master() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let item = |room: u64, group: bool| {
        json!({ "roomId": room, "arrival": "2027-03-01", "departure": "2027-03-03", "reference": "g-1",
            "actions": { "makeGroup": group } })
    };
    let second = running.simulator.properties()[0].room_types[1].id;
    let items =
        json!([item(running.room(), true), item(second, true), item(running.room(), false), item(second, true)]);
    let answer = running.post(&token, "/bookings", items).await;
    let master = answer.body[0]["new"]["id"].as_u64();
    let masters: Vec<_> = running.simulator.book().iter().map(|entry| entry.master_id).collect();
    assert_eq!(masters, [None, master, None, master]);
    let next = running.post(&token, "/bookings", json!([item(running.room(), true)])).await;
    assert_eq!(successes(&next), [true]);
    assert_eq!(running.simulator.book()[4].master_id, None, "another array is another group");
    assert_eq!(running.simulator.creates("g-1"), 5);
    assert_eq!(running.simulator.creates_by_reference(), [("g-1".to_owned(), 5)].into());
}

#[tokio::test]
async fn blocks_and_questions() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let available = |night| running.simulator.nights(running.room(), day(night), day(night))[0].available;
    running.create(&token, ("2027-03-01", "2027-03-02"), json!({ "status": "black" })).await;
    running.create(&token, ("2027-03-02", "2027-03-03"), json!({ "status": "inquiry" })).await;
    running.create(&token, ("2027-03-03", "2027-03-04"), json!({ "status": "request" })).await;
    let taken = ["2027-03-01", "2027-03-02", "2027-03-03", "2027-03-04"].map(|night| running.qty() - available(night));
    assert_eq!(taken, [1, 0, 1, 0], "a question takes no room, and the day of departure is not sold");
    let all = running.get(&token, "/bookings").await;
    let words: Vec<_> = all.data().iter().map(|booking| booking["status"].clone()).collect();
    assert_eq!(words, ["black", "inquiry", "request"], "all three are shown by default");
}

#[tokio::test]
async fn changes_keep_other_fields_and_move_the_modification_time() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let keys = json!({ "lastName": "Vogel", "price": "120.50", "mobile": 600_111_222, "custom3": "x" });
    let id = running.create(&token, ("2027-03-01", "2027-03-03"), keys).await;
    let before = running.simulator.book()[0].clone();
    assert_eq!(before.price_cents, 12_050);
    let same = running.post(&token, "/bookings", json!([{ "id": id, "lastName": "Vogel" }])).await;
    assert_eq!(same.body[0]["modified"], json!({ "id": id, "lastName": "Vogel" }));
    let touched = running.simulator.book()[0].clone();
    assert!(touched.modified > before.modified, "equal content comes again");
    assert_eq!(BookEntry { modified: before.modified, ..touched.clone() }, before);
    running.post(&token, "/bookings", json!([{ "id": id, "departure": "2027-03-05" }])).await;
    let moved = running.simulator.book()[0].clone();
    assert!(moved.modified > touched.modified, "also within one second");
    assert_eq!((moved.departure, moved.arrival), (day("2027-03-05"), before.arrival));
    let wire = running.get(&token, &format!("/bookings?id={id}")).await;
    assert_eq!((&wire.data()[0]["mobile"], &wire.data()[0]["custom3"]), (&json!("600111222"), &json!("x")));
}

#[tokio::test]
async fn a_refused_change_may_be_made_in_part() {
    for in_part in [true, false] {
        let settings = Settings { refused_changes_apply_in_part: in_part, ..empty() };
        let running = Running::start(settings).await;
        let token = running.token().await;
        let id = running.create(&token, ("2027-03-01", "2027-03-03"), json!({})).await;
        let item = json!([{ "id": id, "numAdult": 3, "departure": "2027-02-01" }]);
        let refused = running.post(&token, "/bookings", item).await;
        assert_eq!((successes(&refused), &refused.body[0]["errors"][0]["field"]), (vec![false], &json!("departure")));
        let entry = &running.simulator.book()[0];
        assert_eq!((entry.num_adult, entry.departure), (if in_part { 3 } else { 1 }, day("2027-03-03")));
    }
}

#[tokio::test]
async fn nights_move_with_a_booking() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let other = running.simulator.properties()[1].room_types[0].clone();
    let id = running.create(&token, ("2027-03-01", "2027-03-03"), json!({})).await;
    let free = |room: u64, night: &str| running.simulator.nights(room, day(night), day(night))[0].available;
    let (room, qty) = (running.room(), running.qty());
    running.post(&token, "/bookings", json!([{ "id": id, "arrival": "2027-03-02", "departure": "2027-03-04" }])).await;
    assert_eq!(["01", "02", "03", "04"].map(|d| qty - free(room, &format!("2027-03-{d}"))), [0, 1, 1, 0]);
    running.post(&token, "/bookings", json!([{ "id": id, "roomId": other.id }])).await;
    assert_eq!((free(room, "2027-03-02"), free(other.id, "2027-03-02")), (qty, i64::from(other.qty) - 1));
    let entry = running.simulator.book()[0].clone();
    assert_eq!(entry.property_id, running.simulator.properties()[1].id);
    running.post(&token, "/bookings", json!([{ "id": id, "status": "cancelled" }])).await;
    assert_eq!(free(other.id, "2027-03-02"), i64::from(other.qty));
    running.post(&token, "/bookings", json!([{ "id": id, "status": "confirmed" }])).await;
    assert_eq!(free(other.id, "2027-03-02"), i64::from(other.qty) - 1);
}

#[tokio::test]
async fn items_inside_are_added_changed_and_removed() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let charges = json!({ "invoiceItems": [{ "description": "Room", "qty": 2, "amount": 60.5 }, { "amount": 5 }] });
    let id = running.create(&token, ("2027-03-01", "2027-03-03"), charges).await;
    let items = async || {
        let answer = running.get(&token, &format!("/bookings?id={id}&includeInvoiceItems=true")).await;
        answer.data()[0]["invoiceItems"].as_array().expect("items").clone()
    };
    let first = items().await;
    assert_eq!((&first[0]["lineTotal"], &first[0]["type"]), (&json!(121), &json!("charge")));
    let change = json!([{ "id": first[0]["id"], "amount": 70 }, { "id": first[1]["id"] }, { "amount": 9 }]);
    let changed = running.post(&token, "/bookings", json!([{ "id": id, "invoiceItems": change }])).await;
    assert_eq!(successes(&changed), [true]);
    let second = items().await;
    let sums: Vec<_> = second.iter().map(|item| item["lineTotal"].clone()).collect();
    assert_eq!(sums, [json!(140), json!(9)], "an id alone removes");
    let unknown = json!([{ "id": id, "invoiceItems": [{ "id": 1, "amount": 3 }] }]);
    assert_eq!(successes(&running.post(&token, "/bookings", unknown).await), [false]);
}

#[tokio::test]
async fn deleting_is_for_good_and_bare_answers_say_little() {
    let running = Running::start(Settings { bare_answers: true, ..empty() }).await;
    let token = running.token().await;
    let id = running.create(&token, ("2027-03-01", "2027-03-03"), json!({ "reference": "r" })).await;
    let changed = running.post(&token, "/bookings", json!([{ "id": id, "numAdult": 2 }])).await;
    assert_eq!(changed.body, json!([{ "success": true }]));
    let delete = async |path: &str| {
        running.send(Method::DELETE, &format!("/api/v2/bookings{path}"), &[("token", &token)], None).await
    };
    assert_eq!(delete("").await.status, 400);
    assert_eq!(delete(&format!("?id={id}")).await.body[0]["success"], json!(true));
    assert_eq!(delete(&format!("?id={id}")).await.body[0]["success"], json!(false));
    assert_eq!(running.get(&token, &format!("/bookings?id={id}")).await.data().len(), 0);
    assert_eq!(running.simulator.creates("r"), 1, "that it was made is not forgotten");
}
