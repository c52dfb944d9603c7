use std::fmt;

use gassync_plugin::ChannelError;

/// Where a fetch that takes several calls goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// How many of the ids that were asked for are done.
    pub done: usize,
    /// The page of the channel's answer; the first is 1.
    pub page: u32,
    /// The latest modification seen so far.
    pub newest: Option<String>,
    /// When the first page was asked for.
    pub began: Option<String>,
}

impl Cursor {
    pub fn read(text: Option<&str>) -> Result<Self, ChannelError> {
        let Some(text) = text else {
            return Ok(Self { done: 0, page: 1, newest: None, began: None });
        };
        let wrong = || ChannelError::malformed("cursor: expected one that this plugin gave");
        let [done, page, newest, began] = text.split('/').collect::<Vec<_>>()[..] else { return Err(wrong()) };
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(Self {
            done: done.parse().map_err(|_| wrong())?,
            page: page.parse().map_err(|_| wrong())?,
            newest: said(newest),
            began: said(began),
        })
    }

    /// Where the next run starts: at the latest modification seen, by the channel's own clock. What changed on an
    /// earlier page while later ones were read is older than that, so a run of several pages starts no later than
    /// its first page.
    pub fn resume(self) -> Option<String> {
        match (self.newest, self.began) {
            (Some(newest), Some(began)) if self.page > 1 => Some(newest.min(began)),
            (newest, _) => newest,
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        write!(f, "{}/{}/{}/{}", self.done, self.page, text(&self.newest), text(&self.began))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_as_it_went() {
        let cursor = Cursor { done: 100, page: 3, newest: Some("2027-01-01T00:00:00Z".to_owned()), began: None };
        assert_eq!(Cursor::read(Some(&cursor.to_string())), Ok(cursor));
        for text in ["", "2", "a/b/c/d", "1/2/3/4/5"] {
            assert!(Cursor::read(Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn several_pages_resume_no_later_than_their_beginning() {
        let instant = |text: &str| Some(text.to_owned());
        let (early, late) = (instant("2027-01-01T08:00:00Z"), instant("2027-01-01T08:00:09Z"));
        let cursor = |page| Cursor { done: 0, page, newest: late.clone(), began: early.clone() };
        assert_eq!(cursor(1).resume(), late);
        assert_eq!(cursor(2).resume(), early);
    }
}
