//! Checks the network and secret use of a plugin in every call of the suite.

use std::collections::BTreeSet;

use super::{
    report::{Check, Failure},
    secrets::ObservedCredentials,
};
use crate::{CallRecord, CredentialSlot, Manifest, OutgoingRequest, SlotKind};

/// Headers that carry a secret, in lower case.
const SECRET_HEADERS: [&str; 6] = ["authorization", "x-api-key", "api-key", "apikey", "token", "x-auth-token"];

/// The extra slot a subscription may use besides the manifest's: our webhook URL, and the token that authenticates the
/// call.
const WEBHOOK: (&str, [&str; 2]) = ("webhook", ["url", "token"]);

/// Purpose of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallPurpose {
    /// To check its result.
    Ordinary,
    /// The same, for a call that gives the channel our webhook URL and token.
    Subscribing,
    /// To provoke failures. Denied requests are ignored, because hostile input determines their destination.
    Hostile,
}

/// The checks so far.
pub(super) struct BehaviourChecks {
    places: Check,
    decode: Check,
    secrets: Check,
    known: ReportedFaults,
    kept: BTreeSet<(String, String)>,
}

impl Default for BehaviourChecks {
    fn default() -> Self {
        Self {
            places: Check::new("manners.places", "Does it call only hosts of its manifest?"),
            decode: Check::new("manners.decode", "Does decoding make no network requests?"),
            secrets: Check::new("manners.secrets", "Are secrets placeholders declared in the manifest?"),
            known: ReportedFaults::default(),
            kept: BTreeSet::new(),
        }
    }
}

impl BehaviourChecks {
    /// Checks an inbound call, which must be decoded without network.
    pub fn check_decode(&mut self, name: &str, record: &CallRecord) {
        let expected = "decode reads the call and nothing else; a `refetch` makes the host fetch what is missing";
        let asked = record.requests.first().map(|request| {
            let came_back = format!("it asked {} {}", request.method, request.url);
            Failure::new(name, came_back, expected)
        });
        self.decode.case(self.known.once(asked));
    }

    /// Checks a call that may use the network.
    pub fn check_call(
        &mut self,
        manifest: &Manifest,
        (name, purpose): (&str, CallPurpose),
        (record, received, secrets): (&CallRecord, &[OutgoingRequest], &ObservedCredentials),
    ) {
        for request in record.requests.iter().filter(|_| purpose != CallPurpose::Hostile) {
            let refused = request.refused.as_ref().map(|why| {
                let sent = format!("{name}: {} {}", request.method, request.url);
                Failure::new(
                    sent,
                    format!("the host did not let it out: {why}"),
                    "only requests that the manifest's hosts cover",
                )
            });
            self.places.case(self.known.once(refused));
        }
        if record.requests.is_empty() {
            return;
        }
        let (asked, kept) = {
            let seen = secrets.seen();
            (seen.asked.clone(), seen.kept.clone())
        };
        self.kept.extend(kept);
        let fault = self
            .unknown(manifest, (name, purpose), &asked)
            .or_else(|| unnamed(manifest, (name, purpose), received))
            .or_else(|| if asked.is_empty() { literal(name, record) } else { None });
        self.secrets.case(self.known.once(fault));
    }

    /// Finds a placeholder that no slot of the manifest can fill.
    fn unknown(
        &self,
        manifest: &Manifest,
        (name, purpose): (&str, CallPurpose),
        asked: &BTreeSet<(String, String)>,
    ) -> Option<Failure> {
        let is_webhook = |slot: &str, field: &str| {
            purpose == CallPurpose::Subscribing && slot == WEBHOOK.0 && WEBHOOK.1.contains(&field)
        };
        asked.iter().filter(|(slot, field)| !is_webhook(slot, field)).find_map(|(slot, field)| {
            let came_back = format!("it uses {{{{{slot}.{field}}}}}");
            let Some(known) = manifest.slot(slot) else {
                return Some(Failure::new(name, came_back, format!("a slot {slot} in the manifest's credentials")));
            };
            let has = fields(known).contains(field.as_str()) || self.kept.contains(&(slot.clone(), field.clone()));
            let expected = format!("an input or a capture {field} in the slot {slot}");
            (!has).then(|| Failure::new(name, came_back, expected))
        })
    }

    pub fn checks(self) -> [Check; 3] {
        [
            self.places.nothing("it asked nothing of the network"),
            self.decode.nothing("there is no sample of a call"),
            self.secrets.nothing("it asked nothing of the network"),
        ]
    }
}

/// Finds a placeholder sent as text because the request does not declare it.
fn unnamed(manifest: &Manifest, (name, purpose): (&str, CallPurpose), received: &[OutgoingRequest]) -> Option<Failure> {
    let places = |request: &OutgoingRequest| {
        let headers = request.headers.iter().map(|(_, value)| value.clone());
        let body = request.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned());
        // URL parsers escape braces.
        let url = request.url.as_str().replace("%7B", "{").replace("%7b", "{");
        headers.chain(body).chain([url]).collect::<Vec<String>>()
    };
    let all: Vec<String> = received.iter().flat_map(places).collect();
    let webhook = (purpose == CallPurpose::Subscribing).then_some(WEBHOOK.0);
    manifest.credentials.iter().map(|slot| slot.slot.as_str()).chain(webhook).find_map(|slot| {
        let placeholder = format!("{{{{{slot}.");
        all.iter().find(|text| text.contains(&placeholder))?;
        let came_back = format!("the channel was sent {placeholder}…}}}} as text");
        Some(Failure::new(name, came_back, "`secrets` of the request names each placeholder that is meant"))
    })
}

/// Finds a secret written by the plugin itself, by its header name. Calls that requested secrets are exempt: the header
/// may contain a signature made with them.
fn literal(name: &str, record: &CallRecord) -> Option<Failure> {
    let headers = record.requests.iter().flat_map(|request| &request.headers);
    let secret = |(name, value): &&(String, String)| {
        SECRET_HEADERS.contains(&name.to_lowercase().as_str()) && !value.contains("{{")
    };
    headers.clone().find(secret).map(|(header, _)| {
        let came_back = format!("the header {header} carries a value of the plugin's own");
        Failure::new(name, came_back, "a placeholder, {{slot.field}}, that the host fills in")
    })
}

/// Fields that a slot can contain.
pub(super) fn fields(slot: &CredentialSlot) -> BTreeSet<&str> {
    let steps = [&slot.setup, &slot.refresh];
    let captured = steps.into_iter().flatten().flat_map(|step| &step.captures).map(|capture| capture.field.as_str());
    let typed = slot.inputs.iter().map(|input| input.field.as_str());
    let of_kind: &[&str] = if slot.kind == SlotKind::Basic { &["username", "password", "basic"] } else { &[] };
    captured.chain(typed).chain(of_kind.iter().copied()).collect()
}

/// Faults already reported.
#[derive(Default)]
struct ReportedFaults(BTreeSet<String>);

impl ReportedFaults {
    /// Returns the outcome of a case: a fault fails only the first case in which it appears.
    fn once(&mut self, fault: Option<Failure>) -> Result<(), Failure> {
        match fault {
            Some(fault) if self.0.insert(format!("{}\n{}", fault.came_back, fault.expected)) => Err(fault),
            _ => Ok(()),
        }
    }
}
