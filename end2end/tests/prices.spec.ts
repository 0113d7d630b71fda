import { expect, test } from "@playwright/test";
import { logIn, noErrors } from "../support/people";

test("a plan is made with seasons, previewed, published, and read as a year", async ({ page, browser }) => {
  const errors = noErrors(page);
  const name = `分时${Date.now() % 1_000_000}`;
  await logIn(page, "operator");
  await page.goto("/prices");
  await page.getByRole("link", { name: "新建方案" }).click();
  await page.getByLabel("方案").first().fill(name);
  await page.getByRole("radio", { name: /单一电价/ }).check();
  await expect(page.getByLabel("尖 (元/kWh)")).toBeHidden();
  await page.getByRole("radio", { name: /分时电价/ }).check();
  await expect(page.getByLabel("单价（元/kWh）")).toBeHidden();
  for (const [rate, price] of [["尖", "1.2"], ["峰", "0.9"], ["平", "0.6"], ["谷", "11"]] as const) {
    await page.getByLabel(`${rate} (元/kWh)`).fill(price);
  }
  for (const [row, from, rate] of [[1, "00:00", "谷"], [2, "07:00", "峰"], [3, "22:00", "谷"]] as const) {
    await page.locator(`input[name=a_from${row}]`).fill(from);
    await page.locator(`select[name=a_rate${row}]`).selectOption({ label: rate });
  }
  await page.locator("input[name=month1]").fill("1");
  await page.locator("input[name=day1]").fill("1");
  await page.locator("select[name=use1]").selectOption("1");
  await page.locator("input[name=s1_month]").fill("10");
  await page.locator("input[name=s1_day]").fill("1");
  await page.locator("input[name=s1_to_month]").fill("10");
  await page.locator("input[name=s1_to_day]").fill("7");
  await page.locator("select[name=s1_use]").selectOption("2");
  await page.getByRole("button", { name: "下一步：预览" }).click();
  // What is wrong is named, and nothing that was entered is lost.
  await expect(page.getByRole("alert")).toContainText("10");
  await expect(page.locator("input[name=a_from2]")).toHaveValue("07:00");
  await page.getByLabel("谷 (元/kWh)").fill("0.3");
  await page.getByRole("button", { name: "下一步：预览" }).click();
  await expect(page.getByRole("heading", { name: "版本预览" })).toBeVisible();
  await expect(page.getByText("10月01日").first()).toBeVisible();
  await expect(page.locator(".month")).toHaveCount(12);
  await page.getByRole("button", { name: "提交复核" }).click();
  await expect(page).toHaveURL(/\/approvals/);

  // The second person approves; then the plan is there, and says who.
  const own = await browser.newContext({ locale: "zh-CN" });
  try {
    const second = await own.newPage();
    await logIn(second, "supervisor");
    await second.goto("/approvals");
    await second.locator("li.case").filter({ hasText: name }).getByRole("button", { name: "同意" }).click();
    await expect(second.locator("li.case").filter({ hasText: name })).toHaveCount(0);
  } finally {
    await own.close();
  }
  await page.goto("/prices");
  await page.getByRole("link", { name }).click();
  await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
  await expect(page.getByText("复核人 班长")).toBeVisible();
  const year = page.locator("#year");
  expect([365, 366]).toContain(await year.locator(".month tbody td[class]").count());
  // The plan begins today: both kinds of day are in the year that follows.
  await year.getByRole("link").last().click();
  await expect(page).toHaveURL(/year=/);
  await expect(year.locator(".day-kind")).toHaveCount(2);
  expect(errors).toEqual([]);
});

test("the price of a kWh and the cost of a day show their steps, on a phone and on paper", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto("/prices");
  await page.locator("tbody th a").first().click();
  await expect(page.locator(".month")).toHaveCount(12);
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
  expect(await fits()).toBe(true);
  await page.getByRole("link", { name: "下发到电表" }).click();
  await expect(page.getByRole("heading", { name: "下发到电表" })).toBeVisible();
  expect(await fits()).toBe(true);
  await page.goto("/search?q=101");
  await page.locator('main a[href^="/rooms/"]').first().click();
  await page.getByRole("link", { name: "当前电价及依据" }).click();
  await expect(page.locator(".price-steps > li")).not.toHaveCount(0);
  expect(await fits()).toBe(true);
  await page.getByRole("link", { name: "昨日电费明细" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("电费明细");
  expect(await fits()).toBe(true);
  await page.emulateMedia({ media: "print" });
  await expect(page.getByRole("link", { name: "前一天" })).toBeHidden();
  expect(errors).toEqual([]);
});
