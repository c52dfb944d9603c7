//! Money in whole cents, and as API numbers.

use serde_json::Value;

/// Converts cents to an API number: `450`, `450.5`, `450.25`.
pub(crate) fn number(cents: u64) -> Value {
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// Reads the cents of a number or a numeric text; `None` if invalid, or not a multiple of a cent.
pub(crate) fn cents(value: &Value) -> Option<u64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part = part.trim_end_matches('0');
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    let part: u64 = format!("{part:0<2}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_read_and_written_digit_by_digit() {
        let taken = [
            (json!(450), 45_000),
            (json!(450.25), 45_025),
            (json!("450.00"), 45_000),
            (json!(0), 0),
            (json!("12.5"), 1_250),
        ];
        for (value, expected) in taken {
            assert_eq!(cents(&value), Some(expected), "{value}");
        }
        for refused in [json!(-1), json!("12,50"), json!(""), json!(null), json!(1.005), json!("1e3")] {
            assert_eq!(cents(&refused), None, "{refused}");
        }
        assert_eq!(
            [0, 45_000, 45_050, 45_025].map(|c| number(c).to_string()),
            ["0", "450", "450.5", "450.25"].map(str::to_owned)
        );
    }
}
