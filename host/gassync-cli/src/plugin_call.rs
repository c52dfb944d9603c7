//! Prints a plugin call to the terminal.

use super::table::Listing;
use gassync::admin::PluginCall;

/// Prints calls with their resource usage and, if it was requested, their detail.
pub fn print_calls(calls: &[PluginCall]) {
    let mut rows = Listing::new();
    calls.iter().for_each(|call| add(&mut rows, call));
    rows.print();
}

fn add(rows: &mut Listing, call: &PluginCall) {
    let (wall, processor) = (millis(call.wall_micros), millis(call.processor_micros));
    let used = format!("{wall:.1} ms, processor {processor:.1} ms, {:.1} MiB", mebibytes(call.peak_memory_bytes));
    let version = format!("{} {}", call.version, short(&call.hash));
    rows.row(&[&format!("{:.3}", call.at), &call.entry, &call.subject, &call.outcome, &used, &version]);
    let Some(detail) = &call.detail else { return };
    if let Some(problem) = &detail.problem {
        rows.below(visible(&format!("    {problem}")));
    }
    for request in &detail.requests {
        let status = request.status.map(|status| status.to_string());
        let came = status.or_else(|| request.refused.clone()).unwrap_or_else(|| "no answer".to_owned());
        rows.below(visible(&format!("    {came}  {}", request.as_curl())));
    }
    for line in &detail.log {
        let fields: String = line.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        rows.below(visible(&format!("    {}: {}{fields}", line.level, line.message)));
    }
    if detail.log_lines_dropped > 0 {
        rows.below(format!("    and {} lines more, over the limit", detail.log_lines_dropped));
    }
}

/// Escapes control characters: text from a guest must not control the terminal.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[expect(clippy::cast_precision_loss, reason = "shown to one decimal place")]
fn millis(micros: i64) -> f64 {
    micros as f64 / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "shown to one decimal place")]
fn mebibytes(bytes: i64) -> f64 {
    bytes as f64 / 1_048_576.0
}

pub fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
