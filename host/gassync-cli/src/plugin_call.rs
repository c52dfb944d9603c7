//! Prints a plugin call to the terminal.

use super::print;
use gassync::admin::PluginCall;

pub fn print_call(call: &PluginCall) {
    print(&format!(
        "{:.3} {:<22} {:<16} {:<12} {:>8.1} ms, processor {:>5.1} ms, {:>6.1} MiB, {} {}",
        call.at,
        call.entry,
        call.subject,
        call.outcome,
        millis(call.wall_micros),
        millis(call.processor_micros),
        mebibytes(call.peak_memory_bytes),
        call.version,
        short(&call.hash),
    ));
    let Some(detail) = &call.detail else { return };
    if let Some(problem) = &detail.problem {
        print(&visible(&format!("    {problem}")));
    }
    for request in &detail.requests {
        let status = request.status.map(|status| status.to_string());
        let came = status.or_else(|| request.refused.clone()).unwrap_or_else(|| "no answer".to_owned());
        print(&visible(&format!("    {came}  {}", request.as_curl())));
    }
    for line in &detail.log {
        let fields: String = line.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        print(&visible(&format!("    {}: {}{fields}", line.level, line.message)));
    }
    if detail.log_lines_dropped > 0 {
        print(&format!("    and {} lines more, over the limit", detail.log_lines_dropped));
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
