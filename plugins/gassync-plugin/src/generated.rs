//! Bindings generated from the contract: all imports, and each export separately, so that a component exports only the
//! interfaces it implements.

wit_bindgen::generate!({
    path: "../../wit/next",
    world: "imports",
    generate_all,
    // Allows comparisons in tests.
    additional_derives: [PartialEq],
});

macro_rules! interface {
    ($module:ident, $world:literal, $inline:literal, $export:literal, $bindings:literal) => {
        /// One exportable interface of the contract.
        pub mod $module {
            wit_bindgen::generate!({
                inline: $inline,
                path: "../../wit/next",
                world: $world,
                with: { "gassync:channel/types@1.0.0-rc.5": crate::generated::gassync::channel::types },
                pub_export_macro: true,
                export_macro_name: $export,
                default_bindings_module: $bindings,
            });
        }
    };
}

interface!(
    metadata,
    "only-metadata",
    "package sdk:metadata; world only-metadata { export gassync:channel/metadata@1.0.0-rc.5; }",
    "export_metadata",
    "gassync_plugin::generated::metadata"
);
interface!(
    inbound,
    "only-inbound",
    "package sdk:inbound; world only-inbound { export gassync:channel/inbound@1.0.0-rc.5; }",
    "export_inbound",
    "gassync_plugin::generated::inbound"
);
interface!(
    reply,
    "only-reply",
    "package sdk:reply; world only-reply { export gassync:channel/reply@1.0.0-rc.5; }",
    "export_reply",
    "gassync_plugin::generated::reply"
);
interface!(
    pull,
    "only-pull",
    "package sdk:pull; world only-pull { export gassync:channel/pull@1.0.0-rc.5; }",
    "export_pull",
    "gassync_plugin::generated::pull"
);
interface!(
    acknowledgements,
    "only-acknowledgements",
    "package sdk:acknowledgements; world only-acknowledgements { export gassync:channel/acknowledgements@1.0.0-rc.5; }",
    "export_acknowledgements",
    "gassync_plugin::generated::acknowledgements"
);
interface!(
    push_calendar,
    "only-push-calendar",
    "package sdk:push-calendar; world only-push-calendar { export gassync:channel/push-calendar@1.0.0-rc.5; }",
    "export_push_calendar",
    "gassync_plugin::generated::push_calendar"
);
interface!(
    push_reservations,
    "only-push-reservations",
    "package sdk:push-reservations; world only-push-reservations { export gassync:channel/push-reservations@1.0.0-rc.5; }",
    "export_push_reservations",
    "gassync_plugin::generated::push_reservations"
);
interface!(
    push_content,
    "only-push-content",
    "package sdk:push-content; world only-push-content { export gassync:channel/push-content@1.0.0-rc.5; }",
    "export_push_content",
    "gassync_plugin::generated::push_content"
);
interface!(
    feeds,
    "only-feeds",
    "package sdk:feeds; world only-feeds { export gassync:channel/feeds@1.0.0-rc.5; }",
    "export_feeds",
    "gassync_plugin::generated::feeds"
);
interface!(
    connection,
    "only-connection",
    "package sdk:connection; world only-connection { export gassync:channel/connection@1.0.0-rc.5; }",
    "export_connection",
    "gassync_plugin::generated::connection"
);
