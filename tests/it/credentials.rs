//! Credentials: setup, renewal by one process at a time, consent, expiry and deletion.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use gassync::{credentials::ConnectionSecrets, store};
use gassync_domain::{AccountId, ConnectionId};
use gassync_runtime::Credentials;
use gassync_tests::{
    database::{Database, dump},
    host::{Host, clock, read},
    on_both,
    plugins::component,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

on_both!(
    one_process_renews_a_token_for_all,
    client_credentials_tokens_are_renewed,
    consent_is_given_once,
    a_revoked_grant_is_reported_and_reconnected,
    an_idle_grant_is_kept_alive,
    the_database_contains_no_plaintext_secret,
);

/// A channel that issues and counts tokens.
#[derive(Default)]
struct Ledger {
    /// Path, and body or refresh token, of every call.
    calls: Vec<(String, String)>,
    issued: u32,
    /// The only valid refresh token; each renewal replaces it.
    refresh: u32,
    dead: bool,
}

type Shared = Arc<Mutex<Ledger>>;

async fn channel() -> (SocketAddr, Shared) {
    let ledger = Shared::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().fallback(give).with_state(Arc::clone(&ledger));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, ledger)
}

async fn give(
    State(ledger): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Result<Json<Value>, StatusCode> {
    let spent = headers.get("refresh-token").map_or(body, |token| token.to_str().expect("text").to_owned());
    let number = {
        let mut ledger = ledger.lock().expect("the ledger");
        ledger.calls.push((uri.path().to_owned(), spent.clone()));
        if ledger.dead || (uri.path() == "/refresh" && spent != format!("refresh-{}", ledger.refresh)) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        ledger.issued += 1;
        if ["/setup", "/refresh"].contains(&uri.path()) {
            ledger.refresh = ledger.issued;
        }
        ledger.issued
    };
    // Long enough for concurrent renewals.
    tokio::time::sleep(Duration::from_millis(200)).await;
    // The first token expires so soon that it is renewed at once.
    let seconds = if uri.path() == "/setup" { 60 } else { 86_400 };
    Ok(Json(json!({
        "token": format!("token-{number}"), "refreshToken": format!("refresh-{number}"), "expiresIn": seconds,
    })))
}

fn calls(ledger: &Shared, path: &str) -> Vec<String> {
    let ledger = ledger.lock().expect("the ledger");
    ledger.calls.iter().filter(|(called, _)| called == path).map(|(_, spent)| spent.clone()).collect()
}

async fn host(database: Database, channel: SocketAddr) -> Host {
    let key = "5a".repeat(32);
    let settings = [("GASSYNC_EGRESS_ALLOW_PRIVATE", &*channel.to_string()), ("GASSYNC_SECRETS_KEY", &*key)];
    let host = Host::with(database, &settings).await;
    assert_eq!(host.install(component("tokens")).await.0, 201);
    host
}

async fn add(host: &Host, channel: SocketAddr, credentials: Value) -> Value {
    let new = json!({
        "account": "One", "channel": "tokens", "name": "t",
        "settings": { "baseUrl": format!("http://{channel}") }, "credentials": credentials,
    });
    let (status, made) = read(host.operate("sources", &new).await).await;
    assert_eq!(status, 201, "{made}");
    made
}

async fn place(host: &Host) -> (AccountId, ConnectionId, Value) {
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let source = store::sources::all(&mut tx).await.expect("read").remove(0);
    (source.account, source.connection.expect("a connection"), source.config)
}

async fn secrets(host: &Host) -> Arc<ConnectionSecrets> {
    let (account, connection, settings) = place(host).await;
    let plugin = host.app.plugins.get("tokens").expect("it serves");
    Arc::new(ConnectionSecrets::new(Arc::clone(&host.app), account, connection, plugin, settings))
}

async fn field(secrets: &ConnectionSecrets, slot: &str, field: &str) -> Result<String, String> {
    let secret = secrets.field(slot, field).await;
    secret.map(|secret| secret.reveal().to_owned()).map_err(|error| error.to_string())
}

async fn one_process_renews_a_token_for_all(database: Database) {
    let (address, ledger) = channel().await;
    let url = database.url.clone();
    let one = host(database, address).await;
    let two = host(Database::beside(&url), address).await;
    add(&one, address, json!({ "inviteCode": "once" })).await;
    assert_eq!(calls(&ledger, "/setup"), ["once"]);
    let mut asked = JoinSet::new();
    for host in [&one, &two] {
        for _ in 0..5 {
            let secrets = secrets(host).await;
            asked.spawn(async move { field(&secrets, "api", "token").await });
        }
    }
    let reported = asked.join_all().await;
    assert!(reported.iter().all(|token| token.as_deref() == Ok("token-2")), "{reported:?}");
    assert_eq!(calls(&ledger, "/refresh"), ["refresh-1"], "it was spent once");
    let shown = one.look("sources/t").await;
    let renews = |field: &str| {
        let mut fields = shown["credentials"].as_array().expect("credentials").iter();
        fields.find(|stored| stored["field"] == field).map(|stored| stored["renews"].clone())
    };
    assert_eq!((renews("token"), renews("inviteCode")), (Some(json!(true)), None), "a code for one use is not kept");
    one.stop().await;
    two.stop().await;
}

async fn client_credentials_tokens_are_renewed(database: Database) {
    let (address, ledger) = channel().await;
    let host = host(database, address).await;
    let typed = json!({ "clientId": "c", "app.clientSecret": "s&t", "username": "Noor", "password": "p:w" });
    add(&host, address, typed).await;
    let asked = "grant_type=client_credentials&client_id=c&client_secret=s%26t";
    assert_eq!(calls(&ledger, "/client"), [asked]);
    let secrets = secrets(&host).await;
    assert_eq!(field(&secrets, "app", "token").await.as_deref(), Ok("token-1"));
    // An expired token is renewed on use.
    let (account, connection, _) = place(&host).await;
    let past = store::Time::from(clock()() - SignedDuration::from_secs(1));
    let sealed = host.app.vault.encrypt(&format!("{account}/{connection}/app/token"), "token-1").expect("sealed");
    let old = store::connections::EncryptedCredential {
        key_id: host.app.vault.key_id().to_owned(),
        ciphertext: sealed,
        expires_at: Some(past),
    };
    let mut tx = host.app.db.write(account).await.expect("a transaction");
    let at = ("app", "token");
    store::connections::keep_credential(&mut tx, account, connection, at, &old, past.into()).await.expect("kept");
    tx.commit().await.expect("committed");
    assert_eq!(field(&secrets, "app", "token").await.as_deref(), Ok("token-2"));
    assert_eq!(calls(&ledger, "/client").len(), 2);
    assert_eq!(field(&secrets, "login", "basic").await.as_deref(), Ok("Tm9vcjpwOnc="));
    let incomplete = json!({ "credentials": { "username": "Noor" } });
    let (status, problem) = read(host.operate("sources/t/connect", &incomplete).await).await;
    assert_eq!(status, 502);
    assert!(problem["detail"].as_str().is_some_and(|reported| reported.contains("also needs password")), "{problem}");
    host.stop().await;
}

async fn consent_is_given_once(database: Database) {
    let (address, ledger) = channel().await;
    let host = host(database, address).await;
    let made = add(&host, address, json!({ "appId": "app 7", "username": "Noor", "password": "p:w" })).await;
    assert_eq!(host.look("sources/t").await["status"], "pending");
    let url: reqwest::Url = made["consentUrl"].as_str().expect("an address").parse().expect("a URL");
    let asked: std::collections::BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!((url.path(), &*asked["client_id"], &*asked["response_type"]), ("/consent", "app 7", "code"));
    assert_eq!(asked["redirect_uri"], format!("{}/oauth/callback", host.base));
    let back = async |state: &str, more: &str| {
        let url = format!("{}/oauth/callback?state={state}{more}", host.base);
        let answer = host.http.get(url).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a page"))
    };
    assert_eq!(back("somebody", "&code=x").await.0, 404);
    let (status, page) = back(&asked["state"], "&code=c%26d").await;
    assert_eq!(status, 200, "{page}");
    assert!(!page.contains("c&d") && !page.contains("token"), "{page}");
    let redirect = asked["redirect_uri"].replace(':', "%3A").replace('/', "%2F");
    assert_eq!(calls(&ledger, "/code"), [format!("code=c%26d&redirect_uri={redirect}")]);
    assert_eq!(host.look("sources/t").await["status"], "active");
    assert_eq!(field(&*secrets(&host).await, "user", "token").await.as_deref(), Ok("token-1"));
    assert_eq!(back(&asked["state"], "&code=c").await.0, 404, "it is good for one time");
    // A declined consent changes nothing.
    let again: Value = host.operate("sources/t/connect", &json!({})).await.json().await.expect("it");
    let url: reqwest::Url = again["consentUrl"].as_str().expect("an address").parse().expect("a URL");
    let state = url.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    assert!(back(&state, "&error=access_denied").await.1.contains("did not consent"));
    assert_eq!(calls(&ledger, "/code").len(), 1);
    assert_eq!(host.look("sources/t").await["status"], "active", "it worked before, and goes on");
    host.stop().await;
}

async fn a_revoked_grant_is_reported_and_reconnected(database: Database) {
    let (address, ledger) = channel().await;
    let host = host(database, address).await;
    add(&host, address, json!({ "inviteCode": "first" })).await;
    ledger.lock().expect("the ledger").dead = true;
    let secrets = secrets(&host).await;
    let reported = field(&secrets, "api", "token").await.expect_err("refused");
    assert!(
        reported.contains("refused the credential with status 401") && !reported.contains("refresh-1"),
        "{reported}"
    );
    assert_eq!(host.look("sources/t").await["status"], "expired");
    ledger.lock().expect("the ledger").dead = false;
    let again = json!({ "credentials": { "inviteCode": "second" } });
    let connected: Value = host.operate("sources/t/connect", &again).await.json().await.expect("it");
    assert_eq!(connected["status"], "active");
    assert!(field(&secrets, "api", "token").await.is_ok());
    for nothing in [json!({}), json!({ "credentials": { "inviteCod": "typo" } })] {
        let status = host.operate("sources/t/connect", &nothing).await.status().as_u16();
        assert!([400, 502].contains(&status), "{nothing}: {status}");
    }
    let done: Value = host.operate("sources/t/disconnect", &json!(null)).await.json().await.expect("it");
    assert_eq!((&done["problems"], calls(&ledger, "/revoke").len()), (&json!([]), 1));
    let shown = host.look("sources/t").await;
    assert_eq!((&shown["status"], &shown["credentials"]), (&json!("disconnected"), &json!([])));
    assert!(field(&secrets, "api", "token").await.expect_err("gone").contains("connect the source again"));
    host.stop().await;
}

async fn an_idle_grant_is_kept_alive(database: Database) {
    let (address, ledger) = channel().await;
    let host = host(database, address).await;
    add(&host, address, json!({ "inviteCode": "once" })).await;
    gassync::credentials::keep_alive_once(&host.app).await.expect("looked");
    assert_eq!(calls(&ledger, "/refresh").len(), 0, "it is fresh");
    let (account, connection, _) = place(&host).await;
    let mut tx = host.app.db.write(account).await.expect("a transaction");
    for name in ["token", "refreshToken"] {
        let at = ("api", name);
        let kept =
            store::connections::credential(&mut tx, account, connection, at).await.expect("read").expect("there");
        let long_ago = clock()() - SignedDuration::from_hours(24 * 16);
        store::connections::keep_credential(&mut tx, account, connection, at, &kept, long_ago).await.expect("kept");
    }
    tx.commit().await.expect("committed");
    gassync::credentials::keep_alive_once(&host.app).await.expect("looked");
    assert_eq!(calls(&ledger, "/refresh"), ["refresh-1"]);
    gassync::credentials::keep_alive_once(&host.app).await.expect("looked");
    assert_eq!(calls(&ledger, "/refresh").len(), 1, "once is enough");
    host.stop().await;
}

async fn the_database_contains_no_plaintext_secret(database: Database) {
    const PLANTED: [&str; 3] = ["Zq8vW3nX5kR7tB2m", "Hy6bN1cM9dL4sK0j", "Pw2eR5tY8uI3oA7s"];
    let (address, _ledger) = channel().await;
    let (url, folder) = (database.url.clone(), database.dir.path().to_owned());
    let host = host(database, address).await;
    let [invite, secret, password] = PLANTED;
    let typed = json!({ "inviteCode": invite, "clientId": "c", "clientSecret": secret, "username": "Noor", "password": password });
    add(&host, address, typed).await;
    let secrets = secrets(&host).await;
    assert_eq!(field(&secrets, "app", "clientSecret").await.as_deref(), Ok(secret), "it is there");
    let token = field(&secrets, "api", "token").await.expect("renewed");
    let text = dump(&url, &folder).await;
    assert!(text.contains("clientSecret") && text.contains("tokens"), "the dump holds the rows");
    for planted in PLANTED.into_iter().chain([token.as_str()]) {
        let forms = [planted.to_owned(), hex::encode(planted), hex::encode_upper(planted)];
        assert!(!forms.iter().any(|form| text.contains(form)), "{planted} is in the database");
    }
    host.stop().await;
}
