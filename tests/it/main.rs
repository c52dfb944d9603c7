//! All integration tests, in one binary: they build, start and stop together.

mod api;
mod beds24;
mod buyers;
mod command_line;
mod conformance;
mod contract;
mod credentials;
mod description;
mod feed;
mod flow;
mod kill;
mod ledger;
mod lists;
mod mapping;
mod misbehaving;
mod order;
mod partners;
mod registry;
mod requests;
mod sandbox;
mod schema;
mod sketches_json;
mod sketches_xml;
mod store;
mod tenants;
mod tidy;
