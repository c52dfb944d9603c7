//! What wit-bindgen makes of the contract: one module per interface that can be exported, all with the types of `host`.

/// What the host offers, and the records that cross the boundary.
pub mod host {
    wit_bindgen::generate!({
        path: ["../../wit/next", "wit"],
        world: "gassync:plugin/host",
        additional_derives: [PartialEq],
        generate_all,
    });
}

macro_rules! exported {
    ($module:ident, $world:literal $(, $interface:literal: $from:path)*) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: ["../../wit/next", "wit"],
                world: $world,
                additional_derives: [PartialEq],
                pub_export_macro: true,
                with: {
                    "gassync:channel/types@1.0.0-rc.1": crate::bindings::host::gassync::channel::types,
                    $($interface: $from,)*
                },
                generate_all,
            });
        }
    };
}

exported!(about, "gassync:plugin/about");
exported!(inbound, "gassync:plugin/inbound");
exported!(answer, "gassync:plugin/answer");
exported!(pull, "gassync:plugin/pull");
exported!(receipts, "gassync:plugin/receipts");
exported!(feeds, "gassync:plugin/feeds");
exported!(connection, "gassync:plugin/connection");
exported!(push_calendar, "gassync:plugin/push-calendar");
// The three pushes share their outcomes, so these are generated once.
exported!(
    push_reservations,
    "gassync:plugin/push-reservations",
    "gassync:channel/outcomes@1.0.0-rc.1": crate::bindings::push_calendar::gassync::channel::outcomes
);
exported!(
    push_content,
    "gassync:plugin/push-content",
    "gassync:channel/outcomes@1.0.0-rc.1": crate::bindings::push_calendar::gassync::channel::outcomes
);
