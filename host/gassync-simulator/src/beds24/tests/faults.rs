use super::{receiver::Receiver, *};

fn item(running: &Running, reference: &str) -> Value {
    json!([{ "roomId": running.room(), "arrival": "2027-03-01", "departure": "2027-03-02", "reference": reference }])
}

#[tokio::test]
async fn errors_come_before_or_after_the_work() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    for (fault, done) in [(InjectedFault::ErrorBeforeWork, 0), (InjectedFault::ErrorAfterWork, 1)] {
        running.simulator.set_fault(fault, Rule::next(1).only("POST /bookings"));
        assert_eq!(running.get(&token, "/bookings").await.status, 200, "not this call");
        let reference = format!("{fault:?}");
        assert_eq!(running.post(&token, "/bookings", item(&running, &reference)).await.status, 503);
        assert_eq!(running.simulator.creates(&reference), done);
        assert_eq!(running.post(&token, "/bookings", item(&running, &reference)).await.status, 201, "the next is well");
        assert_eq!(running.simulator.creates(&reference), done + 1, "and is counted beside the first");
    }
    let struck: Vec<_> = running.simulator.requests().into_iter().filter_map(|call| call.fault).collect();
    assert_eq!(struck, [InjectedFault::ErrorBeforeWork, InjectedFault::ErrorAfterWork]);
}

#[tokio::test]
async fn an_answer_does_not_come_though_the_work_is_done() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    running.simulator.set_fault(InjectedFault::TimeoutAfterWork, Rule::next(1));
    let request = running.client.post(format!("{}/api/v2/bookings", running.root)).header("token", &token);
    let request = request.json(&item(&running, "lost")).timeout(std::time::Duration::from_secs(2));
    assert!(request.send().await.expect_err("no answer").is_timeout());
    assert_eq!(running.simulator.creates("lost"), 1);
    running.simulator.set_faults(FaultSettings {
        rules: [(InjectedFault::TimeoutAfterWork, Rule::next(1))].into(),
        hold_millis: 20,
        ..FaultSettings::default()
    });
    assert_eq!(running.get(&token, "/bookings").await.status, 504, "a patient caller gets this in the end");
}

#[tokio::test]
async fn half_an_answer_breaks_off() {
    let running = Running::start(calm()).await;
    let token = running.token().await;
    running.simulator.set_fault(InjectedFault::HalfAnswer, Rule::next(1));
    let request = running.client.get(format!("{}/api/v2/bookings", running.root)).header("token", &token);
    let mut answer = request.send().await.expect("a head");
    assert_eq!(answer.status().as_u16(), 200);
    let promised = answer.content_length().expect("a length");
    let mut got = 0;
    let ended = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => got += chunk.len() as u64,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    assert!(ended.is_err(), "the end is no end");
    assert_eq!(got, promised / 2);
}

#[tokio::test]
async fn a_success_that_changes_nothing() {
    let receiver = Receiver::start(&[]).await;
    let running = Running::start(empty()).await;
    let token = running.token().await;
    running.simulator.set_webhook(receiver.webhook());
    running.simulator.set_fault(InjectedFault::NothingChanged, Rule::next(4));
    let mut create = item(&running, "lost");
    create[0]["actions"] = json!({ "allowWebhooks": true });
    let created = running.post(&token, "/bookings", create).await;
    assert_eq!((created.status, &created.body[0]["success"]), (201, &json!(true)));
    assert!(created.body[0]["new"]["id"].is_u64());
    let calendar = running.simulator.calendar(running.room());
    let range = json!([{ "from": "2027-03-01", "to": "2027-03-09", "price1": 1, "override": "blackout" }]);
    let set = json!([{ "roomId": running.room(), "calendar": range }]);
    assert_eq!(running.post(&token, "/inventory/rooms/calendar", set).await.body[0]["success"], json!(true));
    let sold = running.sold();
    let said = running.post(&token, "/bookings/messages", json!([{ "bookingId": sold, "message": "Hello" }])).await;
    assert_eq!(said.body[0]["success"], json!(true));
    let delete = format!("/api/v2/bookings?id={sold}");
    let deleted = running.send(Method::DELETE, &delete, &[("token", &token)], None).await;
    assert_eq!(deleted.body[0]["success"], json!(true));
    assert_eq!(running.simulator.creates("lost"), 0);
    assert!(running.simulator.book().iter().any(|entry| entry.id == sold), "it is still there");
    assert!(running.simulator.messages().is_empty());
    assert_eq!(running.simulator.webhooks_pending() + receiver.got().len(), 0);
    let shown = |nights: Vec<RoomNight>| nights.into_iter().map(|n| (n.price1_cents, n.closing)).collect::<Vec<_>>();
    assert_eq!(shown(running.simulator.calendar(running.room())), shown(calendar));
    assert_eq!(running.post(&token, "/bookings", item(&running, "found")).await.status, 201);
    assert_eq!(running.simulator.creates("found"), 1);
}

#[tokio::test]
async fn a_token_may_end_before_its_time_and_the_refresh_token_does_not() {
    let running = Running::start(calm()).await;
    let made = running.redeem(&running.simulator.invite_code()).await;
    let token = made.body["token"].as_str().expect("a token").to_owned();
    let refresh = made.body["refreshToken"].as_str().expect("a token").to_owned();
    running.simulator.set_fault(InjectedFault::TokenExpired, Rule::next(1));
    for _ in 0..2 {
        assert_eq!(running.get(&token, "/bookings").await.status, 401, "it stays dead");
    }
    let path = "/api/v2/authentication/token";
    let renewed = running.send(Method::GET, path, &[("refreshToken", &refresh)], None).await;
    let token = renewed.body["token"].as_str().expect("a token").to_owned();
    assert_eq!(running.get(&token, "/bookings").await.status, 200);
    running.simulator.end_access_tokens();
    assert_eq!(running.get(&token, "/bookings").await.status, 401);
}

#[tokio::test]
async fn limits_may_be_hit_though_credits_are_left_and_calls_may_be_slow() {
    let running = Running::start(calm()).await;
    let token = running.token().await;
    running.simulator.set_fault(InjectedFault::TooManyRequests, Rule::next(1).only("GET"));
    let limited = running.get(&token, "/bookings").await;
    assert_eq!((limited.status, limited.body["error"].as_str()), (429, Some("Credit limit exceeded")));
    assert_eq!(limited.header("x-five-min-limit-remaining"), Some("10000"));
    let faults = FaultSettings {
        rules: [(InjectedFault::Delay, Rule::next(1))].into(),
        delay_millis: 700,
        ..FaultSettings::default()
    };
    running.simulator.set_faults(faults);
    let mut times = Vec::new();
    for _ in 0..2 {
        let began = std::time::Instant::now();
        assert_eq!(running.get(&token, "/bookings").await.status, 200);
        times.push(began.elapsed());
    }
    assert!(times[0].as_millis() >= 700 && times[1].as_millis() < 700, "{times:?}");
}

#[tokio::test]
async fn webhooks_may_come_twice() {
    let receiver = Receiver::start(&[]).await;
    let running = Running::start(calm()).await;
    running.simulator.set_webhook(receiver.webhook());
    running.simulator.set_fault(InjectedFault::DuplicateWebhook, Rule::next(1));
    let (first, second) = (running.sold(), running.sold());
    for id in [first, second] {
        assert!(running.simulator.cancel(id, Notification::Webhook));
    }
    running.until("all is taken", || running.simulator.webhooks_pending() == 0).await;
    assert_eq!(running.simulator.webhooks_acknowledged(), [first, first, second]);
    let got = receiver.got();
    assert_eq!(got[0].body, got[1].body, "twice the same");
}

#[tokio::test]
async fn rates_are_met_about_as_often_as_they_say_and_the_same_each_time() {
    let run = async || {
        let settings = Settings { faults: FaultSettings::any(0.5), ..calm() };
        let running = Running::start(settings).await;
        running.simulator.set_faults(FaultSettings { delay_millis: 0, hold_millis: 0, ..running.simulator.faults() });
        let mut struck = Vec::new();
        for _ in 0..80 {
            let token = running.token().await;
            let request = running.client.get(format!("{}/api/v2/bookings", running.root)).header("token", &token);
            drop(request.send().await);
            let calls = running.simulator.requests();
            struck.push(calls.last().expect("a call").fault);
        }
        struck
    };
    let struck = run().await;
    let count = struck.iter().flatten().count();
    assert!((25..=55).contains(&count), "{count} of 80");
    let kinds: std::collections::BTreeSet<_> = struck.iter().flatten().collect();
    assert!(kinds.len() >= 5 && !kinds.contains(&InjectedFault::NothingChanged), "{kinds:?}");
    assert_eq!(run().await, struck);
}
