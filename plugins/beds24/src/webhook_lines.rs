//! The URLs of a property's booking webhook, one per line, possibly with those of other systems.
//!
//! Other systems' URLs may contain tokens, as ours does: they are kept byte for byte in their position. A value that
//! the host hides is never overwritten. Headers of other systems are secrets: `customHeader` is only tested for being
//! empty, and only written if it is.

/// Replaces a value that the host hides from the plugin.
const BLANKED: &str = "***";
/// Start of a placeholder. In a line of another system it could make the host insert one of our secrets.
const PLACEHOLDER: &str = "{{";

/// The URLs of one property.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    mark: &'a str,
}

impl<'a> Lines<'a> {
    /// The line that ends with the mark is ours.
    pub fn new(text: &'a str, mark: &'a str) -> Self {
        Self { text, mark }
    }

    /// True if all lines are blank.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// True if the host hides the value.
    pub fn are_hidden(&self) -> bool {
        self.text.lines().any(|line| line.trim() == BLANKED)
    }

    /// True if a line contains a placeholder, which the host might fill if it were written back.
    pub fn have_placeholder(&self) -> bool {
        self.text.contains(PLACEHOLDER)
    }

    /// True if one line is ours.
    pub fn have_ours(&self) -> bool {
        self.text.lines().any(|line| self.is_ours(line))
    }

    /// True if one line belongs to another system.
    pub fn have_others(&self) -> bool {
        self.text.lines().any(|line| !line.trim().is_empty() && !self.is_ours(line))
    }

    /// True if our line authenticates its calls with a token.
    pub fn ours_has_token(&self) -> bool {
        self.text.lines().any(|line| self.is_ours(line) && line.contains("token="))
    }

    /// Returns the lines with ours after all others.
    pub fn with(&self, ours: &str) -> String {
        let joint = match (self.is_empty(), self.text.ends_with('\n'), self.text.contains("\r\n")) {
            (true, ..) => return ours.to_owned(),
            (_, true, _) => "",
            (_, _, true) => "\r\n",
            _ => "\n",
        };
        format!("{}{joint}{ours}", self.text)
    }

    /// Returns the lines without ours; empty if there are no others.
    pub fn without_ours(&self) -> String {
        let others: Vec<&str> = self.text.split('\n').filter(|line| !self.is_ours(line)).collect();
        if self.have_others() { others.join("\n").trim_end_matches('\r').to_owned() } else { String::new() }
    }

    fn is_ours(&self, line: &str) -> bool {
        !self.mark.is_empty() && line.trim().ends_with(self.mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://gas.example/w/1?by=m1";

    fn lines(text: &str) -> Lines<'_> {
        Lines::new(text, "by=m1")
    }

    #[test]
    fn others_keep_their_bytes_and_their_order() {
        for others in ["https://a.example/?k=1", " https://a.example/x \nhttps://b.example/#y", "a\r\nb", "a\n\nb"] {
            let with = lines(others).with(OURS);
            assert!(with.starts_with(others) && with.ends_with(OURS), "{with:?}");
            let both = lines(&with);
            assert!(both.have_ours() && both.have_others() && !both.are_hidden());
            assert_eq!(both.without_ours(), others);
        }
        assert_eq!(lines(&format!("a\n{OURS}\nb")).without_ours(), "a\nb");
        assert_eq!((lines("").with(OURS), lines(OURS).without_ours()), (OURS.to_owned(), String::new()));
        assert_eq!(lines("a\n").with(OURS), format!("a\n{OURS}"));
    }

    #[test]
    fn nothing_is_ours_without_the_mark() {
        let other = "https://gas.example/w/1?by=m2";
        assert!(!lines(other).have_ours() && lines(other).have_others());
        assert!(!Lines::new(OURS, "").have_ours() && !lines("").have_others() && lines(" \n").is_empty());
        assert!(lines("***").are_hidden() && lines("a\n***").are_hidden() && !lines("a***").are_hidden());
        assert!(lines("https://a.example/{{webhook.token}}").have_placeholder());
    }
}
