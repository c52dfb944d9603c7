use super::{receiver::WebhookReceiver, *};
use crate::WebhookTarget;

#[tokio::test]
async fn every_event_is_sent_as_documented() {
    let receiver = WebhookReceiver::start(&[]).await;
    let running = Running::start(empty()).await;
    running.simulator.set_webhook(WebhookTarget {
        url: receiver.url.clone(),
        header: Some(("X-Proof".to_owned(), "s3".to_owned())),
    });
    let id = running.book(0, ("2026-09-01", "2026-09-03"), Notification::Webhook);
    let moved = (day("2026-09-02"), day("2026-09-04"));
    assert!(running.simulator.rebook(&id.to_string(), moved, Notification::Webhook));
    assert!(running.simulator.cancel(&id.to_string(), Notification::Webhook));
    running.book(1, ("2026-09-01", "2026-09-03"), Notification::None);
    running.until("all came", || running.simulator.webhooks_pending() == 0).await;
    let got = receiver.got();
    let actions: Vec<&str> = got.iter().map(|got| got.action()).collect();
    let expected =
        ["newReservation", "updateRates", "updateReservation", "updateRates", "cancelReservation", "updateRates"];
    assert_eq!(actions, expected);
    assert_eq!(running.simulator.webhooks_acknowledged(), 6);
    let user = running.get("/api/me").await.body["id"].clone();
    for got in &got {
        assert_eq!((&got.body["user"], got.body.as_object().map(|body| body.len())), (&user, Some(3)));
        assert!(got.headers.get("x-proof").is_none() && got.headers["content-type"] == "application/json");
    }
    let read = running.get(&format!("/api/reservations/{id}")).await.body;
    assert_eq!(got[4].body["data"], read, "a webhook has the whole booking");
    assert_eq!(got[4].body["data"]["type"], json!("cancellation"));
    assert_eq!(got[0].body["data"]["arrival"], json!("2026-09-01"), "as it was then");
    let nights = got[3].body["data"][running.apartment(0).to_string()].as_object().expect("nights");
    let available: Vec<_> = nights.values().map(|night| night["available"].as_u64()).collect();
    assert_eq!(available, [Some(1), Some(0), Some(0)], "the nights it left, too");
}

#[tokio::test]
async fn writes_are_sent_to_every_url_and_for_every_apartment_that_closes() {
    let (one, two) = (WebhookReceiver::start(&[]).await, WebhookReceiver::start(&[]).await);
    let running = Running::start(empty()).await;
    running.simulator.set_webhook_urls([one.url.clone(), two.url.clone()]);
    let house = running.apartment(4);
    let id = running.create(("2026-10-01", "2026-10-03"), json!({ "apartmentId": house })).await.body["id"].clone();
    running.until("all came", || running.simulator.webhooks_pending() == 0).await;
    for receiver in [&one, &two] {
        let got = receiver.got();
        let rates: Vec<Value> = got[1..].iter().map(|got| got.body["data"].clone()).collect();
        assert_eq!((got[0].action(), &got[0].body["data"]["id"], rates.len()), ("newReservation", &id, 2));
        for (place, rate) in rates.iter().enumerate() {
            assert_eq!(rate[running.apartment(4 + place).to_string()]["2026-10-02"]["available"], json!(0));
        }
    }
    let priced = json!({ "apartments": [house], "operations": [{ "dates": ["2026-10-09"], "daily_price": 77 }] });
    running.post("/api/rates", priced).await;
    running.until("all came", || running.simulator.webhooks_pending() == 0).await;
    let last = one.got().pop().expect("one");
    assert_eq!(last.action(), "updateRates");
    assert_eq!(last.body["data"][house.to_string()]["2026-10-09"]["price"], json!(77));
}

#[tokio::test]
async fn a_webhook_is_retried_until_it_is_acknowledged() {
    let receiver = WebhookReceiver::start(&[500, 404]).await;
    let running = Running::start(empty()).await;
    running.simulator.set_webhook_urls([receiver.url.clone()]);
    let id = running.book(0, ("2026-09-01", "2026-09-03"), Notification::Webhook);
    running.until("two failed", || running.simulator.deliveries().len() == 2).await;
    running.pass(60);
    running.until("all came", || running.simulator.webhooks_pending() == 0).await;
    let booking = id.to_string();
    let attempts: Vec<_> =
        running.simulator.deliveries().into_iter().map(|sent| (sent.reservation_id, sent.status)).collect();
    let of = |booking: &Option<String>| {
        attempts.iter().filter(|(id, _)| id == booking).map(|(_, status)| *status).collect::<Vec<_>>()
    };
    assert_eq!(of(&Some(booking)), [Some(500), Some(200)]);
    assert_eq!(of(&None), [Some(404), Some(200)]);
}

#[tokio::test]
async fn webhooks_are_late_and_out_of_order_and_twice() {
    let receiver = WebhookReceiver::start(&[]).await;
    let settings = SmoobuSettings { webhook_shuffle: true, webhook_late_seconds: 30, ..empty() };
    let running = Running::start(settings).await;
    running.simulator.set_webhook_urls([receiver.url.clone()]);
    let mut faults = running.simulator.faults();
    faults.rules.insert(InjectedFault::DuplicateWebhook, Rule::next(1));
    running.simulator.set_faults(faults);
    let nights = ["01", "02", "03", "04", "05", "06", "07"].map(|day| format!("2026-09-{day}"));
    let ids: Vec<u64> =
        nights.windows(2).map(|stay| running.book(0, (&stay[0], &stay[1]), Notification::Webhook)).collect();
    assert_eq!(running.simulator.webhooks_pending(), ids.len() * 2 + 1, "one is queued twice");
    running.pass(31);
    running.until("all came", || running.simulator.webhooks_pending() == 0).await;
    let came: Vec<u64> = receiver.got().iter().filter_map(|got| got.body["data"]["id"].as_u64()).collect();
    assert_eq!(came.len(), ids.len() + 1);
    assert_eq!(came.iter().filter(|id| **id == ids[0]).count(), 2);
    assert!(!came.is_sorted(), "{came:?}");
}
