//! The values of a document, each with its place for errors.

use std::fmt;

use super::Element;
use crate::{ChannelError, Date, Decimal, Lenient, malformed};

/// A value of an element: [`Element::field`]. An empty text counts as missing. Accessors follow [`Lenient`]; those that
/// fail name the place.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a, 'p> {
    element: &'a Element,
    path: &'p str,
    text: Option<&'a str>,
}

impl Element {
    /// The value at a path, which an error names: `A/B` is the text of an element, `A/@b` an attribute, and the empty
    /// path its own text.
    pub fn field<'a, 'p>(&'a self, path: &'p str) -> Field<'a, 'p> {
        Field::of(self, path)
    }
}

impl<'a, 'p> Field<'a, 'p> {
    fn of(element: &'a Element, path: &'p str) -> Self {
        let (steps, attribute) = path.split_once('@').map_or((path, None), |(steps, name)| (steps, Some(name)));
        let at = match steps.trim_end_matches('/') {
            "" => Some(element),
            steps => element.find(steps),
        };
        let text = at.and_then(|at| attribute.map_or_else(|| at.text(), |name| at.attribute(name)));
        Self { element, path, text }
    }

    /// The text, trimmed.
    pub fn text(self) -> Option<&'a str> {
        self.text
    }

    /// The text, which must be there.
    pub fn required(self) -> Result<&'a str, ChannelError> {
        self.text.ok_or_else(|| self.missing())
    }

    /// The value with everything that [`Lenient`] reads; its errors need this field as their place.
    pub fn lenient(self) -> Lenient {
        Lenient::from(self.text)
    }

    /// A date; another text is malformed.
    pub fn date(self) -> Result<Option<Date>, ChannelError> {
        self.lenient().date(self)
    }

    /// The same in another order, such as `DD.MM.YYYY`.
    pub fn date_as(self, order: &str) -> Result<Option<Date>, ChannelError> {
        self.lenient().date_as(order, self)
    }

    /// A date, which must be there.
    pub fn required_date(self) -> Result<Date, ChannelError> {
        self.date()?.ok_or_else(|| self.missing())
    }

    /// A count; another text is malformed.
    pub fn count(self) -> Result<Option<u32>, ChannelError> {
        match (self.text, self.lenient().count()) {
            (Some(text), None) => Err(self.malformed(format_args!("is {text:.40?}, and no count"))),
            (_, count) => Ok(count),
        }
    }

    /// A count, which must be there.
    pub fn required_count(self) -> Result<u32, ChannelError> {
        self.count()?.ok_or_else(|| self.missing())
    }

    /// A decimal to calculate with; another text is malformed.
    pub fn decimal(self) -> Result<Option<Decimal>, ChannelError> {
        let Some(text) = self.text else { return Ok(None) };
        let decimal = self.lenient().decimal().as_deref().and_then(Decimal::parse);
        decimal.map(Some).ok_or_else(|| self.malformed(format_args!("is {text:.40?}, and no decimal")))
    }

    /// An amount with its digits, for the host to judge: see [`Lenient::amount`].
    pub fn amount(self) -> Result<Option<String>, ChannelError> {
        self.lenient().amount(self)
    }

    /// An amount that the host accepts as it is: see [`Lenient::exact_amount`].
    pub fn exact_amount(self) -> Result<Option<String>, ChannelError> {
        self.lenient().exact_amount(self)
    }

    /// An instant as written, for the host to judge: see [`Lenient::instant`].
    pub fn instant(self) -> Result<Option<String>, ChannelError> {
        self.lenient().instant(self)
    }

    /// An instant that the host accepts as it is: see [`Lenient::exact_instant`].
    pub fn exact_instant(self) -> Result<Option<String>, ChannelError> {
        self.lenient().exact_instant(self)
    }

    /// The same, which must be there.
    pub fn required_instant(self) -> Result<String, ChannelError> {
        self.exact_instant()?.ok_or_else(|| self.missing())
    }

    /// The error for a value that cannot be used.
    pub fn malformed(self, problem: impl fmt::Display) -> ChannelError {
        malformed(self, problem)
    }

    fn missing(self) -> ChannelError {
        self.malformed("is missing")
    }
}

/// Its place in the document.
impl fmt::Display for Field<'_, '_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.element.place_of(self.path))
    }
}
