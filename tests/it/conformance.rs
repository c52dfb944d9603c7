//! The conformance suite: good plugins pass, and each mistake fails its check.

use std::{fs, path::Path};

use gassync_domain::Timestamp;
use gassync_runtime::conformance::{self, Check, CheckSubject, CheckVerdict, ConformanceReport, Samples};
use gassync_tests::{
    plugins::{component, engine, repository, sketch},
    process::run,
};
use serde_json::{Value, json};

async fn check(name: &str, wasm: Vec<u8>, samples: &Path) -> ConformanceReport {
    let now: Timestamp = "2027-01-15T12:00:00Z".parse().expect("an instant");
    let samples = Samples::read(samples).expect("samples");
    let subject = CheckSubject { name: name.to_owned(), wasm, samples, now };
    conformance::check(&engine(1), subject).await
}

async fn of_repository(name: &str, folder: &str) -> ConformanceReport {
    check(name, component(name), &repository().join(folder).join("samples")).await
}

fn named<'a>(report: &'a ConformanceReport, name: &str) -> &'a Check {
    report.checks.iter().find(|check| check.name == name).expect(name)
}

/// Checks without a case although the plugin exports their interface.
fn without_case(report: &ConformanceReport) -> Vec<&'static str> {
    let is_exported =
        |check: &&Check| check.reason.as_ref().is_none_or(|reason| !reason.starts_with("it does not export"));
    let nothing = report.checks.iter().filter(|check| check.verdict() == CheckVerdict::NotApplicable);
    nothing.filter(is_exported).map(|check| check.name).collect()
}

/// Asserts that a plugin of this repository passes on its samples.
pub async fn own_plugin_passes(name: &str) {
    let report = of_repository(name, &format!("plugins/{name}")).await;
    assert!(report.passed(), "{report}");
    // Everything that the plugin does is checked; only XML has no samples.
    assert_eq!(without_case(&report), ["tolerance.xml"], "{report}");
    assert!(report.checks.iter().all(|check| check.warnings.is_empty()), "{report}");
    assert!(named(&report, "hostile.values").cases > 100 && report.calls > 200, "{report}");
}

// The channels' plugins are checked in `channels`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_passes_the_conformance_suite() {
    own_plugin_passes("example").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sketches_pass_the_conformance_suite() {
    for (name, looked_at) in [
        ("airbnb", &["reply.respond", "reply.same", "reply.secrets", "reply.on-error"][..]),
        ("vrbo", &["reply.respond", "reply.on-error", "feeds.render", "feeds.same", "feeds.unknown", "feeds.empty"]),
        ("google-vr", &["reply.respond", "reply.on-error", "feeds.render", "feeds.same", "feeds.empty"]),
        ("ical", &["feeds.render", "feeds.same", "feeds.unknown", "feeds.empty"]),
        ("calry", &["connection.check", "connection.subscribe"]),
    ] {
        let samples = repository().join("tests/sketches").join(name).join("samples");
        let report = check(&format!("{name}-sketch"), sketch(name), &samples).await;
        assert!(report.passed(), "{report}");
        for check in looked_at {
            assert_eq!(named(&report, check).verdict(), CheckVerdict::Passed, "{name}: {check}\n{report}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mistake_fails_its_check() {
    let report = of_repository("nonconforming", "tests/plugins/nonconforming").await;
    assert_eq!(
        report.named(CheckVerdict::Passed),
        [
            "file.size",
            "file.component",
            "file.imports",
            "file.contract",
            "manifest.form",
            "manifest.identity",
            "manifest.routes",
            "manifest.settings",
            "samples.present",
            "samples.understood",
            "determinism.same",
        ],
        "{report}"
    );
    assert_eq!(report.named(CheckVerdict::NotApplicable), ["tolerance.xml"], "{report}");
    let reported = |name: &str, parts: [&str; 3]| {
        let failures = &named(&report, name).failures;
        let fits = failures.iter().any(|failure| {
            failure.sent.contains(parts[0])
                && failure.came_back.contains(parts[1])
                && failure.expected.contains(parts[2])
        });
        assert!(fits, "{name}: {failures:?}");
    };
    reported("manifest.version", ["version", "1.0", "1.4.0"]);
    reported("manifest.exports", ["batches.calendar", "no export push-calendar", "an export push-calendar"]);
    reported("manifest.hosts", ["hosts[0]", "https://*.example", "*.example.org"]);
    reported("manifest.credentials", ["credentials[0]", "without what it needs", "inputs"]);
    reported("manifest.polling", ["polls[0]", "intervalSeconds 0", "how often"]);
    reported("limits", ["calls/booked", "log: 60 lines of 50", "less"]);
    reported("determinism.seed", ["calls/booked", "the event id was", "never from chance"]);
    reported("idempotency", ["ten minutes later", "the event id was", "the same event id"]);
    reported("tolerance.json", ["a member nobody knows at the top", "a booking", "the same changes"]);
    reported("errors.unauthorized", ["fetch of reservation, answered with status 401", "malformed", "unauthorized"]);
    reported("errors.rate-limited", ["retry-after: 120", "malformed", "rate-limited(120)"]);
    reported("errors.unavailable", ["status 500", "no changes", "unavailable"]);
    reported("errors.html", ["a web page", "no changes", "malformed or unavailable"]);
    reported("errors.no-answer", ["a time-out", "malformed", "unavailable"]);
    reported("reply.respond", ["all refused: sold-out", "they always take it", "a reply, or one of"]);
    reported("reply.same", ["all created, again, ten minutes later", "status 409", "the same status"]);
    reported("reply.secrets", ["calls/booked", "the header authorization", "nothing of what proved"]);
    reported("reply.on-error", ["malformed: without a body", "the plugin trapped", "other than broken"]);
    reported("feeds.render", ["GET /feeds/endless", "the chunk more follows for a second time", "to its end"]);
    reported("feeds.same", ["feeds/houses", "from byte 12 it was Ferry House", "the same bytes"]);
    reported("feeds.unknown", ["GET /feeds/gassync-nobody-knows-it", "status 200", "404"]);
    reported("feeds.empty", ["without core data", "a house", "a feed with nothing in it"]);
    reported("connection.check", ["check, answered with status 401", "a report", "unauthorized"]);
    reported("connection.subscribe", ["subscribe, answered with status 403", "subscribed", "steps for a person"]);
    reported("connection.unsubscribe", ["status 200 and {}", "all of them", "other than broken"]);
    reported("hostile.cut-off", ["cut off after", "the plugin trapped", "malformed"]);
    reported("hostile.empty", ["without a body", "a body", "malformed"]);
    reported("hostile.days", ["the day 2027-02-30 at /from", "a day", "malformed"]);
    reported("hostile.values", ["null at the top", "a booking", "malformed"]);
    reported("manners.places", ["https://elsewhere.test/count-me", "the manifest lacks", "hosts"]);
    reported("manners.decode", ["calls/booked", "https://api.example/hello", "nothing else"]);
    reported("manners.secrets", ["reservation", "authorization", "{{slot.field}}"]);
    reported("manners.secrets", ["connection.subscribe", "{{webhook.", "names each placeholder"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_failures_report_the_failed_check() {
    let nothing = tempfile::tempdir().expect("a folder");
    let report = check("broken", b"\0asm garbage".to_vec(), nothing.path()).await;
    assert_eq!(report.named(CheckVerdict::Failed), ["file.component"], "{report}");
    assert_eq!(report.named(CheckVerdict::Passed), ["file.size"], "what was not reached has not passed");
    let wat = r#"(component
        (import "wasi:nn/tensor@0.2.0-rc-2024-10-28" (instance))
        (import "gassync:core/bookings@1.0.0" (instance)))"#;
    let report = check("curious", wat::parse_str(wat).expect("a component"), nothing.path()).await;
    let imports = &named(&report, "file.imports").failures;
    assert!(imports.len() == 2 && imports[0].came_back.starts_with("wasi:nn/tensor"), "{report}");
    // A plugin with another name and without samples: missing checks must not look like a pass.
    let report = check("sample", component("example"), nothing.path()).await;
    assert_eq!(report.named(CheckVerdict::Failed), ["manifest.identity", "samples.present"], "{report}");
    assert!(report.named(CheckVerdict::NotApplicable).contains(&"hostile.values"), "{report}");
}

#[test]
fn plugin_check_prints_a_report_and_sets_the_exit_code() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str| dir.path().join(name).display().to_string();
    let samples = |folder: &str| repository().join(folder).join("samples").display().to_string();
    for name in ["example", "nonconforming"] {
        fs::write(dir.path().join(format!("{name}.wasm")), component(name)).expect("written");
    }
    let checked = |arguments: &[&str]| run(&[&["plugin", "check"], arguments].concat(), &[]);

    let output = checked(&[&file("example.wasm"), "--samples", &samples("plugins/example"), "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!((output.status.code(), &report["plugin"]["name"]), (Some(0), &json!("example")));
    assert_eq!(
        report["checks"][0],
        json!({
            "name": "file.size", "question": "Is the file within the size limit?", "verdict": "passed", "cases": 1,
            "failures": [], "moreFailures": 0, "warnings": [], "notes": [], "notBegun": 0, "reason": null
        })
    );
    assert_eq!(report["usage"][0]["figures"][0]["name"], "processor");

    let output = checked(&[&file("nonconforming.wasm"), "--samples", &samples("tests/plugins/nonconforming")]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("FAILED  errors.unauthorized") && text.contains("passed  file.size"), "{text}");

    for (name, text, said) in [
        ("settings.json", "{", "settings.json: "),
        ("calls/a.call.json", r#"{"paht":"/"}"#, "paht"),
        ("answers/reservations/a.answer.json", r#"{"status":20}"#, "20 is not an HTTP status"),
        ("feeds/a.json", "{}", "without a body"),
        ("connection/test.json", "{}", "is called test"),
        ("connection/check.answer.json", r#"{"status":401}"#, "says no"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).and_then(|()| fs::write(&path, text)).expect("written");
        let output = checked(&[&file("example.wasm"), "--samples", &folder.path().display().to_string()]);
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && problem.contains(said), "{name}: {problem}");
    }
    let (nothing, example, nowhere) = (file("nothing.wasm"), file("example.wasm"), file("nowhere"));
    for arguments in [&[][..], &[&*nothing], &[&*example, "--samples", &*nowhere]] {
        let output = checked(arguments);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
    }
}
