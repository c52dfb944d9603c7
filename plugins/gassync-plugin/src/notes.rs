use std::{cell::RefCell, fmt};

use crate::FieldError;

/// Most notes on one record: more would tell nobody more.
const MAX_NOTES: usize = 50;

thread_local! {
    static NOTES: RefCell<Vec<FieldError>> = const { RefCell::new(Vec::new()) };
}

/// Notes that something of the record that is being read was left out because it could not be read: where, as a rule a
/// JSON pointer, and what was expected there, never the value. The next [`change`](crate::change) carries it to the host.
pub fn note(place: impl fmt::Display, problem: impl fmt::Display) {
    NOTES.with_borrow_mut(|notes| {
        if notes.len() < MAX_NOTES {
            notes.push(FieldError::new(place, problem));
        }
    });
}

/// What was noted since it was asked last.
pub(crate) fn take_notes() -> Vec<FieldError> {
    NOTES.take()
}
