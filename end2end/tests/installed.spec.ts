import { expect, test, type Page } from "@playwright/test";
import { leaveQuiet } from "../support/offline";
import { logIn } from "../support/people";

const ROOM = "3-102";

/** Waits for the worker that keeps the files. A page that was on its way when it began is not its own; the next one is. */
async function controlled(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}
const cached = (page: Page) =>
  page.evaluate(async () => {
    const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
    const requests = (await Promise.all(caches_.map((cache) => cache.keys()))).flat();
    return requests.map((request) => new URL(request.url).pathname);
  });

test("the manifest names icons that are there", async ({ page, request }) => {
  for (const [lang, name] of [["zh-CN", "宿舍用电"], ["en", "Dormwatt"]] as const) {
    await page.context().addCookies([{ name: "lang", value: lang, url: test.info().project.use.baseURL! }]);
    await page.goto("/login");
    const href = await page.locator("link[rel=manifest]").getAttribute("href");
    const answer = await request.get(href!);
    expect(answer.headers()["content-type"]).toContain("application/manifest+json");
    const manifest = await answer.json();
    expect([manifest.lang, manifest.short_name, manifest.display]).toEqual([lang, name, "standalone"]);
    for (const { src, type } of manifest.icons) {
      const icon = await request.get(src);
      expect([icon.status(), icon.headers()["content-type"]], src).toEqual([200, type]);
    }
    expect(manifest.icons.map((icon: { purpose: string }) => icon.purpose)).toContain("maskable");
  }
});

test("without a network the last balance is shown with its age, and never a stale page", async ({ page, context }) => {
  // Installs a service worker and waits for the network twice.
  test.slow();
  await logIn(page, ROOM);
  await page.goto("/home");
  await controlled(page);
  const amount = await page.locator(".balance .figure .num").textContent();
  expect((await cached(page)).filter((path) => path !== "/offline" && !path.startsWith("/pkg/"))).toEqual([]);

  await context.setOffline(true);
  await expect(page.locator("#connection")).toHaveText(/网络已断开，页面内容截至 \d\d:\d\d。/);
  await page.goto("/usage");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("没有网络");
  await expect(page.locator("#last-amount")).toHaveText(amount!);
  await expect(page.locator("#last-at")).toHaveText(/的数据（.*前.*）/);
  await expect(page.locator("#nothing")).toBeHidden();
  await expect(page.locator("#offline-page")).toContainText("网络恢复后，会自动打开您要看的页面");
  // The age is that of now, and a balance of which nobody knows how old it is is not shown.
  const keep = (last: object) =>
    page.evaluate((text) => [localStorage, sessionStorage].forEach((kept) => kept.setItem("dormwatt-last", text)), JSON.stringify(last));
  await keep({ amount: "12.30", words: "", at: Date.now() - 3 * 3_600_000 });
  await page.reload();
  await expect(page.locator("#last-at")).toContainText("3小时前");
  await keep({ amount: "12.30", words: "" });
  await page.reload();
  await expect(page.locator("#nothing")).toBeVisible();
  await expect(page.locator("#last")).toBeHidden();

  // Back on the network the page that was asked for comes by itself.
  await context.setOffline(false);
  await expect(page.locator("#offline-page")).toHaveCount(0);
  await expect(page).toHaveURL(/usage/);

  // After the log-out nothing of the balance is left in the browser.
  await page.goto("/me");
  await page.getByRole("button", { name: "退出登录" }).click();
  await expect(page).toHaveURL(/login/);
  await context.setOffline(true);
  await page.goto("/home");
  await expect(page.locator("#nothing")).toBeVisible();
  await expect(page.locator("#last")).toBeHidden();
  // Still offline, so that the page does not load itself anew meanwhile.
  await leaveQuiet(page);
});

test("a device can be added where the browser knows how", async ({ page }) => {
  await logIn(page, ROOM);
  await page.goto("/me/alerts");
  const part = page.locator("#push");
  await expect(part.getByRole("heading", { name: "本机通知" })).toBeVisible();
  await expect(part.getByRole("button", { name: "在本机接收提醒" })).toBeVisible();
  await expect(page.locator("#push-impossible")).toBeHidden();
});
