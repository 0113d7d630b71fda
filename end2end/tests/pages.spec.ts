import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test, type Page } from "@playwright/test";
import { logIn, noErrors } from "../support/people";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const resident = ["/home", "/usage", "/topup", "/switch", "/records", "/me", "/me/alerts", "/help", "/password"];
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
  "/messages",
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
  "/operators",
  "/operators/new",
  "/roles",
  "/roles/new",
  "/import",
  "/settings",
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

/** What axe finds on the page, by rule. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } }).axe;
    return (await run.run()).violations;
  });
  return found.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

for (const [language, tag] of [
  ["zh", "zh-CN"],
  ["en", "en"],
] as const) {
  for (const scheme of ["light", "dark"] as const) {
    test(`every page is accessible and fits: ${tag}, ${scheme}`, async ({ page, context, baseURL }, info) => {
      // Sixty pages, some with lists of three months.
      test.setTimeout(300_000);
      const errors = noErrors(page);
      await page.emulateMedia({ colorScheme: scheme });
      await logIn(page, info.project.name === "desktop" ? "operator" : "3-102");
      await context.addCookies([{ name: "lang", value: language, url: baseURL! }]);
      for (const path of info.project.name === "desktop" ? operator : resident) {
        const answer = await page.goto(path);
        expect(answer!.status(), path).toBe(200);
        await expect(page.locator("html")).toHaveAttribute("lang", tag);
        expect(await violations(page), path).toEqual([]);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(wide, `${path} scrolls sideways`).toBeLessThanOrEqual(0);
      }
      expect(errors).toEqual([]);
    });
  }
}

test("what the lists lead to is accessible and fits", async ({ page }, info) => {
  test.setTimeout(240_000);
  test.skip(info.project.name !== "desktop", "the desktop's pages");
  await logIn(page, "operator");
  const seen: string[] = [];
  for (const path of operator) {
    await page.goto(path);
    const link = page.locator('tbody a[href^="/"]').first();
    if ((await link.count()) === 0) continue;
    const to = (await link.getAttribute("href"))!;
    const answer = await page.goto(to);
    expect(answer!.status(), to).toBe(200);
    expect(await violations(page), to).toEqual([]);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, `${to} scrolls sideways`).toBeLessThanOrEqual(0);
    seen.push(to);
  }
  expect(seen.some((path) => path.startsWith("/rooms/"))).toBe(true);
});

test("an operator's pages fit a phone and a finger", async ({ page }, info) => {
  test.setTimeout(300_000);
  test.skip(info.project.name !== "phone", "the desktop is looked at above");
  await logIn(page, "operator");
  const targets = page.locator("main").locator("button, .button, select, input:not([type=checkbox], [type=radio], [type=hidden])");
  for (const path of operator) {
    await page.goto(path);
    const small = await targets.evaluateAll((all) =>
      all.filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML.slice(0, 120)),
    );
    expect(small, `${path} has something too small for a finger`).toEqual([]);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, `${path} scrolls sideways`).toBeLessThanOrEqual(0);
  }
});

test("the log-in page is accessible, and asks nothing of a stranger but to log in", async ({ page }) => {
  for (const path of ["/login", "/home", "/wall"]) {
    await page.goto(path);
    await expect(page).toHaveURL(/\/login/);
  }
  expect(await violations(page)).toEqual([]);
});
