//! A partner's first steps in each language: create a project, build, check, and run it in a host, without editing a
//! file.

use gassync::admin::CreatedSource;
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host},
    on_both,
    partner_project::PartnerProject,
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

on_both!(in_rust, in_javascript, in_python);

/// The components, each built and checked once.
static BUILT: [OnceCell<Vec<u8>>; 3] = [const { OnceCell::const_new() }; 3];

async fn component(number: usize, language: &'static str) -> &'static [u8] {
    let built = BUILT[number].get_or_init(|| async move {
        let made = tokio::task::spawn_blocking(move || {
            let partner = PartnerProject::new("acme", language);
            let component = partner.build();
            let file = partner.component();
            partner.run(&["check", &file.display().to_string()]);
            component
        });
        made.await.expect("built")
    });
    built.await
}

async fn in_rust(database: Database) {
    serves(database, component(0, "rust").await).await;
}

async fn in_javascript(database: Database) {
    serves(database, component(1, "javascript").await).await;
}

async fn in_python(database: Database) {
    serves(database, component(2, "python").await).await;
}

async fn serves(database: Database, component: &[u8]) {
    let host = Host::start(database, &[], None).await;
    let (status, installed) = host.install(component.to_vec()).await;
    assert_eq!((status, &installed["status"]), (201, &json!("serving")), "{installed}");
    let new = json!({ "account": ACCOUNT, "channel": "acme", "name": "acme", "credentials": { "key": "s3cret" } });
    let made: CreatedSource = host.operate("sources", &new).await.json().await.expect("a source");
    let booking = json!({
        "number": "B-17", "room": "sea-view", "from": "2027-06-01", "to": "2027-06-04", "state": "booked",
        "name": "Ada Example", "price": "410.00", "currency": "EUR", "changed": "2027-01-05T09:00:00Z",
    });
    let call = async |booking: &Value| {
        let request = host.http.post(&made.webhook_url).header("X-GasSync-Token", &made.webhook_token).json(booking);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(call(&booking).await, 200);
    // Its room is not linked: the booking is parked, and shown with all its fields.
    host.until("it is parked", async || host.figure("records_parked").await == 1).await;
    let calls = host.look("plugins/acme/calls").await;
    let mut decoded = calls.as_array().expect("calls").iter().filter(|call| call["entry"] == "inbound.decode");
    assert_eq!(decoded.next().map(|call| &call["outcome"]), Some(&json!("ok")), "{calls}");
    assert_eq!(call(&json!({ "room": "sea-view" })).await, 200, "what it does not understand is acknowledged");
    let is_set_aside = async || host.look("set-aside").await.as_array().is_some_and(|records| records.len() == 1);
    host.until("and set aside", is_set_aside).await;
    host.stop().await;
}
