//! The WebAssembly entry: brings the islands of server-rendered pages to life.

// Without this the linker drops the crate that holds the islands.
use app as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page's loader (`app/src/islands.js`) before it hydrates each island.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
