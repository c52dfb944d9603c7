//! Building blocks of all HTTP endpoints: problem documents, bodies, parameters, pages and authentication.

mod body;
mod caller;
pub mod json;
pub mod page;
pub mod params;
pub mod problem;
pub mod scope;

pub use body::{Body, MaybeBody, parse_json};
pub use caller::{Caller, Operator, OperatorToken, bearer};
pub use page::{ListPage, PageQuery};
pub use params::{Params, PathParams, instant};
pub use problem::{ApiError, Problem};
