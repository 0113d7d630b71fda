import { expect, test } from "@playwright/test";
import { breakLine, healLine, truth } from "../support/meters";
import { balance, logIn } from "../support/people";

/** Each project has rooms of its own, so that they do not spend each other's credit. */
const rooms: Record<string, { buyer: string; lost: string }> = {
  phone: { buyer: "3-101", lost: "4-111" },
  "no-javascript": { buyer: "4-101", lost: "5-111" },
};
const mine = () => rooms[test.info().project.name]!;

test("tops up in three taps and sees it arrive in the meter", async ({ page }) => {
  const room = mine().buyer;
  await logIn(page, room);
  const [before, meter] = [await balance(page), await truth(room)];
  expect(Math.abs(before - meter.remaining), "the page shows what the meter holds").toBeLessThan(20);

  const began = Date.now();
  await page.getByRole("link", { name: "充值", exact: true }).first().click();
  await page.locator('label:has(input[value="20"])').click();
  await page.getByRole("button", { name: "去支付" }).click();
  await page.getByRole("button", { name: /确认付款/ }).click();
  const back = page.getByRole("link", { name: "返回商户" });
  if (await back.isVisible().catch(() => false)) await back.click();

  await expect(page.getByText("已存入电表").first()).toBeVisible({ timeout: 20_000 });
  test.info().annotations.push({ type: "tap to meter", description: `${Date.now() - began} ms` });
  await expect(page.getByText(`第 ${meter.count + 1} 次购电`).first()).toBeVisible();

  const after = await truth(room);
  expect(after.count).toBe(meter.count + 1);
  expect(after.cumulative).toBe(meter.cumulative + 2000);
  await page.getByRole("link", { name: "回到首页" }).click();
  expect(Math.abs((await balance(page)) - after.remaining)).toBeLessThan(20);
});

for (const [channel, name] of [
  ["wechat", "微信支付"],
  ["unionpay", "银联云闪付"],
] as const) {
  test(`tops up by ${name}`, async ({ page }) => {
    test.skip(channel === "wechat" && test.info().project.name !== "phone", "a desk gets a code to scan");
    const room = mine().buyer;
    await logIn(page, room);
    const meter = await truth(room);
    await page.goto("/topup");
    await page.locator('label:has(input[value="20"])').click();
    await page.locator(`label:has(input[value="${channel}"])`).click();
    await page.getByRole("button", { name: "去支付" }).click();
    // Without scripts a form to the channel waits for a tap.
    const pay = page.getByRole("button", { name: /确认付款/ });
    const onwards = page.locator("main form[action^='http'] button, main a.button[href^='http']").first();
    await expect(pay.or(onwards).first()).toBeVisible();
    if (!(await pay.isVisible())) await onwards.click();
    await pay.click();
    const back = page.getByRole("link", { name: "返回商户" });
    if (await back.isVisible().catch(() => false)) await back.click();
    await expect(page.getByText("已存入电表").first()).toBeVisible({ timeout: 20_000 });
    await expect(page.getByText(name).first()).toBeVisible();
    const after = await truth(room);
    expect([after.count, after.cumulative]).toEqual([meter.count + 1, meter.cumulative + 2000]);
  });
}

test("cancelling at the cashier costs nothing and says so", async ({ page }) => {
  const room = mine().buyer;
  await logIn(page, room);
  const meter = await truth(room);
  await page.goto("/topup");
  await page.locator('label:has(input[value="50"])').click();
  await page.getByRole("button", { name: "去支付" }).click();
  await page.getByRole("button", { name: "取消" }).click();
  await expect(page.getByText("等待付款").first()).toBeVisible();
  expect((await truth(room)).cumulative).toBe(meter.cumulative);
});

test("switches the room off and on; done only when the meter was read back", async ({ page }) => {
  const room = mine().buyer;
  await logIn(page, room);
  await page.getByRole("link", { name: "断电", exact: true }).click();
  await expect(page.getByText("确定要断电吗")).toBeVisible();
  await page.getByRole("button", { name: "确定断电" }).click();
  await expect(page.getByRole("heading", { name: "已断电" })).toBeVisible({ timeout: 20_000 });
  expect((await truth(room)).relay_closed).toBe(false);

  await page.goto("/home");
  await page.getByRole("link", { name: "恢复供电" }).click();
  await page.getByRole("button", { name: "确定恢复供电" }).click();
  await expect(page.getByRole("heading", { name: "已恢复供电" })).toBeVisible({ timeout: 20_000 });
  expect((await truth(room)).relay_closed).toBe(true);
});

test("a meter that does not answer: the money is safe, and arrives when it does", async ({ page }) => {
  const room = mine().lost;
  await logIn(page, room);
  const meter = await truth(room);
  await breakLine(room, "silent");
  try {
    await page.goto("/topup");
    await page.locator('label:has(input[value="20"])').click();
    await page.getByRole("button", { name: "去支付" }).click();
    await page.getByRole("button", { name: /确认付款/ }).click();
    const back = page.getByRole("link", { name: "返回商户" });
    if (await back.isVisible().catch(() => false)) await back.click();
    await expect(page.getByText("请勿重复支付").first()).toBeVisible({ timeout: 30_000 });
  } finally {
    await healLine(room);
  }
  await expect(page.getByText("已存入电表").first()).toBeVisible({ timeout: 50_000 });
  const after = await truth(room);
  expect([after.count, after.cumulative]).toEqual([meter.count + 1, meter.cumulative + 2000]);
});

test("sees the records, and nobody else's", async ({ page }) => {
  await logIn(page, mine().buyer);
  await page.goto("/records");
  await expect(page.getByText("20.00").first()).toBeVisible();
  const link = await page.locator('a[href^="/orders/"]').first().getAttribute("href");
  await page.context().clearCookies();
  await logIn(page, mine().lost);
  const answer = await page.goto(link!);
  expect(answer!.status()).toBe(404);
});
