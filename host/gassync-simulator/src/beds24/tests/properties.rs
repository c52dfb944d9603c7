use super::*;

#[tokio::test]
async fn rooms_come_only_when_asked_for_and_in_pages() {
    let running = Running::start(Settings { properties: 5, page_size: 2, ..empty() }).await;
    let token = running.token().await;
    let plain = running.get(&token, "/properties").await;
    assert!(plain.data().iter().all(|property| property.get("roomTypes").is_none()));
    assert_eq!((&plain.body["count"], &plain.body["pages"]["nextPageExists"]), (&json!(2), &json!(true)));
    let mut seen = Vec::new();
    let mut next = Some(format!("{}/api/v2/properties?includeAllRooms=true", running.root));
    while let Some(link) = next {
        let path = link.strip_prefix(&format!("{}/api/v2", running.root)).expect("the same server").to_owned();
        let page = running.get(&token, &path).await;
        for property in page.data() {
            assert_eq!(property["roomTypes"].as_array().expect("rooms").len(), 2, "the link keeps what was asked for");
            assert_eq!(property["roomTypes"][0]["propertyId"], property["id"]);
            let units = property["roomTypes"][0]["units"].as_array().expect("units");
            assert_eq!(json!(units.len()), property["roomTypes"][0]["qty"]);
            assert!(property["currency"].is_string());
        }
        seen.extend(page.ids());
        next = page.body["pages"]["nextPageLink"].as_str().map(str::to_owned);
    }
    let all: Vec<u64> = running.simulator.properties().iter().map(|property| property.id).collect();
    assert_eq!(seen, all);
    let one = running.get(&token, &format!("/properties?id={}&id={}", all[1], all[3])).await;
    assert_eq!(one.ids(), [all[1], all[3]]);
    let by_room = running.get(&token, &format!("/properties?roomId[]={}", running.room())).await;
    assert_eq!(by_room.ids(), [all[0]]);
}

#[tokio::test]
async fn the_list_of_rooms_is_not_ready() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    assert_eq!(running.get(&token, "/properties/rooms").await.status, 404);
    for nowhere in ["/webhooks", "/inventory/rooms"] {
        assert_eq!(running.get(&token, nowhere).await.status, 404, "{nowhere}");
    }
}

#[tokio::test]
async fn webhooks_are_set_by_a_write() {
    let running = Running::start(empty()).await;
    let token = running.token().await;
    let id = running.simulator.properties()[0].id;
    let before = running.get(&token, &format!("/properties?id={id}")).await;
    assert_eq!(before.data()[0]["webhooks"]["url"], "");
    let hook = json!({ "version": "twoNoPersonalData", "url": "https://hooks.example.org/b",
        "additionalData": "none", "customHeader": "X-Proof: s3" });
    let set = running.post(&token, "/properties", json!([{ "id": id, "webhooks": hook }])).await;
    assert_eq!((set.status, &set.body[0]["modified"]["webhooks"]), (201, &hook));
    let after = running.get(&token, &format!("/properties?id={id}")).await;
    assert_eq!(after.data()[0]["webhooks"], hook);
    let items = json!([
        { "id": id, "webhooks": { "version": "three" } },
        { "id": 1, "webhooks": hook },
        { "id": id, "webhooks": { "url": "https://hooks.example.org/c" } },
    ]);
    let mixed = running.post(&token, "/properties", items).await;
    let outcomes: Vec<_> = mixed.body.as_array().expect("outcomes").iter().map(|o| o["success"] == true).collect();
    assert_eq!((mixed.status, outcomes), (201, vec![false, false, true]));
    let after = running.get(&token, &format!("/properties?id={id}")).await;
    assert_eq!(after.data()[0]["webhooks"]["version"], "twoNoPersonalData", "what is not written stays");
    assert_eq!(after.data()[0]["webhooks"]["url"], "https://hooks.example.org/c");
    let bare = Running::start(Settings { bare_answers: true, ..empty() }).await;
    let token = bare.token().await;
    let set = bare.post(&token, "/properties", json!([{ "id": id, "webhooks": hook }])).await;
    assert_eq!(set.body, json!([{ "success": true }]));
}
