//! The command line as used by people and scripts.

use std::io::Write;

use gassync_tests::{plugins::component, process::run};
use serde_json::{Value, json};

#[test]
fn invalid_settings_end_the_program_before_binding() {
    for (name, value, said) in [
        ("GASSYNC_SERVER_LISTEN", "nowhere", "server.listen"),
        ("GASSYNC_DATABASE_URL", "mysql://x", "database.url"),
        ("GASSYNC_WORKERS_INBOUND", "0", "workers.inbound"),
        ("GASSYNC_NONSENSE", "1", "GASSYNC_NONSENSE"),
    ] {
        let output = run(&["serve"], &[(name, value)]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {text}");
        assert!(text.contains(said), "{name}: {text}");
    }
}

#[test]
fn plugin_try_decodes_a_payload() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::File::create(&path).and_then(|mut file| file.write_all(bytes)).expect("written");
        path.display().to_string()
    };
    let plugin = write("beds24.wasm", &component("beds24"));
    let booking = json!({ "id": 42, "propertyId": 7, "roomId": 8, "roomQty": 1, "status": "new", "arrival": "2027-07-01",
        "departure": "2027-07-03", "numAdult": 2, "firstName": "Aiko", "lastName": "Hale", "price": "450.00",
        "channel": "airbnb", "modifiedTime": "2027-02-03T04:05:06Z" });
    let webhook = write("hook.json", json!({ "booking": booking, "retries": 0 }).to_string().as_bytes());
    let output = run(&["plugin", "try", &plugin, "decode", "--input", &webhook], &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains(r#""totalPrice":450.00"#), "digits are kept: {text}");
    let document: Value = serde_json::from_str(&text).expect("one JSON document");
    let change = &document["changes"][0];
    assert_eq!(
        (&change["kind"], &change["id"], &change["source"]),
        (&json!("reservation"), &json!("42"), &json!("airbnb"))
    );
    assert_eq!((&change["checkIn"], &change["roomTypeId"]), (&json!("2027-07-01"), &json!("8")));
    assert!(change.get("children").is_none() && change["guest"].get("email").is_none(), "what is not said is left out");
    assert_eq!((&document["event_id"], &document["reply"]["status"]), (&Value::Null, &json!(200)));

    let list = json!({ "success": true, "pages": { "nextPageExists": true }, "data": [booking] }).to_string();
    let list = write("list.json", list.as_bytes());
    let output = run(&["plugin", "try", &plugin, "decode", "--as", "reservations", "--input", &list], &[]);
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!((&document["changes"][0]["id"], &document["next"]), (&json!("42"), &json!("2/2027-02-03T04:05:06Z")));
    assert_eq!(document["requests"][0]["headers"]["token"], "{beds24.token}");
    assert_eq!(document["requests"][0]["credential"], "beds24");

    let code =
        json!({ "booking": { "id": 42, "status": "new", "infoItems": [{ "code": "DOORCODE", "text": "4711" }] } });
    let code = write("code.json", code.to_string().as_bytes());
    let output = run(&["plugin", "try", &plugin, "decode", "--input", &code], &[]);
    assert!(output.status.success() && !String::from_utf8_lossy(&output.stdout).contains("4711"), "as a host gives it");

    let fine = r#"{"booking":{"id":7,"status":"new","roomId":5,"arrival":"2027-05-01","departure":"2027-05-03","price":1714.28571}}"#;
    let fine = write("fine.json", fine.as_bytes());
    let output = run(&["plugin", "try", &plugin, "decode", "--input", &fine], &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rounded = ["1714.2857,", "1714.2857}"].iter().any(|rounded| text.contains(rounded));
    assert!(rounded && text.contains(r#""price":1714.28571"#) && text.contains("mended"), "{text}");

    let without_id = write("without-id.json", br#"{"booking":{"status":"new"}}"#);
    let output = run(&["plugin", "try", &plugin, "decode", "--input", &without_id], &[]);
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    let change = &document["changes"][0];
    assert_eq!((&change["kind"], &change["entity"]), (&json!("unreadable"), &json!("reservation")));

    let broken = write("broken.json", b"{\"booking\":");
    let output = run(&["plugin", "try", &plugin, "decode", "--input", &broken], &[]);
    let problem: Value = serde_json::from_slice(&output.stderr).expect("a problem document");
    assert_eq!((output.status.code(), &problem["type"]), (Some(1), &json!("/problems/plugin/malformed")));
    assert!(output.stdout.is_empty());

    let misbehaving = write("misbehaving.wasm", &component("misbehaving"));
    let panic = write("panic.txt", b"panic");
    let output = run(&["plugin", "try", &misbehaving, "decode", "--input", &panic], &[]);
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn commands_open_the_database_without_a_running_host() {
    let dir = tempfile::tempdir().expect("a folder");
    let (data, url) = (dir.path().display().to_string(), format!("sqlite:{}/x.db", dir.path().display()));
    let plugins = dir.path().join("plugins");
    std::fs::create_dir(&plugins).expect("a folder");
    std::fs::write(plugins.join("example.wasm"), component("example")).expect("a component");
    let plugins = plugins.display().to_string();
    let environment =
        [("GASSYNC_DATA_DIR", &*data), ("GASSYNC_DATABASE_URL", &*url), ("GASSYNC_PLUGINS_DIR", &*plugins)];
    let output = run(&["key", "create", "--account", "A", "--name", "k", "--json"], &environment);
    let made: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert!(made["key"].as_str().is_some_and(|key| key.starts_with("gsk_")), "{made}");
    for (act, status) in [("disable", "disabled"), ("enable", "enabled")] {
        assert!(run(&["plugin", act, "example"], &environment).status.success());
        let output = run(&["plugin", "list", "--json"], &environment);
        let list: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        assert_eq!((&list[0]["id"], &list[0]["status"]), (&json!("example"), &json!(status)));
    }
    assert_eq!(run(&["plugin", "enable", "nobody"], &environment).status.code(), Some(1));
}
