//! Bindings, generated from the contract.

wit_bindgen::generate!({
    path: "../../wit/next",
    world: "reader",
    pub_export_macro: true,
    export_macro_name: "export",
    default_bindings_module: "gassync_plugin::generated",
    generate_all,
});
