//! WASI imports for files and sockets, which script runtimes import but the host does not offer. They are linked to
//! functions that always fail, generated from the component's own type.

use wasmtime::{
    Engine,
    component::{Component, Linker, LinkerInstance, ResourceType, Val, types::ComponentItem},
};

/// Packages that are linked but denied.
pub(crate) const DENIED_PACKAGES: [&str; 2] = ["wasi:filesystem/", "wasi:sockets/"];
/// `wasi:io` resources used by those interfaces.
const SHARED_IO_RESOURCES: [&str; 4] = ["input-stream", "output-stream", "pollable", "error"];
/// The one function that succeeds: it returns no folders.
const PREOPENS: (&str, &str) = ("wasi:filesystem/preopens@", "get-directories");

/// Resource type of denied files and sockets.
struct DeniedResource;

/// Links denied imports of a component.
pub(crate) fn link<T: 'static>(linker: &mut Linker<T>, engine: &Engine, component: &Component) -> wasmtime::Result<()> {
    for (interface, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        if !DENIED_PACKAGES.iter().any(|package| interface.starts_with(package)) {
            continue;
        }
        let mut link = linker.instance(interface)?;
        for (name, item) in instance.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) => function(&mut link, interface, name)?,
                ComponentItem::Resource(_) if !SHARED_IO_RESOURCES.contains(&name) => {
                    link.resource(name, ResourceType::host::<DeniedResource>(), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn function<T: 'static>(link: &mut LinkerInstance<'_, T>, interface: &str, name: &str) -> wasmtime::Result<()> {
    if interface.starts_with(PREOPENS.0) && name == PREOPENS.1 {
        return link.func_new(name, |_, _, _, results| {
            results[0] = Val::List(Vec::new());
            Ok(())
        });
    }
    let denied = format!("denied: {interface}#{name}");
    link.func_new(name, move |_, _, _, _| Err(wasmtime::Error::msg(denied.clone())))
}
