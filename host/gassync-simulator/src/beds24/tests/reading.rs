use super::*;

fn found(answer: &Answer, id: u64) -> bool {
    answer.ids().contains(&id)
}

#[tokio::test]
async fn cancelled_bookings_come_only_when_asked_for() {
    let running = Running::start(calm()).await;
    let token = running.token().await;
    let id = running.simulator.book().iter().find(|entry| entry.status == "new").expect("a booking").id;
    assert!(running.simulator.cancel(id, Notification::None));
    let has = async |query: &str| found(&running.get(&token, &format!("/bookings?{query}")).await, id);
    for without in
        ["", "modifiedFrom=2026-01-01", "status[0]=cancelled&includeCancelled=true", "status=new&status=confirmed"]
    {
        assert!(!has(without).await, "{without}");
    }
    assert!(has("status=new&status=cancelled").await);
    assert!(has("status[]=cancelled").await);
    assert!(has(&format!("id={id}")).await, "by id in any status");
    assert!(has(&format!("id[]={id}&id[]=1")).await);
    let active = running.get(&token, "/bookings?status=new&status=confirmed&status=request&status=inquiry").await;
    assert!(active.data().iter().all(|booking| booking["status"] != "black"));
}

#[tokio::test]
async fn malformed_parameters_are_refused_and_unknown_ones_ignored() {
    let running = Running::start(calm()).await;
    let token = running.token().await;
    let bad = [
        "status=new,cancelled",
        "status=gone",
        "arrivalFrom=01.02.2027",
        "departureTo=2027-2-1",
        "modifiedFrom=yesterday",
        "bookingTimeTo=2027-13-01",
        "id=x",
        "propertyId=1,2",
        "page=0",
        "page=two",
        "filter=all",
    ];
    for query in bad {
        let refused = running.get(&token, &format!("/bookings?{query}")).await;
        let envelope = (&refused.body["success"], &refused.body["type"], &refused.body["code"]);
        assert_eq!((refused.status, envelope), (400, (&json!(false), &json!("error"), &json!(400))), "{query}");
        assert!(refused.body["error"].is_string());
    }
    let all = running.get(&token, "/bookings").await;
    for ignored in ["checkInFrom=2030-01-01", "includeCancelled=true", "status[0]=cancelled", "id[0]=1"] {
        assert_eq!(running.get(&token, &format!("/bookings?{ignored}")).await.body, all.body, "{ignored}");
    }
}

#[tokio::test]
async fn without_a_date_only_upcoming_ones_come() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let past = running.create(&token, ("2027-01-20", "2027-01-31"), json!({})).await;
    let here = running.create(&token, ("2027-01-31", "2027-02-02"), json!({})).await;
    let all = async |query: &str| running.get(&running.token().await, &format!("/bookings?{query}")).await.ids();
    assert_eq!(all("").await, [here]);
    assert_eq!(all("arrivalFrom=2027-01-01").await, [past, here]);
    assert_eq!(all("modifiedFrom=2027-02-01").await, [past, here]);
    assert_eq!(all("departure=2027-01-31").await, [past]);
    assert_eq!(all("departureTo=2027-02-01").await, [past]);
    assert_eq!(all("arrival=2027-01-31").await, [here]);
    assert_eq!(all(&format!("id={past}")).await, [past]);
    assert_eq!(all("filter=current").await, [here]);
    assert_eq!(all("filter=new").await, [past, here]);
    assert_eq!(all("filter=arrivals").await, Vec::<u64>::new());
    running.pass(86_400);
    assert_eq!(all("filter=departures").await, [here]);
    assert_eq!(all("filter=new").await, Vec::<u64>::new());
}

#[tokio::test]
async fn modified_takes_a_day_or_an_instant_and_bounds_are_a_setting() {
    for included in [true, false] {
        let running = Running::start(Settings { bounds_included: included, ..empty() }).await;
        let token = running.token().await;
        let id = running.create(&token, ("2027-03-01", "2027-03-03"), json!({})).await;
        running.pass(10);
        running.post(&token, "/bookings", json!([{ "id": id, "numAdult": 2 }])).await;
        let has = async |query: &str| found(&running.get(&token, &format!("/bookings?{query}")).await, id);
        assert!(has("modifiedFrom=2027-02-01").await);
        assert!(has("modifiedFrom=2027-02-01T12:00:09Z").await);
        assert!(!has("modifiedFrom=2027-02-01T12:00:11Z").await);
        assert!(!has("modifiedTo=2027-02-01T12:00:09Z").await);
        assert!(has("bookingTimeTo=2027-02-01T12:00:01Z").await);
        assert_eq!(has("modifiedFrom=2027-02-01T12:00:10Z").await, included);
        assert_eq!(has("arrivalTo=2027-03-01").await, included);
        assert!(has("arrival=2027-03-01").await, "a day alone is meant whatever the bounds");
    }
}

#[tokio::test]
async fn pages_are_followed_by_number_or_by_link() {
    let running = Running::start(Settings { bookings: 230, properties: 6, ..calm() }).await;
    let token = running.token().await;
    let everything = running.simulator.book().len();
    assert!(everything > 200, "{everything}");
    let (mut ids, mut links) = (Vec::new(), 0);
    let mut path = "/bookings?arrivalFrom=2027-01-01&searchString=example.org".to_owned();
    loop {
        let page = running.get(&token, &path).await;
        ids.extend(page.ids());
        let Some(link) = page.body["pages"]["nextPageLink"].as_str() else {
            assert_eq!(page.body["pages"]["nextPageExists"], json!(false));
            break;
        };
        links += 1;
        assert_eq!((page.data().len(), &page.body["pages"]["nextPageExists"]), (100, &json!(true)));
        path = link.strip_prefix(&format!("{}/api/v2", running.root)).expect("a whole address").to_owned();
    }
    assert_eq!((ids.len(), links), (everything, 2), "the link keeps what was asked for");
    ids.dedup();
    assert_eq!(ids.len(), everything);
    let second = running.get(&token, "/bookings?arrivalFrom=2027-01-01&page=2").await;
    assert_eq!(second.ids(), ids[100..200]);
    assert_eq!(running.get(&token, "/bookings?page=99").await.data().len(), 0);
}

#[tokio::test]
async fn lists_inside_come_only_when_asked_for() {
    let running = Running::start(calm()).await;
    let token = running.token().await;
    let plain = running.get(&token, "/bookings").await;
    for key in ["bookingGroup", "invoiceItems", "infoItems", "guests"] {
        assert!(plain.data()[0].get(key).is_none(), "{key}");
    }
    let flags = "includeInvoiceItems=true&includeInfoItems=true&includeGuests=true&includeBookingGroup=true";
    let full = running.get(&token, &format!("/bookings?{flags}")).await;
    let lists =
        |key: &str| full.data().iter().filter(|b| b[key].as_array().is_some_and(|list| !list.is_empty())).count();
    assert!(lists("invoiceItems") > 0 && lists("infoItems") > 0);
    let payments = full.data().iter().flat_map(|b| b["invoiceItems"].as_array().expect("items").iter());
    let payment = payments.clone().find(|item| item["type"] == "payment").expect("a payment");
    assert_eq!((&payment["qty"], &payment["lineTotal"]), (&json!(-1), &json!(-20.5)));
    let alone: Vec<_> =
        full.data().iter().map(|b| &b["bookingGroup"]).filter(|group| group["master"].is_null()).collect();
    assert!(alone.iter().any(|group| group.is_null()), "no group is written as null");
    assert!(alone.iter().any(|group| group["ids"].is_array()), "and as a group of one without a master");
}

#[tokio::test]
async fn absent_texts_are_empty_and_the_wire_has_its_types() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let id = running.create(&token, ("2027-03-01", "2027-03-03"), json!({ "price": 450.25 })).await;
    let booking = running.get(&token, &format!("/bookings?id={id}")).await.data()[0].clone();
    for key in ["title", "firstName", "email", "custom10", "apiReference", "rateDescription", "apiMessage"] {
        assert_eq!(booking[key], "", "{key}");
    }
    for key in ["masterId", "country2", "cancelTime", "stripeToken", "pcibookingToken", "invoiceeId"] {
        assert_eq!(booking.get(key), Some(&Value::Null), "{key}");
    }
    assert_eq!(booking["price"], json!(450.25));
    assert_eq!((&booking["channel"], &booking["referer"]), (&json!("direct"), &json!("API")));
    assert_eq!((&booking["apiSourceId"], &booking["apiSource"]), (&json!(0), &json!("Direct")));
    assert_eq!(booking["bookingTime"], "2027-02-01T12:00:00Z");
    assert_eq!((&booking["roomQty"], &booking["unitId"]), (&json!(1), &json!(1)));
    assert!(booking.as_object().expect("an object").len() >= 65, "{}", booking.as_object().expect("one").len());
    assert!(booking.get("currency").is_none(), "that is the property's");
}

#[tokio::test]
async fn the_search_looks_at_names_mail_numbers_and_perhaps_the_reference() {
    for finds in [true, false] {
        let running = Running::start(Settings { search_finds_reference: finds, ..empty() }).await;
        let token = running.token().await;
        let keys = json!({ "firstName": "Ilse", "lastName": "Vogel", "email": "ilse@example.org",
            "reference": "our-77", "comments": "quiet room" });
        let id = running.create(&token, ("2027-03-01", "2027-03-03"), keys).await;
        running.create(&token, ("2027-03-05", "2027-03-06"), json!({})).await;
        let search = async |text: &str| running.get(&token, &format!("/bookings?searchString={text}")).await.ids();
        for text in ["ilse", "VOGEL", "ilse%20vo", "ilse%40example.org", &id.to_string()] {
            assert_eq!(search(text).await, [id], "{text}");
        }
        assert_eq!(search("quiet").await, Vec::<u64>::new());
        assert_eq!(search("our-77").await, if finds { vec![id] } else { Vec::new() });
        running.post(&token, "/bookings", json!([{ "id": id, "status": "cancelled" }])).await;
        assert_eq!(search("vogel").await, Vec::<u64>::new(), "the default statuses hold here too");
        assert_eq!(search("vogel&status=cancelled").await, [id]);
    }
}

#[tokio::test]
async fn rooms_of_a_group_share_the_sellers_number() {
    let running = Running::start(Settings { bookings: 150, properties: 6, ..calm() }).await;
    let token = running.token().await;
    let book = running.simulator.book();
    let member = book.iter().find(|e| e.master_id.is_some() && !e.api_reference.is_empty()).expect("a group");
    let master = member.master_id.expect("a master");
    let path = format!("/bookings?apiReference={}&includeBookingGroup=true", member.api_reference);
    let rooms = running.get(&token, &path).await;
    assert_eq!(rooms.ids(), [master, member.id]);
    for room in rooms.data() {
        assert_eq!(room["bookingGroup"], json!({ "master": master, "ids": [master, member.id] }));
    }
    assert_eq!(rooms.data()[1]["masterId"], json!(master));
    assert_eq!(running.get(&token, &format!("/bookings?masterId={master}")).await.ids(), [member.id]);
    let channel = running.get(&token, &format!("/bookings?channel={}", member.channel)).await;
    assert!(found(&channel, master) && channel.data().iter().all(|b| b["channel"] == json!(member.channel)));
    let property = running.get(&token, &format!("/bookings?propertyId={}", member.property_id)).await;
    assert!(found(&property, master) && property.data().iter().all(|b| b["propertyId"] == json!(member.property_id)));
    let room = running.get(&token, &format!("/bookings?roomId={}", member.room_id)).await;
    assert!(found(&room, master) && room.data().iter().all(|b| b["roomId"] == json!(member.room_id)));
}
