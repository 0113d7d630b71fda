import { expect, test } from "@playwright/test";
import { logIn, noErrors } from "../support/people";

const DAY = 86_400_000;
const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);

test("receipts are exported as invoices, and a cancelled batch offers no import", async ({ page }, info) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/invoices");
  // The demo has exported one month. The week before it waits whatever the day; a test that failed may have taken that one.
  const exported = page.getByRole("row", { has: page.getByRole("link", { name: "000001" }) }).locator("td").nth(1);
  await expect(exported).toHaveText(/^\d{4}-\d\d-01 – /);
  const until = Date.parse((await exported.textContent())!.slice(0, 10)) - (1 + 7 * info.retry) * DAY;
  await page.goto(`/invoices?from=${day(until - 6 * DAY)}&until=${day(until)}`);
  await page.getByRole("button", { name: "导出这些收据" }).click();
  await expect(page).toHaveURL(/\/invoices\/[0-9a-f]{32}$/);
  const batch = page.url();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "下载导入文件" }).click()]);
  expect(file.suggestedFilename()).toMatch(/^invoices-\d{6}-import\.xlsx$/);

  // The receipt says where it went.
  const serial = (await page.locator("tbody tr td").first().textContent())!.trim();
  await page.locator('tbody a[href^="/receipts/"]').first().click();
  await expect(page.getByText(serial)).toBeVisible();

  await page.goto(batch);
  await page.getByRole("button", { name: "作废批次" }).click();
  await expect(page.getByText("其收据重新待导出")).toBeVisible();
  await expect(page.getByRole("link", { name: "下载导入文件" })).toHaveCount(0);
  await expect(page.getByRole("link", { name: "下载红字与核对表" })).toBeVisible();
  expect(errors).toEqual([]);
});
