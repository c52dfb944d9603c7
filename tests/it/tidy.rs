//! Architecture rules, checked by reading the source.

use std::{
    collections::BTreeMap,
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
        !path.contains("gassync-store/")
            && ["sqlx::query", "select * from", "insert into"].iter().any(|w| text.contains(w))
    });
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn only_the_core_writes_the_core() {
    let writes = ["insert into gas_", "update gas_", "delete from gas_"];
    let rows = offenders("host", |path, text| {
        let rooms = ["store/src/core/", "store/src/ledger/", "store/src/accounts.rs", "store/src/writer.rs"];
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
        (
            "gassync-store",
            &["axum", "reqwest", "utoipa", "wasmtime", "gassync", "gassync-simulator", "gassync-templates"],
        ),
        ("gassync-templates", &["gassync", "axum", "sqlx", "tokio"]),
        ("gassync", &["clap", "indicatif", "wasmtime", "gassync-cli", "gassync-simulator", "gassync-templates"]),
    ] {
        let manifest = fs::read_to_string(repository().join(format!("host/{package}/Cargo.toml"))).expect("a manifest");
        for name in forbidden {
            let line = format!("{name}.workspace");
            assert!(!manifest.lines().any(|l| l.starts_with(&line)), "{package} must not depend on {name}");
        }
    }
}

/// Channels are known to their folders, to the table of channels, and to documents and tests that are named for them or
/// about what only they have.
#[test]
fn only_the_table_of_channels_names_simulated_channels() {
    let simulator = "host/gassync-simulator/src";
    let folders = fs::read_dir(repository().join(simulator)).expect("a folder").filter_map(Result::ok);
    let folders = folders.filter(|entry| entry.path().join("simulator.rs").exists());
    let channels: Vec<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(channels.contains(&"beds24".to_owned()), "{channels:?}");
    for channel in channels {
        let (own, table) = (format!("{simulator}/{channel}/"), format!("{simulator}/channels.rs"));
        let root = format!("{simulator}/lib.rs");
        let wrong = offenders("host", |path, text| {
            let declares = path == root && text.matches(&channel).count() == 1;
            let paths = [format!("{channel}::"), format!("::{channel}"), format!("mod {channel};")];
            let names_it = paths.iter().any(|word| text.contains(word));
            names_it && !declares && !path.starts_with(&own) && path != table
        });
        assert!(wrong.is_empty(), "{channel} is known to {wrong:?}: use the trait Simulator");
        let suite = offenders("tests/it/channels", |_, text| text.contains(&format!("{channel}::")));
        assert!(suite.is_empty(), "{channel} is known to {suite:?}: use the trait Simulator");
        assert!(repository().join("plugins").join(&channel).exists(), "{channel} has no plugin");
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

/// Words of an early dialect that no engineer of the trade would look for. Prose may use them, names may not.
const RETIRED_WORDS: [&str; 20] = [
    "told",
    "tell",
    "tells",
    "untold",
    "fate",
    "fates",
    "standing",
    "standings",
    "desk",
    "talk",
    "talks",
    "spot",
    "spots",
    "arriving",
    "together",
    "finisher",
    "reckon",
    "reckoned",
    "reckoning",
    "whom",
];

/// The words of a name in any case, in lower case: `LookAgain`, `look_again` and `look-again` are `look` and `again`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c == '-' || c.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_retired(name: &str) -> bool {
    let words = words(name);
    words.iter().any(|word| RETIRED_WORDS.contains(&word.as_str()))
        || words.windows(2).any(|two| two == ["look", "again"])
}

/// The names that a source file declares: items, and public fields.
fn declared(text: &str) -> Vec<&str> {
    const KEYWORDS: [&str; 9] = ["fn", "struct", "enum", "trait", "type", "mod", "const", "static", "macro_rules"];
    let mut names = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        let code: Vec<&str> =
            line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
        names.extend(code.windows(2).filter(|two| KEYWORDS.contains(&two[0])).map(|two| two[1]));
        if let Some((field, _)) = line.strip_prefix("pub ").and_then(|rest| rest.split_once(':')) {
            names.push(field.rsplit(' ').next().unwrap_or(field));
        }
    }
    names
}

#[test]
fn retired_words_stay_out_of_names() {
    let mut found = Vec::new();
    for below in ["host", "plugins", "tests"] {
        for (path, text) in sources(below).into_iter().filter(|(path, _)| !path.ends_with("tidy.rs")) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let names = declared(&text).into_iter().chain([stem.as_str()]);
            found.extend(names.filter(|name| is_retired(name)).map(|name| format!("{}: {name}", path.display())));
        }
    }
    for (folder, comment) in [("migrations/sqlite", "--"), ("migrations/postgres", "--"), ("wit/next", "//")] {
        for entry in fs::read_dir(repository().join(folder)).expect("a folder").filter_map(Result::ok) {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                continue; // Its keys are those of the manifest's types; its texts are prose.
            }
            let text = fs::read_to_string(&path).expect("text");
            let code = text.lines().map(|line| line.split(comment).next().unwrap_or_default());
            let names = code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-'));
            found.extend(names.filter(|name| is_retired(name)).map(|name| format!("{}: {name}", path.display())));
        }
    }
    assert!(found.is_empty(), "use the words of host/ARCHITECTURE.md: {found:#?}");
}

#[test]
fn retired_words_are_found() {
    let text =
        "pub struct ToldBooking {\n    pub shut_by_whom: bool,\n}\nfn look_again() {}\nfn tell() {}\n// fn desk()\n";
    let found: Vec<&str> = declared(text).into_iter().filter(|name| is_retired(name)).collect();
    assert_eq!(found, ["ToldBooking", "shut_by_whom", "look_again", "tell"]);
    assert!(!is_retired("desktop") && !is_retired("withhold") && !is_retired("intelligence"));
}

#[test]
fn no_type_of_the_host_has_its_name_twice() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in sources("host") {
        for line in text.lines().map(str::trim).filter(|line| line.starts_with("pub")) {
            let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            let at = words.iter().position(|word| ["struct", "enum", "trait", "type"].contains(word));
            // A macro's types are named where it is used.
            if let Some(name) = at.and_then(|at| words.get(at + 1)).filter(|name| !name.is_empty()) {
                places.entry((*name).to_owned()).or_default().push(path.display().to_string());
            }
        }
    }
    places.retain(|_, paths| paths.len() > 1);
    assert!(places.is_empty(), "one name, one type: {places:#?}");
}

/// The rooms of the program, from the ground up: each uses only those that are named beside it, which all stand above it here.
const ROOMS: [(&str, &[&str]); 27] = [
    ("coalescer", &[]),
    ("config", &[]),
    ("egress", &[]),
    ("waiting", &[]),
    ("limits", &["waiting"]),
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
    ("app", &["config", "egress", "http", "limits", "plugins", "store", "vault", "waiting"]),
    ("facts", &["app", "store"]),
    ("lease", &["app", "store"]),
    ("credentials", &["app", "http", "plugins", "schedule", "store", "vault"]),
    ("webhooks", &["app", "facts", "http", "panics", "schedule", "store", "telemetry", "vault"]),
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
    ("outbound", &["app", "channel", "facts", "inbound", "lease", "plugins", "reconcile", "schedule", "store"]),
    (
        "worker",
        &[
            "app",
            "channel",
            "coalescer",
            "core",
            "facts",
            "inbound",
            "lease",
            "outbound",
            "panics",
            "reconcile",
            "schedule",
            "store",
            "telemetry",
            "webhooks",
        ],
    ),
    ("api", &["app", "coalescer", "core", "http", "inbound", "store", "vault", "webhooks"]),
    (
        "admin",
        &[
            "app",
            "core",
            "credentials",
            "http",
            "inbound",
            "lease",
            "outbound",
            "plugins",
            "reconcile",
            "schedule",
            "store",
            "vault",
            "webhooks",
            "worker",
        ],
    ),
    (
        "server",
        &["admin", "api", "app", "credentials", "http", "inbound", "plugins", "supervisor", "telemetry", "worker"],
    ),
];

/// Arrows that a table of rooms does not allow.
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

/// What to do about circles, arrow by arrow.
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
    let folders = ["host", "plugins"].map(|below| fs::read_dir(repository().join(below)).expect("a folder"));
    let mut crates = 0;
    for entry in folders.into_iter().flatten() {
        let path = entry.expect("an entry").path();
        // The host's own rooms have a table, and files inside a room may use each other.
        if !path.join("src").exists() || path.ends_with("host/gassync") {
            continue;
        }
        let wrong = circles(&Crate::read(&path.join("src")));
        assert!(wrong.is_empty(), "{}:\n{}", path.display(), wrong.join("\n"));
        crates += 1;
    }
    assert!(crates >= 9, "{crates} crates were read");
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
