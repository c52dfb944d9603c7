//! Our marks in the notice of bookings: the only text of ours that Smoobu keeps from a new booking. There is no field
//! for a reference.

/// The notice of blocks that close nights. Smoobu's webhook about a block may arrive before the call that creates it
/// has ended, so before its id is stored; a block taken for somebody else's would never be opened again.
pub(crate) const OUR_BLOCK: &str = "Closed by GasSync";

const BEGIN: &str = "[GasSync ";
const END: char = ']';

/// The notice of a booking that we make: what is to be said, and our reference as its last line.
pub(crate) fn notice(text: Option<&str>, reference: &str) -> String {
    let mark = format!("{BEGIN}{reference}{END}");
    text.map_or_else(|| mark.clone(), |text| format!("{text}\n{mark}"))
}

/// Our reference in a notice, and the text without it.
pub(crate) fn read(notice: &str) -> (Option<&str>, &str) {
    let Some((text, mark)) = notice.rsplit_once(BEGIN) else { return (None, notice) };
    match mark.split_once(END) {
        Some((reference, "")) if !reference.is_empty() => (Some(reference), text.trim_end()),
        // People may write behind it.
        Some((reference, _)) if !reference.is_empty() => (Some(reference), notice),
        _ => (None, notice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_back_from_a_notice() {
        assert_eq!(read(&notice(None, "gas-3-17")), (Some("gas-3-17"), ""));
        assert_eq!(read(&notice(Some("late [arrival]"), "gas-3-17")), (Some("gas-3-17"), "late [arrival]"));
        let beyond = "late\n[GasSync gas-3-17]\nand with a dog";
        assert_eq!(read(beyond), (Some("gas-3-17"), beyond));
        for none in ["", "late", "[GasSync ]", "[GasSync gas-3-17", OUR_BLOCK] {
            assert_eq!(read(none), (None, none));
        }
    }
}
