import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test, type Page } from "@playwright/test";
import { logIn, noErrors } from "../support/people";
import { phones } from "../support/phones";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const resident = ["/home", "/usage", "/topup", "/topup/other", "/switch", "/records", "/me", "/me/alerts", "/me/kiosk", "/me/roommates", "/me/split",
  "/me/tokens", "/me/wechat", "/me/data", "/emergency-credit", "/help", "/help/api", "/password", "/offline"];
const operator = [
  "/wall",
  "/wall?view=table",
  "/wall?view=screen",
  "/accounts",
  "/overdrawn",
  "/sales",
  "/approvals",
  "/refunds",
  "/shifts",
  "/ledger",
  "/reconcile",
  "/subsidies",
  "/cases",
  "/meters",
  "/gateways",
  "/gateways/new",
  "/commissioning",
  "/alarms",
  "/alarms/silences",
  "/alarms/rules?kind=disk-low&preview=1",
  "/messages",
  "/messages/texts",
  "/messages/texts/alarm-2?language=zh-CN",
  "/my-alerts",
  "/instruments",
  "/instruments/new",
  "/reports",
  "/reports/saved",
  "/exports",
  "/reports/sales",
  "/reports/sales?by=month",
  "/reports/statement",
  "/reports/building-statement",
  "/reports/liability",
  "/reports/subsidies",
  "/reports/prices",
  "/reports/open-cases?age=1",
  "/reports/energy",
  "/reports/load-curve",
  "/reports/abnormal-use",
  "/reports/missing-readings",
  "/reports/instruments",
  "/reports/lost-meters",
  "/reports/lost-gateways",
  "/reports/alarms",
  "/commands",
  "/commands/new",
  "/commands/missed-price-switches",
  "/places",
  "/places/groups",
  "/accounts/open-many",
  "/accounts/close-many",
  "/accounts/batches",
  "/accounts/numbers",
  "/meters/new",
  "/kiosks",
  "/tasks",
  "/operators",
  "/operators/new",
  "/roles",
  "/roles/new",
  "/import",
  "/settings",
  "/settings/friendly-hours",
  "/start",
  "/prices",
  "/prices/new",
  "/audit",
  "/printing",
  "/printing/layout?paper=a5&language=en",
  "/prints",
  "/invoices",
  "/invoices/settings",
  "/guide",
  "/password",
];

interface Violation {
  id: string;
  nodes: { target: string[] }[];
}

/** What axe finds on the page, by rule; `rules` are all where none are given. */
async function violations(page: Page, ...rules: string[]): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const found = await page.evaluate(async (rules) => {
    const run = (globalThis as unknown as { axe: { run: (options: object) => Promise<{ violations: Violation[] }> } }).axe;
    return (await run.run(rules.length > 0 ? { runOnly: { type: "rule", values: rules } } : {})).violations;
  }, rules);
  return found.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

/** What is too small for a finger: buttons, fields, and links but for those within a sentence. */
async function tooSmall(page: Page): Promise<string[]> {
  const targets = "a[href], button, summary, select, input:not([type=checkbox], [type=radio], [type=hidden])";
  return page.locator(targets).evaluateAll((all) => {
    const inSentence = (one: Element) =>
      getComputedStyle(one).display === "inline" && one.parentElement!.textContent!.trim() !== one.textContent!.trim();
    const small = (one: Element) => {
      const { width, height } = one.getBoundingClientRect();
      return width > 1 && (width < 43.5 || height < 43.5);
    };
    const shown = (one: Element) => one.checkVisibility() && !one.matches(".skip") && !one.closest("svg");
    return all.filter((one) => shown(one) && !inSentence(one) && small(one)).map((one) => one.outerHTML.slice(0, 120));
  });
}

/** The pixels by which the page scrolls sideways. */
const tooWide = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Checks the page as it is shown now. */
async function accessible(page: Page, path: string): Promise<void> {
  expect(await violations(page), path).toEqual([]);
  expect(await tooWide(page), `${path} scrolls sideways`).toBeLessThanOrEqual(0);
}

/** Checks phones of all sizes, and large type; the common size is last, because the next page is opened on it. */
async function fitsPhones(page: Page, path: string): Promise<void> {
  for (const size of [phones.small, phones.large, phones.common]) {
    await page.setViewportSize(size);
    expect(await tooWide(page), `${path} scrolls sideways at ${size.width}`).toBeLessThanOrEqual(0);
    expect(await tooSmall(page), `${path} has something too small for a finger at ${size.width}`).toEqual([]);
  }
  await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
  expect(await tooWide(page), `${path} scrolls sideways in large type`).toBeLessThanOrEqual(0);
}

/** Checks what depends on colours in dark mode. Transitions are off, so that no colour is between two others. */
async function inTheDark(page: Page, path: string): Promise<void> {
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  expect(await violations(page, "color-contrast", "link-in-text-block"), `${path} in the dark`).toEqual([]);
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
}

/** Looks at each path in whichever of the tabs is free: one would leave the second processor idle. */
async function inTabs(tabs: Page[], paths: Iterable<string>, look: (tab: Page, path: string) => Promise<void>): Promise<void> {
  const rest = [...paths].values();
  await Promise.all(
    tabs.map(async (tab) => {
      for (const path of rest) await look(tab, path);
    }),
  );
}

// Colours do not depend on the language, so the second one is checked in light mode only.
for (const [language, tag] of [
  ["zh", "zh-CN"],
  ["en", "en"],
] as const) {
  test(`every page is accessible and fits: ${tag}`, async ({ page, context, baseURL }, info) => {
    // Sixty pages, some with lists of three months, and what their lists lead to.
    test.setTimeout(1_200_000);
    const isDesktop = info.project.name === "desktop";
    const tabs = [page, await context.newPage()];
    const errors = tabs.map(noErrors);
    for (const tab of tabs) await tab.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await logIn(page, isDesktop ? "operator" : "3-102");
    await context.addCookies([{ name: "lang", value: language, url: baseURL! }]);
    const leads = new Set<string>();
    await inTabs(tabs, isDesktop ? operator : resident, async (tab, path) => {
      const answer = await tab.goto(path);
      expect(answer!.status(), path).toBe(200);
      await expect(tab.locator("html")).toHaveAttribute("lang", tag);
      await accessible(tab, path);
      if (language === "zh") await inTheDark(tab, path);
      if (!isDesktop) await fitsPhones(tab, path);
      const link = tab.locator('tbody a[href^="/"]').first();
      if ((await link.count()) > 0) leads.add((await link.getAttribute("href"))!);
    });
    expect(errors).toEqual([[], []]);
    if (!isDesktop || language !== "zh") return;
    await inTabs(tabs, leads, async (tab, path) => {
      const answer = await tab.goto(path);
      expect(answer!.status(), path).toBe(200);
      await accessible(tab, path);
    });
    expect([...leads].some((path) => path.startsWith("/rooms/"))).toBe(true);
  });
}

test("an operator's pages fit a phone and a finger", async ({ page, context }, info) => {
  test.setTimeout(900_000);
  test.skip(info.project.name !== "phone", "the desktop is looked at above");
  await logIn(page, "operator");
  await inTabs([page, await context.newPage()], operator, async (tab, path) => {
    await tab.goto(path);
    expect(await tooSmall(tab), `${path} has something too small for a finger`).toEqual([]);
    expect(await tooWide(tab), `${path} scrolls sideways`).toBeLessThanOrEqual(0);
  });
});

test("the log-in page is accessible, and asks nothing of a stranger but to log in", async ({ page }) => {
  for (const path of ["/login", "/home", "/wall"]) {
    await page.goto(path);
    await expect(page).toHaveURL(/\/login/);
  }
  expect(await violations(page)).toEqual([]);
});
