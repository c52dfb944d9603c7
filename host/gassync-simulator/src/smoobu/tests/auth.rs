use super::*;
use crate::smoobu::auth::{canonical, sign};

#[test]
fn the_signature_is_the_documented_one() {
    // Worked by another program from the documented rule, with an invented key.
    let (id, secret) = ("usr_live_k3m9w2", "haubentaucher");
    let uri = "/api/reservations?pageSize=50&arrivalFrom=2026-09-01&page=2".parse().expect("a URI");
    let nonce = "c0a1e5b2-77d4-4f0e-9b1d-2f6a83d4c911";
    let text = canonical("GET", &uri, "2026-08-14T17:30:05Z", nonce, b"", id);
    assert_eq!(
        text,
        "GET\n/api/reservations\narrivalFrom=2026-09-01&page=2&pageSize=50\n2026-08-14T17:30:05Z\n\
         c0a1e5b2-77d4-4f0e-9b1d-2f6a83d4c911\n\
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nusr_live_k3m9w2"
    );
    assert_eq!(sign(secret, &text), "gjSzgtU0R9xZg8KTISOu4AK+wFPMBhVEuNz6aqE4vU0=");
    let (uri, nonce) = ("/api/rates".parse().expect("a URI"), "0d9f5a40-1c2b-4a6e-8f3d-b7e1c2a39d58");
    let body = br#"{"apartments":[300701],"operations":[]}"#;
    let text = canonical("POST", &uri, "2026-08-14T17:31:00Z", nonce, body, id);
    assert_eq!(sign(secret, &text), "D/hAZRv/dBohZ/NW8hEJAbXZJC6d6Xt9PzWq8+rz0Yc=");
}

#[tokio::test]
async fn signed_requests_are_let_in_once() {
    let running = Running::start(calm()).await;
    let body = json!({ "apartments": [running.apartment(0)], "operations": [] });
    assert_eq!(running.get("/api/me").await.status, 200);
    let path = format!("/api/rates?start_date=2026-08-01&apartments[]={}&end_date=2026-08-02", running.apartment(0));
    assert_eq!(running.get(&path).await.status, 200, "with brackets in the query");
    assert_eq!(running.post("/api/rates", body.clone()).await.status, 200);
    let now = running.simulator.now().to_string();
    let signed = running.signature(&Method::POST, "/api/rates", Some(&body), &now, &running.nonce());
    let headers: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for status in [200, 401] {
        let answer = running.send(Method::POST, "/api/rates", &headers, Some(&body)).await;
        assert_eq!(answer.status, status, "the nonce works once");
    }
    let seen: Vec<u16> = running.simulator.requests().iter().map(|call| call.status).collect();
    assert_eq!(seen, [200, 200, 200, 200, 401]);
}

#[tokio::test]
async fn what_is_not_signed_well_is_refused() {
    let running = Running::start(calm()).await;
    let path = "/api/reservations?page=1";
    let (now, nonce) = (running.simulator.now(), running.nonce());
    let signed = |time: &str, nonce: &str| running.signature(&Method::GET, path, None, time, nonce);
    let good = signed(&now.to_string(), &nonce);
    let second = jiff::SignedDuration::from_secs(1);
    let skew = running.simulator.inner.settings.clock_skew;
    let mut wrong = vec![
        ("a time with milliseconds", signed("2026-08-01T12:00:00.000Z", &nonce)),
        ("a time of another zone", signed("2026-08-01T12:00:00+00:00", &nonce)),
        ("an old time", signed(&(now - skew - second).to_string(), &nonce)),
        ("a time to come", signed(&(now + skew + second).to_string(), &nonce)),
        ("a nonce that is no UUID", signed(&now.to_string(), "1234")),
    ];
    for missing in 0..good.len() {
        let mut headers = good.clone();
        headers.remove(missing);
        wrong.push(("a header is missing", headers));
    }
    let mut other = good.clone();
    other[0].1 = "usr_live_other".to_owned();
    wrong.push(("another key", other));
    let mut other = good.clone();
    other[3].1 = signed(&now.to_string(), &running.nonce())[3].1.clone();
    wrong.push(("the signature of another request", other));
    for (what, headers) in wrong {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = running.send(Method::GET, path, &headers, None).await;
        assert_eq!(answer.status, 401, "{what}");
        assert_eq!(answer.body, json!({ "title": "Error occurred", "detail": "verification error" }));
    }
    let headers: Vec<(&str, &str)> = good.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(running.send(Method::GET, "/api/reservations?page=2", &headers, None).await.status, 401);
    assert_eq!(running.send(Method::GET, path, &headers, None).await.status, 200, "none of these used up the nonce");
}

#[tokio::test]
async fn the_plain_key_works_until_its_day() {
    let running = Running::start(calm()).await;
    let key = running.simulator.plain_key();
    let me = running.send(Method::GET, "/api/me", &[("api-key", &key)], None).await;
    assert_eq!((me.status, &me.body["email"]), (200, &json!("host@example.org")));
    for headers in [vec![], vec![("Api-Key", "other")], vec![("Api-Key", running.simulator.signing_key().0.as_str())]] {
        assert_eq!(running.send(Method::GET, "/api/me", &headers, None).await.status, 401);
    }
    let rest = day("2026-09-25").since(day("2026-08-01")).expect("days").get_days();
    running.pass(i64::from(rest) * 86_400 - 12 * 3_600 - 1);
    assert_eq!(running.send(Method::GET, "/api/me", &[("Api-Key", &key)], None).await.status, 200);
    running.pass(1);
    assert_eq!(running.send(Method::GET, "/api/me", &[("Api-Key", &key)], None).await.status, 401);
    assert_eq!(running.get("/api/me").await.status, 200, "signed requests go on");
}

#[tokio::test]
async fn a_source_can_connect_with_what_it_is_given() {
    let running = Running::start(calm()).await;
    let credentials = running.simulator.credentials();
    let (id, secret) = running.simulator.signing_key();
    assert_eq!((&credentials["apiKey"], &credentials["apiSecret"]), (&id, &secret));
    let address = running.root.strip_prefix("http://").expect("a root").parse().expect("an address");
    assert_eq!(Simulator::settings(&running.simulator, address)["baseUrl"], json!(running.root));
}
