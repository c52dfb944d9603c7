//! Parses a single line.

use gassync_domain::{CoreId, MAX_ID_CHARS};

use super::{ImportLine, LineError, RequestedLink};
use crate::store::mappings::EntityKind;

/// The kind of a name, if it can be imported.
pub(super) fn kind(kind_name: &str) -> Option<EntityKind> {
    match kind_name.trim() {
        "booking" => Some(EntityKind::Reservation),
        kind_name => kind_name.replace('-', "_").parse().ok().filter(|kind| *kind != EntityKind::Guest),
    }
}

/// The requested link, or all errors of the line.
pub(super) fn line(index: usize, line: &ImportLine) -> Result<RequestedLink<'_>, Vec<LineError>> {
    let mut wrong = Vec::new();
    let mut note = |field, problem: String| wrong.push(LineError { line: line.number, field, problem });
    let source = line.source.clone().map_err(|why| note("source", why)).ok();
    let kind = kind(&line.entity);
    if kind.is_none() {
        note("entity", format!("{:?} is none of property, room-type, rate-plan, booking", shortened(&line.entity)));
    }
    let external_id = line.external_id.trim();
    match external_id.chars().count() {
        0 => note("externalId", "is empty".to_owned()),
        count if count > MAX_ID_CHARS => {
            note("externalId", format!("has {count} characters; the limit is {MAX_ID_CHARS}"));
        }
        _ if external_id.contains(char::is_control) => note("externalId", "has a control character".to_owned()),
        _ => {}
    }
    let core = line.ours.trim().parse::<i64>().ok().filter(|number| *number > 0).map(CoreId);
    if core.is_none() {
        note("ours", format!("{:?} is not the number of anything in the core", shortened(&line.ours)));
    }
    let ours = match line.origin.trim() {
        "" => None,
        "external" => Some(false),
        "core" if kind.is_none_or(|kind| kind == EntityKind::Reservation) => Some(true),
        "core" => {
            note("origin", "core is for bookings alone".to_owned());
            None
        }
        kind_name => {
            note("origin", format!("{:?} is neither external nor core", shortened(kind_name)));
            None
        }
    };
    match (source, kind, core) {
        (Some(source), Some(kind), Some(core)) if wrong.is_empty() => {
            Ok(RequestedLink { index, line: line.number, source, kind, external_id, core, ours })
        }
        _ => Err(wrong),
    }
}

/// Shortens a value for error texts.
fn shortened(kind_name: &str) -> String {
    /// Maximum length in characters.
    const MOST: usize = 40;
    kind_name.chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use gassync_domain::SourceId;

    use super::*;

    fn given(entity: &str, external_id: &str, ours: &str, origin: &str) -> ImportLine {
        ImportLine {
            number: 7,
            source: Ok(SourceId(1)),
            entity: entity.to_owned(),
            external_id: external_id.to_owned(),
            ours: ours.to_owned(),
            origin: origin.to_owned(),
        }
    }

    fn fields(given: &ImportLine) -> Vec<&'static str> {
        line(0, given).err().unwrap_or_default().into_iter().map(|wrong| wrong.field).collect()
    }

    #[test]
    fn kind_names_match_the_other_commands() {
        for (kind_name, kind) in [
            ("property", EntityKind::Property),
            ("room-type", EntityKind::RoomType),
            ("room_type", EntityKind::RoomType),
            ("rate-plan", EntityKind::RatePlan),
            ("booking", EntityKind::Reservation),
            (" reservation ", EntityKind::Reservation),
        ] {
            let given = given(kind_name, " B-1 ", "12", "");
            let read = line(3, &given).expect("a line");
            assert_eq!((read.kind, read.external_id, read.core, read.line), (kind, "B-1", CoreId(12), 7));
        }
    }

    #[test]
    fn all_errors_are_reported() {
        let long = "x".repeat(MAX_ID_CHARS + 1);
        assert!(fields(&given("booking", &"x".repeat(MAX_ID_CHARS), "1", "core")).is_empty());
        for (given, wrong) in [
            (given("house", "", "-1", "theirs"), &["entity", "externalId", "ours", "origin"][..]),
            (given("guest", &long, "0", ""), &["entity", "externalId", "ours"]),
            (given("property", "a\u{0}b", "1.5", "core"), &["externalId", "ours", "origin"]),
            (ImportLine { source: Err("nobody".to_owned()), ..given("property", "a", "1", "") }, &["source"]),
        ] {
            assert_eq!(fields(&given), wrong);
        }
    }
}
