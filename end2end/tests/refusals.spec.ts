import { expect, test, type Page } from "@playwright/test";
import { bank, once, roomWhere, truth } from "../support/meters";
import { GO_PAY, logIn } from "../support/people";

const [TRIPPED, BUYER] = ["5-112", "5-113"];

/** Opens a page until the server has read what the meter shows. */
async function until(page: Page, path: string, words: string): Promise<void> {
  const shown = async () => {
    await page.goto(path);
    return page.getByText(words).first().isVisible();
  };
  await expect.poll(shown).toBe(true);
}

test("whoever may not switch is told why, and what helps", async ({ page }) => {
  // A forbidden appliance is plugged in here; the demo has meters in the other states.
  await once(TRIPPED, { fault: "malignant_load" });
  const rooms = [
    [await roomWhere((meter) => meter.mode === "forced_off" && !meter.faults.length), "管理员已强制断电", "管理员已强制断电"],
    [await roomWhere((meter) => meter.mode === "guaranteed" && !meter.faults.length), "管理员已设为保电", "管理员已设为保电"],
    [await roomWhere((meter) => meter.status === 0x1e && !meter.faults.length), "因欠费断电，充值后自动恢复", "余额用完，充值"],
    [await roomWhere((meter) => meter.status === 3 && meter.faults.length > 0), "电表没有正常应答", "失联"],
    [TRIPPED, "电表识别到违规电器而断电，请拔掉它", "识别到违规电器"],
  ] as const;
  try {
    for (const [room, reason, atHome] of rooms) {
      await page.context().clearCookies();
      await logIn(page, room);
      await until(page, "/switch", reason);
      await expect(page.getByText("现在不能操作开关")).toBeVisible();
      await expect(page.getByRole("button", { name: /^确定/ })).toHaveCount(0);
      await page.goto("/home");
      await expect(page.locator(".balance .meaning")).toContainText(atHome);
    }
  } finally {
    await once(TRIPPED, { fault: "mode_set", mode: "prepaid" });
  }
});

test("a top-up that is refused keeps what was typed and costs nothing", async ({ page }) => {
  await logIn(page, BUYER);
  const meter = await truth(BUYER);
  const own = page.locator("#own");
  for (const [typed, reason] of [
    ["abc", "金额请填写元"],
    ["0.5", "金额超出单笔范围"],
    ["99999999999", "金额超出单笔范围"],
  ] as const) {
    await page.goto("/topup");
    await own.fill(typed);
    await page.getByRole("button", { name: GO_PAY }).click();
    await expect(page.getByRole("alert")).toContainText(reason);
    await expect(own).toHaveValue(typed);
  }
  // A channel that fails leaves an order that can be paid another way.
  await bank({ status: 503 });
  try {
    await own.fill("20");
    await page.locator('label:has(input[value="wechat"])').click();
    await page.getByRole("button", { name: GO_PAY }).click();
    await expect(page.getByRole("alert")).toContainText("该支付方式暂不可用，请换一种或稍后再试");
  } finally {
    await bank({});
  }
  await page.getByText("换一种付款方式").click();
  await page.getByRole("button", { name: "支付宝" }).click();
  await page.getByRole("button", { name: "取消" }).click();
  await expect(page.getByText("等待付款").first()).toBeVisible();
  expect((await truth(BUYER)).cumulative).toBe(meter.cumulative);
});

test("what cannot be opened or found says what to do next", async ({ page }) => {
  for (const path of ["/join/gone", "/invitations/gone", "/p/gone"]) {
    expect((await page.goto(path))!.status(), path).toBe(410);
    await expect(page.getByText("此链接不能使用").first()).toBeVisible();
  }
  await page.goto("/login");
  await page.getByLabel("账号").fill(BUYER);
  await page.locator("input[name=password]").fill("guessed");
  await page.getByRole("button", { name: "登录" }).click();
  await expect(page.getByRole("alert")).toContainText("账号或密码不对，请核对后重试");

  await logIn(page, BUYER);
  for (const [path, status, words] of [
    ["/orders/none", 404, "没有找到，请返回重新选择"],
    ["/usage/days/1999-01-01", 404, "没有找到，请返回重新选择"],
    ["/nowhere", 404, "没有这个页面"],
    ["/wall", 403, "没有权限"],
    ["/records?from=2026-02-30", 200, "日期"],
  ] as const) {
    expect((await page.goto(path))!.status(), path).toBe(status);
    await expect(page.locator("main").getByText(words).first()).toBeVisible();
  }
  await page.goto("/topup/other");
  await page.locator("input[name=room]").fill("3号楼 301");
  await page.locator("input[name=resident_name]").fill("无此人");
  await page.getByRole("button", { name: "下一步" }).click();
  await expect(page.locator("#wrong-field")).toContainText("没有找到该房间的这位住户");
  await page.goto("/me/data");
  await expect(page.getByText("您名下还有房间")).toBeVisible();
});
