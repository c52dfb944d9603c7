//! Interoperability of signatures with the reference libraries.

use std::{io::Write, process::Stdio};

use gassync::{
    vault::system_random,
    webhooks::{Signing, SigningSecret, verify},
};
use gassync_tests::{
    host::clock,
    plugins::{repository, target_dir},
};
use serde_json::{Value, json};

/// A message, and whether it is valid.
struct Message {
    secret: SigningSecret,
    id: String,
    second: i64,
    signatures: String,
    body: String,
    is_good: bool,
}

impl Message {
    fn line(&self) -> String {
        json!({
            "key": self.secret.verifier(),
            "headers": {
                "webhook-id": self.id, "webhook-timestamp": self.second.to_string(), "webhook-signature": self.signatures,
            },
            "body": self.body,
        })
        .to_string()
    }
}

fn messages(signing: Signing) -> Vec<Message> {
    let now = clock()().as_second();
    let secret = || SigningSecret::make(signing, &system_random()).expect("a secret");
    let mut messages = Vec::new();
    // Bodies that a JSON library would write differently are signed as they are.
    for (number, body) in [r#"{"a":1.0}"#, r#"{ "b" : "\u00e9é" , "a":[ ] }"#, "{\"n\": 1e2}\n", r#"{"text":"x.y.z"}"#]
        .into_iter()
        .enumerate()
    {
        let (mine, other, id) = (secret(), secret(), format!("msg_{number}"));
        let (good, foreign) = (mine.sign(&id, now, body.as_bytes()), other.sign(&id, now, body.as_bytes()));
        let message = |second: i64, signatures: String, body: &str, is_good: bool| Message {
            secret: SigningSecret::parse(&mine.text()).expect("the same"),
            id: id.clone(),
            second,
            signatures,
            body: body.to_owned(),
            is_good,
        };
        messages.push(message(now, good.clone(), body, true));
        messages.push(message(now, format!("{foreign} {good}"), body, true));
        messages.push(message(now, foreign, body, false));
        messages.push(message(now, good.clone(), &body.replace(' ', ""), !body.contains(' ')));
        messages.push(message(now + 1, good, body, false));
        for late in [-400, 400] {
            let at = now + late;
            messages.push(message(at, mine.sign(&id, at, body.as_bytes()), body, false));
        }
    }
    messages
}

fn ask(program: &str, arguments: &[&str], messages: &[Message]) -> Vec<Value> {
    let mut child = std::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"));
    let lines: Vec<String> = messages.iter().map(Message::line).collect();
    let mut input = child.stdin.take().expect("piped");
    input.write_all(lines.join("\n").as_bytes()).expect("written");
    drop(input);
    let output = child.wait_with_output().expect("it ran");
    assert!(output.status.success(), "{program} failed");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn agree(messages: &[Message], judged: &[Value]) {
    assert_eq!(messages.len(), judged.len());
    let now = clock()();
    for (message, judged) in messages.iter().zip(judged) {
        // The asymmetric scheme is checked by Node.js alone, without a time check.
        let is_timed = message.secret.signing() == Signing::V1 || (message.second - now.as_second()).abs() < 300;
        assert!(!is_timed || judged["verified"] == json!(message.is_good), "{}: {judged}", message.line());
        let headers = (&*message.id, &*message.second.to_string(), &*message.signatures);
        let ours = verify(&message.secret.verifier(), headers, message.body.as_bytes(), now).is_ok();
        assert_eq!(ours, message.is_good, "{}", message.line());
        let Some(theirs) = judged["signature"].as_str() else { continue };
        assert_eq!(theirs, message.secret.sign(&message.id, message.second, message.body.as_bytes()));
        let headers = (&*message.id, &*message.second.to_string(), theirs);
        let is_timely = (message.second - now.as_second()).abs() < 300;
        assert_eq!(verify(&message.secret.text(), headers, message.body.as_bytes(), now).is_ok(), is_timely);
    }
}

#[test]
fn node_reference_library_agrees() {
    // The library is next to the script.
    let folder = target_dir().join("tools/verifiers/node");
    let script = folder.join("verify.mjs");
    std::fs::copy(repository().join("tests/verifiers/verify.mjs"), &script).expect("tests/run installs its library");
    for signing in [Signing::V1, Signing::V1a] {
        let messages = messages(signing);
        agree(&messages, &ask("node", &[&script.display().to_string()], &messages));
    }
}

#[test]
fn python_reference_library_agrees() {
    let python = target_dir().join("tools/verifiers/python/bin/python").display().to_string();
    let script = repository().join("tests/verifiers/verify.py").display().to_string();
    let messages = messages(Signing::V1);
    agree(&messages, &ask(&python, &["-B", &script], &messages));
}
