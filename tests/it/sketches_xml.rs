//! Sketches of channels that use XML: what the contract must be able to express for them.

use std::{path::Path, sync::Arc};

use gassync_domain::{HttpRequest, HttpResponse};
use gassync_runtime::{
    Adapter,
    try_call::{self, TryContext, TryResult},
};
use gassync_tests::plugins::{engine, sketch};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

async fn plugin(channel: &str) -> Arc<dyn Adapter> {
    engine(2).load(sketch(channel)).await.expect("a plugin")
}

fn fixture(channel: &str, file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(channel).join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn context(settings: Value, core_data: Option<Vec<u8>>) -> TryContext {
    let core_data = core_data.map(|bytes| serde_json::from_slice(&bytes).expect("core data")).unwrap_or_default();
    TryContext { settings, now: "2027-06-01T12:00:00Z".parse().expect("an instant"), seed: 1, core_data }
}

fn call(method: &str, url: &str, body: Vec<u8>) -> HttpRequest {
    let body = (!body.is_empty()).then_some(body);
    HttpRequest { method: method.to_owned(), url: url.to_owned(), headers: Vec::new(), body }
}

fn answers(bodies: &[Vec<u8>]) -> Vec<HttpResponse> {
    bodies.iter().map(|body| HttpResponse { status: 200, headers: Vec::new(), body: body.clone() }).collect()
}

/// Reads through text, so that numbers keep their digits.
fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_str(&value.to_string()).expect("a result")
}

fn text(ending: TryResult) -> String {
    match ending {
        TryResult::Document(text) => text,
        other => panic!("{other:?}"),
    }
}

fn document(ending: TryResult) -> Value {
    serde_json::from_str(&text(ending)).expect("a document")
}

fn body(document: &Value) -> &str {
    document["reply"]["body"].as_str().expect("a body")
}

fn sent(document: &Value, index: usize) -> &str {
    document["requests"][index]["body"].as_str().expect("a body")
}

/// Asserts that a document contains this.
fn has(whole: &str, part: &str) {
    assert!(whole.contains(part), "{part} is not in {whole}");
}

fn statuses(document: &Value) -> Vec<&str> {
    let outcomes = document["outcomes"].as_array().expect("outcomes");
    outcomes.iter().filter_map(|outcome| outcome["status"].as_str()).collect()
}

mod vrbo {
    use super::*;

    fn at_vrbo() -> TryContext {
        let settings =
            json!({ "advertiserId": "ADV-9", "publicUrl": "https://gas.example.org/webhooks/k", "horizonDays": 4 });
        context(settings, Some(fixture("vrbo", "core-data.json")))
    }

    async fn respond(file: &str, results: Value) -> Value {
        let request = call("POST", "/", fixture("vrbo", file));
        document(try_call::respond(&*plugin("vrbo").await, &at_vrbo(), request, read(results)).await)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_booking_asks_and_its_total_is_a_sum() {
        let request = call("POST", "/bookings", fixture("vrbo", "booking-request.xml"));
        let text = text(try_call::decode(&*plugin("vrbo").await, &at_vrbo(), request).await);
        has(&text, r#""totalPrice":1034.50"#);
        let document: Value = serde_json::from_str(&text).expect("a document");
        assert_eq!(document["event_id"], "booking-7e0c1d52-0000-4000-8000-00000000a5a5");
        let booking = &document["changes"][0];
        assert_eq!((&booking["kind"], &booking["intent"]), (&json!("reservation"), &json!("request")));
        assert_eq!((&booking["propertyId"], &booking["roomTypeId"]), (&json!("L-5"), &json!("U-5")));
        assert_eq!((&booking["checkIn"], &booking["checkOut"]), (&json!("2027-06-04"), &json!("2027-06-09")));
        assert_eq!((&booking["adults"], &booking["currency"]), (&json!(3), &json!("GBP")));
        assert_eq!(booking.get("children"), None, "not said is not none");
        assert_eq!(booking["guest"]["phone"], "+44 1632000222");
        assert_eq!(booking["notes"], "We arrive by bicycle & train.");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn booking_results_are_answered_in_the_channel_format() {
        let applied =
            json!([{ "status": "applied", "verdict": "created", "reference": "GAS-71", "at": "2027-06-01T12:00:00Z" }]);
        let yes = respond("booking-request.xml", applied).await;
        has(body(&yes), "<externalId>GAS-71</externalId>");
        has(body(&yes), "<reservationStatus>CONFIRMED</reservationStatus>");
        has(body(&yes), "<status>ACCEPTED</status><totalAmount currency=\"GBP\">944.50</totalAmount>");
        let reasons = json!([{ "reason": "sold-out", "text": "taken" }, { "reason": "occupancy", "text": "3 > 2" }]);
        let no = respond("booking-request.xml", json!([{ "status": "refused", "reasons": reasons }])).await;
        has(body(&no), "<errorType>PROPERTY_NOT_AVAILABLE</errorType><message>taken</message>");
        has(body(&no), "<errorType>EXCEEDS_MAX_OCCUPANCY</errorType><message>3 &gt; 2</message>");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn quotes_are_answered_line_by_line() {
        let request = call("POST", "/quotes", fixture("vrbo", "quote-request.xml"));
        let asked = document(try_call::decode(&*plugin("vrbo").await, &at_vrbo(), request).await);
        let question = &asked["changes"][0];
        assert_eq!((&question["kind"], &question["question"]), (&json!("ask"), &json!("quote")));
        assert_eq!(question["stay"]["occupancy"], json!({ "adults": 2, "children": 2, "infants": 0, "pets": 0 }));
        let lines = json!([
            { "kind": "stay", "name": "5 nights", "amount": 900.00 },
            { "kind": "tax", "name": "VAT", "amount": 44.50 },
            { "kind": "deposit", "name": "Breakages", "amount": 250.00 }
        ]);
        let result = json!([{ "status": "quote", "lines": lines, "total": 944.50, "currency": "GBP" }]);
        let reported = respond("quote-request.xml", result).await;
        has(body(&reported), "<feeType>RENTAL</feeType>");
        has(body(&reported), "<feeType>DEPOSIT</feeType>");
        has(
            body(&reported),
            "<paymentScheduleItem><amount currency=\"GBP\">944.50</amount><dueDate>2027-06-01</dueDate>",
        );
        let no_rate = json!([{ "status": "refused", "reasons": [{ "reason": "no-rate", "text": "" }] }]);
        has(body(&respond("quote-request.xml", no_rate).await), "<errorType>NO_RATES_CONFIGURED</errorType>");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn each_unit_is_asked_for_and_answered() {
        let request = call("POST", "/availability", fixture("vrbo", "fast-availability.json"));
        let asked = document(try_call::decode(&*plugin("vrbo").await, &at_vrbo(), request).await);
        assert_eq!(asked["changes"].as_array().map(Vec::len), Some(2));
        assert_eq!(asked["changes"][1]["stay"]["roomTypeId"], "U-6");
        let results =
            json!([{ "status": "available" }, { "status": "refused", "reasons": [{ "reason": "min-stay" }] }]);
        let reported: Value =
            serde_json::from_str(body(&respond("fast-availability.json", results).await)).expect("JSON");
        let no = json!({ "unitExternalId": "U-6", "available": false, "errorCode": "MIN_STAY_NOT_MET" });
        assert_eq!(reported, json!({ "units": [{ "unitExternalId": "U-5", "available": true }, no] }));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_index_leads_to_each_booking() {
        let request = call("POST", "/booking-index", fixture("vrbo", "booking-index-request.xml"));
        let asked = document(try_call::decode(&*plugin("vrbo").await, &at_vrbo(), request).await);
        assert_eq!(asked["changes"][0]["question"], "bookings-since");
        assert_eq!(asked["changes"][0]["since"], "2027-02-01T00:00:00Z");
        let booking = json!({ "id": "7e0c", "status": "cancelled", "rooms": [] });
        let booking = json!({ "reference": "GAS-71", "changedAt": "2027-03-02T08:15:00Z", "reservation": booking });
        let reported =
            respond("booking-index-request.xml", json!([{ "status": "bookings", "bookings": [booking] }])).await;
        has(body(&reported), "<bookingUpdateUrl>https://gas.example.org/webhooks/k/bookings/GAS-71</bookingUpdateUrl>");
        has(body(&reported), "<lastUpdatedDate>2027-03-02T08:15:00Z</lastUpdatedDate>");
        let request = call("GET", "/bookings/GAS-71", Vec::new());
        let update = document(try_call::render(&*plugin("vrbo").await, &at_vrbo(), request).await);
        has(body(&update), "<reservationStatus>CANCELLED_BY_OWNER</reservationStatus>");
        has(body(&update), "<beginDate>2027-06-04</beginDate><endDate>2027-06-09</endDate>");
        has(body(&update), "<status>CANCELLED</status><totalAmount currency=\"GBP\">1034.50</totalAmount>");
        let nobodys = call("GET", "/bookings/GAS-72", Vec::new());
        let unknown = document(try_call::render(&*plugin("vrbo").await, &at_vrbo(), nobodys).await);
        assert_eq!(unknown["reply"]["status"], 404);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn feeds_have_letters_commas_and_both_ends() {
        let plugin = plugin("vrbo").await;
        let feed = async |path: &str| {
            let request = call("GET", path, Vec::new());
            body(&document(try_call::render(&*plugin, &at_vrbo(), request).await)).to_owned()
        };
        let nights = feed("/availability/L-5/U-5").await;
        has(&nights, "<beginDate>2027-05-31</beginDate><endDate>2027-06-04</endDate>");
        has(&nights, "<availability>YYNYN</availability>");
        has(&nights, "<availableUnitCount>1,1,0,1,0</availableUnitCount>");
        has(&nights, "<changeOver>COCIC</changeOver>");
        has(&nights, "<minStay>2,2,2,4,1</minStay>");
        has(&nights, "<availabilityDefault>N</availabilityDefault>");
        let rates = feed("/rates/L-5/U-5").await;
        has(&rates, "<currency>GBP</currency>");
        has(
            &rates,
            "<override><amount>210.00</amount><nights><range><max>2027-06-03</max><min>2027-06-03</min></range>",
        );
        has(&rates, "<wed>180.00</wed>");
    }
}

mod booking_com {
    use super::*;

    fn at_booking() -> TryContext {
        context(json!({}), None)
    }

    async fn fetch(queue: &str, file: &str) -> String {
        let query = json!({ "entity": "reservation", "selection": { "queue": queue } });
        let answers = answers(&[fixture("booking-com", file)]);
        text(try_call::fetch(&*plugin("booking-com").await, &at_booking(), read(query), answers).await)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_queue_of_new_bookings() {
        let text = fetch("new", "new.xml").await;
        has(&text, r#""totalPrice":228.00"#);
        has(&text, r#""commission":27.36"#);
        has(&text, r#""totalPrice":21000,"#);
        let document: Value = serde_json::from_str(&text).expect("a document");
        assert_eq!(
            document["requests"][0]["url"],
            "https://secure-supply-xml.booking.com/hotels/ota/OTA_HotelResNotif"
        );
        assert_eq!(document["requests"][0]["headers"]["authorization"], "Bearer {booking.token}");
        assert_eq!(document["next"], Value::Null);
        let booking = &document["changes"][0];
        assert_eq!((&booking["id"], &booking["propertyId"]), (&json!("6100000017"), &json!("55501")));
        assert_eq!((&booking["checkIn"], &booking["checkOut"]), (&json!("2027-02-27"), &json!("2027-03-01")));
        let [first, second] = booking["rooms"].as_array().expect("rooms").as_slice() else { panic!("{booking}") };
        assert_eq!((&first["adults"], &first["children"]), (&json!(2), &json!(1)));
        assert_eq!((first.get("ratePlanId"), &second["ratePlanId"]), (None, &json!("31001")), "one plan, or none");
        assert_eq!((&second["guests"], second.get("adults")), (&json!(1), None), "a head count without ages");
        assert_eq!(first["guest"]["name"], "Bruno Castelhano");
        assert_eq!(second.get("guest"), None, "its pointer leads to nobody");
        assert_eq!((&booking["guest"]["lastName"], &booking["guest"]["country"]), (&json!("Castelhano"), &json!("PT")));
        assert_eq!(document["changes"][1]["currency"], "JPY");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_queue_of_changes_and_cancellations() {
        let document: Value = serde_json::from_str(&fetch("modified", "modified.xml").await).expect("a document");
        let [cancelled, changed] = document["changes"].as_array().expect("changes").as_slice() else {
            panic!("{document}")
        };
        assert_eq!((&cancelled["status"], &cancelled["completeness"]), (&json!("cancelled"), &json!("partial")));
        assert_eq!((cancelled.get("checkIn"), cancelled.get("totalPrice")), (None, None));
        assert_eq!((&changed["status"], &changed["checkOut"]), (&json!("confirmed"), &json!("2027-03-01")));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_receipt_goes_to_its_own_queue() {
        let acknowledgement = |queue: &str, id: &str| json!({ "token": format!("{queue}/{id}"), "externalId": id, "reference": "GAS-1", "at": "2027-01-11T07:00:20Z" });
        let acknowledgements = json!([
            acknowledgement("new", "6100000017"),
            acknowledgement("modified", "6100000018"),
            acknowledgement("new", "6100000019")
        ]);
        let answers = answers(&[Vec::new(), Vec::new()]);
        let reported =
            try_call::acknowledge(&*plugin("booking-com").await, &at_booking(), read(acknowledgements), answers).await;
        let document = document(reported);
        assert_eq!(statuses(&document), ["accepted"; 3]);
        has(sent(&document, 0), "<OTA_HotelResNotifRS ");
        has(
            sent(&document, 0),
            r#"<HotelReservationID ResID_Value="6100000017"/><HotelReservationID ResID_Value="6100000019"/>"#,
        );
        has(sent(&document, 1), "<OTA_HotelResModifyNotifRS ");
        has(sent(&document, 1), r#"<Success/><HotelResModifies><HotelResModify>"#);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn partial_success_is_reported_per_night() {
        let night = |date: &str, price: f64| {
            json!({ "date": date, "available": true, "unitsAvailable": 2, "price": price, "currency": "EUR", "occupancy": 2,
                "minStay": 2, "closedToArrival": date.ends_with('4') })
        };
        let update = |date: &str, price: f64| {
            json!({ "propertyId": "55501", "roomTypeId": "770001", "ratePlanId": "31001", "nights": [night(date, price)],
                "changed": { "availability": true, "price": true, "rules": true } })
        };
        let updates = json!([update("2027-05-01", 95.50), update("2027-06-04", 99.0)]);
        // Both together, then separately: availability and rates.
        let files = [
            "availability-warned.xml",
            "rates-taken.xml",
            "availability-warned.xml",
            "rates-taken.xml",
            "availability-taken.xml",
            "rates-taken.xml",
        ];
        let answers = answers(&files.map(|file| fixture("booking-com", file)));
        let document =
            document(try_call::calendar(&*plugin("booking-com").await, &at_booking(), read(updates), answers).await);
        assert_eq!(statuses(&document), ["refused", "accepted"]);
        has(document["outcomes"][0]["errors"][0]["problem"].as_str().expect("why"), "NOT_A_VALID_DATE");
        has(sent(&document, 0), r#"<AvailStatusMessage BookingLimit="2" LocatorID="1">"#);
        has(sent(&document, 0), r#"<RestrictionStatus Restriction="Arrival" Status="Close"/>"#);
        has(sent(&document, 1), r#"AmountAfterTax="9550" DecimalPlaces="2" CurrencyCode="EUR""#);
        assert_eq!(document["requests"].as_array().map(Vec::len), Some(6));
    }
}

mod expedia {
    use super::*;

    fn at_expedia() -> TryContext {
        context(json!({}), None)
    }

    async fn decode(file: &str) -> Value {
        let request = call("POST", "/notifications", fixture("expedia", file));
        document(try_call::decode(&*plugin("expedia").await, &at_expedia(), request).await)
    }

    async fn respond(file: &str, result: Value) -> Value {
        let request = call("POST", "/notifications", fixture("expedia", file));
        document(try_call::respond(&*plugin("expedia").await, &at_expedia(), request, read(json!([result]))).await)
    }

    fn applied(reference: &str) -> Value {
        json!({ "status": "applied", "verdict": "updated", "reference": reference, "at": "2027-04-02T10:00:06Z" })
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn bookings_are_created_changed_and_cancelled() {
        let new = decode("notification-new.xml").await;
        assert_eq!(new["event_id"], "7001");
        let booking = &new["changes"][0];
        assert_eq!((&booking["id"], &booking["propertyId"]), (&json!("9020000451"), &json!("4400")));
        assert_eq!((&booking["roomTypeId"], &booking["rooms"][0]["ratePlanId"]), (&json!("LOFT"), &json!("FLEXA")));
        assert_eq!((&booking["adults"], &booking["children"]), (&json!(2), &json!(2)), "7 counts nobody");
        assert_eq!((&booking["checkOut"], &booking["intent"]), (&json!("2027-06-01"), &json!("fact")));
        assert_eq!(booking["bookedAt"], "2027-04-02T10:00:00Z");
        assert_eq!(booking["guest"]["phone"], "+41 44 0000777");
        let changed = decode("notification-modified.xml").await;
        assert_eq!((&changed["changes"][0]["id"], &changed["changes"][0]["adults"]), (&json!("9020000451"), &json!(3)));
        let cancelled = &decode("notification-cancelled.xml").await["changes"][0];
        assert_eq!((&cancelled["status"], &cancelled["completeness"]), (&json!("cancelled"), &json!("partial")));
        assert_eq!((&cancelled["rooms"], cancelled.get("checkIn"), cancelled.get("guest")), (&json!([]), None, None));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn each_kind_has_its_own_success() {
        let new = respond("notification-new.xml", applied("GAS-300")).await;
        has(body(&new), r#"<PayloadInfo RequestId="7001" RequestorId="Expedia.com" ResponderId="GasExample""#);
        has(body(&new), r#"<CommDescriptor SourceId="GasExample" DestinationId="ExpediaDC""#);
        has(body(&new), r#"ResResponseType="Committed""#);
        has(body(&new), r#"<HotelReservationID ResID_Type="3" ResID_Value="GAS-300" ResID_Source="GasExample""#);
        let changed = respond("notification-modified.xml", applied("GAS-300")).await;
        has(body(&changed), r#"ResResponseType="Modified""#);
        let cancelled = respond("notification-cancelled.xml", applied("GAS-300")).await;
        has(body(&cancelled), r#"Status="Cancelled"><Success/>"#);
        has(body(&cancelled), r#"<CancelInfoRS><UniqueID Type="10" ID="GAS-300"/></CancelInfoRS>"#);
        let refused = json!({ "status": "refused", "reasons": [{ "reason": "unknown-room-type", "text": "LOFT?" }] });
        let ignored = respond("notification-new.xml", refused).await;
        has(body(&ignored), r#"ResResponseType="Ignored""#);
        has(body(&ignored), r#"Type="3" Code="450" ShortText="3203">LOFT?</Error>"#);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn verification_and_masking_follow_the_manifest() {
        let plugin = plugin("expedia").await;
        let manifest = serde_json::to_value(plugin.manifest()).expect("a manifest");
        let verification = &manifest["routes"][0]["verification"];
        assert_eq!((&verification["kind"], &verification["slot"]), (&json!("message"), &json!("notifications")));
        assert_eq!(verification["password"], "xml:CommDescriptor/Authentication/@Password");
        let hidden = manifest["sensitive"].as_array().expect("places");
        assert!(hidden.contains(&json!("xml:PaymentCard")) && hidden.contains(&verification["password"]));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn bookings_are_fetched_with_a_hidden_password() {
        let query = json!({ "entity": "reservation", "selection": { "queue": "bookings" } });
        let answers = answers(&[fixture("expedia", "bookings.xml")]);
        let text = text(try_call::fetch(&*plugin("expedia").await, &at_expedia(), read(query), answers).await);
        has(&text, r#""totalPrice":36000"#);
        let document: Value = serde_json::from_str(&text).expect("a document");
        has(
            sent(&document, 0),
            r#"<Authentication username="{expedia.username|xml}" password="{expedia.password|xml}"/>"#,
        );
        has(sent(&document, 0), r#"<Status value="pending"/><Status value="retrieved"/>"#);
        assert_eq!(document["requests"][0]["credential"], "expedia");
        let [booked, cancelled] = document["changes"].as_array().expect("changes").as_slice() else {
            panic!("{document}")
        };
        assert_eq!((&booked["status"], &booked["checkOut"]), (&json!("confirmed"), &json!("2027-08-04")));
        assert_eq!((&booked["guest"]["firstName"], &booked["currency"]), (&json!("Leona R."), &json!("JPY")));
        assert_eq!((&cancelled["status"], &cancelled["rooms"]), (&json!("cancelled"), &json!([])), "no room 0");
        assert_eq!(cancelled.get("totalPrice"), None, "nor a price of 0.00");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_confirmation_may_be_refused_among_others() {
        let acknowledgement = |id: &str, kind: &str, ours: &str| json!({ "token": format!("4400/{kind}"), "externalId": id, "reference": ours, "at": "2027-04-02T10:20:00Z" });
        let acknowledgements = json!([
            acknowledgement("9020000470", "Book", "GAS-301"),
            acknowledgement("9020000444", "Cancel", "GAS-288")
        ]);
        let answers = answers(&[fixture("expedia", "confirmed-but-one.xml")]);
        let reported =
            try_call::acknowledge(&*plugin("expedia").await, &at_expedia(), read(acknowledgements), answers).await;
        let document = document(reported);
        assert_eq!(statuses(&document), ["accepted", "refused"]);
        has(sent(&document, 0), r#"bookingID="9020000470" bookingType="Book" confirmNumber="GAS-301""#);
        has(document["outcomes"][1]["errors"][0]["problem"].as_str().expect("why"), "10081");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_refused_login_and_a_token_of_the_applications_own() {
        let query = json!({ "entity": "reservation", "selection": { "queue": "bookings" } });
        let heard = answers(&[fixture("expedia", "login-refused.xml")]);
        let plugin = plugin("expedia").await;
        let TryResult::PluginError(problem) = try_call::fetch(&*plugin, &at_expedia(), read(query), heard).await else {
            panic!("an error")
        };
        has(&problem, "/problems/plugin/unauthorized");
        let query = json!({ "entity": "reservation", "selection": "everything", "propertyId": "4400" });
        let heard = answers(&[fixture("expedia", "graphql-page.json")]);
        let page = document(try_call::fetch(&*plugin, &at_expedia(), read(query), heard).await);
        assert_eq!(page["requests"][0]["headers"]["authorization"], "Bearer {graphql.token}");
        assert_eq!((&page["next"], &page["changes"][0]["status"]), (&json!("bmV4dA=="), &json!("pending")));
        assert_eq!(page["changes"][0]["completeness"], "partial");
    }
}

mod google_vr {
    use super::*;

    fn at_google() -> TryContext {
        let settings = json!({ "partner": "gas-vr", "landingPage": "https://stay.example.org/{id}" });
        context(settings, Some(fixture("google-vr", "core-data.json")))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn content_goes_first_and_in_one_message() {
        let plugin = plugin("google-vr").await;
        assert!(plugin.manifest().needs_content_first);
        let items = serde_json::from_slice(&fixture("google-vr", "content.json")).expect("items");
        let document = document(try_call::content(&*plugin, &at_google(), items, answers(&[Vec::new()])).await);
        assert_eq!(statuses(&document), ["accepted"; 3]);
        assert_eq!(document["requests"][0]["url"], "https://www.google.com/travel/hotels/uploads/property_data");
        has(sent(&document, 0), r#"<Transaction timestamp="2027-06-01T12:00:00Z" id="content_"#);
        has(sent(&document, 0), r#"partner="gas-vr"><PropertyDataSet><Property>cabin-7</Property><RoomData>"#);
        has(sent(&document, 0), r#"<Text text="Two rooms, one stove &amp; a boat." language="en"/>"#);
        has(
            sent(&document, 0),
            r#"<Refundable available="1" refundable_until_days="10" refundable_until_time="16:00:00"/>"#,
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nights_are_three_messages_and_weekends_one_span() {
        let updates = serde_json::from_slice(&fixture("google-vr", "calendar.json")).expect("updates");
        let answers = answers(&["taken.xml"; 3].map(|file| fixture("google-vr", file)));
        let document = document(try_call::calendar(&*plugin("google-vr").await, &at_google(), updates, answers).await);
        assert_eq!(statuses(&document), ["accepted", "refused"], "a room that is not its property is none of Google's");
        let [inventory, availability, rates] = [0, 1, 2].map(|index| sent(&document, index));
        has(inventory, r#"<Inventories HotelCode="cabin-7">"#);
        has(inventory, r#"Start="2027-07-10" End="2027-07-10" InvTypeCode="cabin-7"/><InvCounts><InvCount Count="0""#);
        has(
            availability,
            r#"InvTypeCode="cabin-7" RatePlanCode="flex"/><RestrictionStatus Restriction="Master" Status="Close"/>"#,
        );
        has(
            availability,
            r#"<LengthsOfStay ArrivalDateBased="1"><LengthOfStay Time="2" TimeUnit="Day" MinMaxMessageType="SetMinLOS"/>"#,
        );
        has(rates, r#"Start="2027-07-02" End="2027-07-10" Mon="0" Tue="0" Weds="0" Thur="0" Fri="1" Sat="1" Sun="0""#);
        has(rates, r#"<BaseByGuestAmt AmountAfterTax="210.00" CurrencyCode="NOK" NumberOfGuests="2"/>"#);
        has(rates, r#"NotifType="Overlay" NotifScopeType="ProductRate""#);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_success_of_http_may_be_a_refusal() {
        let updates = serde_json::from_slice(&fixture("google-vr", "calendar.json")).expect("updates");
        let answers = answers(&[fixture("google-vr", "inventory-refused.xml")]);
        let document = document(try_call::calendar(&*plugin("google-vr").await, &at_google(), updates, answers).await);
        assert_eq!(statuses(&document), ["refused", "refused"]);
        has(document["outcomes"][0]["errors"][0]["problem"].as_str().expect("why"), "1006");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn several_properties_are_priced_in_one_answer() {
        let plugin = plugin("google-vr").await;
        let request = call("POST", "/query", fixture("google-vr", "query.xml"));
        let asked = document(try_call::decode(&*plugin, &at_google(), request.clone()).await);
        let stay = &asked["changes"][0]["stay"];
        assert_eq!((&stay["checkIn"], &stay["checkOut"]), (&json!("2027-12-30"), &json!("2028-01-02")));
        assert_eq!(asked["changes"][1]["stay"]["propertyId"], "cabin-8");
        let lines = json!([
            { "kind": "stay", "name": "3 nights", "amount": 630.00 },
            { "kind": "tax", "name": "VAT", "amount": 75.60 },
            { "kind": "cleaning", "name": "Cleaning", "amount": 90.00 }
        ]);
        let results = json!([
            { "status": "quote", "lines": lines, "total": 795.60, "currency": "NOK" },
            { "status": "refused", "reasons": [{ "reason": "sold-out" }] }
        ]);
        let reported = document(try_call::respond(&*plugin, &at_google(), request, read(results)).await);
        has(body(&reported), r#"<Baserate currency="NOK">630.00</Baserate><Tax currency="NOK">75.60</Tax>"#);
        has(body(&reported), r#"<OtherFees currency="NOK">90.00</OtherFees>"#);
        has(
            body(&reported),
            "<Property>cabin-8</Property><Checkin>2027-12-30</Checkin><Nights>3</Nights><Unavailable><NoVacancy/>",
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn only_whole_listings_are_listed() {
        let request = call("GET", "/listings.xml", Vec::new());
        let feed = document(try_call::render(&*plugin("google-vr").await, &at_google(), request).await);
        has(body(&feed), "<id>cabin-7</id>");
        has(body(&feed), "<website>https://stay.example.org/cabin-7</website>");
        has(body(&feed), r#"<client_attr name="capacity">5</client_attr>"#);
        assert!(!body(&feed).contains("cabin-8"), "it lacks an address");
        has(feed["log"][0]["message"].as_str().expect("a line"), "cabin-8");
    }
}
