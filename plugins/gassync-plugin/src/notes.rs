use std::{cell::RefCell, fmt};

use crate::FieldError;

/// Maximum notes per record.
const MAX_NOTES: usize = 50;

thread_local! {
    static NOTES: RefCell<Vec<FieldError>> = const { RefCell::new(Vec::new()) };
}

/// Notes that a part of the current record was omitted because it was unreadable: the place, usually a JSON pointer,
/// and what was expected, never the value. The next [`change`](crate::change) passes it to the host.
pub fn note(place: impl fmt::Display, problem: impl fmt::Display) {
    NOTES.with_borrow_mut(|notes| {
        if notes.len() < MAX_NOTES {
            notes.push(FieldError::new(place, problem));
        }
    });
}

/// Takes the notes made since the last call.
pub(crate) fn take_notes() -> Vec<FieldError> {
    NOTES.take()
}
