use serde::{Deserialize, Serialize};

/// What a channel shows of a room type's night, all its rate plans taken together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObservedNight {
    /// A word closes it, whatever is left; none where it says nothing of it.
    pub closed: Option<bool>,
    /// How many are left; none where it gives no number.
    pub units: Option<u32>,
}

/// What the channel has of the night from us, as far as that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LastSent {
    /// It was never told of it.
    #[default]
    Never,
    /// That it is closed, or it may have been the last it was told.
    Closed,
    /// That so many are left.
    Open(u32),
    /// That it is open; how many are left is not sure.
    OpenUnclear,
}

/// Who counts what is left at a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum UnitCount {
    /// What it was told, and nothing else.
    #[default]
    AsSent,
    /// What it was told, less its own bookings since.
    MinusOwnBookings,
    /// The channel itself, of its rooms and the bookings that it knows: it takes no number.
    ComputedByChannel,
}

/// Units of a night that somebody has closed at a channel by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closure {
    /// By a word, which closes whatever is left; otherwise fewer are for sale than there should be.
    pub by_word: bool,
    /// How many are closed: of a word all there are, whatever of them is sold.
    pub units: u32,
    /// A person has said here that they are to be sold all the same.
    pub waived: bool,
}

/// How the night stands here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreNight {
    /// How many the channel has of the room type.
    pub rooms: u32,
    /// How many of them the channel's own bookings and blocks take, and those of ours that it knows.
    pub own: u32,
    /// How many could be sold were nothing closed by hand at this channel.
    pub free: u32,
}

/// What is closed by hand at a channel, given what it shows now and what was closed before.
///
/// Our own closings are none, nor are the channel's own bookings. What nobody can tell apart closes: a night that the channel
/// was never told of and shows closed was closed by somebody.
pub fn closed_by_hand(
    shown: ObservedNight,
    sent: LastSent,
    before: Option<Closure>,
    here: CoreNight,
    counts: UnitCount,
) -> Option<Closure> {
    let waived = before.is_some_and(|closure| closure.waived);
    let by_word = before.is_some_and(|closure| closure.by_word);
    // Our word hides whatever else there is, but for the number of a channel that counts itself.
    let is_ours = shown.closed == Some(true) && sent == LastSent::Closed && !by_word;
    if is_ours && (counts != UnitCount::ComputedByChannel || shown.units.is_none()) {
        return before;
    }
    if shown.closed == Some(true) && !is_ours {
        // Where there is no number beside it, it may mean no more than that the channel has sold it.
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
        // Whether it was a guest or a person who took it cannot be seen.
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
