//! Contract 1.0, currently a release candidate: bindings, implementation of its imports, and conversions between its
//! records and the domain's.

mod adapter;
mod from_wit;
mod host;
mod to_wit;

pub(crate) use adapter::load;

/// The version in the interface names.
pub(crate) const CONTRACT: &str = "1.0.0-rc.5";

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/next",
        world: "channel",
        additional_derives: [PartialEq],
        imports: { default: async | trappable },
        exports: { default: async },
    });
}
