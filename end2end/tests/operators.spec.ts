import { expect, test } from "@playwright/test";
import { logIn, noErrors } from "../support/people";

test("an invited cashier chooses a password, logs in and sees only what the role allows", async ({ page, browser }) => {
  const errors = noErrors(page);
  const login = `cashier${Date.now() % 1_000_000}`;
  await logIn(page, "operator");
  await page.goto("/operators");
  await page.getByRole("link", { name: "邀请操作员" }).click();
  await page.getByLabel("账号").fill(login);
  await page.getByLabel("姓名").fill("新收费员");
  await page.getByRole("radio", { name: /收费员/ }).check();
  await page.getByLabel("全部楼栋，包括以后新增的").check();
  await page.getByRole("button", { name: "邀请操作员" }).click();
  await expect(page).toHaveURL(/\/link$/);
  const link = await page.locator(".one-time-link code").textContent();
  await page.reload();
  await expect(page.getByText("链接只显示一次。")).toBeVisible();

  const own = await browser.newContext({ locale: "zh-CN" });
  try {
    const cashier = await own.newPage();
    await cashier.goto(new URL(link!).pathname);
    await cashier.getByLabel("您的姓名").fill("收费员小王");
    await cashier.locator("input[name=password]").fill("nine green lanterns");
    await cashier.getByRole("button", { name: "设置密码" }).click();
    await expect(cashier).toHaveURL(/\/login/);
    await expect(cashier.getByText("密码已保存，请用它登录。")).toBeVisible();
    await cashier.goto(new URL(link!).pathname);
    await expect(cashier.getByText("此链接不能使用").first()).toBeVisible();
    await cashier.goto("/login");
    await cashier.locator("input[name=login]").fill(login);
    await cashier.locator("input[name=password]").fill("nine green lanterns");
    await cashier.locator("form button.primary").click();
    await expect(cashier).toHaveURL(/\/wall/);
    const rail = cashier.locator("#rail");
    await expect(rail.getByRole("link", { name: "售电" })).toBeVisible();
    await expect(rail.getByRole("link", { name: "操作员" })).toHaveCount(0);
    await expect(cashier.getByText("收费员小王")).toBeVisible();
    const refused = await cashier.goto("/operators");
    expect(refused!.status()).toBe(403);

    // Taken away while the wall is open: the next page is refused.
    await page.goto("/operators");
    await page.getByRole("link", { name: "收费员小王" }).first().click();
    await page.getByRole("radio", { name: /维修员/ }).check();
    await page.getByRole("button", { name: "保存" }).click();
    await expect(page.getByText("收费员小王的角色现为")).toBeVisible();
    expect((await cashier.goto("/sales"))!.status()).toBe(403);
    expect((await cashier.goto("/wall"))!.status()).toBe(200);
  } finally {
    await own.close();
  }
  expect(errors).toEqual([]);
});
