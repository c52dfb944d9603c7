//! Parses the events of a calendar as nights.

use gassync_plugin::{ChannelError, Date, Lenient, Nights, malformed, parse_date_as, to_date_text};

use crate::lines::{lines, unescape, unfold};

/// An event that takes nights.
#[derive(Debug)]
pub(crate) struct Event {
    pub uid: String,
    pub stay: Nights,
    pub summary: String,
    pub description: Option<String>,
    /// `CONFIRMED`, `TENTATIVE`, `CANCELLED`, or empty.
    pub status: String,
    pub modified: Option<String>,
}

#[derive(Default)]
struct Said {
    uid: Option<String>,
    start: Option<String>,
    end: Option<String>,
    duration: Option<String>,
    summary: Option<String>,
    description: Option<String>,
    status: Option<String>,
    modified: Option<String>,
    is_transparent: bool,
    repeats: bool,
}

/// All events, or an error: a truncated calendar would free the nights of the missing ones.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Event>, ChannelError> {
    let text = unfold(body)?;
    let mut events = Vec::new();
    let mut inside: Vec<String> = Vec::new();
    let (mut said, mut ended) = (Said::default(), false);
    for line in lines(&text) {
        let line = line?;
        match (line.name.as_str(), inside.as_slice()) {
            ("BEGIN", _) => {
                let name = line.value.to_uppercase();
                if inside.is_empty() && name != "VCALENDAR" {
                    return Err(malformed("", "does not begin with a calendar"));
                }
                inside.push(name);
            }
            ("END", [.., name]) if *name == line.value.to_uppercase() => match inside.pop().as_deref() {
                Some("VEVENT") => events.extend(event(std::mem::take(&mut said))?),
                Some("VCALENDAR") => ended = true,
                _ => {}
            },
            ("END", _) => return Err(malformed(line.value, "ends and has not begun")),
            // An alarm inside an event has its own texts.
            (name, [_, event]) if event == "VEVENT" => note(&mut said, name, line.value),
            (_, []) => return Err(malformed("", "does not begin with a calendar")),
            _ => {}
        }
    }
    if ended && inside.is_empty() { Ok(events) } else { Err(malformed("", "has no end: some of it is missing")) }
}

fn note(said: &mut Said, name: &str, value: &str) {
    let text = || Some(unescape(value)).filter(|text| !text.trim().is_empty());
    match name {
        "UID" => said.uid = text(),
        "DTSTART" => said.start = Some(value.to_owned()),
        "DTEND" => said.end = Some(value.to_owned()),
        "DURATION" => said.duration = Some(value.to_owned()),
        "SUMMARY" => said.summary = text(),
        "DESCRIPTION" => said.description = text(),
        "STATUS" => said.status = Some(value.to_uppercase()),
        "LAST-MODIFIED" => said.modified = Some(value.to_owned()),
        "TRANSP" => said.is_transparent = value.eq_ignore_ascii_case("TRANSPARENT"),
        "RRULE" | "RDATE" => said.repeats = true,
        _ => {}
    }
}

/// `None` for an event that takes no night: a note, or an appointment within a day.
fn event(said: Said) -> Result<Option<Event>, ChannelError> {
    let place = said.uid.clone().unwrap_or_else(|| "an event".to_owned());
    if said.is_transparent {
        return Ok(None);
    }
    if said.repeats {
        return Err(malformed(&place, "is repeated, which is not read"));
    }
    let start = said.start.as_deref().and_then(day);
    let start = start.ok_or_else(|| malformed(&place, "DTSTART is not a date"))?;
    let is_timed = said.start.as_deref().is_some_and(|start| start.contains('T'));
    let until = match (&said.end, &said.duration) {
        // For dates the end is exclusive; for times it is on the departure date.
        (Some(end), _) => day(end).ok_or_else(|| malformed(&place, "DTEND is not a date"))?,
        (None, Some(length)) => {
            let days = days(length).ok_or_else(|| malformed(&place, "DURATION is not a number of days"))?;
            start.add_days(i64::from(days))
        }
        (None, None) => start.next_day(),
    };
    if is_timed && start == until {
        return Ok(None);
    }
    let modified = said.modified.as_deref().and_then(instant);
    let modified = Lenient::from(modified.as_deref()).exact_instant(format_args!("{place}: LAST-MODIFIED"))?;
    Ok(Some(Event {
        // An event without an id is identified by its nights.
        uid: said.uid.unwrap_or_else(|| format!("{}/{}", said.start.unwrap_or_default(), said.end.unwrap_or_default())),
        stay: Nights { start, until },
        summary: said.summary.unwrap_or_default(),
        description: said.description,
        status: said.status.unwrap_or_default(),
        modified,
    }))
}

/// `20270714`, or the date of `20270714T150000Z`: the property's time zone is unknown here.
fn day(value: &str) -> Option<Date> {
    parse_date_as(value, "YYYYMMDD")
}

/// Parses `P3D` and `P1W`.
fn days(length: &str) -> Option<u32> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= 1_100);
    let length = length.strip_prefix('P')?;
    length.strip_suffix('D').and_then(number).or_else(|| Some(number(length.strip_suffix('W')?)? * 7))
}

/// Parses `20270501T101500Z`; `None` for another time zone, which is unknown here.
fn instant(value: &str) -> Option<String> {
    let date = day(value)?;
    let time = value.get(9..15).filter(|time| time.bytes().all(|byte| byte.is_ascii_digit()))?;
    let date = to_date_text(date);
    value.ends_with('Z').then(|| format!("{date}T{}:{}:{}Z", &time[..2], &time[2..4], &time[4..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(lines: &str) -> Result<Vec<Event>, ChannelError> {
        read(
            format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
                .as_bytes(),
        )
    }

    #[test]
    fn ends_are_read_in_four_forms_and_are_no_night() {
        for (lines, until) in [
            ("DTSTART;VALUE=DATE:20270714\r\nDTEND;VALUE=DATE:20270718", "2027-07-18"),
            ("DTSTART;VALUE=DATE:20270714", "2027-07-15"),
            ("DTSTART;VALUE=DATE:20270714\r\nDURATION:P1W", "2027-07-21"),
            ("DTSTART;TZID=Europe/Lisbon:20270714T150000\r\nDTEND;TZID=Europe/Lisbon:20270716T100000", "2027-07-16"),
        ] {
            let events = calendar(lines).expect(lines);
            assert_eq!(to_date_text(events[0].stay.until), until, "{lines}");
        }
    }

    #[test]
    fn what_takes_no_night_is_left_out_and_what_cannot_be_read_is_an_error() {
        let day = "DTSTART;VALUE=DATE:20270714\r\n";
        assert!(calendar(&format!("{day}TRANSP:TRANSPARENT")).expect("read").is_empty());
        assert!(calendar("DTSTART:20270714T100000Z\r\nDTEND:20270714T120000Z").expect("read").is_empty());
        for wrong in [&format!("{day}RRULE:FREQ=WEEKLY"), "DTSTART:tomorrow", "no line", &format!("{day}DURATION:PT1H")]
        {
            assert!(matches!(calendar(wrong), Err(ChannelError::Malformed(_))), "{wrong}");
        }
        for cut in ["<html>", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a", "BEGIN:VCALENDAR\r\n", ""] {
            assert!(matches!(read(cut.as_bytes()), Err(ChannelError::Malformed(_))), "{cut}");
        }
        assert!(read(b"BEGIN:VCALENDAR\nEND:VCALENDAR\n").expect("an empty calendar is one").is_empty());
    }

    #[test]
    fn a_last_change_must_be_an_instant_or_of_a_zone_nobody_knows() {
        let modified = |value: &str| {
            let events = calendar(&format!("DTSTART;VALUE=DATE:20270714\r\nLAST-MODIFIED:{value}"))?;
            Ok(events.into_iter().next().and_then(|event| event.modified))
        };
        assert_eq!(modified("20270501T101500"), Ok(None));
        let wrong: Result<_, ChannelError> = modified("20270501T256199Z");
        assert!(matches!(wrong, Err(ChannelError::Malformed(why)) if why.starts_with("a: LAST-MODIFIED")));
    }

    #[test]
    fn an_alarm_has_texts_of_its_own() {
        let lines = "DTSTART;VALUE=DATE:20270714\r\nSUMMARY:Reserved\\, twice\r\nBEGIN:VALARM\r\nSUMMARY:Wake up\r\nEND:VALARM\r\n\
            LAST-MODIFIED:20270501T101500Z";
        let event = calendar(lines).expect("read").remove(0);
        assert_eq!(event.summary, "Reserved, twice");
        assert_eq!(event.modified.as_deref(), Some("2027-05-01T10:15:00Z"));
    }
}
