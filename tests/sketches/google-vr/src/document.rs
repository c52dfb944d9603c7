//! What is read of the contract's content.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Texts by their languages.
pub type Texts = BTreeMap<String, String>;

/// A name and a text for guests: by language, or one of a language nobody has noted.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Text {
    name: Option<String>,
    names: Texts,
    description: Option<String>,
    descriptions: Texts,
}

impl Text {
    /// By language; one that is in none is taken for the source's.
    pub fn names(&self, language: &str) -> Texts {
        by_language(&self.names, self.name.as_ref(), language)
    }

    /// The same.
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

/// Of a room type.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Room {
    #[serde(flatten)]
    pub text: Text,
    pub images: Vec<Image>,
    pub max_occupancy: Option<u32>,
}

/// A picture.
#[derive(Deserialize)]
pub struct Image {
    pub url: String,
    #[serde(default)]
    pub captions: Texts,
}

/// Of a rate plan.
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
    /// Google knows no other meal. None where nobody says which there are.
    pub fn has_breakfast(&self) -> Option<bool> {
        let meals = self.meals.as_ref()?;
        Some(meals.iter().any(|meal| meal == "breakfast" || meal == "all-inclusive"))
    }
}

/// Until when money comes back.
#[derive(Deserialize)]
pub struct Until {
    pub days: Option<u32>,
    pub time: Option<String>,
}
