//! The OpenAPI document against the running host: thousands of valid and invalid requests are generated from it, and
//! every response is checked against it.
//!
//! `TEST_EXAMPLES=400` generates more requests, `TEST_SEED=1` other ones.

use std::process::Stdio;

use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, records},
    leftovers::Leftover,
    on_both,
    plugins::target_dir,
};
use tokio::process::Command;

on_both!(responses_match_the_openapi_document);

/// Generated requests per operation, besides the boundary values of its schema: more than 10,000 requests over both
/// databases.
const EXAMPLES: &str = "110";
/// Seed of the generator; printed with the report.
const SEED: &str = "20270417";
/// No 500, no undocumented status, media type, header or body; no endpoint without a key.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,unsupported_method,ignored_auth";

#[expect(clippy::print_stdout, reason = "the seed and the sum are to be seen")]
async fn responses_match_the_openapi_document(database: Database) {
    let program = target_dir().join("tools/schemathesis/bin/schemathesis");
    assert!(program.exists(), "{} is missing: tests/run installs it", program.display());
    let host = Host::start(database, &[], None).await;
    host.leaves(Leftover::Overbooked);
    let key = host.key(ACCOUNT, "partner").await;
    for (entity, record) in records() {
        host.post(&key, entity, &record).await;
    }
    let from = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let report = Command::new(program)
        .arg("run")
        .arg(format!("{}/openapi.json", host.base))
        .args(["--url", &host.base, "--header", &format!("Authorization: Bearer {key}")])
        .args(["--max-examples", &from("TEST_EXAMPLES", EXAMPLES), "--seed", &from("TEST_SEED", SEED)])
        .args(["--workers", "1", "--no-color", "--checks", CHECKS])
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("it ran");
    let text = String::from_utf8_lossy(&report.stdout);
    // Truncate long lines: details for the tool's own developers.
    let lines: Vec<String> = text.lines().map(|line| line.chars().take(300).collect()).collect();
    assert!(report.status.success(), "{}", lines.join("\n"));
    let sum = lines.iter().find(|line| line.contains("generated")).expect("a sum");
    println!("{sum}, seed {}", from("TEST_SEED", SEED));
    host.stop().await;
}
