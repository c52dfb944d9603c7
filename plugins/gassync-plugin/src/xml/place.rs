use std::{fmt, rc::Rc};

/// Longer names are cut in errors, in characters.
const MAX_SHOWN_CHARS: usize = 60;

/// Where an element stands in the document that was read: `/Bookings/Booking[2]`. Nowhere if it was made for writing.
#[derive(Clone, Default)]
pub(super) struct Place(Option<Rc<Step>>);

struct Step {
    parent: Place,
    name: Rc<str>,
    /// From 1, among its siblings of the same name.
    number: u32,
}

impl Place {
    pub fn child(&self, name: Rc<str>, number: u32) -> Self {
        Self(Some(Rc::new(Step { parent: self.clone(), name, number })))
    }

    pub fn is_nowhere(&self) -> bool {
        self.0.is_none()
    }
}

/// The first of several siblings has no number: a reader does not know yet that there are others.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(step) = &self.0 else { return Ok(()) };
        write!(out, "{}/{:.MAX_SHOWN_CHARS$}", step.parent, step.name)?;
        if step.number > 1 { write!(out, "[{}]", step.number) } else { Ok(()) }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
