//! Sketches of channels that use JSON, and of iCal calendars: what each component makes of their data.

use std::{collections::BTreeMap, fs, sync::Arc};

use gassync_domain::{HttpRequest, HttpResponse, Timestamp};
use gassync_runtime::{
    Adapter,
    try_call::{self, FileCoreData, TryContext, TryResult},
};
use gassync_tests::plugins::{engine, repository, sketch};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// Compiled once for all tests, because compiling takes most of the time.
async fn load(name: &'static str) -> Arc<dyn Adapter> {
    static LOADED: Mutex<BTreeMap<&str, Arc<dyn Adapter>>> = Mutex::const_new(BTreeMap::new());
    let mut loaded = LOADED.lock().await;
    if let Some(plugin) = loaded.get(name) {
        return Arc::clone(plugin);
    }
    let plugin = engine(4).load(sketch(name)).await.expect("a plugin");
    loaded.insert(name, Arc::clone(&plugin));
    plugin
}

fn fixture(path: &str) -> Vec<u8> {
    let file = repository().join("tests/fixtures").join(path);
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn read<T: DeserializeOwned>(path: &str) -> T {
    serde_json::from_slice(&fixture(path)).expect("JSON")
}

fn context(settings: Value) -> TryContext {
    let now: Timestamp = "2027-03-04T05:06:07Z".parse().expect("an instant");
    TryContext { settings, now, seed: 7, core_data: FileCoreData::default() }
}

fn request(method: &str, url: &str, body: Option<&str>) -> HttpRequest {
    HttpRequest { method: method.into(), url: url.into(), headers: Vec::new(), body: body.map(fixture) }
}

fn answer(status: u16, body: Vec<u8>) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body }
}

fn document(ending: TryResult) -> Value {
    match ending {
        TryResult::Document(text) => serde_json::from_str(&text).expect("JSON"),
        other => panic!("{other:?}"),
    }
}

fn problem(ending: TryResult) -> Value {
    match ending {
        TryResult::PluginError(text) => serde_json::from_str(&text).expect("JSON"),
        other => panic!("{other:?}"),
    }
}

/// The JSON body of a request.
fn sent(request: &Value) -> Value {
    serde_json::from_str(request["body"].as_str().expect("a body")).expect("JSON")
}

mod airbnb {
    use super::*;

    const CHECK: &str = "/checks?action=check_availability&listing_id=9007199254740993&start_date=2027-12-30&nights=3";

    async fn decode(plugin: &dyn Adapter, method: &str, url: &str, body: Option<&str>) -> Value {
        document(try_call::decode(plugin, &context(json!({})), request(method, url, body)).await)
    }

    async fn reply(plugin: &dyn Adapter, call: HttpRequest, result: &Value) -> (u64, Value) {
        let results = serde_json::from_value(json!([result])).expect("a result");
        let said = try_call::respond(plugin, &context(json!({})), call, results).await;
        let reply = document(said)["reply"].take();
        (reply["status"].as_u64().expect("a status"), sent(&reply))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn checks_are_questions() {
        let plugin = load("airbnb").await;
        let decode = async |method, url, body| decode(&*plugin, method, url, body).await;
        let free = decode("GET", CHECK, None).await["changes"][0].take();
        assert_eq!((&free["kind"], &free["question"]), (&json!("ask"), &json!("available")));
        assert_eq!(free["stay"]["propertyId"], "9007199254740993", "digit for digit");
        assert_eq!(free["stay"]["checkOut"], "2028-01-02");
        let hold = decode("POST", "/checks", Some("airbnb/precheck.json")).await;
        assert_eq!((&hold["event_id"], &hold["reply"]), (&Value::Null, &Value::Null));
        let hold = &hold["changes"][0];
        assert_eq!((&hold["question"], &hold["reference"]), (&json!("hold"), &json!("HMSKETCH41")));
        assert_eq!(hold["stay"]["occupancy"], json!({ "adults": 3, "children": 1, "infants": 1, "pets": 0 }));
        let moved = decode("PUT", "/checks/HMSKETCH41", Some("airbnb/alteration.json")).await["changes"][0].take();
        assert_eq!((&moved["question"], &moved["stay"]["replaces"]), (&json!("available"), &json!("HMSKETCH41")));
        assert_eq!(moved["stay"]["checkOut"], "2027-09-05");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn refusals_are_answers_of_status_200() {
        let plugin = load("airbnb").await;
        let precheck = || request("POST", "/checks", Some("airbnb/precheck.json"));
        let refused = json!({ "status": "refused", "reasons": [{ "reason": "sold-out", "text": "full" }] });
        let held = json!({ "status": "held", "reference": "bk-1", "until": "2027-03-04T05:36:07Z" });
        let no = json!({ "succeed": false, "failure_code": null });
        assert_eq!(reply(&*plugin, precheck(), &held).await, (200, json!({ "succeed": true })));
        assert_eq!(reply(&*plugin, precheck(), &refused).await, (200, no));
        let not_free = json!({ "available": false, "failure_code": null });
        assert_eq!(reply(&*plugin, request("GET", CHECK, None), &refused).await, (200, not_free));
        let free = json!({ "status": "available" });
        let yes = json!({ "available": true });
        assert_eq!(reply(&*plugin, request("GET", CHECK, None), &free).await, (200, yes));
        let altered = request("PUT", "/checks/HMSKETCH41", Some("airbnb/alteration.json"));
        assert_eq!(reply(&*plugin, altered, &free).await, (200, json!({ "succeed": true })));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_test_listing_is_answered_well_and_stores_nothing() {
        let plugin = load("airbnb").await;
        let said = decode(&*plugin, "POST", "/checks", Some("airbnb/precheck-test-listing.json")).await;
        assert_eq!((&said["changes"], sent(&said["reply"])), (&json!([]), json!({ "succeed": true })));
        let url = "/checks?action=check_availability&listing_id=0&start_date=2027-01-01&nights=1";
        let said = decode(&*plugin, "GET", url, None).await;
        assert_eq!((&said["changes"], sent(&said["reply"])), (&json!([]), json!({ "available": true })));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn notifications_are_distinguished_by_kind() {
        let plugin = load("airbnb").await;
        let report = async |name: &str| {
            let file = format!("airbnb/notification-{name}.json");
            decode(&*plugin, "POST", "/notifications", Some(&file)).await
        };
        let accepted = report("acceptance").await;
        assert_eq!(sent(&accepted["reply"]), json!({ "succeed": true }));
        let event = "reservation_acceptance_confirmation/HMSKETCH41/2027-03-02T18:20:05+02:00";
        assert_eq!(accepted["event_id"], event);
        let booking = &accepted["changes"][0];
        assert_eq!((&booking["id"], &booking["status"]), (&json!("HMSKETCH41"), &json!("confirmed")));
        assert_eq!((&booking["checkOut"], &booking["intent"]), (&json!("2027-09-02"), &json!("fact")));
        assert_eq!(booking["totalPrice"].to_string(), "397.55", "the rounded amount is another");
        assert_eq!(booking["modifiedAt"], "2027-03-02T16:20:05Z");
        assert_eq!((&booking["infants"], &booking["guests"]), (&json!(1), &Value::Null));
        assert_eq!(
            booking["guest"],
            json!({
                "id": "77100041", "firstName": "Oluwaseun", "phone": "+358 00 000 0041", "language": "fi"
            })
        );
        let asked = report("requested").await["changes"][0].take();
        assert_eq!((&asked["status"], &asked["intent"]), (&json!("pending"), &json!("request")));
        assert_eq!(
            report("authorization-revoked").await["changes"],
            json!([{ "kind": "connection", "event": "revoked" }])
        );
        assert_eq!(
            report("listings-mapped").await["changes"],
            json!([
                { "kind": "connection", "event": "remapped", "from": "5100220044", "to": "5100220099" },
                { "kind": "connection", "event": "linked", "ids": ["5100220045"] },
            ])
        );
        assert_eq!(
            report("listings-unlinked").await["changes"],
            json!([
                { "kind": "connection", "event": "unlinked", "ids": ["5100220045"] },
            ])
        );
        assert_eq!(
            report("synchronization").await["changes"],
            json!([
                { "kind": "connection", "event": "unlinked", "ids": ["5100220045"] },
                { "kind": "connection", "event": "linked", "ids": ["5100220044"] },
            ])
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn ranges_include_their_last_night() {
        let plugin = load("airbnb").await;
        let updates = read("airbnb/calendar-updates.json");
        let answers = vec![answer(200, b"{}".to_vec()), answer(429, Vec::new())];
        let pushed = document(try_call::calendar(&*plugin, &context(json!({})), updates, answers).await);
        let requests = pushed["requests"].as_array().expect("requests");
        assert_eq!(requests.len(), 2, "one for each listing, and none for what cannot be sent");
        assert_eq!(requests[0]["url"], "https://api.airbnb.com/v2/calendar_operations?_allow_dates_overlap=true");
        assert_eq!(requests[0]["headers"]["X-Airbnb-OAuth-Token"], "{airbnb.token}");
        assert_eq!(
            sent(&requests[0]),
            json!({
                "listing_id": "5100220044",
                "operations": [
                    { "dates": ["2027-10-08:2027-10-09"], "availability": "default", "daily_price": 146, "min_nights": 2,
                      "max_nights": 21 },
                    { "dates": ["2027-10-10"], "availability": "unavailable", "daily_price": 160, "closed_to_arrival": true },
                ]
            })
        );
        let statuses: Vec<&str> = pushed["outcomes"]
            .as_array()
            .expect("outcomes")
            .iter()
            .map(|o| o["status"].as_str().expect("a word"))
            .collect();
        assert_eq!(statuses, ["warned", "refused", "retry"]);
    }
}

mod calry {
    use super::*;

    async fn fetch(plugin: &dyn Adapter, selection: Value, cursor: Option<&str>, answer: HttpResponse) -> TryResult {
        let query = json!({ "entity": "reservation", "selection": selection, "cursor": cursor });
        let query = serde_json::from_value(query).expect("a query");
        try_call::fetch(plugin, &context(read("calry/settings.json")), query, vec![answer]).await
    }

    fn window() -> Value {
        json!({ "within": { "start": "2027-06-01", "until": "2027-09-01" } })
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn windows_are_read_page_by_page() {
        let plugin = load("calry").await;
        let first = answer(200, fixture("calry/reservations-page.json"));
        let page = document(fetch(&*plugin, window(), None, first).await);
        let asked = &page["requests"][0];
        assert_eq!(
            asked["url"],
            "https://calry.example/api/v2/vrs/reservations?departureStartDate=2027-06-01&arrivalEndDate=2027-09-01&limit=200"
        );
        assert_eq!(
            asked["headers"],
            json!({
                "Authorization": "Bearer {calry.key}", "workspaceId": "00000000-0000-4000-8000-00000000a001",
                "integrationAccountId": "00000000-0000-4000-8000-00000000c001"
            })
        );
        assert_eq!(page["next"], "cB/=");
        let changes = page["changes"].as_array().expect("changes");
        let rooms: Vec<&str> = changes[0]["rooms"]
            .as_array()
            .expect("rooms")
            .iter()
            .filter_map(|room| room["roomTypeId"].as_str())
            .collect();
        assert_eq!(rooms, ["mill-7-loft", "mill-7-barn"]);
        assert_eq!((&changes[0]["status"], &changes[0]["roomTypeId"]), (&json!("confirmed"), &Value::Null));
        assert_eq!((changes[0]["totalPrice"].to_string(), &changes[0]["id"]), ("1015.2".to_owned(), &json!("88401")));
        assert_eq!(changes[0]["rooms"][0]["unitId"], Value::Null, "one unit for two rooms belongs to neither");
        assert_eq!(
            (&changes[1]["status"], &changes[1]["checkOut"]),
            (&json!("AWAITING_DEPOSIT"), &json!("2027-06-21"))
        );
        assert_eq!((&changes[1]["guest"]["name"], &changes[1]["guests"]), (&json!("Liv"), &json!(2)));
        assert_eq!(changes.len(), 3, "one block of two room types");
        let block = &changes[2];
        assert_eq!((&block["id"], &block["roomTypeIds"]), (&json!("88403"), &json!(["mill-7-loft", "mill-7-barn"])));
        let last = answer(200, fixture("calry/reservations-last-page.json"));
        let last = document(fetch(&*plugin, window(), Some("cB/="), last).await);
        assert!(last["requests"][0]["url"].as_str().expect("a URL").ends_with("&limit=200&cursor=cB%2F%3D"));
        assert_eq!((&last["next"], &last["changes"]), (&Value::Null, &json!([])));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_failure_may_have_a_status_of_success() {
        let plugin = load("calry").await;
        let failure = || answer(200, fixture("calry/failure.json"));
        let said = problem(fetch(&*plugin, window(), None, failure()).await);
        assert_eq!(said["type"], "/problems/plugin/unavailable");
        assert!(said["title"].as_str().expect("a title").contains("asleep"), "{said}");
        let since = json!({ "changed-since": "2027-01-01T00:00:00Z" });
        let said = problem(fetch(&*plugin, since, None, failure()).await);
        assert_eq!(said["type"], "/problems/plugin/unsupported");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_call_says_where_to_look() {
        let plugin = load("calry").await;
        let call = request("POST", "/", Some("calry/webhook.json"));
        let said = document(try_call::decode(&*plugin, &context(read("calry/settings.json")), call).await);
        assert_eq!(said["changes"], json!([{ "kind": "refetch", "entity": "reservation", "id": "88401" }]));
        let page = answer(200, fixture("calry/reservations-page.json"));
        let found = document(fetch(&*plugin, json!({ "some": ["88401"] }), None, page).await);
        assert_eq!(found["changes"].as_array().expect("changes").len(), 1);
    }
}

mod ical {
    use super::*;

    async fn fetch(plugin: &dyn Adapter, status: u16, body: Vec<u8>) -> TryResult {
        let query = json!({ "entity": "reservation", "selection": "everything" });
        let query = serde_json::from_value(query).expect("a query");
        try_call::fetch(plugin, &context(read("ical/settings.json")), query, vec![answer(status, body)]).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_calendar_is_fetched_whole_from_an_address_that_is_a_secret() {
        let page = document(fetch(&*load("ical").await, 200, fixture("ical/calendar.ics")).await);
        assert_eq!(
            (&page["requests"][0]["url"], &page["requests"][0]["credential"]),
            (&json!("{ical.url}"), &json!("ical"))
        );
        let changes = page["changes"].as_array().expect("changes");
        assert_eq!(changes.len(), 4, "a block that was called off is none");
        let booking = &changes[0];
        assert_eq!((&booking["checkIn"], &booking["checkOut"]), (&json!("2027-08-28"), &json!("2027-09-02")));
        assert_eq!(booking["guest"], json!({ "name": "Philippa Longworth, twice" }), "unfolded, and not split");
        assert_eq!((&booking["source"], &booking["completeness"]), (&json!("vrbo"), &json!("partial")));
        assert_eq!(
            (&booking["notes"], &booking["modifiedAt"]),
            (&json!("Late\nferry"), &json!("2027-05-03T08:00:00Z"))
        );
        assert_eq!((&changes[1]["kind"], &changes[1]["checkOut"]), (&json!("block"), &json!("2028-01-01")));
        assert_eq!((&changes[2]["status"], &changes[3]["status"]), (&json!("cancelled"), &json!("pending")));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn half_a_calendar_is_none() {
        let plugin = load("ical").await;
        let whole = fixture("ical/calendar.ics");
        let said = problem(fetch(&*plugin, 200, whole[..whole.len() / 2].to_vec()).await);
        assert_eq!(said["type"], "/problems/plugin/malformed");
        assert_eq!(problem(fetch(&*plugin, 410, Vec::new()).await)["type"], "/problems/plugin/unauthorized");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn our_calendar_is_rendered_in_parts_and_stays_the_same() {
        let plugin = load("ical").await;
        let render = async |url: &str, now: &str| {
            let mut context = context(read("ical/settings.json"));
            context.core_data = read("ical/core-data.json");
            context.now = now.parse().expect("an instant");
            document(try_call::render(&*plugin, &context, request("GET", url, None)).await)["reply"].take()
        };
        let reply = render("/calendars/ferry-house.ics", "2027-05-20T00:00:00Z").await;
        let body = reply["body"].as_str().expect("text");
        assert_eq!(reply["headers"]["content-type"], "text/calendar; charset=utf-8");
        assert!(body.starts_with("BEGIN:VCALENDAR\r\n") && body.ends_with("END:VCALENDAR\r\n"), "{body}");
        assert!(body.lines().all(|line| line.len() <= 75));
        let event = |uid: &str, stamp: &str, start: &str, end: &str, summary: &str| {
            format!(
                "BEGIN:VEVENT\r\nUID:{uid}@gassync\r\nDTSTAMP:{stamp}\r\nDTSTART;VALUE=DATE:{start}\r\n\
                 DTEND;VALUE=DATE:{end}\r\nSUMMARY:{summary}\r\nTRANSP:OPAQUE\r\nEND:VEVENT\r\n"
            )
        };
        let changed = "20270503T093000Z";
        let events = [
            event("bk-501", "20270501T093000Z", "20270601", "20270603", "Reserved"),
            event("closed-ferry-house-2027-06-03", changed, "20270603", "20270604", "Not available"),
            event("closed-ferry-house-2027-12-31", changed, "20271231", "20280101", "Not available"),
            event("closed-ferry-house-2028-01-01", changed, "20280101", "20280102", "Not available"),
        ];
        let all: String = body[body.find("BEGIN:VEVENT").expect("an event")..].to_owned();
        assert_eq!(all, format!("{}END:VCALENDAR\r\n", events.concat()));
        assert!(!body.contains("Shouldsee"), "who comes is nobody's business there");
        assert_eq!(render("/calendars/ferry-house.ics", "2027-05-21T12:00:00Z").await, reply, "the next day");
        assert_eq!(render("/calendars/elsewhere.ics", "2027-05-20T00:00:00Z").await["status"], 404);
    }
}
