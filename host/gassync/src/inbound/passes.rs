//! Decides when a paged list is complete.
//!
//! A record deleted between two page requests shifts the rest, so that another record is skipped. A list of several pages that
//! will not be requested again is therefore reread until a pass brings no new record.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use gassync_domain::{Change, ChangeKind, Entity, EntityRef, Page, Query, Selection, Timestamp};

use super::apply::external_id;

/// Maximum number of passes; if the last one still brings new records, the next poll starts from the same cursor.
const MAX_PASSES: u32 = 3;
/// Maximum number of pages per pass.
const MAX_PAGES: u32 = 10_000;
/// Maximum number of consecutive pages without a new record.
const MAX_KNOWN_PAGES: u32 = 3;
/// Maximum number of consecutive empty pages.
const MAX_EMPTY_PAGES: u32 = 100;
/// Maximum number of records tracked per run; longer lists are read once.
const MAX_RECORDS: usize = 1_000_000;

/// The next step after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// The next page.
    NextPage,
    /// The first page again.
    NextPass,
    /// Done: the list is complete.
    Whole,
    /// Done: every pass brought something new.
    Unsettled,
    /// Done: the rest is left to the next run.
    Cut,
}

/// A list that does not end, with the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndlessFetch(pub String);

/// The records that a run has seen so far.
#[derive(Debug)]
pub struct Passes {
    /// True if a list of several pages is reread.
    rereads: bool,
    /// Repeated records of one id count as new.
    counts_every_record: bool,
    /// The list is a queue: reading consumes it.
    is_queue: bool,
    began: Timestamp,
    run: HashSet<u64>,
    pass: HashSet<u64>,
    passes: u32,
    pages: u32,
    known_pages: u32,
    empty_pages: u32,
    any_new: bool,
}

impl Passes {
    /// Starts a run.
    pub fn new(query: &Query, began: Timestamp) -> Self {
        let moves_on = match query.selection {
            Selection::Everything | Selection::ChangedSince(_) => true,
            // Calendars are polled again as a whole; a backfill of bookings is not.
            Selection::Within { .. } => query.entity != Entity::Calendar,
            Selection::After(_) | Selection::Some(_) | Selection::Queue(_) => false,
        };
        Self {
            rereads: moves_on,
            counts_every_record: matches!(query.selection, Selection::After(_) | Selection::Queue(_)),
            is_queue: matches!(query.selection, Selection::Queue(_)),
            began,
            run: HashSet::new(),
            pass: HashSet::new(),
            passes: 1,
            pages: 0,
            known_pages: 0,
            empty_pages: 0,
            any_new: false,
        }
    }

    /// Records a page and removes the records that earlier passes had.
    pub fn take(&mut self, page: &mut Page) -> Result<NextStep, EndlessFetch> {
        self.pages += 1;
        let keys: Vec<u64> = page.changes.iter().map(|change| self.key(change)).collect();
        self.check_end(&keys, page.next.is_some())?;
        let before = self.passes > 1;
        let mut keys_of = keys.iter();
        let (run, began) = (&self.run, self.began);
        let mut any_new = self.any_new;
        page.changes.retain(|change| {
            let is_new = keys_of.next().is_some_and(|key| !run.contains(key));
            any_new |= before && is_new && !is_asked_for_again(change, began);
            is_new || !before
        });
        self.any_new = any_new;
        self.pass.extend(keys);
        if page.next.is_some() {
            return match self.pages {
                MAX_PAGES if self.is_queue => Ok(NextStep::Cut),
                MAX_PAGES => Err(EndlessFetch(format!("more than {MAX_PAGES} pages"))),
                _ => Ok(NextStep::NextPage),
            };
        }
        Ok(self.end_pass())
    }

    fn end_pass(&mut self) -> NextStep {
        let is_over = if self.passes == 1 { self.pages == 1 || !self.rereads } else { !self.any_new };
        self.run.extend(self.pass.drain());
        if is_over || self.run.len() > MAX_RECORDS {
            return NextStep::Whole;
        }
        if self.passes == MAX_PASSES {
            return NextStep::Unsettled;
        }
        self.passes += 1;
        (self.pages, self.known_pages, self.empty_pages, self.any_new) = (0, 0, 0, false);
        NextStep::NextPass
    }

    fn check_end(&mut self, keys: &[u64], another: bool) -> Result<(), EndlessFetch> {
        let is_known = !keys.is_empty() && keys.iter().all(|key| self.pass.contains(key));
        self.known_pages = if is_known { self.known_pages + 1 } else { 0 };
        self.empty_pages = if keys.is_empty() { self.empty_pages + 1 } else { 0 };
        if another && self.known_pages >= MAX_KNOWN_PAGES {
            return Err(EndlessFetch(format!("{MAX_KNOWN_PAGES} pages in a row repeated earlier records")));
        }
        if another && self.empty_pages >= MAX_EMPTY_PAGES {
            return Err(EndlessFetch(format!("{MAX_EMPTY_PAGES} pages in a row were empty")));
        }
        Ok(())
    }

    /// The identity of a record: its id, or its content for queues and records without id.
    fn key(&self, change: &Change) -> u64 {
        let mut hasher = DefaultHasher::new();
        let id = match &change.data {
            ChangeKind::Calendar(_) => None,
            ChangeKind::Removed(EntityRef { id, .. }) => Some(id.as_str()),
            ChangeKind::Unreadable(unreadable) => unreadable.id.as_deref(),
            _ => external_id(change),
        };
        match id.filter(|_| !self.counts_every_record) {
            Some(id) => (std::mem::discriminant(&change.data), id).hash(&mut hasher),
            None => {
                // Unserialisable records count as equal: at worst the list is read once.
                serde_json::to_vec(&change.data).unwrap_or_default().hash(&mut hasher);
                let unreadable = match &change.data {
                    ChangeKind::Unreadable(unreadable) => unreadable.raw.as_deref(),
                    _ => None,
                };
                unreadable.hash(&mut hasher);
            }
        }
        hasher.finish()
    }
}

/// True if the next run requests it anyway, because it changed after this one began.
fn is_asked_for_again(change: &Change, began: Timestamp) -> bool {
    match &change.data {
        ChangeKind::Reservation(reservation) => reservation.modified_at.is_some_and(|at| at >= began),
        ChangeKind::Block(block) => block.modified_at.is_some_and(|at| at >= began),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use gassync_domain::{Calendar, Date, Reservation, Scope};
    use serde_json::json;

    use super::*;

    const BEGAN: &str = "2027-03-01T12:00:00Z";

    fn reservation(id: &str) -> Reservation {
        let record = json!({ "id": id, "status": "confirmed" });
        serde_json::from_value(record).expect("a reservation")
    }

    fn booking(id: &str) -> Change {
        Change::new(ChangeKind::Reservation(Box::new(reservation(id))), None)
    }

    fn page(changes: Vec<Change>, another: bool) -> Page {
        let next = another.then(|| "on".to_owned());
        Page { changes, next, resume: None, scope: Scope::Delta, wait_seconds: None }
    }

    fn bookings(ids: &[&str], another: bool) -> Page {
        page(ids.iter().map(|id| booking(id)).collect(), another)
    }

    fn run(selection: Selection) -> Passes {
        Passes::new(&Query::new(Entity::Reservation, selection), BEGAN.parse().expect("a time"))
    }

    fn left(page: &Page) -> Vec<&str> {
        page.changes.iter().filter_map(external_id).collect()
    }

    #[test]
    fn one_page_is_read_once() {
        let mut run = run(Selection::Everything);
        assert_eq!(run.take(&mut bookings(&["1", "2"], false)), Ok(NextStep::Whole));
    }

    #[test]
    fn several_pages_are_reread_until_stable() {
        let mut run = run(Selection::Everything);
        assert_eq!(run.take(&mut bookings(&["1", "2"], true)), Ok(NextStep::NextPage));
        // 1 was deleted, so 3 moved to the page that was read before.
        assert_eq!(run.take(&mut bookings(&["4"], false)), Ok(NextStep::NextPass));
        let mut first = bookings(&["2", "3"], true);
        assert_eq!(run.take(&mut first), Ok(NextStep::NextPage));
        assert_eq!(left(&first), ["3"]);
        assert_eq!(run.take(&mut bookings(&["4"], false)), Ok(NextStep::NextPass));
        assert_eq!(run.take(&mut bookings(&["2", "3"], true)), Ok(NextStep::NextPage));
        assert_eq!(run.take(&mut bookings(&["4"], false)), Ok(NextStep::Whole));
    }

    #[test]
    fn a_list_that_never_settles_is_given_up() {
        let mut run = run(Selection::Everything);
        for pass in 0..3 {
            let ids = [format!("{pass}a"), format!("{pass}b")];
            assert_eq!(run.take(&mut bookings(&[&ids[0]], true)), Ok(NextStep::NextPage));
            let after = run.take(&mut bookings(&[&ids[1]], false)).expect("a page");
            assert_eq!(after, if pass == 2 { NextStep::Unsettled } else { NextStep::NextPass });
        }
    }

    #[test]
    fn later_changes_are_left_to_the_next_run() {
        let mut run = run(Selection::Everything);
        let late = || {
            let modified_at = Some(BEGAN.parse().expect("a time"));
            let reservation = Reservation { modified_at, ..reservation("9") };
            Change::new(ChangeKind::Reservation(Box::new(reservation)), None)
        };
        assert_eq!(run.take(&mut bookings(&["1"], true)), Ok(NextStep::NextPage));
        assert_eq!(run.take(&mut bookings(&["2"], false)), Ok(NextStep::NextPass));
        assert_eq!(run.take(&mut page(vec![booking("1"), late()], true)), Ok(NextStep::NextPage));
        assert_eq!(run.take(&mut bookings(&["2"], false)), Ok(NextStep::Whole));
    }

    #[test]
    fn pages_that_repeat_end_the_run() {
        for selection in [Selection::Everything, Selection::Queue("new".to_owned())] {
            let mut run = run(selection);
            assert_eq!(run.take(&mut bookings(&["1", "2"], true)), Ok(NextStep::NextPage));
            let mut pages = 1;
            while run.take(&mut bookings(&["1", "2"], true)).is_ok() {
                pages += 1;
                assert!(pages < 10, "it has no end");
            }
            assert_eq!(pages, 3);
        }
        let mut run = run(Selection::Everything);
        assert!((0..100).any(|_| run.take(&mut bookings(&[], true)).is_err()));
    }

    #[test]
    fn a_room_may_appear_on_several_calendar_pages() {
        let start = Date::constant(2027, 6, 1);
        let until = Date::constant(2027, 7, 1);
        let mut run = Passes::new(
            &Query::new(Entity::Calendar, Selection::Within { start, until }),
            BEGAN.parse().expect("a time"),
        );
        for day in 1..=20 {
            let night = json!({ "date": Date::constant(2027, 6, day), "available": true });
            let nights = vec![serde_json::from_value(night).expect("a night")];
            let calendar = Calendar { property_id: None, room_type_id: "7".to_owned(), rate_plan_id: None, nights };
            let after = run.take(&mut page(vec![Change::new(ChangeKind::Calendar(calendar), None)], day < 20));
            assert_eq!(after, Ok(if day < 20 { NextStep::NextPage } else { NextStep::Whole }));
        }
    }
}
