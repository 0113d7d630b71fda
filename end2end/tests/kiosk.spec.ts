import { expect, test } from "@playwright/test";
import { logIn, noErrors } from "../support/people";

test("a phone logs its resident in at a query machine, which logs out when nobody touches it", async ({ page, browser }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/kiosks");
  await page.getByLabel("名称").fill(`大厅 ${Date.now() % 1_000_000}`);
  await page.getByRole("button", { name: "添加查询机" }).click();
  const link = await page.locator(".one-time-link code").textContent();

  const [lobby, pocket] = [await browser.newContext({ locale: "zh-CN" }), await browser.newContext({ locale: "zh-CN" })];
  try {
    const [machine, phone] = [await lobby.newPage(), await pocket.newPage()];
    const refused = noErrors(machine);
    await machine.clock.install();
    await machine.goto(new URL(link!).pathname);
    await machine.getByRole("button", { name: "登记此浏览器" }).click();
    await logIn(phone, "3-101");
    const start = machine.getByRole("button", { name: "用手机扫码登录" });
    const enter = async () => {
      await start.click();
      await expect(machine.getByRole("img", { name: "登录二维码" })).toBeVisible();
      const code = new URL(machine.url()).searchParams.get("code")!;
      await phone.goto(`/kiosk/confirm?code=${code}`);
      await phone.getByRole("button", { name: "确认登录" }).click();
      await expect(phone.getByText("已确认")).toBeVisible();
      await machine.clock.runFor(3_000);
      await machine.waitForURL(/\/home$/);
      await expect(machine.locator(".balance")).toBeVisible();
    };
    await enter();
    await machine.clock.runFor(61_000);
    await machine.waitForURL(/\/kiosk$/);

    // Without a network nobody is logged out: the session ends before anything of it is shown again.
    await enter();
    await lobby.setOffline(true);
    const failed = ["/api/auth/log-out", "/kiosk"].map((path) =>
      machine.waitForEvent("requestfailed", (request) => new URL(request.url()).pathname === path),
    );
    await machine.clock.runFor(61_000);
    await Promise.all(failed);
    const ended = machine.waitForResponse((response) => new URL(response.url()).pathname === "/api/auth/log-out");
    await lobby.setOffline(false);
    // The page that this leads to goes on by itself.
    await machine.goto("/kiosk", { waitUntil: "commit" }).catch(() => {});
    expect((await ended).status()).toBe(303);
    await expect(start).toBeVisible();
    await expect(machine.locator(".balance")).toHaveCount(0);
    expect(refused.filter((text) => text.includes("403"))).toEqual([]);
  } finally {
    await lobby.close();
    await pocket.close();
  }
  expect(errors).toEqual([]);
});
