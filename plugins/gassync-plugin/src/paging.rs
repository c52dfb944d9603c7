//! Paging within a run, and resuming the next run.

use crate::{Change, ChangeKind, ChannelError, Page, Query, ResumePoint, Scope, Selection, instant::moment, malformed};

/// Separates the page number from the newest modification time so far in a cursor.
const BETWEEN: char = '/';

impl Query {
    /// The requested page number, from 1, for channels with numbered pages: see [`Page::numbered`].
    pub fn page_number(&self) -> Result<usize, ChannelError> {
        let Some(cursor) = &self.cursor else { return Ok(1) };
        let number = cursor.split(BETWEEN).next().and_then(|number| number.parse().ok());
        number.filter(|number| *number > 0).ok_or_else(|| malformed("cursor", "is not one of ours"))
    }
}

impl Page {
    /// A page of a channel with numbered pages: its changes, and whether another page follows, which becomes the next
    /// call's [`Query::page_number`].
    ///
    /// Only the last page sets the resume point of the next run: the newest modification of all pages, by the channel's
    /// clock. Setting it earlier would lose records on later pages that fail.
    pub fn numbered(query: &Query, changes: Vec<Change>, another: bool) -> Result<Self, ChannelError> {
        let number = query.page_number()?;
        let before = query.cursor.as_deref().and_then(|cursor| Some(cursor.split_once(BETWEEN)?.1));
        let newest = newest(before.into_iter().chain(modified(&changes))).map(str::to_owned);
        let behind = number.saturating_add(1);
        let next = another.then(|| match &newest {
            Some(newest) => format!("{behind}{BETWEEN}{newest}"),
            None => behind.to_string(),
        });
        let goes_on = matches!(query.selection, Selection::Everything | Selection::ChangedSince(_));
        let resume = newest.filter(|_| goes_on && !another).map(ResumePoint::Instant);
        Ok(Self { changes, next, resume, scope: Scope::Delta, wait_seconds: None })
    }
}

/// The newest modification time of these reservations, in the channel's format and clock, as resume point of the next
/// run. None if no reservation has one.
pub fn last_modified(changes: &[Change]) -> Option<ResumePoint> {
    newest(modified(changes)).map(|at| ResumePoint::Instant(at.to_owned()))
}

fn modified(changes: &[Change]) -> impl Iterator<Item = &str> {
    changes.iter().filter_map(|change| match &change.data {
        ChangeKind::Reservation(reservation) => reservation.modified_at.as_deref(),
        _ => None,
    })
}

fn newest<'a>(instants: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    instants.filter_map(|text| Some((moment(text)?, text))).max().map(|(_, newest)| newest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entity, Reservation, ReservationStatus, change};

    fn booking(modified_at: &str) -> Change {
        let modified_at = Some(modified_at.to_owned()).filter(|at| !at.is_empty());
        let reservation = Reservation { modified_at, ..Reservation::new("1", ReservationStatus::Confirmed) };
        change(None, ChangeKind::Reservation(reservation))
    }

    fn query(selection: Selection, cursor: Option<&str>) -> Query {
        Query { cursor: cursor.map(str::to_owned), ..Query::new(Entity::Reservation, selection) }
    }

    #[test]
    fn the_newest_is_the_latest_whatever_its_zone() {
        let changes = ["2027-03-04T12:30:00Z", "", "2027-03-04T13:00:00+02:00", "soon"].map(booking);
        assert_eq!(last_modified(&changes), Some(ResumePoint::Instant("2027-03-04T12:30:00Z".to_owned())));
        assert_eq!(last_modified(&[booking("")]), None);
    }

    #[test]
    fn the_last_page_says_where_all_of_them_end() {
        let mut asked = query(Selection::Everything, None);
        let mut pages = Vec::new();
        for modified_at in ["2027-03-04T12:30:00Z", "2027-03-01T09:00:00Z", ""] {
            let another = pages.len() < 2;
            let page = Page::numbered(&asked, vec![booking(modified_at)], another).expect("a page");
            asked.cursor = page.next.clone();
            pages.push(page);
            assert_eq!(asked.page_number(), Ok(if another { pages.len() + 1 } else { 1 }));
        }
        let reported: Vec<Option<ResumePoint>> = pages.into_iter().map(|page| page.resume).collect();
        assert_eq!(reported, [None, None, Some(ResumePoint::Instant("2027-03-04T12:30:00Z".to_owned()))]);
    }

    #[test]
    fn what_is_asked_for_by_id_does_not_go_on() {
        let asked = query(Selection::Some(vec!["1".to_owned()]), None);
        assert_eq!(Page::numbered(&asked, vec![booking("2027-03-04T12:30:00Z")], false).expect("a page").resume, None);
        let silent = Page::numbered(&asked, vec![booking("")], true).expect("a page");
        assert_eq!(silent.next.as_deref(), Some("2"));
    }

    #[test]
    fn pages_are_numbered_from_one() {
        let number = |cursor| query(Selection::Everything, cursor).page_number();
        assert_eq!((number(None), number(Some("1")), number(Some("17/2027-03-04"))), (Ok(1), Ok(1), Ok(17)));
        for strange in ["", "0", "-1", "two", "/2", "99999999999999999999999"] {
            assert!(matches!(number(Some(strange)), Err(ChannelError::Malformed(_))), "{strange}");
            let page = Page::numbered(&query(Selection::Everything, Some(strange)), Vec::new(), false);
            assert!(page.is_err(), "{strange}");
        }
    }
}
