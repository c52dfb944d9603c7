use serde::{Deserialize, Serialize};

use crate::Amount;

/// What a line of a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PriceKind {
    /// The nights.
    Stay,
    /// Cleaning.
    Cleaning,
    /// Another fee.
    Fee,
    /// Tax.
    Tax,
    /// Comes back after the stay.
    Deposit,
    /// Less: its amount is below zero.
    Discount,
    /// Something else.
    Other,
}

/// One line of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PriceLine {
    /// What it is for.
    pub kind: PriceKind,
    /// For people.
    pub name: String,
    /// How much, in the currency of the whole.
    #[schema(value_type = f64)]
    pub amount: Amount,
}
