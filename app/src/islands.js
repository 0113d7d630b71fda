// Fetches the bundle only where an island waits for it, brings the islands to life, and marks the document: styles show then what
// only works with scripts, and browser tests click. Leptos' own loader also serves islands within islands; there are none here.
(async (script, wasm) => {
  const islands = document.querySelectorAll("leptos-island");
  if (islands.length > 0) {
    // Both at once: the script would ask for its other half only when it runs.
    const half = fetch(wasm);
    const bundle = await import(script);
    await bundle.default({ module_or_path: half });
    bundle.hydrate();
    for (const island of islands) await bundle[island.dataset.component](island);
  }
  document.documentElement.setAttribute("data-hydrated", "");
})
