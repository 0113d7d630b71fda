import * as fs from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { logIn } from "../support/people";

/** The page that stands for each chapter of the guide, by the chapter's anchor. */
const CHAPTERS: [string, (page: Page) => Promise<unknown>][] = [
  ["day", (page) => page.goto("/wall")],
  ["money", (page) => room(page)],
  ["cash-desk", (page) => page.goto("/sales")],
  ["reconciliation", (page) => page.goto("/reconcile")],
  ["power", (page) => page.goto("/commands/new?kind=mode")],
  ["estate", (page) => page.goto("/places")],
  ["batch", (page) => page.goto("/commands/new?kind=limits")],
  ["reading", async (page) => {
    await room(page);
    await page.locator("a[href$='/readings']").first().click();
  }],
  ["lost", (page) => page.goto("/gateways")],
  ["people", (page) => page.goto("/operators")],
  ["proof", (page) => page.goto("/audit")],
];

for (const [cookie, tag] of [["zh", "zh-CN"], ["en", "en"]] as const) {
  test(`the guide in ${tag}`, async ({ page, context, baseURL }) => {
    test.setTimeout(180_000);
    await page.setViewportSize({ width: 1280, height: 800 });
    await logIn(page, "operator");
    // Meters that do not answer take a few tries to be known as lost.
    await page.waitForTimeout(15_000);
    await context.addCookies([{ name: "lang", value: cookie, url: baseURL! }]);
    const folder = `../public/guide/${tag}`;
    fs.mkdirSync(folder, { recursive: true });
    for (const [anchor, open] of CHAPTERS) {
      await open(page);
      await expect(page.locator("h1, main").first()).toBeVisible();
      // Scripts and live values; the network is never idle.
      await page.waitForTimeout(2_500);
      fs.writeFileSync(`${folder}/${anchor}.webp`, await webp(page));
    }
  });
}

/** The page of a room, found as an operator finds it. */
async function room(page: Page): Promise<void> {
  await page.goto("/search?q=3-101");
  const link = await page.locator("main a[href^='/rooms/']").first().getAttribute("href");
  // Without the action that a link may offer.
  await page.goto(link!.replace(/\?.*/, ""));
}

/** What the browser shows, as WebP: a third of a PNG. */
async function webp(page: Page): Promise<Buffer> {
  const png = await page.screenshot();
  const blank = await page.context().newPage();
  const base64 = await blank.evaluate(async (source) => {
    const image = new Image();
    image.src = `data:image/png;base64,${source}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    canvas.getContext("2d")!.drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.85).split(",")[1]!;
  }, png.toString("base64"));
  await blank.close();
  return Buffer.from(base64, "base64");
}
