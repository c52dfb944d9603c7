//! The walls of the house, held by reading its source.

use std::{
    fs,
    path::{Path, PathBuf},
};

use gassync_tests::plugins::repository;

fn sources(below: &str) -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(dir).expect("a folder").filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                found.push((path.strip_prefix(repository()).expect("inside").to_owned(), text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&repository().join(below), &mut found);
    found
}

fn offenders(below: &str, is_wrong: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let all = sources(below);
    assert!(!all.is_empty(), "{below} has no source");
    let wrong = all.into_iter().map(|(path, text)| (path.display().to_string(), text));
    wrong.filter(|(path, text)| is_wrong(path, text)).map(|(path, _)| path).collect()
}

#[test]
fn only_the_store_writes_sql() {
    let wrong = offenders("host", |path, text| {
        !path.contains("gassync/src/store/")
            && ["sqlx::query", "select * from", "insert into"].iter().any(|w| text.contains(w))
    });
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn only_the_core_writes_the_core() {
    let writes = ["insert into gas_", "update gas_", "delete from gas_"];
    let rows = offenders("host", |path, text| {
        let rooms = ["store/core/", "store/ledger/", "store/accounts.rs", "store/writer.rs"];
        !rooms.iter().any(|room| path.contains(room)) && writes.iter().any(|write| text.contains(write))
    });
    assert!(rows.is_empty(), "{rows:?}");
    let calls = [
        "insert_bookings(",
        "update_booking(",
        "insert_property(",
        "insert_unit(",
        "insert_guests(",
        "ledger::take(",
        "ledger::release(",
        "ledger::block(",
    ];
    let callers = offenders("host/gassync/src", |path, text| {
        !path.contains("/core/") && calls.iter().any(|call| text.contains(call))
    });
    assert!(callers.is_empty(), "{callers:?}");
}

#[test]
fn only_the_runtime_touches_wasmtime() {
    let wrong = offenders("host", |path, text| !path.contains("gassync-runtime") && text.contains("wasmtime"));
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn crates_forbid_dependencies() {
    for (package, forbidden) in [
        ("gassync-domain", &["sqlx", "axum", "tokio", "reqwest", "wasmtime", "gassync-runtime"][..]),
        ("gassync-runtime", &["sqlx", "axum", "\"gassync\""]),
        ("gassync-simulator", &["gassync-domain", "gassync-runtime", "gassync-plugin", "wasmtime"]),
    ] {
        let manifest = fs::read_to_string(repository().join(format!("host/{package}/Cargo.toml"))).expect("a manifest");
        for name in forbidden {
            let line = format!("{name}.workspace");
            assert!(!manifest.lines().any(|l| l.starts_with(&line)), "{package} must not depend on {name}");
        }
    }
}

#[test]
fn no_room_without_a_name_and_no_file_of_two_subjects() {
    let nameless = ["utils", "util", "common", "helpers", "helper", "misc", "imp"];
    for below in ["host", "plugins", "tests"] {
        let wrong = offenders(below, |path, text| {
            let path = Path::new(path);
            let named = path.components().any(|part| {
                let part = Path::new(part.as_os_str()).file_stem().unwrap_or_default().to_string_lossy();
                nameless.contains(&&*part)
            });
            named || text.lines().count() > 520
        });
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
