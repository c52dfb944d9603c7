//! Architecture rules, checked by reading the source.

use std::{
    fs,
    path::{Path, PathBuf},
};

use gassync_tests::{
    arrows::{Arrow, Crate},
    plugins::repository,
};

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
fn no_generic_module_names_and_no_oversized_files() {
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

/// The rooms of the program, lowest first: each may use only those named beside it, all of which are listed above it.
const ROOMS: [(&str, &[&str]); 24] = [
    ("config", &[]),
    ("egress", &[]),
    ("limits", &[]),
    ("panics", &[]),
    ("store", &[]),
    ("vault", &[]),
    ("supervisor", &["panics"]),
    ("telemetry", &["config"]),
    ("core", &["store"]),
    ("http", &["store", "vault"]),
    ("schedule", &["core", "store"]),
    ("plugins", &["schedule", "store", "vault"]),
    ("reconcile", &["schedule", "store"]),
    ("app", &["config", "egress", "http", "limits", "plugins", "store", "vault"]),
    ("credentials", &["app", "http", "plugins", "schedule", "store", "vault"]),
    ("webhooks", &["app", "http", "panics", "schedule", "store", "vault"]),
    ("channel", &["app", "credentials", "limits", "plugins", "schedule", "store", "vault"]),
    (
        "inbound",
        &[
            "app",
            "channel",
            "core",
            "credentials",
            "http",
            "limits",
            "panics",
            "plugins",
            "reconcile",
            "schedule",
            "store",
            "vault",
        ],
    ),
    ("outbound", &["app", "channel", "inbound", "plugins", "reconcile", "schedule", "store"]),
    (
        "worker",
        &["app", "channel", "core", "inbound", "outbound", "panics", "reconcile", "schedule", "store", "webhooks"],
    ),
    ("api", &["app", "core", "http", "inbound", "store", "vault", "webhooks"]),
    (
        "admin",
        &[
            "app",
            "core",
            "credentials",
            "http",
            "inbound",
            "outbound",
            "plugins",
            "reconcile",
            "schedule",
            "store",
            "vault",
            "webhooks",
        ],
    ),
    ("server", &["admin", "api", "app", "credentials", "http", "inbound", "plugins", "supervisor", "worker"]),
    (
        "cli",
        &[
            "admin",
            "app",
            "config",
            "http",
            "inbound",
            "panics",
            "plugins",
            "server",
            "store",
            "telemetry",
            "vault",
            "webhooks",
        ],
    ),
];

/// Arrows that the table of rooms does not allow.
fn beyond(program: &Crate, rooms: &[(&str, &[&str])]) -> Vec<String> {
    let known = |name: &str| rooms.iter().find(|(room, _)| *room == name).map(|(_, allowed)| *allowed);
    let mut wrong: Vec<String> = program
        .rooms()
        .into_iter()
        .filter(|room| known(room).is_none())
        .map(|room| format!("{room} is no room of the table: add it, with the rooms that it may use"))
        .collect();
    for Arrow { file, from, to, path } in program.arrows() {
        let (Some(from), Some(to)) = (from.first(), to.first()) else { continue };
        let Some(allowed) = known(from) else { continue };
        if from != to && !allowed.contains(&to.as_str()) {
            wrong.push(format!(
                "{file}: {from} -> {to} by {path}: {from} may use {allowed:?}. Hand in the value, or move the code to the room \
                 that knows both; only where {from} stands above {to} for good, name {to} in the table"
            ));
        }
    }
    wrong
}

#[test]
fn rooms_use_only_those_below_them() {
    for (index, (room, allowed)) in ROOMS.iter().enumerate() {
        for name in *allowed {
            let is_below = ROOMS[..index].iter().any(|(below, _)| below == name);
            assert!(
                is_below,
                "the table lets {room} use {name}, which does not stand above it there: that makes a circle"
            );
        }
        assert!(allowed.len() < ROOMS.len() - 1, "{room} may use all others: divide it");
    }
    let wrong = beyond(&Crate::read(&repository().join("host/gassync/src")), &ROOMS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The circles, arrow by arrow.
fn circles(of: &Crate) -> Vec<String> {
    let say = |Arrow { file, from, to, path }: Arrow| {
        let (from, to) = (from.join("::"), to.join("::"));
        format!(
            "{file}: {from} -> {to} by {path} is part of a circle: move what both use to a file of its own, or hand it in"
        )
    };
    of.circles().into_iter().map(say).collect()
}

#[test]
fn modules_make_no_circles() {
    for below in [
        "host/gassync-domain",
        "host/gassync-runtime",
        "host/gassync-simulator",
        "plugins/beds24",
        "plugins/example",
        "plugins/gassync-plugin",
    ] {
        let wrong = circles(&Crate::read(&repository().join(below).join("src")));
        assert!(wrong.is_empty(), "{below}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn arrows_and_circles_are_found() {
    let files = [
        ("lib.rs", "mod high; mod low; mod side;"),
        ("high.rs", "use crate::{low::{self, Low as L}, side};\n#[cfg(test)]\nmod tests { use crate::high; }"),
        ("low/mod.rs", "mod inner;\npub use inner::Low;\n// crate::side\nconst TEXT: &str = \"crate::side\";"),
        ("low/inner.rs", "pub struct Low(super::Shared);\nfn up() { crate::high::go(); }"),
        ("side.rs", "fn alone<'a>(c: char) -> bool { c == '\"' }"),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let found = Crate::of(&files);
    let arrows: Vec<_> = found.arrows().into_iter().map(|a| (a.file, a.to.join("::"), a.path)).collect();
    let arrow = |file: &str, to: &str, path: &str| (file.to_owned(), to.to_owned(), path.to_owned());
    assert_eq!(
        arrows,
        [
            arrow("high.rs", "low", "crate::low::self"),
            arrow("high.rs", "low::inner", "crate::low::Low"),
            arrow("high.rs", "side", "crate::side"),
            arrow("low/inner.rs", "high", "crate::high::go"),
        ]
    );
    let circles: Vec<_> = found.circles().into_iter().map(|a| a.path).collect();
    assert_eq!(circles, ["crate::low::Low", "crate::high::go"]);
    let table: [(&str, &[&str]); 2] = [("low", &[]), ("high", &["low"])];
    let wrong = beyond(&found, &table);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert!(wrong[0].starts_with("side is no room"), "{wrong:?}");
    assert!(wrong[1].starts_with("high.rs: high -> side by crate::side"), "{wrong:?}");
    assert!(wrong[2].starts_with("low/inner.rs: low -> high by crate::high::go"), "{wrong:?}");
}
