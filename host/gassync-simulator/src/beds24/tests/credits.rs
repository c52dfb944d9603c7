use super::*;

const REMAINING: &str = "X-Five-Min-Limit-Remaining";

fn few(credits: f64) -> Settings {
    Settings { credits_per_five_minutes: credits, ..calm() }
}

#[tokio::test]
async fn reads_and_writes_cost_credits() {
    let running = Running::start(few(100.0)).await;
    let token = running.token().await;
    let read = running.get(&token, "/bookings").await;
    assert_eq!((read.header(REMAINING), read.header("X-Request-Cost")), (Some("99"), Some("1")));
    running.pass(40);
    let write = running.post(&token, "/bookings", json!([])).await;
    assert_eq!((write.header(REMAINING), write.header("X-Request-Cost")), (Some("97.9"), Some("1.1")));
    assert_eq!(write.header("X-Five-Min-Limit-Resets-In"), Some("260"));
}

#[tokio::test]
async fn a_refused_call_costs_nothing_and_says_nothing() {
    let running = Running::start(few(100.0)).await;
    let token = running.token().await;
    let refused = running.get(&token, "/bookings?arrivalFrom=soon").await;
    assert_eq!((refused.status, refused.header(REMAINING), refused.header("X-Request-Cost")), (400, None, None));
    assert_eq!(running.get(&token, "/properties").await.header(REMAINING), Some("99"));
    assert_eq!(running.simulator.credits_remaining(), 99.0);
}

#[tokio::test]
async fn the_window_rolls_and_all_tokens_share_it() {
    let running = Running::start(few(3.0)).await;
    let (one, other) = (running.token().await, running.token().await);
    assert_eq!(running.get(&one, "/properties").await.status, 200);
    running.pass(100);
    assert_eq!(running.get(&other, "/properties").await.status, 200);
    assert_eq!(running.get(&one, "/properties").await.status, 200);
    let refused = running.get(&other, "/properties").await;
    assert_eq!((refused.status, refused.body["error"].as_str()), (429, Some("Credit limit exceeded")));
    assert_eq!((refused.header(REMAINING), refused.header("X-Five-Min-Limit-Resets-In")), (Some("0"), Some("200")));
    running.pass(200);
    assert_eq!(running.get(&one, "/properties").await.status, 200, "the first call is out of the window");
    assert_eq!(running.get(&one, "/properties").await.status, 429, "the others are not");
}

#[tokio::test]
async fn headers_can_be_spelled_as_in_the_vendors_file() {
    let settings = Settings { credit_headers: CreditHeaders::File, ..few(100.0) };
    let running = Running::start(settings).await;
    let token = running.token().await;
    let read = running.get(&token, "/properties").await;
    assert_eq!(read.header(REMAINING), None);
    assert_eq!(read.header("X-FiveMinCreditLimit"), Some("100"));
    assert_eq!(read.header("X-FiveMinCreditLimit-Remaining"), Some("99"));
    assert_eq!(read.header("X-FiveMinCreditLimit-ResetsIn"), Some("300"));
    assert_eq!(read.header("X-RequestCost"), Some("1"));
}

#[tokio::test]
async fn parallel_calls_are_noticed_and_can_be_refused() {
    for (parallel, expected) in [(Parallel::Count, [200, 200]), (Parallel::Refuse, [200, 429])] {
        let settings = Settings { parallel, ..calm() };
        let running = Running::start(settings).await;
        let token = running.token().await;
        for _ in 0..3 {
            running.get(&token, "/properties").await;
        }
        assert_eq!(running.simulator.parallel_calls(), 0, "one after the other is not parallel");
        running.simulator.set_faults(FaultSettings {
            rules: [(InjectedFault::Delay, Rule::next(1))].into(),
            delay_millis: 1_000,
            ..FaultSettings::default()
        });
        let begin = async {
            running.until("the first call runs", || running.simulator.account().calls.running == 1).await;
            running.get(&token, "/bookings").await
        };
        let (first, second) = tokio::join!(running.get(&token, "/properties"), begin);
        assert_eq!([first.status, second.status], expected);
        assert_eq!(running.simulator.parallel_calls(), 1);
    }
}

#[tokio::test]
async fn every_call_is_written_down() {
    let running = Running::start(calm()).await;
    let token = running.token().await;
    running.get(&token, "/bookings?page=1").await;
    running.get(&token, "/bookings?page=x").await;
    running.post(&token, "/bookings", json!([])).await;
    let seen: Vec<_> = running.simulator.requests();
    let lines: Vec<_> = seen.iter().map(|c| (&*c.method, &*c.path, &*c.query, c.status, c.credits)).collect();
    assert_eq!(
        lines,
        [
            ("GET", "/authentication/setup", "", 200, 0.0),
            ("GET", "/bookings", "page=1", 200, 1.0),
            ("GET", "/bookings", "page=x", 400, 0.0),
            ("POST", "/bookings", "", 201, 1.1),
        ]
    );
}
