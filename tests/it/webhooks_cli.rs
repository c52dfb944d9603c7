//! The webhook commands against a running host.

use std::{io::Write, net::SocketAddr, process::Output};

use gassync::webhooks::SigningSecret;
use gassync_tests::{
    database::Database,
    host::clock,
    on_both,
    port::free_port,
    process::{Served, run},
    webhook_receiver::{Answer, WebhookReceiver},
};
use serde_json::{Value, json};

on_both!(webhook_commands);

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn webhook_commands(database: Database) {
    let receiver = WebhookReceiver::start().await;
    let listen = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut served =
        Served::new(&database, listen, String::new()).with("GASSYNC_WEBHOOKS_ALLOW_PRIVATE", "127.0.0.0/8");
    served.start().await;
    let data = served.data().display().to_string();
    let environment = [("GASSYNC_DATA_DIR", &*data), ("GASSYNC_DATABASE_URL", &*database.url)];
    let call = |arguments: &[&str]| {
        let output = run(&[&["webhooks"], arguments].concat(), &environment);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
        let json = serde_json::from_slice::<Value>(&output.stdout);
        (json.unwrap_or(Value::Null), format!("{}{}", String::from_utf8_lossy(&output.stdout), said(&output)))
    };
    let made = run(&["key", "create", "--account", "A", "--name", "partner", "--json"], &environment);
    assert!(made.status.success(), "{}", said(&made));
    let key = serde_json::from_slice::<Value>(&made.stdout).expect("JSON")["key"].clone();

    let headers = database.dir.path().join("headers.json");
    std::fs::write(&headers, r#"{ "X-Tenant": "7" }"#).expect("written");
    let headers = headers.display().to_string();
    let url = receiver.url("/");
    let made = call(&[
        "create",
        "--source",
        "partner",
        "--url",
        &url,
        "--event",
        "property.created",
        "--max-attempts",
        "1",
        "--exclude-origin",
        "false",
        "--headers-file",
        &headers,
        "--json",
    ])
    .0;
    let secret = made["secret"].as_str().expect("a secret");
    let id = &*made["id"].to_string();
    assert_eq!((&made["headers"], &made["excludeOrigin"]), (&json!(["x-tenant"]), &json!(false)));
    let listed = call(&["list", "--source", "partner", "--json"]).0;
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["source"]), (&made["id"], &json!("partner")));
    let shown = call(&["show", id]).1;
    assert!(shown.contains(&url) && shown.contains("property.created") && !shown.contains(secret), "{shown}");
    let changed = call(&["update", id, "--description", "front desk", "--timeout-seconds", "4", "--json"]).0;
    assert_eq!(
        (&changed["description"], &changed["timeoutSeconds"], &changed["events"]),
        (&json!("front desk"), &json!(4), &json!(["property.created"]))
    );
    assert_eq!(call(&["update", id, "--all-events", "--json"]).0["events"], json!([]));
    assert_eq!(call(&["disable", id, "--json"]).0["enabled"], false);
    assert_eq!(run(&["webhooks", "test", id], &environment).status.code(), Some(1), "it is disabled");
    assert_eq!(call(&["enable", id, "--json"]).0["enabled"], true);

    receiver.answers(Answer::Status(500));
    let test = call(&["test", id, "--json"]).0;
    let received = receiver.until(1).await;
    let message = &received[0];
    assert_eq!(
        (message.header("webhook-id"), message.header("x-tenant")),
        (test["messageId"].as_str().expect("an id"), "7")
    );
    let record = json!({ "id": "p1", "name": "Casa Azul", "currency": "EUR" });
    let client = gassync_tests::web::client();
    let sent = client.post(format!("{}/integration/v1/properties", served.base())).json(&record);
    let sent = sent.bearer_auth(key.as_str().expect("a key")).send().await.expect("an answer");
    assert_eq!(sent.status().as_u16(), 201);
    let mut dead = Value::Null;
    for _ in 0..600 {
        dead = call(&["deliveries", id, "--state", "dead", "--event", "property.created", "--json"]).0["data"].clone();
        if dead[0]["id"].is_i64() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let delivery = &*dead[0]["id"].to_string();
    let lines = call(&["deliveries", id, "--limit", "1"]).1;
    assert!(
        lines.contains("property.created") && lines.contains("it answered 500") && lines.contains("--cursor"),
        "{lines}"
    );
    assert_eq!(call(&["delivery", id, delivery, "--json"]).0["attemptHistory"][0]["status"], 500);
    assert!(call(&["delivery", id, delivery]).1.contains("500"));

    let since = "2020-01-01T00:00:00Z";
    let plan = call(&["replay", id, "--since", since, "--plan", "--json"]).0;
    assert_eq!((&plan["run"], &plan["byEvent"]), (&json!(null), &json!({ "property.created": 1 })));
    let output = run(&["webhooks", "replay", id, "--since", since, "--cursor", "x"], &environment);
    assert!(output.status.code() == Some(1) && said(&output).contains("/cursor"), "{}", said(&output));
    let output = run(&["webhooks", "replay", id, "--since", since], &environment);
    assert_eq!(output.status.code(), Some(1), "it is given up again: {}", said(&output));
    receiver.answers(Answer::Status(204));
    let followed = call(&["replay", id, "--since", since, "--event", "property.*", "--state", "dead"]).1;
    assert!(followed.contains("property.created") && followed.contains("1 delivered, 0 dead again"), "{followed}");
    let again = call(&["replay", id, "--delivery", delivery, "--json"]).0;
    assert_eq!(again["messageId"], dead[0]["messageId"]);
    let run_of_it = call(&["replay", id, "--since", since, "--state", "delivered", "--json"]).0["run"].to_string();
    assert_eq!(call(&["replay-status", id, &run_of_it, "--json"]).0["messages"], 1);
    call(&["replay-status", id, &run_of_it, "--cancel"]);

    let given = database.dir.path().join("secret");
    std::fs::write(&given, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").expect("written");
    let given = given.display().to_string();
    let rotated = call(&["rotate-secret", id, "--secret-file", &given, "--grace-seconds", "60", "--json"]).0;
    assert_eq!(rotated["secret"], "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    call(&["delete", id]);
    let output = run(&["webhooks", "show", id], &environment);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    for wrong in [&["webhooks", "replay", id][..], &["webhooks", "create", "--url", &url], &["webhooks", "verify"]] {
        assert_eq!(run(wrong, &environment).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn messages_can_be_verified_offline() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::File::create(&path).and_then(|mut file| file.write_all(bytes)).expect("written");
        path.display().to_string()
    };
    let text = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let body = br#"{"type":"webhook.test"}"#;
    let (file, touched, secret_file) = (write("body", body), write("touched", b"{}"), write("secret", text.as_bytes()));
    let now = clock()().as_second();
    let secret = SigningSecret::parse(text).expect("a secret");
    let code = |secret: &[&str], second: i64, body: &str| {
        let signature =
            SigningSecret::parse(text).expect("a secret").sign("msg_1", second, br#"{"type":"webhook.test"}"#);
        let (second, head) = (second.to_string(), ["webhooks", "verify"]);
        let rest = ["--id", "msg_1", "--timestamp", &second, "--signature", &signature, "--body", body];
        run(&[&head, secret, &rest].concat(), &[("GASSYNC_DATA_DIR", "/nowhere")]).status.code()
    };
    assert_eq!(code(&["--secret", text], now, &file), Some(0));
    assert_eq!(code(&["--secret-file", &secret_file], now, &file), Some(0));
    assert_eq!(code(&["--secret", &secret.verifier()], now, &touched), Some(1));
    assert_eq!(code(&["--secret", text], now - 3_600, &file), Some(1), "too old");
    assert_eq!(code(&["--secret", "whsec_short"], now, &file), Some(2));
    assert_eq!(code(&["--secret", text], now, "/nowhere"), Some(2));
    assert_eq!(code(&["--secret-file", "-"], now, "-"), Some(2));
}
