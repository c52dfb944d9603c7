/// Where a booking is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// An answer of the API.
    Answer,
    Webhook,
}

/// What is shown of a booking.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub place: Place,
    pub related: bool,
    pub elements: bool,
}

impl Shown {
    /// As webhooks show it.
    pub const WEBHOOK: Self = Self { place: Place::Webhook, related: false, elements: false };
    /// As answers show it by default.
    pub const ANSWER: Self = Self { place: Place::Answer, ..Self::WEBHOOK };
}
