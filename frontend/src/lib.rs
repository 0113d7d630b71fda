//! The WebAssembly entry: brings the islands of server-rendered pages to life.

// Without this the linker drops the crate that holds the islands.
use app as _;
use leptos::prelude::document;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page's script once the bundle is there; it hydrates each island right after.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
    // Styles show what only works with scripts, and browser tests wait for this before they click.
    if let Some(html) = document().document_element() {
        let _ = html.set_attribute("data-hydrated", "");
    }
}
