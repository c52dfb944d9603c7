//! Bindings, generated from the contract: what a plugin may import, and each interface it may export by itself, so that
//! a component exports what it implements and nothing else.

wit_bindgen::generate!({
    path: "../../wit/next",
    world: "imports",
    generate_all,
    // So that tests can compare what they got with what they want.
    additional_derives: [PartialEq],
});

macro_rules! interface {
    ($module:ident, $world:literal, $inline:literal, $export:literal, $bindings:literal) => {
        /// One interface of the contract, to be exported.
        pub mod $module {
            wit_bindgen::generate!({
                inline: $inline,
                path: "../../wit/next",
                world: $world,
                with: { "gassync:channel/types@1.0.0-rc.4": crate::generated::gassync::channel::types },
                pub_export_macro: true,
                export_macro_name: $export,
                default_bindings_module: $bindings,
            });
        }
    };
}

interface!(
    about,
    "only-about",
    "package sdk:about; world only-about { export gassync:channel/about@1.0.0-rc.4; }",
    "export_about",
    "gassync_plugin::generated::about"
);
interface!(
    inbound,
    "only-inbound",
    "package sdk:inbound; world only-inbound { export gassync:channel/inbound@1.0.0-rc.4; }",
    "export_inbound",
    "gassync_plugin::generated::inbound"
);
interface!(
    answer,
    "only-answer",
    "package sdk:answer; world only-answer { export gassync:channel/answer@1.0.0-rc.4; }",
    "export_answer",
    "gassync_plugin::generated::answer"
);
interface!(
    pull,
    "only-pull",
    "package sdk:pull; world only-pull { export gassync:channel/pull@1.0.0-rc.4; }",
    "export_pull",
    "gassync_plugin::generated::pull"
);
interface!(
    receipts,
    "only-receipts",
    "package sdk:receipts; world only-receipts { export gassync:channel/receipts@1.0.0-rc.4; }",
    "export_receipts",
    "gassync_plugin::generated::receipts"
);
interface!(
    push_calendar,
    "only-push-calendar",
    "package sdk:push-calendar; world only-push-calendar { export gassync:channel/push-calendar@1.0.0-rc.4; }",
    "export_push_calendar",
    "gassync_plugin::generated::push_calendar"
);
interface!(
    push_reservations,
    "only-push-reservations",
    "package sdk:push-reservations; world only-push-reservations { export gassync:channel/push-reservations@1.0.0-rc.4; }",
    "export_push_reservations",
    "gassync_plugin::generated::push_reservations"
);
interface!(
    push_content,
    "only-push-content",
    "package sdk:push-content; world only-push-content { export gassync:channel/push-content@1.0.0-rc.4; }",
    "export_push_content",
    "gassync_plugin::generated::push_content"
);
interface!(
    feeds,
    "only-feeds",
    "package sdk:feeds; world only-feeds { export gassync:channel/feeds@1.0.0-rc.4; }",
    "export_feeds",
    "gassync_plugin::generated::feeds"
);
interface!(
    connection,
    "only-connection",
    "package sdk:connection; world only-connection { export gassync:channel/connection@1.0.0-rc.4; }",
    "export_connection",
    "gassync_plugin::generated::connection"
);
