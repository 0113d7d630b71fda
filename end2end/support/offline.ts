import type { Page } from "@playwright/test";

/** Leaves nothing in flight: Chromium can hang when it disposes of a context while a page loads through a service worker. */
export async function leaveQuiet(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const workers = await navigator.serviceWorker.getRegistrations();
    await Promise.all(workers.map((worker) => worker.unregister()));
  });
  await page.goto("about:blank");
}
