use super::{receiver::WebhookReceiver, *};
use crate::{SimulatedStatus, smoobu::odd_kind::FORMS};

/// Does something odd, and returns the reservation and what the API says of it.
async fn said(running: &Running, kind: &str) -> (SimulatedReservation, Value) {
    let action = running.simulator.be_odd(kind).unwrap_or_else(|| panic!("{kind} is possible"));
    let id: u64 = action.reservation_id.parse().expect("a number");
    let reservation = running.reservation(id).expect("it");
    assert_eq!(reservation.odd.as_ref().map(|odd| odd.kind.as_str()), Some(kind));
    (reservation, running.get(&format!("/api/reservations/{id}?includeRelated=true")).await.body)
}

#[tokio::test]
async fn odd_bookings_are_odd_on_the_wire_and_plain_in_the_account() {
    let running = Running::start(calm()).await;
    let (_, wire) = said(&running, "guestNameInOneWord").await;
    let name = wire["guest-name"].as_str().expect("a name");
    assert!(!name.contains(' ') && wire.get("firstname").is_none() && wire.get("lastname").is_none());
    let (plain, wire) = said(&running, "priceAsText").await;
    let price: f64 = wire["price"].as_str().expect("a text").parse().expect("a number");
    assert_eq!(plain.total_ten_thousandths, Some((price * 10_000.0).round() as i64));
    let (plain, wire) = said(&running, "priceInWords").await;
    assert_eq!((&wire["price"], plain.total_ten_thousandths), (&json!("on request"), None));
    let (plain, wire) = said(&running, "noPrice").await;
    assert_eq!((&wire["price"], plain.total_ten_thousandths), (&Value::Null, None));
    assert!(said(&running, "withoutEmail").await.1.get("email").is_none());
    assert_eq!(said(&running, "emptyEmail").await.1["email"], json!(""));
    assert_eq!(said(&running, "emptyReference").await.1["reference-id"], json!(""));
    let (plain, wire) = said(&running, "countsUnknown").await;
    assert_eq!((&wire["adults"], plain.adults), (&Value::Null, None));
    let (_, wire) = said(&running, "modifiedWithDash").await;
    assert_eq!((&wire["modified-at"], wire.get("modifiedAt")), (&json!("2026-08-01 12:00:00"), None));
    assert_eq!(said(&running, "modifiedWithoutSeconds").await.1["modifiedAt"], json!("2026-08-01 12:00"));
    assert_eq!(said(&running, "withoutChannel").await.1["channel"], Value::Null);
    let (_, wire) = said(&running, "channelOfAnotherId").await;
    assert_eq!(wire["channel"], json!({ "id": 63, "name": "Booking.com", "channel_id": 24 }));
    assert_eq!(said(&running, "unpaidAsFlag").await.1["price-paid"], json!(false));
    let (plain, wire) = said(&running, "unknownType").await;
    assert_eq!((&wire["type"], plain.status), (&json!("option"), SimulatedStatus::Other));
    assert!(plain.odd.is_some_and(|odd| odd.waits_for_a_person));
    let blocks = [("blockAsText", json!("YES")), ("blockAsNumber", json!(1)), ("blockByChannelAlone", json!(false))];
    for (kind, flag) in blocks {
        let (plain, wire) = said(&running, kind).await;
        assert_eq!((&wire["is-blocked-booking"], plain.status), (&flag, SimulatedStatus::Block));
        assert_eq!(wire["channel"]["name"], json!("Blocked channel"));
    }
    let (plain, wire) = said(&running, "relatedApartment").await;
    assert_eq!(wire["related"].as_array().map(Vec::len), Some(1));
    let floor = running.apartment(5).to_string();
    let nights = running.simulator.calendar(&floor, plain.check_in, plain.check_in);
    assert_eq!((nights[0].available, nights[0].is_closed), (0, false), "closed by a booking of the house");
    let (plain, wire) = said(&running, "revived").await;
    assert_eq!((&wire["type"], plain.status), (&json!("modification of booking"), SimulatedStatus::Confirmed));
}

#[tokio::test]
async fn some_are_odd_by_what_is_not_said() {
    let receiver = WebhookReceiver::start(&[]).await;
    let running = Running::start(calm()).await;
    running.simulator.set_webhook_urls([receiver.url.clone()]);
    let (plain, _) = said(&running, "cancelledSilently").await;
    let listed = running.get("/api/reservations?pageSize=100").await.ids();
    assert!(!listed.iter().any(|id| id.to_string() == plain.id) && plain.status == SimulatedStatus::Cancelled);
    running.until("all came", || running.simulator.webhooks_pending() == 0).await;
    assert!(receiver.got().is_empty());

    let gone = running.simulator.be_odd("deletedForGood").expect("possible").reservation_id;
    assert_eq!(running.get(&format!("/api/reservations/{gone}")).await.status, 404);
    assert_eq!(running.simulator.removed(), std::slice::from_ref(&gone));
    running.until("it came", || running.simulator.webhooks_pending() == 0).await;
    let told = &receiver.got()[0];
    assert_eq!((told.action(), told.body["data"].to_string()), ("deleteReservation", format!("{{\"id\":{gone}}}")));

    running.simulator.be_odd("htmlPage").expect("possible");
    let page = running.get("/api/reservations").await;
    assert!(page.status == 500 && page.is_html());
    assert_eq!(running.get("/api/reservations").await.status, 200, "once");

    let before = receiver.got().len();
    let sends = || running.simulator.be_odd("smallWebhook").expect("possible").notification == Notification::Webhook;
    while !sends() {}
    running.until("it came", || running.simulator.webhooks_pending() == 0).await;
    let got = receiver.got();
    let shared = crate::SimulatorSettings { properties: 3, ..crate::SimulatorSettings::default() };
    let shared = account(&shared, turned_clock().1);
    assert!(shared.odd_kinds().into_iter().all(|kind| shared.send_odd(kind).is_some()), "three apartments are enough");
    let small = got[before..].iter().rfind(|got| got.action() == "newReservation").expect("one");
    assert!(small.body["data"].get("firstname").is_none() && small.body["data"]["guest-name"].is_string());
    let whole = running.get(&format!("/api/reservations/{}", small.body["data"]["id"])).await.body;
    assert!(whole["firstname"].is_string(), "read back it is whole");
}

#[test]
fn every_kind_comes_in_its_turn() {
    let simulator =
        Smoobu::new(SmoobuSettings { odd: 0.5, bookings: 20, ..SmoobuSettings::default() }, turned_clock().1);
    let acts: Vec<String> = (0..90).filter_map(|_| simulator.act()).map(|action| action.summary).collect();
    for form in &FORMS {
        assert!(acts.iter().any(|act| act.ends_with(form.name)), "{}", form.name);
    }
    let names: std::collections::BTreeSet<_> = simulator.odd_kinds().into_iter().collect();
    assert_eq!(names.len(), FORMS.len(), "each name is there once");
    let calm = Smoobu::new(SmoobuSettings::default(), turned_clock().1);
    let acts: Vec<String> = (0..60).filter_map(|_| calm.act()).map(|action| action.summary).collect();
    assert!(acts.iter().all(|act| !act.contains("odd")) && calm.odd_sent().is_empty());
    for kind in names {
        assert!(calm.send_odd(kind).is_some(), "{kind}");
    }
    assert!(calm.odd_sent().len() == FORMS.len() && calm.odd_sent().values().all(|count| *count == 1));
    assert!(calm.send_odd("nothing").is_none());
    let shared = crate::SimulatorSettings { properties: 3, ..crate::SimulatorSettings::default() };
    let shared = account(&shared, turned_clock().1);
    assert!(shared.odd_kinds().into_iter().all(|kind| shared.send_odd(kind).is_some()), "three apartments are enough");
    let small = Smoobu::new(SmoobuSettings { house: false, ..SmoobuSettings::default() }, turned_clock().1);
    assert!(small.send_odd("relatedApartment").is_none(), "there is no house");
}
