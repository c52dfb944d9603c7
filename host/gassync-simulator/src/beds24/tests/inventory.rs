use super::*;

const CALENDAR: &str = "/inventory/rooms/calendar";
const ALL: &str = "includeNumAvail=true&includePrices=true&includeMinStay=true&includeMaxStay=true\
                   &includeMultiplier=true&includeOverride=true&includeChannels=true";

/// Fetches ranges of the first room type.
async fn ranges(running: &Running, token: &str, nights: (&str, &str), flags: &str) -> Vec<Value> {
    let room = running.room();
    let path = format!("{CALENDAR}?roomId={room}&startDate={}&endDate={}&{flags}", nights.0, nights.1);
    let answer = running.get(token, &path).await;
    assert_eq!((answer.status, answer.data().len()), (200, 1), "{}", answer.body);
    answer.data()[0]["calendar"].as_array().expect("ranges").clone()
}

async fn set(running: &Running, token: &str, range: Value) -> Value {
    let item = json!([{ "roomId": running.room(), "calendar": [range] }]);
    let answer = running.post(token, CALENDAR, item).await;
    assert_eq!(answer.status, 201);
    answer.body[0].clone()
}

#[tokio::test]
async fn the_calendar_is_empty_without_flags_and_its_ranges_include_both_ends() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let nights = ("2027-03-01", "2027-03-10");
    assert_eq!(ranges(&running, &token, nights, "").await, Vec::<Value>::new());
    set(&running, &token, json!({ "from": "2027-03-03", "to": "2027-03-05", "price1": 99.5, "minStay": 4 })).await;
    set(&running, &token, json!({ "from": "2027-03-01", "to": "2027-03-02", "price1": 80, "minStay": 1 })).await;
    set(&running, &token, json!({ "from": "2027-03-06", "to": "2027-03-10", "price1": 80, "minStay": 1 })).await;
    let prices = ranges(&running, &token, nights, "includePrices=true").await;
    assert_eq!(
        prices,
        [
            json!({ "from": "2027-03-01", "to": "2027-03-02", "price1": 80 }),
            json!({ "from": "2027-03-03", "to": "2027-03-05", "price1": 99.5 }),
            json!({ "from": "2027-03-06", "to": "2027-03-10", "price1": 80 }),
        ]
    );
    running.create(&token, ("2027-03-02", "2027-03-04"), json!({})).await;
    let left = ranges(&running, &token, nights, "includeNumAvail=true").await;
    let taken: Vec<_> = left.iter().map(|range| (&range["from"], &range["to"], range["numAvail"].as_i64())).collect();
    let (qty, text) = (running.qty(), |text: &str| json!(text));
    assert_eq!(
        taken,
        [
            (&text("2027-03-01"), &text("2027-03-01"), Some(qty)),
            (&text("2027-03-02"), &text("2027-03-03"), Some(qty - 1)),
            (&text("2027-03-04"), &text("2027-03-10"), Some(qty)),
        ],
        "the day of departure is free"
    );
}

#[tokio::test]
async fn counts_follow_bookings_and_may_be_negative() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let one = ("2027-03-01", "2027-03-01");
    let left = async || ranges(&running, &token, one, "includeNumAvail=true").await[0]["numAvail"].as_i64();
    running.create(&token, ("2027-03-01", "2027-03-02"), json!({ "roomQty": running.qty() + 1 })).await;
    assert_eq!(left().await, Some(-1));
    set(&running, &token, json!({ "from": one.0, "to": one.1, "numAvail": 2 })).await;
    assert_eq!(left().await, Some(2));
    running.create(&token, ("2027-03-01", "2027-03-02"), json!({})).await;
    assert_eq!(left().await, Some(1), "a later booking is taken off");
}

#[tokio::test]
async fn a_flat_write_succeeds_and_changes_nothing() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let before = running.simulator.calendar(running.room());
    let flat =
        json!([{ "roomId": running.room(), "from": "2027-03-01", "to": "2027-03-05", "numAvail": 0, "price1": 5 }]);
    let answer = running.post(&token, CALENDAR, flat).await;
    assert_eq!((answer.status, &answer.body), (201, &json!([{ "success": true }])));
    assert_eq!(running.simulator.calendar(running.room()), before);
    assert_eq!(running.post(&token, "/inventory/rooms", json!([])).await.status, 404);
}

#[tokio::test]
async fn stays_are_capped_with_a_warning_and_nothing_is_no_value() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let nights = ("2027-03-01", "2027-03-02");
    let most = || running.simulator.nights(running.room(), day(nights.0), day(nights.0))[0].max_stay;
    let range = |value: Value| json!({ "from": nights.0, "to": nights.1, "maxStay": value });
    let zero = set(&running, &token, range(json!(0))).await;
    assert_eq!(zero["modified"]["calendar"][0]["maxStay"], json!(1));
    assert_eq!(zero["warnings"][0]["message"], "maxStay capped to 1");
    assert_eq!((zero["success"].as_bool(), most()), (Some(true), Some(1)));
    for nothing in [json!(null), json!("")] {
        let ignored = set(&running, &token, range(nothing)).await;
        assert_eq!((ignored, most()), (json!({ "success": true }), Some(1)));
    }
    let large = set(&running, &token, range(json!(9_999))).await;
    assert_eq!(large["modified"]["calendar"][0]["maxStay"], json!("365"), "what was too large comes back as text");
    assert_eq!(most(), Some(365));
    let plain = set(&running, &token, range(json!(14))).await;
    assert_eq!((&plain["modified"]["calendar"][0]["maxStay"], plain.get("warnings")), (&json!(14), None));
}

#[tokio::test]
async fn a_price_of_null_takes_the_price_away() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let nights = ("2027-03-01", "2027-03-02");
    let set_price = async |key: &str, price: Value| {
        let mut range = json!({ "from": nights.0, "to": nights.1 });
        range[key] = price;
        set(&running, &token, range).await
    };
    set_price("price1", json!(120)).await;
    set_price("price16", json!("75.50")).await;
    let shown = ranges(&running, &token, nights, "includePrices=true").await;
    assert_eq!((&shown[0]["price1"], &shown[0]["price16"]), (&json!(120), &json!(75.5)));
    set_price("price1", json!(null)).await;
    let shown = ranges(&running, &token, nights, "includePrices=true").await;
    assert_eq!((shown[0].get("price1"), &shown[0]["price16"]), (None, &json!(75.5)));
    assert_eq!(running.simulator.nights(running.room(), day(nights.0), day(nights.0))[0].price1_cents, None);
    assert_eq!(set_price("price17", json!(3)).await, json!({ "success": true }), "there is no such price");
    assert_eq!(set_price("price1", json!("much")).await["success"], json!(false));
}

#[tokio::test]
async fn rules_and_channels_are_kept_and_shown() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let nights = ("2027-03-01", "2027-03-02");
    let range = json!({ "from": nights.0, "to": nights.1, "multiplier": 1.5, "override": "noCheckIn",
        "channels": { "airbnb": { "maxBookings": 4 }, "expedia": { "maxBookings": null } } });
    assert_eq!(set(&running, &token, range).await["success"], json!(true));
    let shown = &ranges(&running, &token, nights, ALL).await[0];
    assert_eq!((&shown["multiplier"], &shown["override"]), (&json!(1.5), &json!("noCheckIn")));
    assert_eq!(shown["channels"], json!({ "airbnb": { "maxBookings": 4 }, "expedia": { "maxBookings": null } }));
    for (key, value) in [
        ("override", json!("closed")),
        ("multiplier", json!(0.01)),
        ("minStay", json!("few")),
        ("channels", json!({ "airbnb": 3 })),
        ("to", json!("2027-02-01")),
        ("from", json!("1.3.2027")),
    ] {
        let mut range = json!({ "from": nights.0, "to": nights.1 });
        range[key] = value;
        let refused = set(&running, &token, range).await;
        assert_eq!((&refused["success"], &refused["errors"][0]["field"]), (&json!(false), &json!(key)));
    }
    let unknown = running.post(&token, CALENDAR, json!([{ "roomId": 1, "calendar": [] }])).await;
    assert_eq!(unknown.body[0]["errors"][0]["field"], "roomId");
}

#[tokio::test]
async fn answers_may_be_bare() {
    let running = Running::start(Settings { bare_answers: true, ..empty() }).await;
    let token = running.token().await;
    let range = json!({ "from": "2027-03-01", "to": "2027-03-01", "price1": 61 });
    assert_eq!(set(&running, &token, range).await, json!({ "success": true }));
    let night = &running.simulator.nights(running.room(), day("2027-03-01"), day("2027-03-01"))[0];
    assert_eq!(night.price1_cents, Some(6_100), "it was done all the same");
}

#[tokio::test]
async fn availability_is_yes_or_no_up_to_the_last_night() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    running.create(&token, ("2027-03-01", "2027-03-02"), json!({ "roomQty": running.qty() })).await;
    set(&running, &token, json!({ "from": "2027-03-02", "to": "2027-03-02", "override": "blackout" })).await;
    let room = running.room();
    let path = format!("/inventory/rooms/availability?roomId={room}&startDate=2027-03-01&endDate=2027-03-03");
    let answer = running.get(&token, &path).await;
    let expected = json!({ "2027-03-01": false, "2027-03-02": false, "2027-03-03": true });
    assert_eq!(answer.data()[0]["availability"], expected);
    let night = &running.simulator.nights(room, day("2027-03-02"), day("2027-03-02"))[0];
    assert_eq!((night.available, night.closing.as_deref()), (running.qty(), Some("blackout")));
    let property = running.simulator.properties()[1].id;
    let path = format!("/inventory/rooms/availability?propertyId={property}&startDate=2027-03-01&endDate=2027-03-01");
    assert_eq!(running.get(&token, &path).await.data().len(), 2);
    for bad in ["startDate=2027-03-02&endDate=2027-03-01", "startDate=2027-03-01&endDate=2037-03-01", "startDate=x"] {
        let path = format!("/inventory/rooms/availability?{bad}");
        assert_eq!(running.get(&token, &path).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn each_units_bookings_are_counted() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let properties = running.simulator.properties();
    let room = properties.iter().flat_map(|p| &p.room_types).find(|room| room.qty > 1).expect("two units");
    let night = json!({ "roomId": room.id, "arrival": "2027-03-01", "departure": "2027-03-02" });
    let mut several = night.clone();
    several["roomQty"] = json!(room.qty);
    running.post(&token, "/bookings", json!([night, several])).await;
    let path = format!("/inventory/rooms/unitBookings?roomId={}&startDate=2027-03-01&endDate=2027-03-02", room.id);
    let answer = running.get(&token, &path).await;
    let counts = &answer.data()[0]["unitBookings"];
    assert_eq!((&counts["2027-03-01"]["1"], &counts["2027-03-01"]["2"]), (&json!(1), &json!(1)));
    assert_eq!(counts["2027-03-01"]["unassigned"], json!(room.qty - 1));
    assert_eq!((&counts["2027-03-02"]["1"], &counts["2027-03-02"]["unassigned"]), (&json!(0), &json!(0)));
    assert_eq!(answer.data()[0]["qty"], json!(room.qty));
}

#[tokio::test]
async fn offers_follow_prices_rules_and_room() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let room = running.room();
    set(&running, &token, json!({ "from": "2027-03-01", "to": "2027-03-02", "price1": 100.25, "minStay": 2 })).await;
    set(&running, &token, json!({ "from": "2027-03-03", "to": "2027-03-09", "price1": 50, "minStay": 1 })).await;
    let offers = async |query: &str| {
        let answer = running.get(&token, &format!("/inventory/rooms/offers?roomId={room}&{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        answer.data()[0]["offers"].as_array().expect("offers").clone()
    };
    let stay = |arrival: &str, departure: &str| {
        format!("arrival=2027-03-{arrival}&departure=2027-03-{departure}&numAdults=2&numChildren=0")
    };
    let good = offers(&stay("01", "03")).await;
    assert_eq!((&good[0]["price"], &good[0]["unitsAvailable"]), (&json!(200.5), &json!(running.qty())));
    assert!(offers(&stay("01", "02")).await.is_empty(), "shorter than the shortest stay");
    assert!(offers("arrival=2027-03-01&departure=2027-03-03&numAdults=9").await.is_empty(), "too many people");
    set(&running, &token, json!({ "from": "2027-03-05", "to": "2027-03-05", "override": "noCheckIn" })).await;
    assert!(offers(&stay("05", "06")).await.is_empty());
    assert_eq!(offers(&stay("04", "06")).await.len(), 1);
    set(&running, &token, json!({ "from": "2027-03-05", "to": "2027-03-05", "override": "noCheckOut" })).await;
    assert!(offers(&stay("03", "05")).await.is_empty());
    assert_eq!(offers(&stay("05", "06")).await.len(), 1);
    set(&running, &token, json!({ "from": "2027-03-05", "to": "2027-03-05", "override": "blackout" })).await;
    assert!(offers(&stay("04", "06")).await.is_empty());
    set(&running, &token, json!({ "from": "2027-03-07", "to": "2027-03-07", "price1": null })).await;
    assert!(offers(&stay("06", "08")).await.is_empty(), "a night without a price");
    running.create(&token, ("2027-03-01", "2027-03-02"), json!({ "roomQty": running.qty() })).await;
    assert!(offers(&stay("01", "03")).await.is_empty(), "full");
    for bad in
        ["arrival=2027-03-01&departure=2027-03-03&numAdult=2", "arrival=2027-03-03&departure=2027-03-03&numAdults=1"]
    {
        let path = format!("/inventory/rooms/offers?roomId={room}&{bad}");
        assert_eq!(running.get(&token, &path).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn linked_prices_come_only_when_asked_for() {
    let running = Running::start(Settings { linked_prices: true, ..empty() }).await;
    let token = running.token().await;
    let linked = running.simulator.properties()[0].room_types[1].id;
    set(&running, &token, json!({ "from": "2027-03-01", "to": "2027-03-01", "price1": 77 })).await;
    let read = async |flags: &str| {
        let path = format!("{CALENDAR}?roomId={linked}&startDate=2027-03-01&endDate=2027-03-01&{flags}");
        running.get(&token, &path).await.data()[0]["calendar"].clone()
    };
    assert_eq!(read("includePrices=true").await, json!([]));
    let shown = read("includePrices=true&includeLinkedPrices=true").await;
    assert_eq!(shown[0]["price1"], json!(77));
}

#[test]
fn chance_sells_no_night_that_is_closed() {
    let simulator = Beds24::new(empty(), turned_clock().1);
    {
        let book = &mut simulator.account().book;
        let rooms: Vec<u64> = book.room_types().map(|(_, room)| room.id).collect();
        for room in rooms {
            for days in 0..200 {
                let night = day("2027-02-01").saturating_add(jiff::Span::new().days(days));
                book.calendar.at(room, night).closing = Some("blackout".to_owned());
            }
        }
    }
    for _ in 0..20 {
        assert!(simulator.act().is_none());
    }
}
