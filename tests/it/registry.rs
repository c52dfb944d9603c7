//! Versions of plugins are installed, activated, rolled back and removed during calls; a version that requests more
//! waits for approval; a failing one is quarantined.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gassync::{
    admin::CreatedSource,
    store::plugins::{
        self, PluginStatus,
        processes::{self, InstanceState},
    },
};
use gassync_tests::{
    database::Database,
    host::{Host, clock},
    leftovers::Leftover,
    on_both,
    partner_project::PartnerProject,
    plugins::versioned,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{sync::OnceCell, task::JoinSet};

on_both!(
    versions_are_activated_rolled_back_and_removed,
    a_version_with_new_permissions_awaits_approval,
    plugins_are_installed_from_the_folder,
    a_version_is_activated_once_every_process_is_ready,
    a_version_that_killed_processes_is_not_retried,
    a_version_failing_for_many_is_quarantined,
    running_calls_finish_on_their_version,
    a_thousand_calls_during_ten_replacements,
);

/// Creates a source of the plugin `versioned`; returns its webhook URL.
async fn connect(host: &Host, account: &str, name: &str) -> CreatedSource {
    let new = json!({ "account": account, "channel": "versioned", "name": name });
    host.operate("sources", &new).await.json().await.expect("a source")
}

/// The version that responds, or the status if none does.
async fn answer(host: &Host, url: &str, body: &str) -> String {
    let answer = host.http.post(url).body(body.to_owned()).send().await.expect("an answer");
    let (status, text) = (answer.status(), answer.text().await.expect("a body"));
    if status.as_u16() == 200 { text } else { status.as_u16().to_string() }
}

/// Version and status, newest first.
async fn versions(host: &Host) -> Vec<(String, String)> {
    let shown = host.look("plugins/versioned").await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let versions = shown["versions"].as_array().expect("versions").iter();
    versions.map(|version| (text(&version["version"]), text(&version["status"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(version, status)| ((*version).to_owned(), (*status).to_owned())).collect()
}

fn hash(component: &[u8]) -> String {
    hex::encode(Sha256::digest(component))
}

async fn versions_are_activated_rolled_back_and_removed(database: Database) {
    let host = Host::start(database, &[], None).await;
    let (status, installed) = host.install(versioned(1001, &[])).await;
    assert_eq!((status, &installed["status"]), (201, &json!("serving")), "{installed}");
    let url = connect(&host, "One", "v").await.webhook_url;
    assert_eq!(answer(&host, &url, "").await, "1.0.1001");
    assert_eq!(host.install(versioned(1002, &[])).await.1["status"], "serving");
    assert_eq!(answer(&host, &url, "").await, "1.0.1002");
    assert_eq!(versions(&host).await, pairs(&[("1.0.1002", "serving"), ("1.0.1001", "former")]));

    assert_eq!(host.operate("plugins/versioned/rollback", &json!(null)).await.status().as_u16(), 204);
    assert_eq!(answer(&host, &url, "").await, "1.0.1001");
    let whole = versioned(1003, &[]);
    let (status, problem) = host.install(whole[..whole.len() / 2].to_vec()).await;
    assert_eq!((status, &problem["type"]), (400, &json!("/problems/malformed")), "{problem}");
    assert_eq!(answer(&host, &url, "").await, "1.0.1001", "what serves goes on");

    let calls = host.look("plugins/versioned/calls?detail=true").await;
    let of_call = |call: &Value| (call["entry"].clone(), call["version"].clone(), call["outcome"].clone());
    let calls: Vec<_> = calls.as_array().expect("calls").iter().map(of_call).collect();
    let call = |version: &str| (json!("inbound.decode"), json!(version), json!("ok"));
    assert_eq!(calls, ["1.0.1001", "1.0.1001", "1.0.1002", "1.0.1001"].map(call));

    assert_eq!(host.operate("plugins/versioned/remove", &json!(null)).await.status().as_u16(), 204);
    assert_eq!(answer(&host, &url, "").await, "503");
    assert_eq!(host.look("plugins").await[0]["status"], "removed");
    assert_eq!(host.operate("plugins/versioned/rollback", &json!(null)).await.status().as_u16(), 409);
    assert_eq!(host.install(versioned(1002, &[])).await.1["status"], "serving");
    assert_eq!(answer(&host, &url, "").await, "1.0.1002");
    assert_eq!(host.operate("plugins/nobody/rollback", &json!(null)).await.status().as_u16(), 404);
    host.stop().await;
}

async fn a_version_with_new_permissions_awaits_approval(database: Database) {
    let host = Host::start(database, &[], None).await;
    host.install(versioned(1001, &[])).await;
    let url = connect(&host, "One", "v").await.webhook_url;
    let (status, installed) = host.install(versioned(1002, &["GET https://two.example"])).await;
    assert_eq!((status, &installed["status"]), (201, &json!("waiting")));
    assert_eq!(installed["lacks"], json!([r#"--host "GET https://two.example""#]));
    assert_eq!(answer(&host, &url, "").await, "1.0.1001");
    let problem = host.look("plugins").await[0]["problem"].clone();
    let ready_to_paste = r#"gassync plugin grant versioned --host "GET https://two.example""#;
    assert!(problem.as_str().is_some_and(|problem| problem.ends_with(ready_to_paste)), "{problem}");

    let granted: Value =
        host.operate("plugins/versioned/grant", &json!({ "all": true })).await.json().await.expect("it");
    assert_eq!((&granted["status"], &granted["lacks"]), (&json!("serving"), &json!([])));
    assert_eq!(answer(&host, &url, "").await, "1.0.1002");
    // A version that requests less, or what was already granted, is activated.
    assert_eq!(host.install(versioned(1003, &[])).await.1["status"], "serving");
    assert_eq!(host.install(versioned(1004, &["GET https://two.example"])).await.1["status"], "serving");
    // A version that requests more may be activated without it.
    assert_eq!(host.install(versioned(1005, &["https://two.example"])).await.1["status"], "waiting");
    let granted: Value = host.operate("plugins/versioned/grant", &json!({})).await.json().await.expect("it");
    assert_eq!(granted["lacks"], json!([r#"--host "https://two.example""#]));
    assert_eq!(answer(&host, &url, "").await, "1.0.1005");

    let typo = json!({ "give": { "hosts": ["two.example"] } });
    assert_eq!(host.operate("plugins/versioned/grant", &typo).await.status().as_u16(), 400);
    let take = json!({ "take": { "hosts": ["GET https://one.example"] } });
    let taken: Value = host.operate("plugins/versioned/grant", &take).await.json().await.expect("it");
    assert_eq!(taken["allowance"]["hosts"], json!(["GET https://two.example"]));
    assert_eq!(host.operate("plugins/versioned/grant", &take).await.status().as_u16(), 400, "it is gone already");
    let serving = host.app.plugins.get("versioned").expect("it serves");
    let grant = serving.grant(&json!({}), |_, _| None, Vec::new());
    let judged = |url: &str| grant.judge("GET", &url.parse().expect("a URL")).map_err(|denial| denial.to_string());
    assert_eq!(judged("https://two.example/x"), Ok(()));
    let denied = judged("https://one.example/x").expect_err("denied");
    assert_eq!(denied, r#"the grant lacks --host "GET https://one.example:443""#);
    // A rollback must not restore a revoked permission.
    assert_eq!(host.operate("plugins/versioned/rollback", &json!(null)).await.status().as_u16(), 204);
    let serving = host.app.plugins.get("versioned").expect("it serves");
    assert_eq!(serving.manifest().version, "1.0.1004");
    assert!(!serving.allowance().hosts.contains("GET https://one.example"));
    // A revoked unverified route requires authentication.
    let open = url.replace('?', "/open?");
    assert_eq!(answer(&host, &open, "").await, "1.0.1004");
    let take = json!({ "take": { "openRoutes": ["/open"] } });
    assert_eq!(host.operate("plugins/versioned/grant", &take).await.status().as_u16(), 200);
    assert_eq!(answer(&host, &open, "").await, "401");
    host.stop().await;
}

async fn plugins_are_installed_from_the_folder(database: Database) {
    let (url, dir) = (database.url.clone(), database.dir.path().to_owned());
    let host = Host::start(database, &[], None).await;
    let file = host.plugins.join("versioned.wasm");
    let serves = async |number: u32| {
        let wanted = hash(&versioned(number, &[]));
        let there = async || host.app.plugins.get("versioned").is_some_and(|plugin| plugin.hash() == wanted);
        host.until(&format!("version {number} serves"), there).await;
    };
    std::fs::write(&file, versioned(1001, &[])).expect("written");
    serves(1001).await;
    let whole = versioned(1002, &[]);
    std::fs::write(&file, &whole[..whole.len() / 2]).expect("half of it");
    host.until("the half is told of", async || host.app.plugins.problems().contains_key("versioned")).await;
    serves(1001).await;
    std::fs::write(&file, &whole).expect("the whole");
    serves(1002).await;
    host.until("nothing is wrong with it any more", async || host.app.plugins.problems().is_empty()).await;
    let beside = host.plugins.join("versioned.half");
    std::fs::write(&beside, versioned(1003, &[])).expect("written");
    std::fs::rename(&beside, &file).expect("renamed");
    serves(1003).await;
    std::fs::remove_file(&file).expect("removed");
    std::fs::write(&file, versioned(1004, &[])).expect("written");
    serves(1004).await;
    std::fs::write(&file, versioned(1001, &[])).expect("an old one");
    serves(1001).await;
    std::fs::write(host.plugins.join("other.wasm"), versioned(1005, &[])).expect("written");
    host.until("another's file is refused", async || host.app.plugins.problems().contains_key("other")).await;
    let mut compiled =
        std::fs::read_dir(dir.join("data/compiled")).expect("a folder").map(|file| file.expect("it").path());
    let compiled = compiled.find(|path| path.extension().is_some_and(|extension| extension == "compiled"));
    std::fs::copy(compiled.expect("a file"), host.plugins.join("native.wasm")).expect("copied");
    let reported = async || host.app.plugins.problems().contains_key("native");
    host.until("native code is refused", reported).await;

    assert_eq!(host.operate("plugins/versioned/rollback", &json!(null)).await.status().as_u16(), 204);
    serves(1004).await;
    // A restart changes nothing: the registry decides what is active, not the folder.
    let beside = Database::beside(&url);
    let others = beside.dir.path().join("plugins");
    std::fs::create_dir_all(&others).expect("a folder");
    std::fs::copy(&file, others.join("versioned.wasm")).expect("copied");
    let other = Host::start(beside, &[], None).await;
    let again = hash(&versioned(1004, &[]));
    other
        .until("it serves there too", async || {
            other.app.plugins.get("versioned").is_some_and(|plugin| plugin.hash() == again)
        })
        .await;
    other.stop().await;
    std::fs::remove_file(&file).expect("removed");
    // A problem of a later file is reported after all earlier changes were read.
    let is_read = async |mark: &str| {
        std::fs::write(host.plugins.join(format!("{mark}.wasm")), b"no component").expect("written");
        host.until("the folder is read", async || host.app.plugins.problems().contains_key(mark)).await;
    };
    is_read("first-mark").await;
    // The active version was chosen by an operator, not by this file: it stays active.
    serves(1004).await;
    std::fs::write(&file, versioned(1004, &[])).expect("written");
    is_read("second-mark").await;
    std::fs::remove_file(&file).expect("removed");
    host.until("nothing serves", async || host.app.plugins.get("versioned").is_none()).await;
    host.stop().await;
}

async fn a_version_is_activated_once_every_process_is_ready(database: Database) {
    let host = Host::start(database, &[], None).await;
    host.install(versioned(1001, &[])).await;
    let url = connect(&host, "One", "v").await.webhook_url;
    // The other process keeps its heartbeat, however long this one prepares.
    let app = Arc::clone(&host.app);
    let live = async move || {
        let mut tx = app.db.platform_write().await.expect("a transaction");
        processes::heartbeat(&mut tx, "another", clock()()).await.expect("seen");
        tx.commit().await.expect("committed");
    };
    live().await;
    let living = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            live().await;
        }
    });
    assert_eq!(host.install(versioned(1002, &[])).await.1["status"], "preparing");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(answer(&host, &url, "").await, "1.0.1001");
    let mut tx = host.app.db.platform_write().await.expect("a transaction");
    let ready = (&*hash(&versioned(1002, &[])), InstanceState::Ready);
    processes::record_preparation(&mut tx, "another", ready, clock()()).await.expect("said");
    tx.commit().await.expect("committed");
    host.until("the new one serves", async || answer(&host, &url, "").await == "1.0.1002").await;
    // A dead process is not waited for.
    living.abort();
    drop(living.await);
    let mut tx = host.app.db.platform_write().await.expect("a transaction");
    let long_ago = clock()() - jiff::SignedDuration::from_secs(60);
    processes::heartbeat(&mut tx, "another", long_ago).await.expect("seen");
    tx.commit().await.expect("committed");
    assert_eq!(host.install(versioned(1003, &[])).await.1["status"], "serving");
    host.stop().await;
}

async fn a_version_that_killed_processes_is_not_retried(database: Database) {
    let host = Host::start(database, &[], None).await;
    host.install(versioned(1001, &[])).await;
    let deadly = versioned(1002, &[]);
    let mut tx = host.app.db.platform_write().await.expect("a transaction");
    for process in ["one", "two"] {
        let begun = (&*hash(&deadly), InstanceState::Begun);
        processes::record_preparation(&mut tx, process, begun, clock()()).await.expect("said");
    }
    tx.commit().await.expect("committed");
    std::fs::write(host.plugins.join("versioned.wasm"), &deadly).expect("written");
    let reported =
        async || host.app.plugins.problems().get("versioned").is_some_and(|why| why.contains("2 processes died"));
    host.until("it is refused", reported).await;
    assert_eq!(host.app.plugins.get("versioned").expect("it serves").manifest().version, "1.0.1001");
    // An operator's installation tries it nevertheless.
    assert_eq!(host.install(deadly).await.1["status"], "serving");
    host.stop().await;
}

async fn a_version_failing_for_many_is_quarantined(database: Database) {
    let host = Host::start(database, &[], None).await;
    host.leaves(Leftover::FailedMessages);
    host.install(versioned(1001, &[])).await;
    host.install(versioned(1002, &[])).await;
    let mut urls = Vec::new();
    for (account, name) in [("One", "a"), ("One", "b"), ("Two", "c")] {
        urls.push(connect(&host, account, name).await.webhook_url);
    }
    let statuses = async || versions(&host).await.into_iter().map(|(_, status)| status).collect::<Vec<_>>();
    // Faults of unverified calls, or of one account alone, do not count, however many.
    for url in [&urls[0], &urls[1], &urls[2]] {
        let open = url.replace('?', "/open?");
        assert_eq!(answer(&host, &open, "panic 1.0.1002").await, "202");
    }
    for url in [&urls[0], &urls[1], &urls[0], &urls[1]] {
        assert_eq!(answer(&host, url, "panic 1.0.1002").await, "202");
    }
    assert_eq!(statuses().await, ["serving", "former"]);
    assert_eq!(answer(&host, &urls[2], "panic 1.0.1002").await, "202");
    host.until("its forerunner serves", async || answer(&host, &urls[0], "").await == "1.0.1001").await;
    assert_eq!(versions(&host).await, pairs(&[("1.0.1002", "quarantined"), ("1.0.1001", "serving")]));
    // Its file does not reactivate it, and the problem is reported.
    std::fs::write(host.plugins.join("versioned.wasm"), versioned(1002, &[])).expect("written");
    let reported =
        async || host.app.plugins.problems().get("versioned").is_some_and(|why| why.contains("in quarantine"));
    host.until("it is refused", reported).await;

    // The previous version fails too, and there is none before it: messages stay queued.
    for url in &urls {
        answer(&host, url, "panic").await;
    }
    let set_aside = async || host.look("plugins").await[0]["status"] == "quarantined";
    host.until("nothing works", set_aside).await;
    assert_eq!(answer(&host, &urls[0], "").await, "202");
    assert!(host.figure("messages_waiting").await > 0);
    assert_eq!(host.operate("plugins/versioned/enable", &json!(null)).await.status().as_u16(), 204);
    assert_eq!(answer(&host, &urls[0], "").await, "1.0.1001");
    host.until("what waited is worked off or set aside", async || host.figure("messages_waiting").await == 0).await;
    // An operator's installation clears the quarantine.
    assert_eq!(host.install(versioned(1002, &[])).await.1["status"], "serving");
    // If no version is active, a fixed version is activated without an operator.
    let mut tx = host.app.db.platform_write().await.expect("a transaction");
    plugins::set_status(&mut tx, "versioned", PluginStatus::Quarantined, clock()()).await.expect("set");
    tx.commit().await.expect("committed");
    assert_eq!(answer(&host, &urls[0], "").await, "202");
    assert_eq!(host.install(versioned(1003, &[])).await.1["status"], "serving");
    assert_eq!(answer(&host, &urls[0], "").await, "1.0.1003");
    let failed = host.look("inbox?state=failed").await;
    assert!(!failed.as_array().expect("messages").is_empty(), "a message that breaks it twice is set aside");
    host.stop().await;
}

async fn running_calls_finish_on_their_version(database: Database) {
    let host = Host::start(database, &[], None).await;
    host.install(versioned(1001, &[])).await;
    let url = connect(&host, "One", "v").await.webhook_url;
    let mut running = JoinSet::new();
    for _ in 0..40 {
        let (http, url) = (host.http.clone(), url.clone());
        running.spawn(async move {
            let answer = http.post(url).body("sleep 700").send().await.expect("an answer");
            (answer.status().as_u16(), answer.text().await.expect("a body"))
        });
    }
    host.until("calls have come in", async || host.figure("messages_waiting").await > 0).await;
    assert_eq!(host.install(versioned(1002, &[])).await.1["status"], "serving");
    assert_eq!(answer(&host, &url, "").await, "1.0.1002", "new calls do not wait for old ones");
    let ended = running.join_all().await;
    let versions =
        |version: &str| ended.iter().filter(|(status, text)| (*status, text.as_str()) == (200, version)).count();
    assert_eq!(versions("1.0.1001") + versions("1.0.1002"), 40, "{ended:?}");
    assert!(versions("1.0.1001") > 0, "some ran when the other came");
    host.stop().await;
}

async fn a_thousand_calls_during_ten_replacements(database: Database) {
    const CALLS: usize = 1_000;
    let python = python().await;
    let host = Host::start(database, &[], None).await;
    host.install(versioned(1001, &[])).await;
    let url = connect(&host, "One", "v").await.webhook_url;
    let replaced = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..4 {
        let (http, url, replaced) = (host.http.clone(), url.clone(), Arc::clone(&replaced));
        callers.spawn(async move {
            let mut reported = Vec::new();
            while reported.len() < CALLS / 4 || !replaced.load(Ordering::Relaxed) {
                let answer = http.post(&url).send().await.expect("an answer");
                reported.push((answer.status().as_u16(), answer.text().await.expect("a body")));
            }
            reported
        });
    }
    for number in 1002..=1010 {
        assert_eq!(host.install(versioned(number, &[])).await.1["status"], "serving");
        assert_eq!(answer(&host, &url, "").await, format!("1.0.{number}"));
    }
    let (status, waiting) = host.install(python.to_vec()).await;
    assert_eq!((status, &waiting["lacks"]), (201, &json!(["--memory-mib 256"])), "{waiting}");
    let granted: Value =
        host.operate("plugins/versioned/grant", &json!({ "all": true })).await.json().await.expect("it");
    assert_eq!(granted["status"], "serving", "{granted}");
    assert_eq!(answer(&host, &url, "").await, "2.0.0");
    replaced.store(true, Ordering::Relaxed);
    let reported: Vec<(u16, String)> = callers.join_all().await.into_iter().flatten().collect();
    assert!(reported.len() >= CALLS, "{} calls", reported.len());
    let known: Vec<String> = (1001..=1010).map(|number| format!("1.0.{number}")).chain(["2.0.0".to_owned()]).collect();
    let strange: Vec<_> = reported.iter().filter(|(status, text)| *status != 200 || !known.contains(text)).collect();
    assert!(strange.is_empty(), "of {} calls: {strange:?}", reported.len());
    let served = known.iter().filter(|version| reported.iter().any(|(_, text)| text == *version)).count();
    assert!(served >= 5, "only {served} versions were seen");
    host.stop().await;
}

/// The guest `versioned` in Python, built once.
async fn python() -> &'static [u8] {
    static BUILT: OnceCell<Vec<u8>> = OnceCell::const_new();
    let built = BUILT.get_or_init(|| async {
        let made = tokio::task::spawn_blocking(|| {
            let partner = PartnerProject::new("versioned", "python");
            for file in ["plugin.py", "manifest.json"] {
                partner.lay(&format!("tests/scripts/versioned/{file}"), file);
            }
            partner.lay("tests/scripts/versioned/world.wit", "wit/world.wit");
            partner.build()
        });
        made.await.expect("built")
    });
    built.await
}
