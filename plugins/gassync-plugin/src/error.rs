use crate::{ChannelError, FieldError, http::HttpError};

impl ChannelError {
    /// The payload is not what it should be: where, and what was expected there.
    pub fn malformed(at: &str) -> Self {
        Self::Malformed(at.to_owned())
    }

    /// The channel does not take what we sent, in its words.
    pub fn rejected(path: &str, problem: &str) -> Self {
        Self::Rejected(vec![FieldError { path: path.to_owned(), problem: problem.to_owned() }])
    }
}

impl From<HttpError> for ChannelError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::RateLimited(seconds) => Self::RateLimited(seconds),
            HttpError::Credential(text) => Self::Unauthorized(text),
            // A person has to grant or to change something: to repeat the request would not help.
            HttpError::NotGranted(text) => Self::rejected("", &format!("not granted: {text}")),
            HttpError::AddressRefused(text) => Self::rejected("", &format!("address refused: {text}")),
            HttpError::TooLarge(limit) => Self::rejected("", &format!("the answer is larger than {limit} bytes")),
            HttpError::CircuitOpen(_) => Self::Unavailable("circuit open".to_owned()),
            HttpError::TimedOut => Self::Unavailable("timed out".to_owned()),
            HttpError::Connect(text) => Self::Unavailable(format!("connect: {text}")),
            HttpError::Tls(text) => Self::Unavailable(format!("TLS: {text}")),
        }
    }
}
