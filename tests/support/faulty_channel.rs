//! A channel with the Beds24 API that fails in ways the simulator does not.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{Query, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use gassync::admin::{CreatedSource, NewSourceRequest};
use gassync_domain::utc_day;
use jiff::{SignedDuration, Span, civil::Date};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    database::Database,
    host::{ACCOUNT, Host},
    test_clock::TestClock,
};

/// Channel id of the property.
pub const HOUSE: u64 = 4_100;
/// Channel id of its room type, which has many units.
pub const ROOM: u64 = 5_200;

/// Interval between two steps of the clock.
const BETWEEN: Duration = Duration::from_millis(500);

/// The content and the faults of the channel.
#[derive(Default)]
pub struct Account {
    /// Its bookings, in list order.
    pub bookings: Vec<Value>,
    /// Bookings per page.
    pub page_size: usize,
    /// Status and body that replace booking lists.
    pub spoiled: Option<(u16, &'static str)>,
    /// Pages of bookings never end.
    pub endless: bool,
    /// Id of a booking that is deleted after the first page was read.
    pub deletes: Option<u64>,
    /// Ids of bookings missing from responses.
    pub silent_about: Vec<u64>,
    /// Responses to a list of ids contain only the first.
    pub answers_first_of_list: bool,
    /// Rooms are missing from responses.
    pub hides_rooms: bool,
    /// The queries of all booking requests.
    pub asked: Vec<String>,
}

/// A running channel.
pub struct FaultyChannel {
    /// Its listen address.
    pub address: SocketAddr,
    account: Arc<Mutex<Account>>,
    /// The clock of its hosts.
    pub clock: TestClock,
    stop: CancellationToken,
}

impl Drop for FaultyChannel {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

type Shared = State<Arc<Mutex<Account>>>;

fn lock(account: &Mutex<Account>) -> MutexGuard<'_, Account> {
    account.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FaultyChannel {
    /// Starts the channel.
    pub async fn start(account: Account) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let account = Arc::new(Mutex::new(Account { page_size: account.page_size.max(1), ..account }));
        let router = Router::new()
            .route("/authentication/setup", get(token))
            .route("/authentication/token", get(token))
            .route("/properties", get(properties))
            .route("/bookings", get(bookings))
            .route("/inventory/rooms/calendar", get(calendar))
            .with_state(Arc::clone(&account));
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stopped).await });
        Self { address, account, clock: TestClock::default(), stop }
    }

    /// Its content and faults, locked.
    pub fn account(&self) -> MutexGuard<'_, Account> {
        lock(&self.account)
    }

    /// Number of booking requests whose query contains this.
    pub fn asked(&self, part: &str) -> usize {
        self.account().asked.iter().filter(|query| query.contains(part)).count()
    }

    /// Advances the clock of its hosts.
    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Advances the clock while the test waits for something, in steps short enough that running work keeps its leases.
    pub async fn pass_slowly(&self, seconds: i64) {
        self.pass(seconds);
        tokio::time::sleep(BETWEEN).await;
    }

    /// The date this many days from today.
    pub fn day(&self, ahead: i64) -> Date {
        utc_day(self.clock.now()).saturating_add(Span::new().days(ahead))
    }

    /// A booking of two nights.
    pub fn booking(&self, id: u64, ahead: i64) -> Value {
        json!({
            "id": id, "propertyId": HOUSE, "roomId": ROOM, "status": "confirmed", "numAdult": 2, "price": 180,
            "arrival": self.day(ahead), "departure": self.day(ahead + 2), "firstName": "Ines", "lastName": "Moura",
            "bookingTime": wire_time(&self.clock.now()), "modifiedTime": wire_time(&self.clock.now()),
        })
    }

    /// Starts a host that may reach the channel and uses its clock, with further settings.
    pub async fn host(&self, database: Database, more: &[(&str, &str)]) -> Host {
        let private = self.address.to_string();
        let mut settings = vec![("GASSYNC_EGRESS_ALLOW_PRIVATE", private.as_str())];
        settings.extend(more);
        Host::prepared(database, (&["beds24"], None), &settings, |app| self.clock.set(app)).await
    }

    /// Connects the host to the channel.
    pub async fn connect(&self, host: &Host, time_zone: Option<&str>) -> CreatedSource {
        let new = NewSourceRequest {
            account: ACCOUNT.to_owned(),
            channel: "beds24".to_owned(),
            name: "beds24".to_owned(),
            settings: [("baseUrl".to_owned(), json!(format!("http://{}", self.address)))].into(),
            credentials: [("inviteCode".to_owned(), "an-invite-code".to_owned())].into(),
            time_zone: time_zone.map(str::to_owned),
        };
        host.operate("sources", &new).await.json().await.expect("a source")
    }
}

/// Formats an instant as Beds24 does.
pub fn wire_time(at: &jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

async fn token() -> Response {
    answer(&json!({ "token": "token", "refreshToken": "refresh", "expiresIn": 86_400 }))
}

fn answer(body: &Value) -> Response {
    (StatusCode::OK, [("content-type", "application/json")], body.to_string()).into_response()
}

fn data(data: Vec<Value>, another: bool) -> Response {
    let pages = json!({ "nextPageExists": another, "nextPageLink": null });
    answer(&json!({ "success": true, "type": "any", "count": data.len(), "pages": pages, "data": data }))
}

async fn properties(State(account): Shared) -> Response {
    let room = json!({ "id": ROOM, "propertyId": HOUSE, "name": "Garden room", "qty": 100, "maxPeople": 4 });
    let rooms = if lock(&account).hides_rooms { Vec::new() } else { vec![room] };
    let house = json!({ "id": HOUSE, "name": "Quinta", "currency": "EUR", "roomTypes": rooms });
    data(vec![house], false)
}

/// Returns no nights.
async fn calendar() -> Response {
    data(vec![json!({ "roomId": ROOM, "propertyId": HOUSE, "name": "Garden room", "calendar": [] })], false)
}

async fn bookings(
    State(account): Shared,
    RawQuery(query): RawQuery,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Response {
    let account = &mut *lock(&account);
    account.asked.push(query.unwrap_or_default());
    if let Some((status, text)) = account.spoiled {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (status, [("content-type", "application/json")], text).into_response();
    }
    let all = |name: &'static str| parameters.iter().filter(move |(key, _)| key == name).map(|(_, value)| value);
    let ids: Vec<u64> = all("id").filter_map(|id| id.parse().ok()).collect();
    let id_of = |booking: &Value| booking["id"].as_u64().unwrap_or_default();
    let is_told = |booking: &Value| !account.silent_about.contains(&id_of(booking));
    if !ids.is_empty() {
        let answered = if account.answers_first_of_list { &ids[..1] } else { &ids[..] };
        let found = account.bookings.iter().filter(|booking| answered.contains(&id_of(booking)) && is_told(booking));
        return data(found.cloned().collect(), false);
    }
    let since = all("modifiedFrom").next();
    let is_asked_for = |booking: &&Value| match (since, booking["modifiedTime"].as_str()) {
        (Some(since), Some(modified)) => since.get(..19) <= modified.get(..19),
        _ => true,
    };
    let found: Vec<Value> =
        account.bookings.iter().filter(is_asked_for).filter(|booking| is_told(booking)).cloned().collect();
    let page = all("page").next().and_then(|page| page.parse::<usize>().ok()).unwrap_or(1);
    if account.endless {
        return data(found.into_iter().take(account.page_size).collect(), true);
    }
    let first = (page - 1) * account.page_size;
    let another = found.len() > first + account.page_size;
    let shown: Vec<Value> = found.into_iter().skip(first).take(account.page_size).collect();
    if page == 1
        && another
        && let Some(deleted) = account.deletes.take()
    {
        account.bookings.retain(|booking| id_of(booking) != deleted);
    }
    data(shown, another)
}
