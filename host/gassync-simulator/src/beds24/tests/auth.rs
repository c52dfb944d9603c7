use super::*;

const SETUP: &str = "/api/v2/authentication/setup";
const TOKEN: &str = "/api/v2/authentication/token";
const DETAILS: &str = "/api/v2/authentication/details";
const DAY: i64 = 86_400;

async fn refresh(running: &Running, refresh: &str) -> Answer {
    running.send(Method::GET, TOKEN, &[("refreshToken", refresh)], None).await
}

fn text(answer: &Answer, key: &str) -> String {
    answer.body[key].as_str().unwrap_or_else(|| panic!("no {key} in {}", answer.body)).to_owned()
}

#[tokio::test]
async fn an_invite_code_works_once_and_not_for_ever() {
    let running = Running::start(calm()).await;
    let code = running.simulator.invite_code();
    let first = running.redeem(&code).await;
    assert_eq!((first.status, first.body["expiresIn"].as_i64()), (200, Some(DAY)));
    assert_eq!(running.redeem(&code).await.status, 401);
    let late = running.simulator.invite_code();
    running.pass(DAY + 1);
    assert_eq!(running.redeem(&late).await.status, 401);
    assert_eq!(running.send(Method::POST, SETUP, &[("code", "x")], None).await.status, 405, "all of them are GETs");
}

#[tokio::test]
async fn a_dead_token_is_refused_and_only_the_header_token_counts() {
    let running = Running::start(calm()).await;
    let token = running.token().await;
    assert_eq!(running.get(&token, "/properties").await.status, 200);
    let bearer = [("authorization", &*format!("Bearer {token}"))];
    assert_eq!(running.send(Method::GET, "/api/v2/properties", &bearer, None).await.status, 401);
    running.pass(DAY);
    let dead = running.get(&token, "/properties").await;
    assert_eq!((dead.status, dead.body["error"].as_str()), (401, Some("Token not valid")));
}

#[tokio::test]
async fn a_refresh_token_lives_while_it_is_used() {
    let running = Running::start(calm()).await;
    let refresh_token = text(&running.redeem(&running.simulator.invite_code()).await, "refreshToken");
    for _ in 0..3 {
        running.pass(29 * DAY);
        let renewed = refresh(&running, &refresh_token).await;
        assert_eq!((renewed.status, renewed.body.get("refreshToken")), (200, None), "it does not rotate");
        assert_eq!(running.get(&text(&renewed, "token"), "/properties").await.status, 200);
    }
    running.pass(30 * DAY);
    assert_eq!(refresh(&running, &refresh_token).await.status, 401);
}

#[tokio::test]
async fn a_refresh_token_rotates_when_asked_to() {
    let running = Running::start(Settings { refresh_rotates: true, ..calm() }).await;
    let first = text(&running.redeem(&running.simulator.invite_code()).await, "refreshToken");
    let second = text(&refresh(&running, &first).await, "refreshToken");
    assert_ne!(first, second);
    assert_eq!(refresh(&running, &first).await.status, 401);
    assert_eq!(refresh(&running, &second).await.status, 200);
}

#[tokio::test]
async fn revoking_ends_all_derived_tokens() {
    let running = Running::start(Settings { refresh_rotates: true, ..calm() }).await;
    let made = running.redeem(&running.simulator.invite_code()).await;
    let (token, first) = (text(&made, "token"), text(&made, "refreshToken"));
    let second = text(&refresh(&running, &first).await, "refreshToken");
    for expected in [true, false] {
        let revoked = running.send(Method::DELETE, TOKEN, &[("refreshToken", &second)], None).await;
        assert_eq!(revoked.body["success"], json!(expected));
    }
    assert_eq!(refresh(&running, &second).await.status, 401);
    assert_eq!(running.get(&token, "/properties").await.status, 401);
}

#[tokio::test]
async fn details_show_scopes_and_remaining_time() {
    let running = Running::start(calm()).await;
    let token = running.token_for(&["read:bookings"]).await;
    running.pass(100);
    let details = running.send(Method::GET, DETAILS, &[("token", &token)], None).await;
    assert_eq!(details.body["validToken"], json!(true));
    assert_eq!(details.body["token"]["scopes"], json!(["read:bookings"]));
    assert_eq!(details.body["token"]["expiresIn"], json!(DAY - 100));
    assert_eq!(details.body["token"]["deviceName"], json!("test"));
    running.pass(DAY);
    let details = running.send(Method::GET, DETAILS, &[("token", &token)], None).await;
    assert_eq!((&details.body["validToken"], &details.body["token"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn scopes_are_honoured() {
    let running = Running::start(calm()).await;
    let reader = running.token_for(&["read:bookings", "read:properties"]).await;
    assert_eq!(running.get(&reader, "/bookings").await.status, 200);
    assert_eq!(running.get(&reader, "/inventory/rooms/availability").await.status, 403);
    assert_eq!(running.get(&reader, "/bookings/messages").await.status, 403);
    assert_eq!(running.post(&reader, "/bookings", json!([])).await.status, 403);
    assert_eq!(running.post(&reader, "/properties", json!([])).await.status, 403);
    let writer = running.token_for(&["write:bookings"]).await;
    assert_eq!(running.post(&writer, "/bookings", json!([])).await.status, 201);
    assert_eq!(running.get(&writer, "/bookings").await.status, 403, "who writes may not read");
    let delete = running.send(Method::DELETE, "/api/v2/bookings?id=1", &[("token", &writer)], None).await;
    assert_eq!(delete.status, 403, "nor delete");
    let strict = Running::start(Settings { missing_scope_status: 401, ..calm() }).await;
    let reader = strict.token_for(&["read:bookings"]).await;
    assert_eq!(strict.get(&reader, "/properties").await.status, 401);
}

#[tokio::test]
async fn without_the_scope_guests_are_empty_and_charges_missing() {
    let running = Running::start(calm()).await;
    let all = running.token().await;
    let blind = running.token_for(&["read:bookings"]).await;
    let path = "/bookings?includeInvoiceItems=true";
    let (seen, hidden) = (running.get(&all, path).await, running.get(&blind, path).await);
    let named = seen.data().iter().position(|booking| booking["lastName"] != "").expect("a guest");
    assert_eq!(seen.data()[named]["invoiceItems"][0]["type"], "charge");
    let hidden = &hidden.data()[named];
    for key in super::super::plain_keys::PERSONAL {
        assert_eq!(hidden[key], "", "{key}");
    }
    assert!(hidden.get("invoiceItems").is_none());
    assert_eq!(hidden["price"], seen.data()[named]["price"]);
}

#[tokio::test]
async fn a_token_made_by_hand_only_reads_and_lives_while_it_is_used() {
    let running = Running::start(calm()).await;
    let token = running.simulator.long_life_token();
    running.pass(89 * DAY);
    assert_eq!(running.get(&token, "/bookings").await.status, 200);
    running.pass(89 * DAY);
    assert_eq!(running.get(&token, "/properties").await.status, 200);
    assert_eq!(running.post(&token, "/bookings", json!([])).await.status, 403);
    running.pass(90 * DAY);
    assert_eq!(running.get(&token, "/bookings").await.status, 401);
}
