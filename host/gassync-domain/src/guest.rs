use serde::{Deserialize, Serialize};

use crate::text::said;

/// Who stays or books, as far as the channel says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Guest {
    /// The channel's id of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// One text for the whole name, where the channel has no more; never split by guessing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Possibly an alias that the selling site forwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// As written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Upper-case ISO 3166, where the payload allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Language tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Guest {
    /// Nothing is known of this guest.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is filed as the family name: the one name text stands in for it.
    pub fn filed_last_name(&self) -> Option<&str> {
        self.last_name.as_deref().or(self.name.as_deref())
    }

    /// Drops empty texts.
    pub fn normalise(&mut self) {
        for field in self.fields_mut() {
            said(field);
        }
    }

    /// Takes from `stored` what this guest does not say.
    pub fn fill(&mut self, stored: &Self) {
        let mut stored = stored.clone();
        for (mine, theirs) in self.fields_mut().into_iter().zip(stored.fields_mut()) {
            if mine.is_none() {
                *mine = theirs.take();
            }
        }
    }

    fn fields_mut(&mut self) -> [&mut Option<String>; 8] {
        let Self { id, name, first_name, last_name, email, phone, country, language } = self;
        [id, name, first_name, last_name, email, phone, country, language]
    }
}
