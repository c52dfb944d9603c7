//! The fields read from the contract's content documents.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Texts by language.
pub type Texts = BTreeMap<String, String>;

/// Name and description for guests: by language, or one text of unknown language.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Text {
    name: Option<String>,
    names: Texts,
    description: Option<String>,
    descriptions: Texts,
}

impl Text {
    /// Names by language; one of unknown language counts as the source's language.
    pub fn names(&self, language: &str) -> Texts {
        by_language(&self.names, self.name.as_ref(), language)
    }

    /// Descriptions, likewise.
    pub fn descriptions(&self, language: &str) -> Texts {
        by_language(&self.descriptions, self.description.as_ref(), language)
    }
}

fn by_language(texts: &Texts, one: Option<&String>, language: &str) -> Texts {
    if texts.is_empty() {
        one.map(|text| (language.to_owned(), text.clone())).into_iter().collect()
    } else {
        texts.clone()
    }
}

/// Content of a room type.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Room {
    #[serde(flatten)]
    pub text: Text,
    pub images: Vec<Image>,
    pub max_occupancy: Option<u32>,
}

/// An image.
#[derive(Deserialize)]
pub struct Image {
    pub url: String,
    #[serde(default)]
    pub captions: Texts,
}

/// Content of a rate plan.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Package {
    #[serde(flatten)]
    pub text: Text,
    meals: Option<Vec<String>>,
    pub refundable: Option<bool>,
    pub refund_until: Option<Until>,
}

impl Package {
    /// True if breakfast is included, the only meal that Google knows. `None` if unknown.
    pub fn has_breakfast(&self) -> Option<bool> {
        let meals = self.meals.as_ref()?;
        Some(meals.iter().any(|meal| meal == "breakfast" || meal == "all-inclusive"))
    }
}

/// Until when a refund is possible.
#[derive(Deserialize)]
pub struct Until {
    pub days: Option<u32>,
    pub time: Option<String>,
}
