import { expect, test, type Page } from "@playwright/test";
import { logIn, noErrors } from "../support/people";

/** Adds places of which one exists already. */
async function addTwice(page: Page, name: string): Promise<void> {
  const names = page.getByLabel("名称，每行一个");
  await page.goto("/places");
  await names.fill(name);
  await page.getByRole("button", { name: "新增" }).click();
  await expect(page.getByText("已新增 1 个位置")).toBeVisible();
  await names.fill(`${name}东\n${name}\n${name}西`);
  await page.getByRole("button", { name: "新增" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expect(names).toHaveValue(`${name}东\n${name}\n${name}西`);
  await expect(names).toHaveAttribute("aria-invalid", "true");
  await expect(page.locator("#wrong-field")).toContainText("已有同名");
}

test("a form that is refused comes back filled, with the error at its field", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await addTwice(page, "重名楼");
  // What was brought back is not left by mistake either.
  await expect(page.locator("form[data-restored]")).toHaveCount(1);
  expect(errors).toEqual([]);
});

test("without scripts a refused form comes back filled, too", async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, locale: "zh-CN" });
  const page = await context.newPage();
  await logIn(page, "operator");
  await addTwice(page, "无脚本楼");
  await context.close();
});

test("entries before a confirmation come back with the error, and by the way back", async ({ page }) => {
  await logIn(page, "operator");
  await page.goto("/search?q=3号楼 1层 101");
  await expect(page).toHaveURL(/rooms\//);
  const room = page.url().split("?")[0];
  await page.goto(`${room}?do=sale&amount=12x&tender=card`);
  const amount = page.locator("form:has(input[name=do][value=sale]) input[name=amount]");
  await expect(amount).toHaveValue("12x");
  await expect(page.locator("#wrong-field")).toBeVisible();
  await amount.fill("12");
  await page.getByRole("button", { name: "下一步" }).first().click();
  await page.getByRole("link", { name: "返回" }).click();
  await expect(amount).toHaveValue("12");
});

test("a closed account is found by its number", async ({ page }) => {
  await logIn(page, "operator");
  await page.goto("/accounts?state=closed");
  const number = (await page.locator("tbody tr").first().textContent())!.match(/26\d{14}(?!\d)/)![0];
  await page.goto(`/search?q=${number}`);
  await expect(page).toHaveURL(/closings\/|rooms\/|search/);
  await expect(page.locator("main")).toContainText(number);
});
