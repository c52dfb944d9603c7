//! The addresses of a house's booking webhook: one a line, and others' may be among them.
//!
//! Another system's address may prove its calls, as ours does: it is kept byte for byte, in its place, and where a host does
//! not show it, nothing is written over it. Its headers are secrets without doubt: `customHeader` is looked at for nothing
//! but whether it is empty, and is written only where nothing stands.

/// What a host blanks a value with that it does not show.
const BLANKED: &str = "***";
/// What begins a placeholder: in a line that is not ours it could make the host fill in a secret of ours.
const PLACEHOLDER: &str = "{{";

/// The addresses of one house.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    mark: &'a str,
}

impl<'a> Lines<'a> {
    /// Ours is the line that ends with the mark.
    pub fn new(text: &'a str, mark: &'a str) -> Self {
        Self { text, mark }
    }

    /// No line says anything.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The host does not show what stands there.
    pub fn are_hidden(&self) -> bool {
        self.text.lines().any(|line| line.trim() == BLANKED)
    }

    /// A line would be taken for something else than an address when it is written again.
    pub fn have_placeholder(&self) -> bool {
        self.text.contains(PLACEHOLDER)
    }

    /// One of them is ours.
    pub fn have_ours(&self) -> bool {
        self.text.lines().any(|line| self.is_ours(line))
    }

    /// One of them is not.
    pub fn have_others(&self) -> bool {
        self.text.lines().any(|line| !line.trim().is_empty() && !self.is_ours(line))
    }

    /// Ours proves its calls by itself.
    pub fn ours_has_token(&self) -> bool {
        self.text.lines().any(|line| self.is_ours(line) && line.contains("token="))
    }

    /// With ours behind all others.
    pub fn with(&self, ours: &str) -> String {
        let joint = match (self.is_empty(), self.text.ends_with('\n'), self.text.contains("\r\n")) {
            (true, ..) => return ours.to_owned(),
            (_, true, _) => "",
            (_, _, true) => "\r\n",
            _ => "\n",
        };
        format!("{}{joint}{ours}", self.text)
    }

    /// Without ours; empty where no other is left.
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
