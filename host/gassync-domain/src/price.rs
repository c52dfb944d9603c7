use serde::{Deserialize, Serialize};

use crate::Amount;

/// The kind of a price line.
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
    /// A deposit, returned after the stay.
    Deposit,
    /// A discount, with a negative amount.
    Discount,
    /// Something else.
    Other,
}

/// One line of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PriceLine {
    /// Its kind.
    pub kind: PriceKind,
    /// Its name, for people.
    pub name: String,
    /// The amount, in the currency of the total.
    #[schema(value_type = f64)]
    pub amount: Amount,
}
