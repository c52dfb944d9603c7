//! Checks feeds that a channel fetches: complete, in time, deterministic, and present if the core is empty.

use std::{collections::BTreeSet, time::Duration};

use gassync_domain::{Header, HttpRequest};

use super::{
    describe,
    harness::{CallVariation, CoreFixture, Harness, state_after_call},
    idempotency::OTHER_SEED,
    report::{Check, Failure},
    samples::{FeedSample, Samples},
};
use crate::{InboundRoute, Interface, RouteKind, try_call::MAX_CHUNKS};

/// Maximum size of a feed, in bytes.
const MAX_FEED_BYTES: usize = 64 * 1024 * 1024;
/// Id of no record.
const NOBODY: &str = "gassync-nobody-knows-it";
/// Path that is not valid UTF-8 once decoded, and escapes its folder.
const NO_PATH: &str = "%ff%00/..%2f..";

/// A complete feed.
#[derive(Debug, PartialEq)]
struct RenderedFeed {
    status: u16,
    headers: Vec<Header>,
    body: Vec<u8>,
    chunks: usize,
}

/// Why rendering failed.
struct RenderFailure(String);

pub(super) async fn checks(harness: &Harness, samples: &Samples) -> [Check; 4] {
    let mut render = Check::new("feeds.render", "Is each feed rendered completely within its time limit?");
    let mut same = Check::new("feeds.same", "Does the same core data give the same bytes, for any random seed?");
    let mut unknown = Check::new("feeds.unknown", "Are unknown paths answered with a 4xx?");
    let mut empty = Check::new("feeds.empty", "Is there a response if the core is empty?");
    let exports = harness.exports(Interface::Feeds);
    let routes: Vec<&InboundRoute> =
        harness.plugin.manifest().routes.iter().filter(|r| r.kind == RouteKind::Feed).collect();
    for feed in samples.feeds.iter().filter(|_| exports) {
        if harness.is_out_of_time() {
            render.not_begun += 1;
            same.not_begun += 1;
            continue;
        }
        rendered(harness, feed, (&mut render, &mut same)).await;
    }
    if !exports && !samples.feeds.is_empty() {
        render.expect(false, ("samples/feeds", "no export feeds", "an export feeds, or no samples of feeds"));
    }
    for feed in unknown_feeds(&routes, &samples.feeds).iter().filter(|_| exports) {
        if harness.is_out_of_time() {
            unknown.not_begun += 1;
            continue;
        }
        let whole =
            fetch(harness, feed, CoreFixture::FromSamples, CallVariation::default()).await.map(|(whole, _)| whole);
        let good = whole.as_ref().is_ok_and(|whole| (400..500).contains(&whole.status));
        unknown.expect(good, (&asked(feed), &shown(&whole), "a status from 400 to 499, such as 404"));
    }
    for feed in known(&routes, &samples.feeds).iter().filter(|_| exports) {
        if harness.is_out_of_time() {
            empty.not_begun += 1;
            continue;
        }
        let whole = fetch(harness, feed, CoreFixture::Empty, CallVariation::default()).await.map(|(whole, _)| whole);
        let good = whole.as_ref().is_ok_and(|whole| whole.status < 500);
        let sent = format!("{}, without core data", asked(feed));
        empty.expect(good, (&sent, &shown(&whole), "a feed with nothing in it, or a status from 400 to 499"));
    }
    let reason = |why| if exports { why } else { "it does not export feeds" };
    [
        render.nothing(reason("there are no samples of feeds")),
        same.nothing(reason("there are no samples of feeds")),
        unknown.nothing(reason("no feed has a path that could be unknown")),
        empty.nothing(reason("there are no samples of feeds")),
    ]
}

/// Renders a sample feed once, then twice more to compare.
async fn rendered(harness: &Harness, feed: &FeedSample, (render, same): (&mut Check, &mut Check)) {
    let Some(route) = harness.routes(&feed.request).find(|route| route.kind == RouteKind::Feed) else {
        let HttpRequest { method, url, .. } = &feed.request;
        let came_back = format!("no route of the kind feed takes {method} {url}");
        render.expect(false, (&feed.name, &came_back, "a route, or another call.json"));
        return;
    };
    let first = fetch(harness, feed, CoreFixture::FromSamples, CallVariation::default()).await;
    let (before, mut elapsed) = match first {
        Ok((whole, elapsed)) => (whole, elapsed),
        Err(RenderFailure(came_back)) => {
            render.case(Err(Failure::new(asked(feed), came_back, "a feed, chunk after chunk to its end")));
            return;
        }
    };
    for (how, seed) in [("once more", 0), ("with other randomness", OTHER_SEED)] {
        let again =
            fetch(harness, feed, CoreFixture::FromSamples, CallVariation { seed, ..CallVariation::default() }).await;
        let sent = format!("{}, {how}", asked(feed));
        let after = again.map(|(whole, also_elapsed)| {
            elapsed = elapsed.min(also_elapsed);
            whole
        });
        let good = after.as_ref().is_ok_and(|after| *after == before);
        same.expect(good, (&sent, &difference(&before, &after), "the same bytes: what changes is fetched as new"));
    }
    let RenderedFeed { status, chunks, ref body, .. } = before;
    let (millis, budget) = (elapsed.as_millis(), u128::from(route.budget_millis));
    let good = status < 400 && millis <= budget;
    let came_back = format!("status {status}, {chunks} chunk(s), {} bytes in {millis} ms", body.len());
    let expected = format!("a status below 400 and at most {budget} ms, its route's budgetMillis");
    render.expect(good, (&asked(feed), &came_back, &expected));
    if good && millis * 2 > budget {
        render.warn(format!("{}: over half of its route's budgetMillis is used: {came_back}", feed.name));
    }
    if before.body.is_empty() {
        render.warn(format!("{}: there is nothing in it, so little can be seen with it", feed.name));
    }
}

/// Renders all chunks of a feed. Returns the processing time too.
async fn fetch(
    harness: &Harness,
    feed: &FeedSample,
    core: CoreFixture,
    variation: CallVariation,
) -> Result<(RenderedFeed, Duration), RenderFailure> {
    let mut whole = RenderedFeed { status: 0, headers: Vec::new(), body: Vec::new(), chunks: 0 };
    let (mut elapsed, mut cursor, mut seen) = (Duration::ZERO, None::<String>, BTreeSet::new());
    let mut variation = variation;
    loop {
        let finished =
            harness.render(&feed.name, feed.request.clone(), cursor.clone(), (core, variation.clone())).await;
        elapsed += finished.record.wall;
        variation.memory = state_after_call(variation.memory, &finished.record);
        let rendered = finished.result.map_err(|error| {
            let of = cursor
                .as_ref()
                .map_or_else(|| "the first chunk".to_owned(), |cursor| format!("the chunk after {cursor}"));
            RenderFailure(format!("of {of}: {}", describe::failed(&error, &finished.record)))
        })?;
        if whole.chunks == 0 {
            (whole.status, whole.headers) = (rendered.status, rendered.headers);
        }
        whole.chunks += 1;
        whole.body.extend(rendered.body);
        if whole.body.len() > MAX_FEED_BYTES {
            return Err(RenderFailure(format!(
                "over {MAX_FEED_BYTES} bytes, the most of a feed, in {} chunks",
                whole.chunks
            )));
        }
        let Some(next) = rendered.next else { return Ok((whole, elapsed)) };
        if !seen.insert(next.clone()) {
            return Err(RenderFailure(format!("the chunk {next} follows for a second time: it never ends")));
        }
        if whole.chunks >= MAX_CHUNKS {
            return Err(RenderFailure(format!("{MAX_CHUNKS} chunks, the most of a feed, and it goes on")));
        }
        cursor = Some(next);
    }
}

/// Builds requests for missing records below each route with several feeds.
fn unknown_feeds(routes: &[&InboundRoute], feeds: &[FeedSample]) -> Vec<FeedSample> {
    let folder =
        |route: &&InboundRoute| Some((route.path.strip_suffix('*')?.to_owned(), route.methods.first()?.clone()));
    let mut unknown_feeds = Vec::new();
    for (folder, method) in routes.iter().filter_map(folder) {
        for unknown in [NOBODY, NO_PATH] {
            unknown_feeds.push(at(format!("{folder}{unknown}"), &method, Vec::new()));
        }
    }
    let below = |feed: &&FeedSample| routes.iter().any(|route| route.path.ends_with("/*") && route.serves(path(feed)));
    for feed in feeds.iter().filter(below) {
        let (before, name) = path(feed).rsplit_once('/').unwrap_or_default();
        let extension = name.rsplit_once('.').map(|(_, extension)| format!(".{extension}")).unwrap_or_default();
        let query = feed.request.url.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
        let url = format!("{before}/{NOBODY}{extension}{query}");
        if !unknown_feeds.iter().any(|unknown_feed| unknown_feed.request.url == url) {
            unknown_feeds.push(at(url, &feed.request.method, feed.request.headers.clone()));
        }
    }
    unknown_feeds
}

/// Returns the sample feeds, and the feeds with a fixed path, which need no sample.
fn known(routes: &[&InboundRoute], feeds: &[FeedSample]) -> Vec<FeedSample> {
    let mut all = feeds.to_vec();
    for route in routes.iter().filter(|route| !route.path.ends_with("/*")) {
        let Some(method) = route.methods.first() else { continue };
        if !feeds.iter().any(|feed| path(feed) == route.path) {
            all.push(at(route.path.clone(), method, Vec::new()));
        }
    }
    all
}

fn at(url: String, method: &str, headers: Vec<Header>) -> FeedSample {
    let request = HttpRequest { method: method.to_owned(), url, headers, body: None };
    FeedSample { name: "a feed".to_owned(), request }
}

fn path(feed: &FeedSample) -> &str {
    feed.request.url.split('?').next().unwrap_or_default()
}

fn asked(feed: &FeedSample) -> String {
    format!("{} ({} {})", feed.name, feed.request.method, feed.request.url)
}

fn shown(whole: &Result<RenderedFeed, RenderFailure>) -> String {
    match whole {
        Ok(RenderedFeed { status, body, .. }) => format!("status {status} {}", describe::excerpt(body)),
        Err(RenderFailure(how)) => how.clone(),
    }
}

fn difference(before: &RenderedFeed, after: &Result<RenderedFeed, RenderFailure>) -> String {
    let Ok(after) = after else { return shown(after) };
    let place = before.body.iter().zip(&after.body).position(|(one, other)| one != other);
    match place.or_else(|| (before.body.len() != after.body.len()).then(|| before.body.len().min(after.body.len()))) {
        Some(place) => {
            let around = |whole: &RenderedFeed| describe::around(&whole.body, place);
            format!("from byte {place} it was {} and is {}", around(before), around(after))
        }
        None => format!(
            "it was {} {:?} in {} chunk(s) and is {} {:?} in {}",
            before.status, before.headers, before.chunks, after.status, after.headers, after.chunks
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FallbackResponse, Verification};

    fn route(path: &str) -> InboundRoute {
        InboundRoute {
            path: path.to_owned(),
            methods: vec!["GET".to_owned()],
            verification: Verification::UrlToken {},
            kind: RouteKind::Feed,
            budget_millis: 1_000,
            fallback_response: FallbackResponse { status: 503, body: String::new() },
        }
    }

    fn urls(feeds: &[FeedSample]) -> Vec<&str> {
        feeds.iter().map(|feed| feed.request.url.as_str()).collect()
    }

    #[test]
    fn unknown_paths_exist_only_below_wildcard_routes() {
        let (folder, alone) = (route("/calendars/*"), route("/listings.xml"));
        let get = |url: &str| at(url.to_owned(), "GET", Vec::new());
        let samples = [get("/calendars/7/loft.ics?site=acme"), get("/listings.xml")];
        assert_eq!(
            urls(&unknown_feeds(&[&folder, &alone], &samples)),
            [
                "/calendars/gassync-nobody-knows-it",
                "/calendars/%ff%00/..%2f..",
                "/calendars/7/gassync-nobody-knows-it.ics?site=acme",
            ]
        );
        assert!(unknown_feeds(&[&alone], &samples[1..]).is_empty());
        assert_eq!(urls(&known(&[&folder, &alone], &samples)), ["/calendars/7/loft.ics?site=acme", "/listings.xml"]);
        assert_eq!(urls(&known(&[&folder, &alone], &[])), ["/listings.xml"], "one address needs no sample");
    }

    #[test]
    fn feed_differences_are_located() {
        let whole = |body: &str| RenderedFeed { status: 200, headers: Vec::new(), body: body.into(), chunks: 1 };
        let text = difference(&whole("UID:1"), &Ok(whole("UID:2")));
        assert_eq!(text, "from byte 4 it was UID:1 and is UID:2");
        let longer = difference(&whole("UID:1"), &Ok(whole("UID:1\n")));
        assert!(longer.starts_with("from byte 5"), "{longer}");
        let other = RenderedFeed { status: 404, ..whole("UID:1") };
        assert_eq!(difference(&whole("UID:1"), &Ok(other)), "it was 200 [] in 1 chunk(s) and is 404 [] in 1");
    }
}
