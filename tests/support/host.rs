//! A host in this process, with methods for common test steps.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use gassync::{
    admin::{CreatedKey, CreatedSource, NewKey, NewSourceRequest},
    app::App,
    config::Config,
    server,
    vault::system_random,
};
use gassync_domain::{Clock, Timestamp};
use gassync_simulator::{
    Simulator, WebhookTarget,
    beds24::{self, Beds24},
};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    caller::Caller,
    database::Database,
    leftovers::{self, Leftover},
    plugins,
};

/// The account of tests that need only one.
pub const ACCOUNT: &str = "Test Holidays";

/// The system clock.
#[expect(clippy::disallowed_methods, reason = "tests of a whole host live in real time")]
pub fn clock() -> Clock {
    Arc::new(Timestamp::now)
}

/// A running host.
pub struct Host {
    /// Its shared state.
    pub app: Arc<App>,
    /// Its base URL.
    pub base: String,
    /// Its plugin folder.
    pub plugins: PathBuf,
    /// HTTP client.
    pub http: Client,
    stop: CancellationToken,
    serving: Option<JoinHandle<anyhow::Result<()>>>,
    leftovers: leftovers::Expected,
    database: Database,
}

impl Drop for Host {
    /// The end of the test: what it left behind without saying so fails it.
    fn drop(&mut self) {
        // Of a shared database the host that owns it says what is left.
        if !std::thread::panicking() && !self.database.is_beside {
            self.leftovers.assert_nothing_else(&self.database.url, self.app.now());
        }
    }
}

/// A running simulator: of Beds24, where a test does not say otherwise.
pub struct Channel<S: Simulator + ?Sized = Beds24> {
    /// The simulated account.
    pub account: Arc<S>,
    /// Its listen address.
    pub address: SocketAddr,
    stop: CancellationToken,
}

impl<S: Simulator + ?Sized> Drop for Channel<S> {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Starts a simulated Beds24.
pub async fn channel(settings: beds24::Settings) -> Channel {
    Channel::start(Arc::new(Beds24::new(settings, clock()))).await
}

impl<S: Simulator + ?Sized> Channel<S> {
    /// Starts a simulator.
    pub async fn start(account: Arc<S>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        tokio::spawn(account.serve(listener, stop.clone()));
        Self { account, address, stop }
    }
}

impl Host {
    /// Starts a host without plugins, with these settings.
    pub async fn with(database: Database, settings: &[(&str, &str)]) -> Self {
        Self::begin(database, &[], None, settings).await
    }

    /// Starts a host with these plugins and network access to the channel at this address.
    pub async fn start(database: Database, components: &[&str], channel: Option<SocketAddr>) -> Self {
        Self::begin(database, components, channel, &[]).await
    }

    /// As [`Host::start`], with these settings.
    pub async fn begin(
        database: Database,
        components: &[&str],
        channel: Option<SocketAddr>,
        more: &[(&str, &str)],
    ) -> Self {
        Self::prepared(database, (components, channel), more, |_| {}).await
    }

    /// As [`Host::begin`], with parts of the host replaced before it serves.
    pub async fn prepared(
        database: Database,
        (components, channel): (&[&str], Option<SocketAddr>),
        more: &[(&str, &str)],
        replace: impl FnOnce(&mut App),
    ) -> Self {
        let plugins = database.dir.path().join("plugins");
        std::fs::create_dir_all(&plugins).expect("a folder");
        for name in components {
            std::fs::write(plugins.join(format!("{name}.wasm")), plugins::component(name)).expect("a component");
        }
        if !more.iter().any(|(name, _)| *name == "GASSYNC_SECRETS_KEY") {
            plugins::share_compiled(&database.dir.path().join("data"));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let settings = [
            ("GASSYNC_DATA_DIR", database.dir.path().join("data").display().to_string()),
            ("GASSYNC_PLUGINS_DIR", plugins.display().to_string()),
            ("GASSYNC_DATABASE_URL", database.url.clone()),
            ("GASSYNC_SERVER_LISTEN", address.to_string()),
            ("GASSYNC_EGRESS_ALLOW_PRIVATE", channel.map(|address| address.to_string()).unwrap_or_default()),
            ("GASSYNC_WORKERS_POLL_MILLIS", "50".to_owned()),
            ("GASSYNC_WORKERS_POLL_SECONDS", "1".to_owned()),
            ("GASSYNC_LIMITS_KEY_REQUESTS", "1000000".to_owned()),
        ];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        let settings = settings.chain(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let config = Config::load(Some("/dev/null".as_ref()), settings).expect("settings");
        let mut app = App::open(config, clock(), system_random()).await.expect("a host");
        replace(Arc::get_mut(&mut app).expect("nobody else has it yet"));
        let stop = CancellationToken::new();
        let serving = tokio::spawn(server::run(Arc::clone(&app), listener, stop.clone().cancelled_owned()));
        let host = Self {
            app,
            base: format!("http://{address}"),
            plugins,
            http: Client::builder().no_proxy().build().expect("a client"),
            stop,
            serving: Some(serving),
            leftovers: leftovers::Expected::default(),
            database,
        };
        // Its database may contain further plugins.
        host.until("its plugins are loaded", async || host.app.plugins.all().len() >= components.len()).await;
        host
    }

    /// Stops the host; panics if it did not end cleanly.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(serving) = self.serving.take() {
            serving.await.expect("joined").expect("ended well");
        }
    }

    /// An operator of this host.
    pub fn as_operator(&self) -> Caller {
        Caller::new(self.http.clone(), format!("{}/admin/v1", self.base), self.app.operator_token.clone())
    }

    /// A partner with this key.
    pub fn as_partner(&self, key: &str) -> Caller {
        Caller::new(self.http.clone(), format!("{}/integration/v1", self.base), key.to_owned())
    }

    /// Says what the test leaves behind on purpose.
    pub fn leaves(&self, leftover: Leftover) {
        self.leftovers.expect(leftover);
    }

    /// Sends a request as the operator.
    pub fn operator(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(&self.app.operator_token)
    }

    /// Creates an API key for an account.
    pub async fn key(&self, account: &str, name: &str) -> String {
        let new = NewKey {
            account: account.to_owned(),
            name: name.to_owned(),
            source: None,
            scopes: Vec::new(),
            strict: false,
            expires_at: None,
        };
        let request = self.http.post(format!("{}/admin/v1/keys", self.base)).json(&new);
        let answer = self.operator(request).send().await.expect("an answer");
        answer.json::<CreatedKey>().await.expect("a key").key
    }

    /// Connects the account to the simulated channel, with webhooks. The source has the channel's name.
    pub async fn connect<S: Simulator + ?Sized>(&self, channel: &Channel<S>) -> CreatedSource {
        self.connect_as(channel.account.channel(), channel).await
    }

    /// As [`Host::connect`], with this name of the source.
    pub async fn connect_as<S: Simulator + ?Sized>(&self, name: &str, channel: &Channel<S>) -> CreatedSource {
        let account = &channel.account;
        let new = NewSourceRequest {
            account: ACCOUNT.to_owned(),
            channel: account.channel().to_owned(),
            name: name.to_owned(),
            settings: account.settings(channel.address),
            credentials: account.credentials(),
            time_zone: Some("UTC".to_owned()),
        };
        let (status, made) = read(self.operate("sources", &new).await).await;
        assert_eq!(status, 201, "{made}");
        let made: CreatedSource = serde_json::from_value(made).expect("a source");
        let header = made.webhook_header.clone().map(|name| (name, made.webhook_token.clone()));
        account.set_webhook(WebhookTarget { url: made.webhook_url.clone(), header });
        made
    }

    /// Plans going live for a source and executes the plan, as an operator does. Returns the plan.
    pub async fn go_live(&self, source: &str) -> Value {
        let path = format!("sources/{source}/go-live");
        let (status, plan) = read(self.operate(&path, &json!({ "plan": true })).await).await;
        assert_eq!(status, 200, "{plan}");
        let (status, done) = read(self.operate(&path, &json!({ "planId": plan["planId"] })).await).await;
        assert_eq!((status, &done["live"]), (200, &json!(true)), "{done}");
        plan
    }

    /// Sends POST to an operator endpoint.
    pub async fn operate<T: serde::Serialize>(&self, path: &str, body: &T) -> Response {
        let request = self.http.post(format!("{}/admin/v1/{path}", self.base)).json(body);
        self.operator(request).send().await.expect("an answer")
    }

    /// Installs a component; returns status and body.
    pub async fn install(&self, component: Vec<u8>) -> (u16, Value) {
        let request = self.http.post(format!("{}/admin/v1/plugins", self.base)).body(component);
        read(self.operator(request).send().await.expect("an answer")).await
    }

    /// Sends GET to an operator endpoint.
    pub async fn look(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}/admin/v1/{path}", self.base));
        read(self.operator(request).send().await.expect("an answer")).await.1
    }

    /// Sends POST to the standard API; returns status and body.
    pub async fn post(&self, key: &str, entity: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(format!("{}/integration/v1/{entity}", self.base)).bearer_auth(key).json(body);
        read(request.send().await.expect("an answer")).await
    }

    /// Sends GET to the standard API; returns status and body.
    pub async fn get(&self, key: &str, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}/integration/v1/{path}", self.base)).bearer_auth(key);
        read(request.send().await.expect("an answer")).await
    }

    /// A figure of the status page.
    pub async fn figure(&self, name: &str) -> i64 {
        let mut tx = self.app.db.platform_read().await.expect("a transaction");
        let figures = gassync::store::status::figures(&mut tx).await.expect("figures");
        figures.into_iter().find(|(known, _)| *known == name).expect("a figure").1
    }

    /// Waits until the condition holds; panics after the timeout.
    pub async fn until(&self, what: &str, mut there: impl AsyncFnMut() -> bool) {
        for _ in 0..3_600 {
            if there().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("180 s went by before {what}");
    }
}

/// Status and body of a response.
pub async fn read(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// A property, a room type, and a reservation in it, in the standard schema.
pub fn records() -> [(&'static str, Value); 3] {
    [
        ("properties", json!({ "id": "p1", "name": "Casa Azul", "currency": "EUR", "address": { "city": "Faro" } })),
        ("room-types", json!({ "id": "t1", "propertyId": "p1", "name": "Patio", "maxOccupancy": 3 })),
        ("reservations", reservation("r1")),
    ]
}

/// A reservation in the room type of [`records`].
pub fn reservation(id: &str) -> Value {
    json!({
        "id": id,
        "roomTypeId": "t1",
        "checkIn": "2027-06-01",
        "checkOut": "2027-06-04",
        "status": "confirmed",
        "source": "direct",
        "guest": { "firstName": "Noor", "lastName": "de Wit", "email": "noor@example.org" },
        "adults": 2,
        "totalPrice": 330.50,
        "houseRules": { "read": true }
    })
}
