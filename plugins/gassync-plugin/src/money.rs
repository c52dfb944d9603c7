use crate::Money;

impl Money {
    /// Reads an exact decimal and keeps its digits: `450.00` stays `450.00`. None where the text is no number; what
    /// kinds of number a core takes is the host's business.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        is_decimal(text).then(|| Self { amount: text.to_owned(), currency: None })
    }

    /// In this currency (ISO 4217, made upper case). An empty text says none.
    #[must_use]
    pub fn in_currency(mut self, code: Option<&str>) -> Self {
        self.currency = code.map(str::trim).filter(|code| !code.is_empty()).map(str::to_ascii_uppercase);
        self
    }
}

/// A JSON number, or one with a leading plus or zeros, as channels write them in texts.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && digits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_kept() {
        for text in ["450.00", "0", "-12.5", "488", "0.1", "1e2", "9007199254740993.25"] {
            assert_eq!(Money::parse(text).map(|money| money.amount).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "ten", "1,5", "1.", ".5", "NaN", "1.2.3", "EUR 5"] {
            assert_eq!(Money::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_empty_currency_is_not_said() {
        let money = Money::parse("1").expect("a number");
        assert_eq!(money.clone().in_currency(Some(" ")).currency, None);
        assert_eq!(money.in_currency(Some("eur")).currency.as_deref(), Some("EUR"));
    }
}
