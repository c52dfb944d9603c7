//! Checks hostile input: it must produce changes or a channel error, never a trap, an exceeded limit or a result the
//! contract forbids.

use super::{
    MAX_CASES, describe,
    harness::{Harness, ended_cleanly},
    payload::{Alteration, Payload},
    report::{Check, Failure},
    samples::{Sample, SampleKind, Samples},
};

/// Number of positions at which a sample is truncated.
const CUTS: usize = 6;
/// Nesting depth of the deepest payload.
const DEPTH: usize = 10_000;
/// Length of the longest text, in bytes.
const LONG_BYTES: usize = 1024 * 1024;
/// Bytes that never occur in UTF-8.
const NOT_UTF8: [u8; 3] = [0xff, 0xfe, 0xc0];
const EXPECTED: &str =
    "changes, or one of the contract's errors other than broken; as a rule malformed, with the place";

/// A sample with another body.
struct Case<'a> {
    sample: &'a Sample,
    how: String,
    /// `None` for no body at all.
    bytes: Option<Vec<u8>>,
    /// Position of the first difference from the sample.
    place: usize,
}

/// A replacement for a payload.
struct Replacement {
    how: String,
    bytes: Vec<u8>,
    place: usize,
}

/// Creates the replacements of a payload.
type MakeReplacements = fn(&Payload) -> Vec<Replacement>;

pub(super) async fn checks(harness: &Harness, samples: &Samples) -> Vec<Check> {
    let taken: Vec<&Sample> = samples.all.iter().filter(|sample| harness.takes(sample)).collect();
    let with_body: Vec<&Sample> = taken.iter().filter(|sample| !sample.payload.bytes.is_empty()).copied().collect();
    let mut checks = Vec::new();
    let of_bodies: [(&'static str, &'static str, MakeReplacements); 4] = [
        ("hostile.cut-off", "Does it handle a truncated payload?", cut_off),
        ("hostile.not-utf8", "Does it handle bytes that are not UTF-8?", not_utf8),
        ("hostile.deep", "Does it handle a payload nested 10,000 levels deep?", deep),
        ("hostile.long", "Does it handle a text of 1 MiB?", long),
    ];
    for (name, question, make) in of_bodies {
        let mut check = Check::new(name, question);
        for sample in &with_body {
            for Replacement { how, bytes, place } in make(&sample.payload) {
                run_case(harness, &mut check, Case { sample, how, bytes: Some(bytes), place }).await;
            }
        }
        checks.push(check.nothing("no sample has a body"));
    }
    checks.push(empty(harness, &taken).await);
    let days = Check::new("hostile.days", "Does it handle impossible dates?");
    checks.push(alter(harness, &with_body, days, Payload::impossible_days).await.nothing("no sample has a day in it"));
    let values = Check::new("hostile.values", "Does it handle null, wrong types and huge numbers everywhere?");
    let values = alter(harness, &with_body, values, Payload::other_values).await;
    checks.push(values.nothing("no sample is JSON or XML"));
    checks
}

async fn empty(harness: &Harness, samples: &[&Sample]) -> Check {
    let mut check = Check::new("hostile.empty", "Does it handle an empty payload?");
    for sample in samples {
        let how = "empty".to_owned();
        run_case(harness, &mut check, Case { sample, how, bytes: Some(Vec::new()), place: 0 }).await;
        if matches!(sample.kind, SampleKind::Call { has_body: true, .. }) {
            let how = "without a body".to_owned();
            run_case(harness, &mut check, Case { sample, how, bytes: None, place: 0 }).await;
        }
    }
    check.nothing("there are no samples")
}

/// Runs alterations of all samples, evenly selected if they exceed the maximum.
async fn alter<'a>(
    harness: &Harness,
    samples: &[&'a Sample],
    mut check: Check,
    alterations: impl Fn(&Payload) -> Vec<Alteration>,
) -> Check {
    let of = |sample: &&'a Sample| {
        alterations(&sample.payload).into_iter().map(|alteration| (*sample, alteration)).collect::<Vec<_>>()
    };
    let all: Vec<(&Sample, Alteration)> = samples.iter().flat_map(of).collect();
    let most = all.len().min(MAX_CASES);
    if all.len() > most {
        check.note(format!("{most} of {} ways were tried, spread evenly", all.len()));
    }
    for (number, index) in spread(most).enumerate() {
        if harness.is_out_of_time() {
            check.not_begun += most - number;
            break;
        }
        let (sample, alteration) = &all[index * all.len() / most];
        let (bytes, place) = (Some(sample.payload.altered(alteration)), sample.payload.place(alteration));
        run_case(harness, &mut check, Case { sample, how: alteration.how.clone(), bytes, place }).await;
    }
    check
}

/// Returns all numbers below the count, in an order whose every prefix is evenly distributed.
fn spread(count: usize) -> impl Iterator<Item = usize> {
    let common = |mut a: usize, mut b: usize| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    // A step near the golden ratio that is coprime to the count visits every number exactly once.
    let step = (count * 618 / 1_000..).find(|step| common(*step, count) == 1).unwrap_or(1);
    (0..count).map(move |number| number * step % count)
}

async fn run_case(harness: &Harness, check: &mut Check, case: Case<'_>) {
    if harness.is_out_of_time() {
        check.not_begun += 1;
        return;
    }
    let Case { sample, how, bytes, place } = case;
    let finished = harness.run_altered(sample, bytes.as_deref()).await;
    check.case(if ended_cleanly(&finished) {
        Ok(())
    } else {
        let mut sent = describe::sent(sample, &how);
        if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
            sent.push_str(&format!(": {}", describe::around(&bytes, place)));
        }
        Err(Failure::new(sent, describe::came_back(&finished), EXPECTED))
    });
}

fn cut_off(payload: &Payload) -> Vec<Replacement> {
    let all = payload.bytes.len();
    let places = (1..CUTS).map(|number| all * number / CUTS).chain([all.saturating_sub(1)]);
    let cut = |at: usize| Replacement {
        how: format!("cut off after {at} of {all} bytes"),
        bytes: payload.bytes[..at].to_vec(),
        place: at,
    };
    places.map(cut).collect()
}

fn not_utf8(payload: &Payload) -> Vec<Replacement> {
    let place = payload.bytes.len() / 2;
    let mut inside = payload.bytes.clone();
    inside.splice(place..place, NOT_UTF8);
    let how = format!("with the bytes ff fe c0 after {place} others");
    vec![Replacement { how, bytes: inside, place }, whole("the bytes ff fe c0", NOT_UTF8.to_vec())]
}

fn deep(payload: &Payload) -> Vec<Replacement> {
    let lists = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let objects = format!("{}null{}", "{\"a\":".repeat(DEPTH), "}".repeat(DEPTH));
    let elements = format!("{}{}", "<a>".repeat(DEPTH), "</a>".repeat(DEPTH));
    let what = format!("{DEPTH} levels");
    let mut replacements = inside(payload, &what, &lists, &elements);
    let alone = if payload.is_xml() { vec![elements] } else { vec![lists, objects] };
    replacements.extend(alone.into_iter().map(|text| whole(&what, text.into_bytes())));
    replacements
}

fn long(payload: &Payload) -> Vec<Replacement> {
    let text = "x".repeat(LONG_BYTES);
    let mut replacements = inside(payload, "a text of 1 MiB", &format!("\"{text}\""), &text);
    if replacements.is_empty() {
        replacements.push(whole("a text of 1 MiB", text.into_bytes()));
    }
    replacements
}

fn inside(payload: &Payload, what: &str, json: &str, xml: &str) -> Vec<Replacement> {
    let other = |alteration: Alteration| {
        let (bytes, place) = (payload.altered(&alteration), payload.place(&alteration));
        Replacement { how: alteration.how, bytes, place }
    };
    payload.put_inside(what, json, xml).into_iter().map(other).collect()
}

fn whole(what: &str, bytes: Vec<u8>) -> Replacement {
    Replacement { how: format!("{what} and nothing else"), bytes, place: 0 }
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn cases_are_spread_without_repetition() {
        for count in [0, 1, 2, 3, 10, 97, 300] {
            let mut all: Vec<usize> = spread(count).collect();
            let is_scattered = count < 10 || all[1] > 1;
            all.sort_unstable();
            assert!(all == (0..count).collect::<Vec<_>>() && is_scattered, "{count}");
        }
    }
}
