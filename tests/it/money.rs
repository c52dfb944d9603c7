//! Prices add up, with currencies, charges, groups, booking sites and addresses.

use gassync_simulator::{Notification, beds24::Settings};
use gassync_tests::{
    database::Database,
    host::{self, ACCOUNT, Host},
    on_both,
};
use serde_json::{Value, json};

use crate::outbound::Stage;

on_both!(
    a_price_in_a_foreign_currency_is_omitted_and_reported,
    an_address_reaches_the_channel_unchanged,
    charges_and_groups_add_up_through_the_sandbox,
);

/// A booking of the engine in this currency.
fn priced(stage: &Stage, id: &str, nights: (i64, i64), currency: &str) -> Value {
    let mut record = stage.record(id, nights, "confirmed");
    record["currency"] = json!(currency);
    record["totalPrice"] = json!(400.0);
    record
}

async fn a_price_in_a_foreign_currency_is_omitted_and_reported(database: Database) {
    let stage = Stage::open(database, "0").await;
    for (id, nights, currency) in [("own", (0, 2), "EUR"), ("foreign", (5, 7), "USD")] {
        let (code, answer) =
            stage.host.post(&stage.engine, "reservations", &priced(&stage, id, nights, currency)).await;
        assert!(code < 300, "{answer}");
    }
    stage.host.until("both are told", async || stage.booked().len() == 2).await;
    let price_of = |nights: (i64, i64)| {
        let reported = stage.booked();
        reported.iter().find(|entry| entry.arrival == stage.day(nights.0)).expect("told").price_cents
    };
    assert_eq!((price_of((0, 2)), price_of((5, 7))), (40_000, 0), "400 dollars are no 400 euros");
    let warned = async || {
        let log = stage.host.look("sync-log?after=0").await;
        let lines = log.as_array().cloned().unwrap_or_default();
        let left_out = "400.00 USD was left out: the house has EUR";
        lines.iter().filter(|line| line["message"].as_str().is_some_and(|text| text.contains(left_out))).count()
    };
    stage.host.until("somebody is told", async || warned().await >= 1).await;
    stage.host.stop().await;
}

async fn an_address_reaches_the_channel_unchanged(database: Database) {
    let stage = Stage::open(database, "0").await;
    let mut record = stage.record("liv", (0, 3), "confirmed");
    record["guest"] = json!({
        "id": "liv", "name": "Liv Åsen", "email": "liv@example.org", "country": "NO",
        "address": { "street": "Fjordveien 3", "city": "Bergen", "state": "Vestland", "postcode": "5003" },
    });
    let (code, answer) = stage.host.post(&stage.engine, "reservations", &record).await;
    assert!(code < 300, "{answer}");
    let at_channel = |street: &str| {
        let reported = stage.booked();
        let Some(entry) = reported.first() else { return Value::Null };
        let booking = stage.alpha.account.webhook_body(entry.id).expect("a booking")["booking"].take();
        if booking["address"] == street { booking } else { Value::Null }
    };
    stage.host.until("the address is there", async || at_channel("Fjordveien 3").is_object()).await;
    let booking = at_channel("Fjordveien 3");
    let lines = ["city", "state", "postcode", "country"].map(|key| booking[key].as_str().unwrap_or_default());
    assert_eq!(lines, ["Bergen", "Vestland", "5003", "NO"]);
    let (_, guest) = stage.host.get(&stage.engine, "guests/liv").await;
    assert!(guest.to_string().contains("Fjordveien 3"), "{guest}");
    // The guest has moved: no line of the old address remains.
    record["guest"]["address"] = json!({ "street": "Lange Gate 9", "city": "Oslo" });
    let (code, answer) = stage.host.post(&stage.engine, "reservations", &record).await;
    assert!(code < 300, "{answer}");
    let mut tx = stage.host.app.db.platform_read().await.expect("a transaction");
    let account = gassync::store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
    let booking = gassync_domain::CoreId(answer["gasId"].as_i64().expect("a key"));
    let kept = gassync::store::core::snapshot::booking(&mut tx, account, booking).await.expect("read");
    drop(tx);
    let guest = &kept["guest"];
    assert_eq!((&guest["street"], &guest["city"]), (&json!("Lange Gate 9"), &json!("Oslo")), "{kept}");
    assert_eq!((&guest["state"], &guest["postcode"]), (&Value::Null, &Value::Null), "{kept}");
    stage.host.stop().await;
}

async fn charges_and_groups_add_up_through_the_sandbox(database: Database) {
    let settings = Settings { bookings: 12, credits_per_five_minutes: 100_000.0, ..Settings::default() };
    let channel = host::channel(settings).await;
    let group =
        channel.account.say_odd(gassync_simulator::beds24::Odd::GroupTotalOnMaster).expect("a group").booking_id;
    let host = Host::start(database, &["beds24"], Some(channel.address)).await;
    let new = json!({
        "account": ACCOUNT, "channel": "beds24", "name": "beds24",
        "settings": { "baseUrl": format!("http://{}/api/v2", channel.address), "invoiceLines": true },
        "credentials": { "inviteCode": channel.account.invite_code() },
    });
    let answer = host.operate("sources", &new).await;
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
    let core = async || {
        let mut tx = host.app.db.platform_read().await.expect("a transaction");
        if gassync::store::accounts::find(&mut tx, ACCOUNT).await.expect("read").is_none() {
            return Vec::new();
        }
        let source = gassync::store::sources::all(&mut tx).await.expect("read").remove(0).key();
        gassync::store::core::bookings::bookings_of_source(&mut tx, source).await.expect("read")
    };
    let book: Vec<_> = channel.account.book().into_iter().filter(|entry| entry.status != "black").collect();
    host.until("all bookings are in the core", async || core().await.len() == book.len()).await;
    let known = core().await;
    for entry in &book {
        let (_, facts) = known.iter().find(|(id, _)| *id == entry.id.to_string()).expect("in the core");
        let total = facts.total_price.map(|price| gassync_domain::Amount::from(price).ten_thousandths());
        assert_eq!(total, entry.owed.and_then(|owed| i64::try_from(owed).ok()), "{entry:?}");
    }
    let members: Vec<_> = book.iter().filter(|entry| entry.master_id == Some(group)).collect();
    assert!(!members.is_empty() && book.iter().any(|entry| entry.owed > Some(entry.price_cents * 100)), "{book:?}");
    // A changed price changes its charge.
    let single = book.iter().find(|entry| entry.odd.is_none()).expect("a plain booking");
    let change = gassync_simulator::beds24::BookingChange {
        price_cents: Some(single.price_cents + 1_000),
        ..gassync_simulator::beds24::BookingChange::default()
    };
    assert!(channel.account.change(single.id, &change, Notification::None));
    let owed = |id: u64| channel.account.book().into_iter().find(|entry| entry.id == id).and_then(|entry| entry.owed);
    host.until("the change is known", async || {
        let known = core().await;
        let facts = known.iter().find(|(id, _)| *id == single.id.to_string()).map(|(_, facts)| facts);
        let total = facts.and_then(|facts| facts.total_price);
        total.map(|price| gassync_domain::Amount::from(price).ten_thousandths())
            == owed(single.id).and_then(|owed| i64::try_from(owed).ok())
    })
    .await;
    assert_eq!(owed(single.id), single.owed.map(|owed| owed + 100_000));
    host.stop().await;
}
