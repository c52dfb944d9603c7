//! Alarms in terms that hotel staff understand: each kind is provoked, listed with its remedy, resolved by that
//! command, and then gone.

use std::net::SocketAddr;

use gassync_tests::{
    database::Database,
    faulty_channel::{Account, FaultyChannel, wire_time},
    host::Host,
    odd_channel::{OddChannel, booking},
    on_both,
    plugins::component,
    port::free_port,
    process::{Served, run},
};
use serde_json::{Value, json};

on_both!(each_alarm_names_its_remedy, each_time_based_alarm_names_its_remedy);

/// A host process, an odd channel, and the command line between them.
struct Stage {
    channel: OddChannel,
    served: Served,
    environment: Vec<(String, String)>,
    made: Value,
}

impl Stage {
    async fn open(database: &Database) -> Self {
        let channel = OddChannel::start().await;
        let listen = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut served =
            Served::new(database, listen, channel.address.to_string()).with("GASSYNC_WORKERS_POLL_SECONDS", "1");
        std::fs::create_dir_all(served.plugins()).expect("a folder");
        std::fs::write(served.plugins().join("beds24.wasm"), component("beds24")).expect("a component");
        served.start().await;
        let environment = vec![
            ("GASSYNC_DATA_DIR".to_owned(), served.data().display().to_string()),
            ("GASSYNC_DATABASE_URL".to_owned(), database.url.clone()),
        ];
        let mut stage = Self { channel, served, environment, made: Value::Null };
        stage.until("the plugin serves", |stage| stage.call(&["plugin", "list"]).contains("beds24")).await;
        stage
    }

    /// Output of a command on either stream.
    fn call(&self, arguments: &[&str]) -> String {
        let environment: Vec<(&str, &str)> = self.environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let output = run(arguments, &environment);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let may_fail = arguments.first() == Some(&"alarms");
        assert!(output.status.success() || may_fail, "{arguments:?}: {said}");
        said
    }

    fn alarms(&self) -> Vec<Value> {
        serde_json::from_str(self.call(&["alarms", "--json"]).trim()).expect("alarms")
    }

    fn alarm(&self, kind: &str) -> Option<Value> {
        self.alarms().into_iter().find(|alarm| alarm["kind"] == kind)
    }

    async fn until(&mut self, what: &str, there: impl Fn(&Self) -> bool) {
        for _ in 0..300 {
            if there(self) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("30 s went by before {what}: {:?}", self.alarms());
    }

    /// Waits for an alarm of a kind.
    async fn planted(&mut self, kind: &str) -> Value {
        self.until(&format!("an alarm of the kind {kind}"), |stage| stage.alarm(kind).is_some()).await;
        self.alarm(kind).expect("it was there")
    }

    /// Runs the alarm's remedy that contains this word, with the placeholders filled in, and waits until no alarm of
    /// the kind is left.
    async fn mend(&mut self, alarm: &Value, word: &str, filled: &[(&str, &str)]) {
        let mend = alarm["remedy"].as_str().expect("a mend");
        let command = mend
            .split("gassync ")
            .map(|command| command.split([',', ';']).next().unwrap_or_default().trim())
            .find(|command| command.contains(word))
            .unwrap_or_else(|| panic!("no command with {word} in {mend}"));
        let words = command.split_whitespace().map(|word| {
            let known = filled.iter().find(|(name, _)| *name == word);
            known.map_or(word, |(_, value)| value)
        });
        self.call(&words.collect::<Vec<_>>());
        let kind = alarm["kind"].as_str().expect("a kind").to_owned();
        self.until(&format!("the alarm {kind} is gone"), |stage| stage.alarm(&kind).is_none()).await;
    }

    async fn webhook(&self, body: String) -> u16 {
        let header = self.made["webhookHeader"].as_str().expect("a header");
        let token = self.made["webhookToken"].as_str().expect("a token");
        let url = self.made["webhookUrl"].as_str().expect("an address");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let request = http.post(url).header(header, token).header("content-type", "application/json").body(body);
        request.send().await.expect("an answer").status().as_u16()
    }
}

const BY: [(&str, &str); 2] = [("WHO", "Lena"), ("TEXT", "tried")];

async fn each_alarm_names_its_remedy(database: Database) {
    let mut stage = Stage::open(&database).await;
    let base = format!("baseUrl=http://{}/api/v2", stage.channel.address);
    let add = ["source", "add", "--account", "A", "--channel", "beds24", "--name", "odd", "--setting", &base, "--json"];
    let made = stage.call(&[&add[..], &["--credential", "inviteCode=code"]].concat());
    let made = made.lines().find(|line| line.starts_with('{')).expect("JSON");
    stage.made = serde_json::from_str(made).expect("a source");

    // A property without a time zone.
    let alarm = stage.planted("no-time-zone").await;
    assert_eq!((&alarm["house"], &alarm["source"]), (&json!("Casa Alta"), &json!("odd")));
    stage.mend(&alarm, "time-zone", &[("ZONE", "Europe/Lisbon")]).await;

    // An unreadable message.
    assert_eq!(stage.webhook("half a mess".to_owned()).await, 200);
    let alarm = stage.planted("failed-messages").await;
    assert_eq!((&alarm["count"], &alarm["source"]), (&json!(1), &json!("odd")));
    stage.mend(&alarm, "dismiss", &BY).await;

    // A page with a record without an id: the record is set aside, the others are applied.
    let without_id = booking(0, ("2031-03-01", "2031-03-04"), "confirmed", r#""id":null"#);
    let good = booking(71, ("2031-02-01", "2031-02-04"), "confirmed", "");
    stage.channel.say(|words| words.bookings = vec![without_id, good.clone()]);
    let alarm = stage.planted("set-aside").await;
    assert!(alarm["since"].is_string() && alarm["last"].is_string(), "{alarm}");
    let again = |stage: &Stage| stage.alarm("set-aside").is_some_and(|alarm| alarm["count"].as_i64() > Some(1));
    stage.until("it comes again as the same alarm", again).await;
    assert_eq!(stage.alarms().iter().filter(|alarm| alarm["kind"] == "set-aside").count(), 1);
    stage.channel.say(|words| words.bookings = vec![good]);
    stage.mend(&alarm, "dismiss", &BY).await;

    // A cancelled booking confirmed again: its nights are held until somebody decides.
    let word = |status: &str, at: &str| {
        booking(71, ("2031-02-01", "2031-02-04"), status, &format!(r#""modifiedTime":"2027-01-0{at}T08:00:00Z""#))
    };
    stage.channel.say(|words| words.bookings = vec![word("cancelled", "3")]);
    assert_eq!(stage.webhook(format!(r#"{{"booking":{}}}"#, word("cancelled", "3"))).await, 200);
    stage.channel.say(|words| words.bookings = vec![word("confirmed", "4")]);
    assert_eq!(stage.webhook(format!(r#"{{"booking":{}}}"#, word("confirmed", "4"))).await, 200);
    let alarm = stage.planted("parked").await;
    let named = ["house", "room", "firstNight", "lastNight", "reference"].map(|name| alarm[name].as_str());
    assert_eq!(
        named,
        [Some("Casa Alta"), Some("Cottage"), Some("2031-02-01"), Some("2031-02-03"), Some("71")],
        "{alarm}"
    );
    stage.mend(&alarm, "map decide", &[("stand|cancel|ignore", "stand"), BY[0], BY[1]]).await;

    // An overbooking.
    let second = booking(72, ("2031-02-02", "2031-02-03"), "confirmed", "");
    stage.channel.say(|words| words.bookings.push(second));
    let alarm = stage.planted("overbooked").await;
    assert_eq!(
        (&alarm["room"], &alarm["firstNight"], &alarm["reference"]),
        (&json!("Cottage"), &json!("2031-02-02"), &json!("72"))
    );
    let moved = booking(72, ("2031-02-02", "2031-02-03"), "cancelled", r#""modifiedTime":"2027-01-05T08:00:00Z""#);
    stage.channel.say(|words| words.bookings[1] = moved);
    stage.until("it was mended at the channel", |stage| stage.alarm("overbooked").is_none()).await;
    stage.served.kill();
}

/// The alarms of a kind.
async fn of_kind(host: &Host, kind: &str) -> Vec<Value> {
    let alarms = host.look("alarms").await;
    alarms.as_array().expect("alarms").iter().filter(|alarm| alarm["kind"] == kind).cloned().collect()
}

async fn gone(host: &Host, kind: &str) {
    host.until("the alarm is gone", async || of_kind(host, kind).await.is_empty()).await;
}

/// Alarms that appear only after minutes, with a clock that is moved forward.
async fn each_time_based_alarm_names_its_remedy(database: Database) {
    let channel = FaultyChannel::start(Account { page_size: 100, ..Account::default() }).await;
    let host = channel.host(database, &[]).await;
    let made = channel.connect(&host, Some("UTC")).await;
    host.until("the room is known", async || {
        host.look("sources/beds24/links").await.as_array().map(Vec::len) == Some(2)
    })
    .await;
    let is_linked = async |id: u64| {
        let links = host.look("sources/beds24/links").await;
        let id = json!(id.to_string());
        links.as_array().is_some_and(|links| links.iter().any(|link| link["kind"] == "reservation" && link["id"] == id))
    };

    // Polls that keep failing.
    channel.account().spoiled = Some((200, r#"{"success": true, "data": "none"}"#));
    host.until("it is an alarm", async || {
        channel.pass_slowly(20).await;
        !of_kind(&host, "source").await.is_empty()
    })
    .await;
    let alarm = of_kind(&host, "source").await.remove(0);
    assert_eq!(
        (&alarm["source"], &alarm["remedy"]),
        (&json!("beds24"), &json!("gassync source sync beds24")),
        "{alarm}"
    );
    assert!(alarm["since"].is_string() && alarm["count"].as_i64() >= Some(5), "{alarm}");
    channel.account().spoiled = None;
    assert_eq!(host.operate("sources/beds24/sync", &Value::Null).await.status().as_u16(), 200);
    gone(&host, "source").await;

    // Webhooks that stop.
    let call = async |booking: Value| {
        let header = made.webhook_header.as_deref().expect("a header");
        let request = host.http.post(&made.webhook_url).header(header, &made.webhook_token);
        let body = json!({ "timeStamp": wire_time(&host.app.now()), "booking": booking });
        assert_eq!(request.json(&body).send().await.expect("an answer").status().as_u16(), 200);
    };
    let told = channel.booking(1, 10);
    channel.account().bookings.push(told.clone());
    call(told).await;
    host.until("it was told", async || is_linked(1).await).await;
    for id in 2..=4_u64 {
        let sold = channel.booking(id, 10);
        channel.account().bookings.push(sold);
        // A failing poll is retried after a minute.
        host.until("it came by a poll", async || {
            channel.pass_slowly(5).await;
            is_linked(id).await
        })
        .await;
    }
    channel.pass(700);
    host.until("it is an alarm", async || !of_kind(&host, "channel-silent").await.is_empty()).await;
    let alarm = of_kind(&host, "channel-silent").await.remove(0);
    assert!(alarm["remedy"].as_str().expect("a mend").starts_with("gassync source show beds24"), "{alarm}");
    let again = channel.booking(5, 10);
    channel.account().bookings.push(again.clone());
    call(again).await;
    gone(&host, "channel-silent").await;

    // A booking missing at the channel.
    channel.account().silent_about = vec![2];
    channel.account().bookings.retain(|booking| booking["id"] != 2);
    let base = made.webhook_url.split('?').next().expect("a URL").to_owned();
    let url = format!("{base}/v1?token={}&bookid=2&status=modify", made.webhook_token);
    assert_eq!(host.http.get(&url).send().await.expect("an answer").status().as_u16(), 200);
    host.until("it is an alarm", async || {
        channel.pass_slowly(60).await;
        !of_kind(&host, "gone").await.is_empty()
    })
    .await;
    let alarm = of_kind(&host, "gone").await.remove(0);
    let names = ["house", "room", "reference", "firstNight", "lastNight"].map(|name| alarm[name].as_str().is_some());
    assert_eq!((names, &alarm["reference"]), ([true; 5], &json!("2")), "{alarm}");
    assert!(
        alarm["remedy"].as_str().expect("a mend").starts_with("gassync map decide beds24 reservation 2 "),
        "{alarm}"
    );
    let decision =
        json!({ "kind": "reservation", "id": "2", "decision": "cancel", "by": "Lena", "why": "the guest called" });
    let decided = host.operate("sources/beds24/parked/decide", &decision).await;
    assert_eq!(decided.status().as_u16(), 200, "{}", decided.text().await.expect("a body"));
    gone(&host, "gone").await;
    host.stop().await;
}
