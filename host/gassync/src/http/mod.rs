//! What every HTTP endpoint is made of: problem documents, bodies, parameters, pages, and who calls.

mod body;
mod caller;
pub mod json;
pub mod page;
pub mod params;
pub mod problem;
pub mod scope;

pub use body::{Body, MaybeBody, read_as};
pub use caller::{Caller, Operator, OperatorToken, bearer};
pub use page::{Page, PageQuery};
pub use params::{Numbers, Params, instant};
pub use problem::{ApiError, Problem};
