use serde::{Deserialize, Serialize};

/// An observed night of a room type, over all rate plans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObservedNight {
    /// Whether a stop-sell closes it; `None` if the channel does not say.
    pub closed: Option<bool>,
    /// Remaining units; `None` if the channel gives no number.
    pub units: Option<u32>,
}

/// What we last sent for a night, as far as known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LastSent {
    /// Nothing was sent.
    #[default]
    Never,
    /// Closed, or possibly closed.
    Closed,
    /// Open with this number of units.
    Open(u32),
    /// Open with an uncertain number of units.
    OpenUnclear,
}

/// How a channel computes the remaining units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum UnitCount {
    /// It shows the number that we sent.
    #[default]
    AsSent,
    /// It subtracts its own bookings from the number that we sent.
    MinusOwnBookings,
    /// It computes the number from its rooms and bookings and accepts none from us.
    ComputedByChannel,
}

/// Units of a night that were closed manually at a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closure {
    /// Closed by a stop-sell, which closes all remaining units; otherwise by a reduced unit count.
    pub by_word: bool,
    /// Closed units; for a stop-sell all units, sold or not.
    pub units: u32,
    /// An operator sells the units despite the closure.
    pub waived: bool,
}

/// The state of the night in the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreNight {
    /// Units of the room type at the channel.
    pub rooms: u32,
    /// Units taken by the channel's bookings and blocks, and by our bookings that it knows.
    pub own: u32,
    /// Units for sale if nothing were closed at this channel.
    pub free: u32,
}

/// Computes the manual closure of a night from what the channel shows now and what was closed before.
///
/// Our own closures and the channel's own bookings do not count. In doubt the night counts as closed: a night for which
/// nothing was sent and which is shown closed was closed manually.
pub fn closed_by_hand(
    shown: ObservedNight,
    sent: LastSent,
    before: Option<Closure>,
    here: CoreNight,
    counts: UnitCount,
) -> Option<Closure> {
    let waived = before.is_some_and(|closure| closure.waived);
    let by_word = before.is_some_and(|closure| closure.by_word);
    // Our own stop-sell hides everything else, except for the count of a channel that computes it by itself.
    let is_ours = shown.closed == Some(true) && sent == LastSent::Closed && !by_word;
    if is_ours && (counts != UnitCount::ComputedByChannel || shown.units.is_none()) {
        return before;
    }
    if shown.closed == Some(true) && !is_ours {
        // Without a number, it may only mean sold out.
        let is_sold = shown.units.is_none() && here.rooms > 0 && here.own >= here.rooms;
        if is_sold && !by_word {
            return before;
        }
        return Some(Closure { by_word: true, units: here.rooms, waived: waived && by_word });
    }
    let Some(units) = shown.units else {
        return match shown.closed {
            Some(_) => None,
            None => before,
        };
    };
    let former = before.filter(|closure| !closure.by_word).map_or(0, |closure| closure.units);
    let missing = match (counts, sent) {
        (UnitCount::ComputedByChannel, _) => here.rooms.saturating_sub(here.own).saturating_sub(units),
        (_, LastSent::Never) => here.free.min(here.rooms).saturating_sub(units),
        (UnitCount::AsSent, LastSent::Closed) => former.saturating_sub(units),
        (UnitCount::AsSent, LastSent::Open(sent)) => (former + sent).saturating_sub(units),
        // A booking and a manual closure cannot be distinguished.
        (UnitCount::MinusOwnBookings, _) | (UnitCount::AsSent, LastSent::OpenUnclear) => former,
    };
    let missing = missing.min(here.rooms);
    (missing > 0).then_some(Closure { by_word: false, units: missing, waived: waived && !by_word })
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: CoreNight = CoreNight { rooms: 3, own: 0, free: 3 };

    fn word() -> ObservedNight {
        ObservedNight { closed: Some(true), units: Some(3) }
    }

    fn left(units: u32) -> ObservedNight {
        ObservedNight { closed: Some(false), units: Some(units) }
    }

    fn closure(by_word: bool, units: u32) -> Option<Closure> {
        Some(Closure { by_word, units, waived: false })
    }

    #[test]
    fn a_foreign_stop_sell_closes_all_units() {
        use LastSent::{Closed, Never, Open, OpenUnclear};
        for counts in [UnitCount::AsSent, UnitCount::MinusOwnBookings, UnitCount::ComputedByChannel] {
            let judge = |sent, before, here| closed_by_hand(word(), sent, before, here, counts);
            for sent in [Never, Open(3), OpenUnclear] {
                assert_eq!(judge(sent, None, THREE), closure(true, 3));
            }
            assert_eq!(judge(Closed, None, THREE), None, "it is ours");
            assert_eq!(judge(Closed, closure(true, 3), THREE), closure(true, 3), "it was there before ours");
            let hidden = if counts == UnitCount::ComputedByChannel { None } else { closure(false, 1) };
            assert_eq!(judge(Closed, closure(false, 1), THREE), hidden, "what ours hides stays");
            assert_eq!(judge(Never, None, CoreNight { own: 3, ..THREE }), closure(true, 3), "should it come free");
            let open = closed_by_hand(left(3), Closed, closure(true, 3), THREE, counts);
            assert_eq!(open, None, "who lifts the word opens it");
        }
    }

    #[test]
    fn missing_units_count_as_closed() {
        use LastSent::{Closed, Never, Open, OpenUnclear};
        let judge = |units, sent, before| closed_by_hand(left(units), sent, before, THREE, UnitCount::AsSent);
        assert_eq!(judge(3, Never, None), None);
        assert_eq!(judge(1, Never, None), closure(false, 2));
        assert_eq!(judge(1, Open(3), None), closure(false, 2));
        assert_eq!(judge(1, Open(1), closure(false, 2)), closure(false, 2), "told what is left, it stays");
        assert_eq!(judge(2, Open(1), closure(false, 2)), closure(false, 1), "somebody opened one");
        assert_eq!(judge(0, Closed, closure(false, 2)), closure(false, 2), "sold out elsewhere");
        assert_eq!(judge(2, Closed, closure(false, 2)), None);
        assert_eq!(judge(1, OpenUnclear, None), None);
        assert_eq!(judge(1, OpenUnclear, closure(false, 2)), closure(false, 2));
        let sold = CoreNight { free: 1, ..THREE };
        assert_eq!(closed_by_hand(left(1), Never, None, sold, UnitCount::AsSent), None, "others' sales explain it");
    }

    #[test]
    fn a_self_computing_channel_is_compared_with_its_bookings() {
        let judge = |units, own| {
            let here = CoreNight { own, ..THREE };
            closed_by_hand(left(units), LastSent::Open(9), None, here, UnitCount::ComputedByChannel)
        };
        assert_eq!(judge(3, 0), None);
        assert_eq!(judge(2, 1), None, "its own booking");
        assert_eq!(judge(2, 0), closure(false, 1));
        assert_eq!(judge(0, 2), closure(false, 1));
        assert_eq!(judge(9, 0), None);
    }

    #[test]
    fn counts_of_a_self_decrementing_channel_close_nothing() {
        let judge = |sent, before| closed_by_hand(left(2), sent, before, THREE, UnitCount::MinusOwnBookings);
        assert_eq!(judge(LastSent::Open(3), None), None);
        assert_eq!(judge(LastSent::Open(3), closure(false, 1)), closure(false, 1));
        assert_eq!(judge(LastSent::Never, None), closure(false, 1));
    }

    #[test]
    fn a_stop_sell_without_a_count_may_mean_sold_out() {
        let flag = ObservedNight { closed: Some(true), units: None };
        let judge = |own, before| {
            closed_by_hand(flag, LastSent::Never, before, CoreNight { own, ..THREE }, UnitCount::MinusOwnBookings)
        };
        assert_eq!(judge(0, None), closure(true, 3));
        assert_eq!(judge(2, None), closure(true, 3));
        assert_eq!(judge(3, None), None, "it is sold there");
        assert_eq!(judge(3, closure(true, 3)), closure(true, 3), "it was closed before it was sold");
    }

    #[test]
    fn missing_information_changes_nothing() {
        let silent = ObservedNight::default();
        let judge = |shown, before| closed_by_hand(shown, LastSent::Never, before, THREE, UnitCount::AsSent);
        assert_eq!(judge(silent, None), None);
        assert_eq!(judge(silent, closure(true, 3)), closure(true, 3));
        let open = ObservedNight { closed: Some(false), units: None };
        assert_eq!(judge(open, closure(true, 3)), None);
        assert_eq!(judge(open, closure(false, 1)), None);
    }

    #[test]
    fn a_waived_closure_stays_waived_until_reopened() {
        let waived = |by_word| Some(Closure { by_word, units: 3, waived: true });
        let judge = |shown, before| closed_by_hand(shown, LastSent::Never, before, THREE, UnitCount::AsSent);
        assert_eq!(judge(word(), waived(true)), waived(true));
        assert_eq!(judge(left(0), waived(false)), waived(false));
        assert_eq!(judge(left(3), waived(true)), None);
        assert_eq!(judge(word(), waived(false)), closure(true, 3), "another closing");
    }
}
