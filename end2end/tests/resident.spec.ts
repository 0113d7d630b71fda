import { expect, test } from "@playwright/test";
import { reach } from "../support/keyboard";
import { breakLine, healLine, truth } from "../support/meters";
import { balance, GO_PAY, logIn, PASSWORD, returnTo } from "../support/people";
import { phones, slowDown } from "../support/phones";

/** Each project has rooms of its own, so that they do not spend each other's credit. */
const rooms: Record<string, { buyer: string; lost: string }> = {
  phone: { buyer: "3-101", lost: "4-111" },
  "no-javascript": { buyer: "4-101", lost: "5-111" },
};
const mine = () => rooms[test.info().project.name]!;

// With scripts also on a slow network and processor.
for (const [channel, name, size] of [
  ["alipay", "支付宝", "small"],
  ["wechat", "微信支付", "common"],
  ["unionpay", "银联云闪付", "large"],
] as const) {
  test(`tops up by ${name} on a ${size} phone in three taps, and sees it arrive in the meter`, async ({ page, javaScriptEnabled }) => {
    await page.setViewportSize(phones[size]);
    const room = mine().buyer;
    await logIn(page, room);
    if (javaScriptEnabled) await slowDown(page);
    const [before, meter] = [await balance(page), await truth(room)];
    expect(Math.abs(before - meter.remaining), "the page shows what the meter holds").toBeLessThan(20);

    const began = Date.now();
    await page.getByRole("link", { name: "充值", exact: true }).first().click();
    await page.locator("#own").fill("20");
    await page.locator(`label:has(input[value="${channel}"])`).click();
    await page.getByRole("button", { name: javaScriptEnabled ? "充值 20.00 元" : "去支付" }).click();
    // Without scripts a form to the channel waits for a tap; with them it is on its way by itself.
    const pay = page.getByRole("button", { name: /确认付款/ });
    const form = javaScriptEnabled ? "" : "main form[action^='http'] button, ";
    const onwards = page.locator(`${form}main a.button[href^='http']`).first();
    await expect(pay.or(onwards).first()).toBeVisible();
    if (!(await pay.isVisible())) await onwards.click();
    await pay.click();
    await returnTo(page, "已存入电表");
    test.info().annotations.push({ type: "tap to meter", description: `${Date.now() - began} ms` });
    await expect(page.getByText(`第 ${meter.count + 1} 次购电`).first()).toBeVisible();
    await expect(page.getByText(name).first()).toBeVisible();

    const after = await truth(room);
    expect([after.count, after.cumulative]).toEqual([meter.count + 1, meter.cumulative + 2000]);
    await page.getByRole("link", { name: "回到首页" }).click();
    expect(Math.abs((await balance(page)) - after.remaining)).toBeLessThan(20);
  });
}

test("the button of a top-up names the amount that counts", async ({ page, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, "without scripts its name is a general one");
  await logIn(page, mine().buyer);
  await page.goto("/topup");
  const [own, pay] = [page.locator("#own"), page.getByRole("button", { name: GO_PAY })];
  const chosen = async () => `充值 ${Number(await page.locator('input[name="amount"]:checked').getAttribute("value")).toFixed(2)} 元`;
  await expect(pay).toHaveText(await chosen());
  for (const [typed, label] of [["８．５", "充值 8.50 元"], ["abc", "去支付"], ["0", "去支付"], ["50", "充值 50.00 元"]] as const) {
    await own.fill(typed);
    await expect(pay).toHaveText(label);
  }
  await page.locator('label:has(input[name="amount"])').last().click();
  await expect(own).toHaveValue("");
  await expect(pay).toHaveText(await chosen());
});

test("cancelling at the cashier costs nothing and says so", async ({ page }) => {
  const room = mine().buyer;
  await logIn(page, room);
  const meter = await truth(room);
  await page.goto("/topup");
  await page.locator("#own").fill("50");
  await page.getByRole("button", { name: GO_PAY }).click();
  await page.getByRole("button", { name: "取消" }).click();
  await expect(page.getByText("等待付款").first()).toBeVisible();
  expect((await truth(room)).cumulative).toBe(meter.cumulative);
});

test("switches the room off and on; done only when the meter was read back", async ({ page }) => {
  const room = mine().buyer;
  await logIn(page, room);
  await expect(page.locator(".switch-card")).toContainText(/当前功率 \d+ W/);
  await page.getByRole("link", { name: "断电", exact: true }).click();
  await expect(page.getByText("确定要断电吗")).toBeVisible();
  await page.getByRole("button", { name: "确定断电" }).click();
  await expect(page.getByRole("heading", { name: "已断电" })).toBeVisible();
  expect((await truth(room)).relay_closed).toBe(false);

  await page.goto("/home");
  await page.getByRole("link", { name: "恢复供电" }).click();
  await page.getByRole("button", { name: "确定恢复供电" }).click();
  await expect(page.getByRole("heading", { name: "已恢复供电" })).toBeVisible();
  expect((await truth(room)).relay_closed).toBe(true);
});

test("by keyboard only: logs in, chooses what to pay, and switches off and on", async ({ page, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, "the markup is the same");
  const room = "3-105";
  const keys = page.keyboard;
  await page.setViewportSize(phones.small);
  await page.goto("/login");
  await reach(page, page.getByLabel("账号"));
  await keys.type(room);
  await reach(page, page.locator("input[name=password]"));
  await keys.type(PASSWORD);
  await keys.press("Enter");
  await expect(page).toHaveURL(/home/);

  await reach(page, page.locator("main").getByRole("link", { name: "充值", exact: true }));
  await keys.press("Enter");
  await reach(page, page.locator('input[name="amount"]:checked'));
  await keys.press("ArrowRight");
  const amount = await page.locator('input[name="amount"]:checked').getAttribute("value");
  await reach(page, page.locator('input[name="channel"]:checked'));
  await keys.press("ArrowDown");
  await expect(page.locator('input[value="wechat"]')).toBeChecked();
  await reach(page, page.getByRole("button", { name: GO_PAY }));
  await keys.press("Enter");
  await expect(page.getByRole("button", { name: `确认付款 ¥${amount}` })).toBeVisible();

  await page.goto("/home");
  for (const [word, ask, end, closed] of [
    ["断电", "确定断电", "已断电", false],
    ["恢复供电", "确定恢复供电", "已恢复供电", true],
  ] as const) {
    await reach(page, page.getByRole("link", { name: word, exact: true }));
    await keys.press("Enter");
    await reach(page, page.getByRole("button", { name: ask }));
    await keys.press("Space");
    await expect(page.getByRole("heading", { name: end })).toBeVisible();
    expect((await truth(room)).relay_closed).toBe(closed);
    await reach(page, page.getByRole("link", { name: "回到首页" }));
    await keys.press("Enter");
  }
  // The last of a page that is longer than the screen is not behind the navigation.
  await reach(page, page.locator("nav").getByRole("link", { name: "我的" }));
  await keys.press("Enter");
  await reach(page, page.getByRole("link", { name: "使用说明" }));
});

test("chooses the days of use, sees why one cost what it did, and sets a schedule", async ({ page }) => {
  await logIn(page, mine().buyer);
  await expect(page.getByRole("img", { name: /kWh：.*周. \d/ }), "figures are read out").toBeVisible();
  await page.getByRole("link", { name: "用量", exact: true }).first().click();
  await page.getByRole("link", { name: "近 7 天" }).click();
  await expect(page.locator("#from")).toHaveValue(/^\d{4}-\d\d-\d\d$/);
  const days = await page.locator("section:has(a.row-link) tbody tr").count();
  expect(days).toBeLessThanOrEqual(7);
  await expect(page.getByRole("heading", { name: /^逐月对比/ })).toBeVisible();
  const file = await page.request.get((await page.getByRole("link", { name: "保存为 CSV" }).getAttribute("href"))!);
  expect((await file.text()).match(/^\d{4}-\d\d-\d\d,\d+\.\d\d/gm)).toHaveLength(days);
  await page.getByRole("link", { name: "这一天的电费是怎么算的" }).click();
  await expect(page.getByText("按读数的用电量")).toBeVisible();

  await page.goto("/switch");
  await page.getByRole("button", { name: "添加定时" }).click();
  await expect(page.getByText("每天：23:00 断电，次日 06:30 恢复")).toBeVisible();
  await page.getByRole("button", { name: "删除" }).click();
  await expect(page.getByText("还没有定时。")).toBeVisible();
});

test("a meter that does not answer: the money is safe, and arrives when it does", async ({ page }) => {
  const room = mine().lost;
  await logIn(page, room);
  const meter = await truth(room);
  await breakLine(room, "silent");
  try {
    await page.goto("/topup");
    await page.locator("#own").fill("20");
    await page.getByRole("button", { name: GO_PAY }).click();
    await page.getByRole("button", { name: /确认付款/ }).click();
    await returnTo(page, "请勿重复支付");
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
  await page.getByLabel("类型").selectOption("balance");
  await page.getByRole("button", { name: "显示", exact: true }).click();
  await expect(page).toHaveURL(/kind=balance/);
  await expect(page.locator(".records").getByText("开户")).toBeVisible();
  await page.goBack();
  await expect(page.getByText("20.00").first()).toBeVisible();
  await page.context().clearCookies();
  await logIn(page, mine().lost);
  const answer = await page.goto(link!);
  expect(answer!.status()).toBe(404);
});

test("a roommate joins by a link, and leaves", async ({ page, browser }) => {
  await logIn(page, mine().lost);
  await page.goto("/me");
  await page.getByRole("link", { name: "室友与分摊" }).click();
  await page.getByRole("button", { name: "邀请室友" }).click();
  const link = (await page.locator("code", { hasText: "/join/" }).textContent())!;
  await expect(page.getByRole("img", { name: "链接的二维码" })).toBeVisible();

  const other = await (await browser.newContext()).newPage();
  await other.goto(link.slice(link.indexOf("/join/")));
  await other.locator("input[name=name]").fill("王同学");
  await other.locator("input[name=login]").fill(`roommate-${test.info().project.name}`);
  await other.locator("input[name=password]").fill("quiet river nine");
  await other.getByRole("button", { name: "加入房间" }).click();
  await other.getByLabel("账号").fill(`roommate-${test.info().project.name}`);
  await other.locator("input[name=password]").fill("quiet river nine");
  await other.getByRole("button", { name: "登录" }).click();
  await expect(other).toHaveURL(/home/);

  await other.goto("/me/split");
  await other.getByLabel("当月电费（元）").fill("10.01");
  await other.getByRole("button", { name: "计算" }).click();
  // On a phone each figure has the name of its column before it.
  await expect(other.getByRole("row", { name: /^合计 应分摊 10\.01/ })).toBeVisible();
  await other.goto("/me/roommates");
  await other.getByText("退出房间").first().click();
  await other.getByLabel("我知道我充的钱会留在房间里").check();
  await other.getByRole("button", { name: "退出房间" }).click();
  await expect(other.getByText("您名下没有已开户的房间")).toBeVisible();
  await other.context().close();
});
