//! Checks that the manifest agrees with the file name, the exports and itself. Parsing is checked when the component is
//! loaded.

use std::collections::BTreeSet;

use gassync_domain::Entity;
use serde_json::Value;

use super::{behaviour::fields, report::Check};
use crate::{Adapter, CredentialSlot, HostPattern, Interface, Manifest, RouteKind, SlotKind, Verification};

/// Maximum response time of a route, in milliseconds.
const MAX_BUDGET_MILLIS: u64 = 60_000;

/// Interfaces that use the network.
const ASKING: [Interface; 5] = [
    Interface::Pull,
    Interface::Acknowledgements,
    Interface::PushCalendar,
    Interface::PushReservations,
    Interface::PushContent,
];

pub(super) fn checks(file: &str, plugin: &dyn Adapter, settings: &Value) -> Vec<Check> {
    let manifest = plugin.manifest();
    vec![
        identity(file, manifest),
        version(manifest),
        exports(plugin),
        hosts(plugin, settings),
        credentials(manifest, settings),
        routes(manifest),
        rhythm(manifest),
        own_settings(manifest, settings),
    ]
}

fn identity(file: &str, manifest: &Manifest) -> Check {
    let mut check = Check::new("manifest.identity", "Does the id match the file name, and is a vendor given?");
    let expected = format!("\"id\": \"{file}\", as the file is called, or a file {}.wasm", manifest.id);
    check.expect(manifest.id == file, ("manifest, id", &manifest.id, &expected));
    for (path, text) in [("displayName", &manifest.display_name), ("vendor", &manifest.vendor)] {
        let sent = format!("manifest, {path}");
        check.expect(!text.trim().is_empty(), (&sent, "an empty text", "a name for people"));
    }
    check
}

fn version(manifest: &Manifest) -> Check {
    let mut check = Check::new("manifest.version", "Is the version a semantic version?");
    let expected = "three numbers and what may follow them, such as 1.4.0 or 2.0.0-rc.1";
    check.expect(is_semantic(&manifest.version), ("manifest, version", &manifest.version, expected));
    check
}

/// True for a version as on semver.org: three numbers without leading zeros, then `-` and `+` parts of letters, digits
/// and hyphens.
fn is_semantic(version: &str) -> bool {
    let (version, build) = version.split_once('+').map_or((version, None), |(v, b)| (v, Some(b)));
    let (core, before) = version.split_once('-').map_or((version, None), |(c, b)| (c, Some(b)));
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let number = |n: &str| n.bytes().all(|b| b.is_ascii_digit()) && !n.is_empty() && (n == "0" || !n.starts_with('0'));
    let numbers: Vec<&str> = core.split('.').collect();
    numbers.len() == 3
        && numbers.into_iter().all(number)
        && before.is_none_or(|b| b.split('.').all(|w| word(w) && (w.bytes().any(|b| !b.is_ascii_digit()) || number(w))))
        && build.is_none_or(|b| b.split('.').all(word))
}

fn exports(plugin: &dyn Adapter) -> Check {
    let mut check = Check::new("manifest.exports", "Do the manifest and the exports agree?");
    let manifest = plugin.manifest();
    let exported = |interface: Interface| plugin.exports().contains(&interface);
    let any = plugin.exports().len();
    check.expect(any > 0, ("exports", "metadata and nothing else", "at least one interface that does something"));
    let has_route = |kinds: &[RouteKind]| manifest.routes.iter().any(|route| kinds.contains(&route.kind));
    let batches = &manifest.batches;
    let declared = [
        ("routes of the kind ack or ask", has_route(&[RouteKind::Ack, RouteKind::Ask]), Interface::Inbound, true),
        ("routes of the kind ask", has_route(&[RouteKind::Ask]), Interface::Reply, true),
        ("routes of the kind feed", has_route(&[RouteKind::Feed]), Interface::Feeds, true),
        ("polls", !manifest.polls.is_empty(), Interface::Pull, false),
        ("batches.calendar", batches.calendar.is_some(), Interface::PushCalendar, false),
        ("batches.reservations", batches.reservations.is_some(), Interface::PushReservations, false),
        ("batches.content", batches.content.is_some(), Interface::PushContent, false),
        ("batches.acknowledgements", batches.acknowledgements.is_some(), Interface::Acknowledgements, false),
    ];
    for (what, is_declared, interface, needs_declaring) in declared {
        if is_declared {
            let came_back = format!("no export {interface}");
            let expected = format!("an export {interface}, or none of these in the manifest");
            check.expect(exported(interface), (&format!("manifest, {what}"), &came_back, &expected));
        } else if needs_declaring && exported(interface) {
            let came_back = format!("none in the manifest: nothing would ever call {interface}");
            check.expect(false, (&format!("export {interface}"), &came_back, &format!("{what} in the manifest")));
        }
    }
    check
}

fn hosts(plugin: &dyn Adapter, settings: &Value) -> Check {
    let mut check = Check::new("manifest.hosts", "Can the requested hosts be granted?");
    let manifest = plugin.manifest();
    let asking = ASKING.into_iter().find(|interface| plugin.exports().contains(interface));
    if let Some(interface) = asking {
        let came_back = format!("no hosts, and an export {interface}");
        check.expect(!manifest.hosts.is_empty(), ("manifest, hosts", &came_back, "the channel's addresses"));
    } else if !manifest.hosts.is_empty() && !plugin.exports().contains(&Interface::Connection) {
        check.warn("hosts are asked for, and nothing that is exported may use the network");
    }
    let mut seen = BTreeSet::new();
    for (index, host) in manifest.hosts.iter().enumerate() {
        let sent = format!("manifest, hosts[{index}]");
        let places =
            manifest.host_patterns(std::slice::from_ref(host), &manifest.with_defaults(settings), |slot, field| {
                Some(format!("https://{slot}.{field}.invalid/"))
            });
        let Some(place) = places.first().map(HostPattern::to_string) else {
            let expected = "an address: a default in the manifest's settings, or one in samples/settings.json";
            check.expect(false, (&sent, &format!("{host}, which leads nowhere"), expected));
            continue;
        };
        let expected = "a name of the channel's own: one label before at least two, as in *.example.org";
        let broad = place.split_once("://*.").is_some_and(|(_, rest)| !rest.contains('.'));
        check.expect(!broad, (&sent, host, expected));
        if place.contains("http://") {
            check.warn(format!("{host} is not encrypted: secrets would travel in the clear"));
        }
        if !seen.insert(host) {
            check.warn(format!("{host} is asked for twice"));
        }
    }
    check.nothing("it asks for no hosts, and needs none")
}

fn credentials(manifest: &Manifest, settings: &Value) -> Check {
    let mut check = Check::new("manifest.credentials", "Can the credential slots be filled and sent to their hosts?");
    for (index, slot) in manifest.credentials.iter().enumerate() {
        let at = format!("manifest, credentials[{index}] ({})", slot.slot);
        let earlier = manifest.credentials.iter().take(index).any(|other| other.slot == slot.slot);
        check.expect(!earlier, (&at, "a slot of this name stands before it", "each slot once"));
        filled(&mut check, &at, slot);
        placeholders(&mut check, &at, manifest, slot);
        let secret = |slot: &str, field: &str| Some(format!("https://{slot}.{field}.invalid/"));
        let settings = &manifest.with_defaults(settings);
        let all = manifest.host_patterns(&manifest.hosts, settings, secret);
        for place in manifest.host_patterns(&slot.hosts, settings, secret) {
            let came_back = format!("its secrets are for {place}");
            let expected = "a place that hosts asks for too: it may not go anywhere else";
            check.expect(all.iter().any(|other| other.contains_origin_of(&place)), (&at, &came_back, expected));
        }
    }
    check.nothing("it needs no credentials")
}

/// Checks that a slot has everything its kind requires.
fn filled(check: &mut Check, at: &str, slot: &CredentialSlot) {
    let (good, expected) = match slot.kind {
        SlotKind::ApiKey => (!slot.inputs.is_empty(), "inputs: what a person types in"),
        SlotKind::Basic => (
            slot.inputs.iter().all(|input| ["username", "password"].contains(&input.field.as_str())),
            "inputs username and password, or none",
        ),
        SlotKind::Steps => (slot.setup.is_some() && !slot.inputs.is_empty(), "inputs, and a step setup"),
        SlotKind::Oauth2Code => (slot.setup.is_some() && slot.authorize.is_some(), "authorize, and a step setup"),
        SlotKind::Oauth2Client => (slot.setup.is_some(), "a step setup"),
    };
    check.expect(good, (at, &format!("{:?} without what it needs", slot.kind), expected));
}

/// Checks that every placeholder in the slot's steps can be filled.
fn placeholders(check: &mut Check, at: &str, manifest: &Manifest, slot: &CredentialSlot) {
    let steps = [&slot.setup, &slot.refresh, &slot.revoke];
    for request in steps.into_iter().flatten().map(|step| &step.request) {
        let texts = request.headers.values().chain([&request.url]).chain(&request.body);
        for (of, field) in texts.flat_map(|text| crate::placeholder::names(text)) {
            let known = match of {
                "oauth" => ["code", "redirectUri"].contains(&field),
                "setting" => manifest.settings.pointer(&format!("/properties/{field}")).is_some(),
                of => manifest.slot(of).is_some_and(|slot| fields(slot).contains(field)),
            };
            let expected = "an input or capture of a slot, a setting, or oauth.code and oauth.redirectUri";
            check.expect(known, (at, &format!("a step uses {{{{{of}.{field}}}}}, which nothing fills"), expected));
        }
    }
}

fn routes(manifest: &Manifest) -> Check {
    let mut check = Check::new("manifest.routes", "Can calls of the channel reach its routes?");
    let mut seen = BTreeSet::new();
    for (index, route) in manifest.routes.iter().enumerate() {
        let at = format!("manifest, routes[{index}] ({})", route.path);
        let upper = |method: &String| !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        let good = !route.methods.is_empty() && route.methods.iter().all(upper);
        check.expect(good, (&at, &format!("methods {:?}", route.methods), "at least one, in upper case"));
        let budget = format!("budgetMillis {}", route.budget_millis);
        let expected = format!("1 to {MAX_BUDGET_MILLIS}");
        check.expect((1..=MAX_BUDGET_MILLIS).contains(&route.budget_millis), (&at, &budget, &expected));
        for method in &route.methods {
            let first = seen.insert((method.clone(), route.path.clone()));
            check.expect(first, (&at, &format!("{method} is another route's already"), "each method once for a path"));
        }
        if route.verification == (Verification::None {}) {
            check.warn(format!("nobody verifies who calls {}: what it says can only be a hint", route.path));
        }
    }
    check.nothing("it has no routes")
}

fn rhythm(manifest: &Manifest) -> Check {
    let mut check = Check::new("manifest.polling", "Are polls, rate limits and batches valid?");
    let mut seen: BTreeSet<(Entity, Option<&str>)> = BTreeSet::new();
    for (index, poll) in manifest.polls.iter().enumerate() {
        let at = format!("manifest, polls[{index}]");
        check.expect(poll.interval_seconds > 0, (&at, "intervalSeconds 0", "how often, in seconds"));
        let first = seen.insert((poll.entity, poll.queue.as_deref()));
        check.expect(
            first,
            (&at, "the same is polled by an entry before it", "each entity, or each of its streams, once"),
        );
    }
    for (index, limit) in manifest.rate_limits.iter().enumerate() {
        let at = format!("manifest, rateLimits[{index}]");
        let good = limit.windows.iter().all(|window| window.seconds > 0 && window.limit > 0.0);
        let expected = "windows of at least a second with a limit above zero";
        check.expect(good && !limit.windows.is_empty(), (&at, "no window, or one that lets nothing through", expected));
    }
    let batches = &manifest.batches;
    for (name, batch) in [
        ("calendar", batches.calendar),
        ("reservations", batches.reservations),
        ("content", batches.content),
        ("acknowledgements", batches.acknowledgements),
    ] {
        if let Some(batch) = batch {
            check.expect(batch.items > 0, (&format!("manifest, batches.{name}"), "items 0", "at least one item"));
        }
    }
    check.nothing("it has neither polls nor limits nor batches")
}

fn own_settings(manifest: &Manifest, settings: &Value) -> Check {
    let mut check = Check::new("manifest.settings", "Do the sample settings match the schema?");
    let kind = manifest.settings.get("type").and_then(Value::as_str);
    let expected = "\"type\": \"object\"";
    check.expect(kind.is_none_or(|kind| kind == "object"), ("manifest, settings", "another type", expected));
    for (place, why) in manifest.wrong_settings(settings) {
        let expected = "what the manifest's schema of settings says";
        check.expect(false, ("samples/settings.json", &format!("{place}: {why}"), expected));
    }
    check
}

#[cfg(test)]
mod tests {
    use super::is_semantic;

    #[test]
    fn semantic_versions_are_recognised() {
        for good in ["0.1.0", "1.4.0", "2.0.0-rc.1", "1.0.0-alpha-2+build.007"] {
            assert!(is_semantic(good), "{good}");
        }
        for wrong in ["1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+", "1.0.x", ""] {
            assert!(!is_semantic(wrong), "{wrong}");
        }
    }
}
