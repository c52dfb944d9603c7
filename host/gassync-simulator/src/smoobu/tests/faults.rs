use super::*;

#[tokio::test]
async fn the_rate_is_limited_and_says_when_it_ends() {
    for retry_after in [RetryAfter::Epoch, RetryAfter::Seconds] {
        let running = Running::start(SmoobuSettings { calls_per_minute: 2, retry_after, ..calm() }).await;
        let first = running.get("/api/me").await;
        assert_eq!(first.status, 200, "{} {:?}", first.text, first.headers);
        assert_eq!((first.header("X-RateLimit-Limit"), first.header("X-RateLimit-Remaining")), (Some("2"), Some("1")));
        assert_eq!(first.header("X-RateLimit-Retry-After"), None);
        running.pass(20);
        assert_eq!(running.get("/api/me").await.status, 200);
        let met = running.get("/api/me").await;
        assert_eq!((met.status, met.header("X-RateLimit-Remaining")), (429, Some("0")));
        let ends = (running.simulator.now().as_second() + 40).to_string();
        let expected = if retry_after == RetryAfter::Epoch { ends.as_str() } else { "40" };
        assert_eq!(met.header("X-RateLimit-Retry-After"), Some(expected));
        running.pass(40);
        assert_eq!(running.get("/api/me").await.status, 200);
    }
    assert_eq!(SmoobuSettings::default().calls_per_minute, 1_000);
}

#[tokio::test]
async fn errors_come_before_or_after_the_work() {
    let running = Running::start(empty()).await;
    let set = |fault, rule: Rule| {
        let rules = [(fault, rule.only("POST /api/reservations"))].into();
        running.simulator.set_faults(FaultSettings { rules, hold_millis: 20, delay_millis: 20 });
    };
    let cases = [
        (InjectedFault::ErrorBeforeWork, 503, 0),
        (InjectedFault::ErrorAfterWork, 503, 1),
        (InjectedFault::TimeoutAfterWork, 504, 1),
        (InjectedFault::TooManyRequests, 429, 0),
        (InjectedFault::NothingChanged, 200, 0),
        (InjectedFault::Delay, 200, 1),
    ];
    for (month, (fault, status, made)) in (1..).zip(cases) {
        set(fault, Rule::next(1));
        assert_eq!(running.get("/api/reservations").await.status, 200, "not this call");
        let notice = json!({ "notice": format!("{fault:?}") });
        let nights = (format!("2027-{month:02}-01"), format!("2027-{month:02}-03"));
        let answer = running.create((&nights.0, &nights.1), notice).await;
        assert_eq!(answer.status, status, "{fault:?}");
        let created = running.simulator.created_by_reference();
        assert_eq!(created.get(&format!("{fault:?}")).copied().unwrap_or_default(), made, "{fault:?}");
        assert_eq!(running.simulator.requests().last().and_then(|call| call.fault), Some(fault));
    }
    assert_eq!(running.simulator.reservations().len(), 3);
    set(InjectedFault::TokenExpired, Rule::next(1));
    assert_eq!(running.create(("2027-12-01", "2027-12-03"), json!({})).await.status, 200, "there is no token");
}

#[tokio::test]
async fn nothing_changed_is_no_change_of_rates_and_sends_nothing() {
    let running = Running::start(empty()).await;
    running.simulator.set_webhook_urls(["http://127.0.0.1:1/".to_owned()]);
    let id = running.apartment(0);
    let calendar = || running.simulator.calendar(&id.to_string(), day("2026-09-01"), day("2026-09-01"));
    let before = calendar();
    let rules = [(InjectedFault::NothingChanged, Rule::next(1))].into();
    running.simulator.set_faults(FaultSettings { rules, ..FaultSettings::default() });
    let priced = json!({ "apartments": [id], "operations": [{ "dates": ["2026-09-01"], "daily_price": 1 }] });
    assert_eq!(running.post("/api/rates", priced.clone()).await.status, 200);
    assert_eq!((calendar(), running.simulator.webhooks_pending()), (before.clone(), 0));
    assert_eq!(running.post("/api/rates", priced).await.status, 200);
    assert_ne!(calendar(), before);
}
