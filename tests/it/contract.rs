//! The documents of the contract agree with the host.

use gassync_domain::{ChangeKind, HttpRequest};
use gassync_runtime::{Call, Interface, Manifest};
use gassync_tests::plugins::{engine, repository};
use jsonschema::Validator;
use serde_json::{Value, json};

fn schema(name: &str) -> Validator {
    let text = std::fs::read_to_string(repository().join("wit/next").join(name)).expect("a schema");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    jsonschema::meta::validate(&schema).expect("a schema by its own rules");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// A manifest with every field.
fn whole() -> Value {
    let step = json!({
        "request": {
            "method": "POST", "url": "https://api.example.org/token", "headers": { "accept": "application/json" },
            "body": "code={{api.inviteCode}}",
        },
        "captures": [{ "field": "token", "pointer": "/token", "optional": false, "lasting": true }],
        "expiresIn": "/expiresIn", "expiresAt": "/expiresAt", "lifetimeSeconds": 3600,
    });
    let route = |path: &str, kind: &str, verification: Value| {
        json!({
            "path": path, "methods": ["POST"], "kind": kind, "verification": verification, "budgetMillis": 1000,
            "fallbackResponse": { "status": 503, "body": "later" },
        })
    };
    json!({
        "schemaVersion": 1, "id": "whole", "displayName": "Whole", "version": "1.2.3", "contract": "1.0.0-rc.5",
        "vendor": "Example", "hosts": ["GET,POST https://api.example.org", "setting:baseUrl", "credential:api.address"],
        "credentials": [
            {
                "slot": "api", "label": "API", "kind": "steps", "hosts": ["https://api.example.org"],
                "inputs": [{ "field": "inviteCode", "label": "Invite code" }],
                "authorize": { "url": "https://api.example.org/consent", "parameters": { "client_id": "{{api.id}}" } },
                "setup": step, "refresh": step, "revoke": step, "refreshBeforeSeconds": 600, "idleDays": 30,
            },
            { "slot": "basic", "kind": "basic" }, { "slot": "key", "kind": "api-key" },
            { "slot": "app", "kind": "oauth2-client" }, { "slot": "user", "kind": "oauth2-code" },
        ],
        "routes": [
            route("/", "ack", json!({ "kind": "none" })),
            route("/a", "ask", json!({ "kind": "static-header", "header": "x-token" })),
            route("/b", "feed", json!({ "kind": "url-token" })),
            route("/c", "ack", json!({ "kind": "basic", "slot": "basic" })),
            route("/d", "ack", json!({ "kind": "message", "slot": "basic", "user": "/u", "password": "/p" })),
            route("/e", "ack", json!({
                "kind": "signature", "header": "x-signature", "prefix": "sha256=", "algorithm": "hmac-sha256",
                "encoding": "hex", "slot": "key", "field": "key",
            })),
        ],
        "polls": [{
            "entity": "reservation", "queue": "new", "intervalSeconds": 60, "overlapSeconds": 30,
            "window": { "back": 1, "ahead": 365 },
        }],
        "rateLimits": [{
            "scope": "credential", "windows": [{ "limit": 100, "seconds": 300 }], "headers": { "remaining": ["x-left"] },
            "weight": 1.5, "oneAtATime": true, "paths": ["/bookings"],
        }],
        "batches": { "calendar": { "items": 10, "bytes": 1000 } },
        "sensitive": ["/card/number", "xml:Card/@Number"],
        "settings": { "type": "object", "properties": { "baseUrl": { "type": "string" } } },
        "limits": { "memoryMiB": 128 }, "decrementsOwnAvailability": true, "answersEveryId": true, "needsContentFirst": true,
    })
}

/// The document with each value in turn replaced, removed, or extended by an unknown member.
fn variations(whole: &Value) -> Vec<(String, Value)> {
    let mut pointers = Vec::new();
    walk(whole, String::new(), &mut pointers);
    let mut all = Vec::new();
    for pointer in pointers {
        for other in
            [json!(null), json!(7), json!(-1), json!(true), json!([]), json!({}), json!([7]), json!({ "x": 7 })]
        {
            let mut changed = whole.clone();
            let place = changed.pointer_mut(&pointer).expect("it is there");
            if place.is_object() && other.is_array() {
                continue; // Serde also accepts a list of the members of an object.
            }
            *place = other.clone();
            all.push((format!("{pointer} = {other}"), changed));
        }
        let mut more = whole.clone();
        if let Some(fields) = more.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            fields.insert("nobodyKnows".to_owned(), json!(1));
            all.push((format!("{pointer}/nobodyKnows"), more));
        }
        if let Some((above, name)) = pointer.rsplit_once('/') {
            let mut less = whole.clone();
            if let Some(fields) = less.pointer_mut(above).and_then(Value::as_object_mut) {
                fields.remove(name);
                all.push((format!("without {pointer}"), less));
            }
        }
    }
    all
}

fn walk(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        // The content of a JSON Schema is not restricted by ours.
        _ if pointer == "/settings" => {}
        Value::Object(fields) => fields.iter().for_each(|(name, v)| walk(v, format!("{pointer}/{name}"), pointers)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, v)| walk(v, format!("{pointer}/{index}"), pointers));
        }
        _ => {}
    }
    pointers.push(pointer);
}

#[test]
fn manifest_schema_and_host_agree() {
    let schema = schema("manifest.schema.json");
    let parsed = |manifest: &Value| Manifest::parse(&manifest.to_string());
    let whole = whole();
    parsed(&whole).expect("the host reads the whole one");
    schema.validate(&whole).expect("and so does the schema");
    let variations = variations(&whole);
    assert!(variations.len() > 1_000, "only {} variations", variations.len());
    let (mut refused, mut apart) = (0, Vec::new());
    for (what, manifest) in variations {
        let (host, document) = (parsed(&manifest), schema.is_valid(&manifest));
        refused += usize::from(host.is_err());
        // A schema cannot check references to slots and settings.
        let names = |error: &str| {
            error.contains("there is no slot") || error.contains("names no slot") || error.contains("no setting")
        };
        let beyond = host.as_ref().err().is_some_and(|error| names(&error.problem));
        if host.is_ok() != document && !beyond {
            apart.push(format!("{what}: {}", host.err().map_or("the schema refuses it".to_owned(), |e| e.to_string())));
        }
    }
    assert!(apart.is_empty(), "{apart:#?}");
    assert!(refused > 500, "{refused} were refused");
}

#[test]
fn every_manifest_matches_the_schema() {
    let schema = schema("manifest.schema.json");
    let mut seen = 0;
    for folder in ["plugins", "plugins/templates", "tests/sketches"] {
        for entry in std::fs::read_dir(repository().join(folder)).expect("a folder") {
            let folder = entry.expect("an entry").path();
            for file in [folder.join("manifest.json"), folder.join("src/manifest.json")] {
                let Ok(text) = std::fs::read_to_string(&file) else { continue };
                let manifest: Value = serde_json::from_str(&text.replace("__NAME__", "name")).expect("JSON");
                let wrong: Vec<String> = schema.iter_errors(&manifest).map(|error| error.to_string()).collect();
                assert!(wrong.is_empty(), "{}: {wrong:?}", file.display());
                seen += 1;
            }
        }
    }
    assert!(seen >= 12, "only {seen} manifests");
}

/// Components of partners keep working when the host is updated: a component built for this candidate of the contract
/// is kept in the repository, and must work as long as the candidate is supported.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn legacy_components_keep_working() {
    let kept = std::fs::read(repository().join("tests/legacy_plugins/example-1.0.0-rc.5.wasm")).expect("the component");
    let plugin = engine(2).load(kept).await.expect("it fits");
    assert_eq!(plugin.manifest().contract, "1.0.0-rc.5");
    assert_eq!(plugin.exports(), [Interface::Inbound, Interface::Pull]);
    let body = br#"{"number":"B-17","room":"sea-view","from":"2027-06-01","to":"2027-06-04","state":"booked",
        "name":"Ada Example","price":"410.00","currency":"EUR","changed":"2027-01-05T09:00:00Z"}"#;
    let request =
        HttpRequest { method: "POST".into(), url: "/".into(), headers: Vec::new(), body: Some(body.to_vec()) };
    let decoded = plugin.decode(Call::isolated("kept"), request).await.result.expect("decoded");
    let ChangeKind::Reservation(reservation) = &decoded.changes[0].data else { panic!("{:?}", decoded.changes) };
    assert_eq!(reservation.id, "B-17");
    assert_eq!(decoded.reply.expect("a reply").status, 200);
}
