/// What a document may cost. The defaults fit the sandbox's memory and the time of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of the document, and of its text in UTF-8, in bytes.
    pub bytes: usize,
    /// Elements inside each other.
    pub depth: usize,
    /// Elements in all.
    pub elements: usize,
    /// Attributes in all.
    pub attributes: usize,
    /// Attributes of one element.
    pub attributes_of_element: usize,
    /// Text of one element, or one attribute's value, in bytes of UTF-8.
    pub text_bytes: usize,
}

impl Limits {
    /// 8 MiB, the largest body; 64 levels, 100,000 elements, 200,000 attributes, 256 of one element, and 1 MiB of text
    /// in one place.
    pub const DEFAULT: Self = Self {
        bytes: 8 * 1024 * 1024,
        depth: 64,
        elements: 100_000,
        attributes: 200_000,
        attributes_of_element: 256,
        text_bytes: 1024 * 1024,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
