//! All integration tests, in one binary: they build, start and stop together.

mod api;
mod command_line;
mod flow;
mod kill;
mod ledger;
mod order;
mod sandbox;
mod schema;
mod store;
mod tidy;
