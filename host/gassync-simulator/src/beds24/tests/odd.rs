//! Tests of odd data compared with the account's state.

use super::*;

fn odd(running: &Running, kind: Odd) -> (BookEntry, Value) {
    let id = running.simulator.say_odd(kind).unwrap_or_else(|| panic!("{kind:?} could not be said")).booking_id;
    let entry = running.simulator.book().into_iter().find(|entry| entry.id == id).expect("in the book");
    (entry, running.simulator.webhook_body(id).expect("a body")["booking"].clone())
}

#[tokio::test]
async fn each_kind_is_odd_on_the_wire_and_true_in_the_book() {
    let running = Running::start(calm()).await;
    let said = |kind| odd(&running, kind);
    let (entry, wire) = said(Odd::FinePrice);
    assert!(wire["price"].to_string().split_once('.').is_some_and(|(_, places)| places.len() == 5), "{wire}");
    let rounded = if entry.id.is_multiple_of(2) { 28 } else { 74 };
    assert_eq!(entry.owed, Some(entry.price_cents * 100 + rounded), "half to even");
    let (entry, wire) = said(Odd::FloatNoise);
    assert!(wire["price"].as_f64().expect("a number") * 100.0 < entry.price_cents as f64, "{wire}");
    assert_eq!(entry.owed, Some(entry.price_cents * 100));
    let (entry, wire) = said(Odd::PriceInWords);
    assert_eq!((&wire["price"], entry.owed), (&json!("a lot"), None));
    assert!(said(Odd::NulInComment).1["comments"].as_str().expect("a text").contains('\0'));
    assert_eq!(said(Odd::LongEmail).1["email"].as_str().map(str::len), Some(270));
    assert_eq!(said(Odd::CountAsText).1["numAdult"], json!("1"));
    assert_eq!(said(Odd::CountAsFlag).1["numChild"], json!(false));
    assert_eq!(said(Odd::LowerCaseCountry).1["country2"].as_str().map(str::len), Some(2));
    let (entry, wire) = said(Odd::CancelledWithLongNote);
    assert!(entry.status == "cancelled" && wire["notes"].as_str().is_some_and(|note| note.len() > 22_990));
    let (entry, wire) = said(Odd::CancelledWithoutNights);
    assert!(entry.arrival < entry.departure && wire["arrival"] == wire["departure"]);
    assert_eq!(said(Odd::Revived).0.status, "confirmed");
    let (entry, wire) = said(Odd::UnknownStatus);
    assert_eq!((entry.status.as_str(), &wire["status"]), ("new", &json!("allotmentHold")));
    assert!(said(Odd::WithoutId).1.get("id").is_none());
    let (entry, wire) = said(Odd::ModifiedAhead);
    let ahead: Timestamp = wire["modifiedTime"].as_str().expect("a time").parse().expect("an instant");
    assert_eq!(ahead.duration_since(entry.modified).as_hours(), 48);
    let (entry, _) = said(Odd::LongLet);
    assert_eq!(entry.departure.since(entry.arrival).expect("a span").get_days(), 900);
    let (master, wire) = said(Odd::GroupTotalOnMaster);
    let book = running.simulator.book();
    let group = book.iter().filter(|entry| entry.id == master.id || entry.master_id == Some(master.id));
    let owed: Vec<u64> = group.filter_map(|entry| entry.owed).collect();
    assert!(owed.len() > 1, "a group");
    assert_eq!(wire["price"].as_f64(), Some(owed.iter().sum::<u64>() as f64 / 10_000.0));
    let halved = said(Odd::HalfEmoji).0;
    let token = running.token().await;
    let url = format!("{}/api/v2/bookings?id={}", running.root, halved.id);
    let answer = running.client.get(url).header("token", token).send().await.expect("an answer");
    assert!(answer.text().await.expect("a body").contains("\\ud83d\""), "half of a pair");
}

#[test]
fn every_kind_is_said_in_its_turn_and_as_often_as_the_others() {
    let acts = |seed| {
        let settings = Settings { seed, properties: 6, bookings: 80, odd: 0.3, ..Settings::default() };
        let simulator = Beds24::new(settings, turned_clock().1);
        simulator.account().oddities.said(400);
        let acts: Vec<String> = (0..60).filter_map(|_| simulator.act()).map(|action| action.summary).collect();
        (acts, simulator.odd_said())
    };
    let (said, counts) = acts(1);
    assert_eq!(said, acts(1).0, "the same seed says the same");
    assert_eq!(counts.len(), Odd::ALL.len(), "{counts:?}");
    let (fewest, most) = (counts.values().min().expect("some"), counts.values().max().expect("some"));
    assert!(most - fewest <= 1, "{counts:?}");
    let calm = Beds24::new(Settings::default(), turned_clock().1);
    for _ in 0..60 {
        calm.act();
    }
    assert!(calm.odd_said().is_empty());
    let rest = calm.say_every_odd();
    assert_eq!((rest.len(), calm.odd_said().len()), (Odd::ALL.len(), Odd::ALL.len()));
    assert!(calm.say_every_odd().is_empty());
}

#[tokio::test]
async fn a_booking_goes_between_two_pages_and_a_list_is_cut_short() {
    let running = Running::start(Settings { bookings: 12, ..calm() }).await;
    let token = running.token().await;
    let list = "/bookings?departureFrom=2000-01-01&status=new&status=confirmed&status=request&status=cancelled";
    let gone = running.simulator.say_odd(Odd::DeletedBetweenPages).expect("said").booking_id;
    let all: Vec<u64> =
        running.simulator.book().into_iter().filter(|entry| entry.status != "black").map(|entry| entry.id).collect();
    let first = running.get(&token, list).await;
    assert_eq!((first.ids()[0], &first.body["pages"]["nextPageExists"]), (gone, &json!(true)));
    let mut read = first.ids();
    for page in 2..=3 {
        read.extend(running.get(&token, &format!("{list}&page={page}")).await.ids());
    }
    assert_eq!(all.iter().filter(|id| !read.contains(id)).count(), 1, "one slipped to the page before");
    assert_eq!(running.simulator.removed(), [gone]);
    assert_eq!(running.get(&token, list).await.ids().len(), all.len() - 1);

    running.simulator.say_odd(Odd::ShortList).expect("said");
    running.pass(60);
    let since = running.simulator.now().to_string();
    let short = running.get(&token, list).await;
    assert_eq!((short.body["success"].as_bool(), short.ids().len()), (Some(true), 1));
    let later = running.get(&token, &format!("{list}&modifiedFrom={since}")).await;
    assert_eq!(later.ids().len(), all.len() - 2, "what was left out is found by whoever asks for changes");
}

#[tokio::test]
async fn it_is_switched_by_hand() {
    let running = Running::start(calm()).await;
    let post = async |body: Value| running.send(Method::POST, "/_simulator/odd", &[], Some(&body)).await;
    assert_eq!(post(json!({ "rate": 0.5 })).await.body["rate"], json!(0.5));
    assert_eq!(post(json!({ "rate": 1.5 })).await.status, 400);
    let said = post(json!({ "kind": "halfEmoji" })).await;
    assert_eq!(said.status, 200);
    let shown = running.send(Method::DELETE, "/_simulator/odd", &[], None).await.body;
    assert_eq!((&shown["rate"], &shown["said"]["halfEmoji"]), (&json!(0.0), &json!(1)));
    let book = running.send(Method::GET, "/_simulator/reservations", &[], None).await.body;
    let entry = book.as_array().expect("a list").iter().find(|entry| entry["id"] == said.body["id"]);
    assert_eq!(entry.expect("in the book")["odd"]["kind"], json!("halfEmoji"));
}
