//! Where a night or booking of the core stands at a channel: one machine for both.

/// How often a channel may acknowledge a value and not show it before a person is asked.
pub const MAX_MISMATCHES: i64 = 3;

crate::words! {
    /// Whether a channel has the desired value.
    pub enum SyncStatus {
        /// Must be sent.
        Pending = "pending",
        /// Sent; must be read back.
        Unconfirmed = "unconfirmed",
        /// The channel has it: a read-back showed it, or the source trusts the channel's acknowledgement.
        Confirmed = "confirmed",
        /// The channel does not accept it: a person must act.
        Rejected = "rejected",
    }
}

/// State of a night or booking at a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncState {
    /// Whether the channel has it.
    pub status: SyncStatus,
    /// A call that may have been accepted has no known result.
    pub in_doubt: bool,
    /// How often the channel did not show what it had acknowledged.
    pub mismatch_count: i64,
}

/// What happens to a night or booking at a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncEvent {
    /// The core wants another value, or the same one sent again.
    Changed,
    /// The channel is known to have what the core wants.
    Known,
    /// It is about to be sent; the end of the call may never be seen.
    Sending,
    /// The channel acknowledged it.
    Acknowledged {
        /// The channel says that it has certainly stored it.
        is_stored: bool,
        /// The source trusts acknowledgements.
        is_trusted: bool,
    },
    /// The channel refused it for good.
    Refused {
        /// An earlier attempt in doubt may have succeeded, and be why this one was refused.
        may_be_there: bool,
    },
    /// The channel may or may not have accepted it.
    Unclear,
    /// It was not sent, or the channel asked to be called later.
    NotSent,
    /// An earlier attempt was found at the channel; it may have another value.
    Found,
    /// The channel has nothing of it, as the core wants.
    Gone,
    /// A reading shows what was sent.
    Shown,
    /// A reading shows something else, or nothing.
    NotShown,
    /// The channel does not have what it acknowledged: it must be looked up before it is sent again.
    Missing,
    /// A person opened or closed it at the channel.
    MovedByHand,
    /// It is not pushed any more: what was sent last counts.
    Retired,
}

/// What an event does to the count of mismatches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MismatchStep {
    /// It stays.
    Keep,
    /// It begins again.
    Clear,
    /// One more.
    Add,
}

impl SyncState {
    /// Never sent.
    pub const NEW: Self = Self { status: SyncStatus::Pending, in_doubt: false, mismatch_count: 0 };

    /// The state after an event.
    #[must_use]
    pub fn after(self, event: SyncEvent) -> Self {
        if !self.is_touched_by(event) {
            return self;
        }
        let (status, in_doubt) = match event {
            SyncEvent::Changed | SyncEvent::NotSent => (SyncStatus::Pending, self.in_doubt),
            SyncEvent::Known => (SyncStatus::Confirmed, self.in_doubt),
            SyncEvent::Sending => (self.status, true),
            SyncEvent::Acknowledged { is_stored: true, is_trusted: true }
            | SyncEvent::Gone
            | SyncEvent::Shown
            | SyncEvent::Retired => (SyncStatus::Confirmed, false),
            SyncEvent::Acknowledged { .. } => (SyncStatus::Unconfirmed, false),
            SyncEvent::Refused { may_be_there } => (SyncStatus::Rejected, self.in_doubt && may_be_there),
            SyncEvent::Unclear | SyncEvent::Missing => (SyncStatus::Pending, true),
            SyncEvent::NotShown if self.mismatch_count >= MAX_MISMATCHES => (SyncStatus::Rejected, false),
            SyncEvent::Found | SyncEvent::NotShown => (SyncStatus::Pending, false),
            SyncEvent::MovedByHand => (self.status, self.in_doubt),
        };
        let mismatch_count = match event.mismatches() {
            MismatchStep::Keep => self.mismatch_count,
            MismatchStep::Clear => 0,
            MismatchStep::Add => self.mismatch_count + 1,
        };
        Self { status, in_doubt, mismatch_count }
    }

    fn is_touched_by(self, event: SyncEvent) -> bool {
        match event {
            // A reading says nothing of what is still to be sent, or was refused.
            SyncEvent::Shown | SyncEvent::NotShown | SyncEvent::Missing => {
                matches!(self.status, SyncStatus::Unconfirmed | SyncStatus::Confirmed)
            }
            SyncEvent::Retired => self.status != SyncStatus::Confirmed,
            _ => true,
        }
    }
}

impl SyncEvent {
    /// What it does to the count of mismatches of a state that it touches.
    pub fn mismatches(self) -> MismatchStep {
        match self {
            Self::Changed
            | Self::Known
            | Self::Acknowledged { is_stored: true, is_trusted: true }
            | Self::Gone
            | Self::Shown
            | Self::MovedByHand
            | Self::Retired => MismatchStep::Clear,
            Self::NotShown => MismatchStep::Add,
            Self::Sending
            | Self::Acknowledged { .. }
            | Self::Refused { .. }
            | Self::Unclear
            | Self::NotSent
            | Self::Found
            | Self::Missing => MismatchStep::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUSTED: SyncEvent = SyncEvent::Acknowledged { is_stored: true, is_trusted: true };
    const ECHOED: SyncEvent = SyncEvent::Acknowledged { is_stored: true, is_trusted: false };
    const TAKEN: SyncEvent = SyncEvent::Acknowledged { is_stored: false, is_trusted: true };
    const TAKEN_BLINDLY: SyncEvent = SyncEvent::Acknowledged { is_stored: false, is_trusted: false };
    const REFUSED: SyncEvent = SyncEvent::Refused { may_be_there: false };
    const REFUSED_MAYBE_THERE: SyncEvent = SyncEvent::Refused { may_be_there: true };

    /// What becomes of each status below the limit of mismatches: its first letter, the doubt (`?` in doubt, `.` in none,
    /// `=` as before), and the count (`0`, `+` one more, `=` as before).
    const TABLE: [(SyncEvent, [&str; 4]); 18] = [
        //                      pending unconfirmed confirmed rejected
        (SyncEvent::Changed, ["p=0", "p=0", "p=0", "p=0"]),
        (SyncEvent::Known, ["c=0", "c=0", "c=0", "c=0"]),
        (SyncEvent::Sending, ["p?=", "u?=", "c?=", "r?="]),
        (TRUSTED, ["c.0", "c.0", "c.0", "c.0"]),
        (ECHOED, ["u.=", "u.=", "u.=", "u.="]),
        (TAKEN, ["u.=", "u.=", "u.=", "u.="]),
        (TAKEN_BLINDLY, ["u.=", "u.=", "u.=", "u.="]),
        (REFUSED, ["r.=", "r.=", "r.=", "r.="]),
        (REFUSED_MAYBE_THERE, ["r==", "r==", "r==", "r=="]),
        (SyncEvent::Unclear, ["p?=", "p?=", "p?=", "p?="]),
        (SyncEvent::NotSent, ["p==", "p==", "p==", "p=="]),
        (SyncEvent::Found, ["p.=", "p.=", "p.=", "p.="]),
        (SyncEvent::Gone, ["c.0", "c.0", "c.0", "c.0"]),
        (SyncEvent::Shown, ["p==", "c.0", "c.0", "r=="]),
        (SyncEvent::NotShown, ["p==", "p.+", "p.+", "r=="]),
        (SyncEvent::Missing, ["p==", "p?=", "p?=", "r=="]),
        (SyncEvent::MovedByHand, ["p=0", "u=0", "c=0", "r=0"]),
        (SyncEvent::Retired, ["c.0", "c.0", "c==", "c.0"]),
    ];

    fn states() -> impl Iterator<Item = SyncState> {
        let all = |status| {
            let doubts = [false, true].into_iter();
            doubts.flat_map(move |in_doubt| {
                (0..=MAX_MISMATCHES + 1).map(move |mismatch_count| SyncState { status, in_doubt, mismatch_count })
            })
        };
        SyncStatus::ALL.iter().copied().flat_map(all)
    }

    fn expected(before: SyncState, cell: &str) -> SyncState {
        let [status, doubt, count] = cell.chars().collect::<Vec<char>>()[..] else { panic!("{cell}") };
        SyncState {
            status: *SyncStatus::ALL.iter().find(|known| known.as_str().starts_with(status)).expect(cell),
            in_doubt: if doubt == '=' { before.in_doubt } else { doubt == '?' },
            mismatch_count: match count {
                '=' => before.mismatch_count,
                '+' => before.mismatch_count + 1,
                _ => 0,
            },
        }
    }

    #[test]
    fn every_event_in_every_state() {
        for (event, cells) in TABLE {
            for before in states() {
                let place = SyncStatus::ALL.iter().position(|status| *status == before.status).expect("known");
                let mut after = expected(before, cells[place]);
                let is_read = matches!(before.status, SyncStatus::Unconfirmed | SyncStatus::Confirmed);
                if event == SyncEvent::NotShown && is_read && before.mismatch_count >= MAX_MISMATCHES {
                    after.status = SyncStatus::Rejected;
                }
                assert_eq!(before.after(event), after, "{before:?} after {event:?}");
            }
        }
    }

    #[test]
    fn only_these_events_confirm() {
        let confirm = [SyncEvent::Known, TRUSTED, SyncEvent::Gone, SyncEvent::Shown, SyncEvent::Retired];
        for (event, _) in TABLE {
            let mut unconfirmed = states().filter(|state| state.status != SyncStatus::Confirmed);
            let confirms = unconfirmed.any(|state| state.after(event).status == SyncStatus::Confirmed);
            assert_eq!(confirms, confirm.contains(&event), "{event:?}");
        }
        let rejected = states().filter(|state| state.status == SyncStatus::Rejected);
        for state in rejected {
            for reading in [SyncEvent::Shown, SyncEvent::NotShown, SyncEvent::Missing] {
                assert_eq!(state.after(reading), state, "what was refused is sent again before it is read");
            }
        }
    }

    #[test]
    fn a_doubt_ends_only_with_an_answer() {
        let answers = [TRUSTED, ECHOED, TAKEN, TAKEN_BLINDLY, REFUSED, SyncEvent::Found, SyncEvent::Gone];
        for (event, _) in TABLE {
            let pending = SyncState { in_doubt: true, ..SyncState::NEW };
            let ends = answers.contains(&event) || event == SyncEvent::Retired;
            assert_eq!(pending.after(event).in_doubt, !ends, "{event:?}");
        }
    }

    #[test]
    fn a_channel_that_never_shows_what_it_acknowledges_is_given_up() {
        let mut state = SyncState::NEW;
        let mut pushes = 0;
        while state.status != SyncStatus::Rejected {
            pushes += 1;
            state = state.after(SyncEvent::Sending).after(TAKEN).after(SyncEvent::NotShown);
        }
        assert_eq!(pushes, MAX_MISMATCHES + 1);
        assert_eq!(state.after(SyncEvent::Changed), SyncState::NEW, "another value begins again");
        let once = SyncState::NEW.after(TAKEN).after(SyncEvent::NotShown);
        assert_eq!(once.after(TAKEN).after(SyncEvent::Shown).mismatch_count, 0, "what it shows once is no mismatch");
    }
}
