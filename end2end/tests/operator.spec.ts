import { expect, test, type Page } from "@playwright/test";
import { breakLine, healLine, silentMeters, truth } from "../support/meters";
import { logIn, noErrors } from "../support/people";

/** Opens a room's page by searching for its resident's login name, as an operator does; a single find opens at once. */
async function openRoom(page: Page, login: string): Promise<void> {
  await page.goto(`/search?q=${login}`);
  await expect(page).toHaveURL(/\/rooms\//);
}

/** The count that a filter of the wall's table shows. */
async function count(page: Page, state: string): Promise<number> {
  const text = await page.locator("main a, main button", { hasText: new RegExp(`^\\s*${state}\\s*\\d+\\s*$`) }).first().textContent();
  return Number(text!.replace(/\D/g, ""));
}

/** Pays a return out once the meter has given it, and looks at its receipt. */
async function paidOut(page: Page, title: string, amount: string): Promise<void> {
  await expect(page.getByText("电表已确认扣减")).toBeVisible();
  await page.getByRole("button", { name: "已付款，完成" }).click();
  await expect(page.getByText("账目已完成")).toBeVisible();
  await page.locator("main").getByRole("link", { name: /^收据/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(title);
  await expect(page.locator("main")).toContainText(amount);
}

test("the wall shows all rooms, live, and follows a meter that falls silent", async ({ page }) => {
  test.setTimeout(360_000);
  const errors = noErrors(page);
  await logIn(page, "operator");
  await expect(page).toHaveURL(/\/wall/);
  await expect(page.locator("canvas").first()).toBeVisible();
  await expect(page.getByText("实时").first()).toBeVisible();
  const states = ["正常", "报警一", "报警二", "欠费", "未开户", "失联"];
  // Rooms change their state between two of the figures.
  const all = async () => {
    let sum = 0;
    for (const state of states) sum += await count(page, state);
    return sum;
  };
  await expect.poll(all).toBe(711);

  // Meters that are silent from the start take a few tries to be known as lost, and one that was lost is tried seldom.
  const lost = await silentMeters();
  await expect.poll(() => count(page, "失联"), { timeout: 90_000 }).toBe(lost);
  await breakLine("6-401", "silent");
  try {
    await expect.poll(() => count(page, "失联"), { timeout: 90_000 }).toBe(lost + 1);
  } finally {
    await healLine("6-401");
  }
  await expect.poll(() => count(page, "失联"), { timeout: 90_000 }).toBe(lost);
  expect(errors).toEqual([]);
});

test("eight walls of one browser share a stream, and hidden ones need none", async ({ page, context }) => {
  await logIn(page, "operator");
  const pages = [page];
  for (let n = 1; n < 8; n++) {
    pages.push(await context.newPage());
    await pages[n].goto("/wall");
  }
  for (const one of pages) await expect(one.getByText("实时").first()).toBeVisible();
  // Logged out in one tab, all of them say so.
  await page.getByRole("button", { name: "退出" }).click();
  await expect(pages[7].locator(".wall-link.cut")).toBeVisible();
});

test("the wall's table says the same, with filters in the address", async ({ page }) => {
  await logIn(page, "operator");
  await page.goto("/wall?view=table");
  await expect(page.getByRole("row")).not.toHaveCount(0);
  await page.locator("main a", { hasText: "欠费" }).first().click();
  await expect(page).toHaveURL(/arrears/);
  const rows = page.locator("tbody tr");
  await expect(rows.first()).toContainText("欠费");
  expect(await rows.count()).toBe(await count(page, "欠费"));
});

test("the search finds buildings, and lists more than a page", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/search?q=6号楼");
  await expect(page.getByRole("heading", { name: "地点" })).toBeVisible();
  await expect(page.locator("tbody tr")).toHaveCount(50);
  await page.getByRole("link", { name: "下一页" }).click();
  await expect(page.locator("tbody tr")).toHaveCount(49);
  await page.goBack();
  await page.getByRole("link", { name: "6号楼", exact: true }).first().click();
  await expect(page).toHaveURL(/\/wall\?q=6/);
  expect(errors).toEqual([]);
});

test("on paper a wide list has all its columns, and dates in place of today", async ({ page }) => {
  await logIn(page, "operator");
  await page.goto("/sales");
  await page.emulateMedia({ media: "print" });
  await expect(page.locator("tbody time > span").first()).toBeHidden();
  const printed = await page.locator("tbody time").first().evaluate((time) => getComputedStyle(time, "::before").content);
  expect(printed).toMatch(/\d{4}-\d{2}-\d{2} \d{2}:\d{2}/);
  // The width of an A4 sheet's long side without its margins.
  await page.setViewportSize({ width: 1047, height: 700 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide).toBeLessThanOrEqual(0);
});

test("receipts and reports are printed without empty sheets", async ({ page }) => {
  await logIn(page, "operator");
  await page.goto("/sales?kind=sale&tender=cash");
  const receipt = await page.locator('a[href^="/receipts/"]').first().getAttribute("href");
  for (const [paper, sheets] of [["a4", 1], ["a5", 3], ["roll", 3]] as const) {
    await page.goto(`${receipt}?paper=${paper}&copies=all`);
    const file = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
    expect(file.match(/\/Type \/Page\b/g), paper).toHaveLength(sheets);
  }
  // Where the name of the page changes within a document, a sheet stays empty before it.
  for (const path of ["/reports/sales", "/sales", `${receipt}?paper=a5`]) {
    await page.goto(path);
    await page.emulateMedia({ media: "print" });
    const named = await page.evaluate(() =>
      [...document.querySelectorAll("*")].filter((one) => getComputedStyle(one).getPropertyValue("page") !== "auto").map((one) => one.tagName),
    );
    expect(named, path).toEqual(["BODY"]);
    await page.emulateMedia({ media: null });
  }
});

test("an order has a page that its number finds", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/sales?kind=sale");
  await page.locator("main tbody tr").first().getByRole("link", { name: "售电", exact: true }).click();
  await expect(page).toHaveURL(/\/sales\/[0-9a-f-]+$/);
  const number = (await page.getByRole("heading", { level: 1 }).textContent())!.replace(/\D/g, "");
  await page.goto(`/search?q=${number}`);
  await expect(page).toHaveURL(/\/sales\/[0-9a-f-]+$/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(number);
  expect(errors).toEqual([]);
});

test("sells at the counter, and shows its way into the meter", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  const before = await truth("5-102");
  await openRoom(page, "5-102");
  // The amount has the focus: digits, Enter, Enter.
  await expect(page.locator('input[name="amount"]').first()).toBeFocused();
  await page.keyboard.type("12.5");
  await page.keyboard.press("Enter");
  await expect(page.getByText("12.50").first()).toBeVisible();
  await expect(page.getByRole("button", { name: "确认" })).toBeFocused();
  await page.keyboard.press("Enter");
  const held = async () => {
    const { count, cumulative } = await truth("5-102");
    return [count, cumulative];
  };
  await expect.poll(held).toEqual([before.count + 1, before.cumulative + 1250]);
  await expect(page.getByText("已读回").first()).toBeVisible();
  await page.goto("/sales");
  // The first sale of the day opened a shift too: both are lines of the register.
  await expect(page.locator("tbody tr", { hasText: "12.50" }).first()).toBeVisible();
  expect(errors).toEqual([]);
});

test("returns and corrects at the counter: first out of the meter, and no more than it holds", async ({ page }) => {
  const errors = noErrors(page);
  const room = "5-108";
  const use = 20;
  await logIn(page, "operator");
  const held = async () => (await truth(room)).remaining;
  // Only what came in cash leaves as cash without a second person: the return is out of the first, the correction of the second.
  for (const sold of ["5", "20"]) {
    await openRoom(page, room);
    const { count } = await truth(room);
    await page.locator('input[name="amount"]').first().fill(sold);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "确认" }).click();
    await expect.poll(async () => (await truth(room)).count).toBe(count + 1);
  }

  // Too much is asked again before anything is done.
  const back = page.locator('form:has(input[name="do"][value="return"])');
  await page.locator("summary", { hasText: "退电" }).click();
  await back.locator('input[name="amount"]').fill("5000");
  await back.locator('input[name="reason"]').fill("住户外出");
  await back.getByRole("button", { name: "下一步" }).click();
  await expect(page.locator("#wrong-field")).toContainText("超过电表现有余额");
  await expect(back.locator('input[name="amount"]')).toHaveValue("5000");
  await back.locator('input[name="amount"]').fill("5");
  await back.getByRole("button", { name: "下一步" }).click();
  await expect(page.locator("form.confirm")).toContainText("退出 5.00 元");
  const before = await held();
  await page.getByRole("button", { name: "确认" }).click();
  await paidOut(page, "退电收据", "5.00");
  expect(Math.abs(before - 500 - (await held()))).toBeLessThan(use);

  await page.goto("/sales?kind=sale&tender=cash&building=5号楼&q=108");
  await page.locator("tbody tr", { hasText: "20.00" }).first().getByRole("link", { name: "售电" }).click();
  const order = page.url();
  await page.getByRole("link", { name: "冲正" }).click();
  const amount = page.locator('form[action$="/correct"] input[name="amount"]');
  await expect(amount).toHaveValue("20.00");
  await amount.fill("20.01");
  await page.locator('input[name="reason"]').fill("售错房间");
  await page.getByRole("button", { name: "冲正" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await amount.fill("20");
  await page.locator('input[name="reason"]').fill("售错房间");
  await page.getByRole("button", { name: "冲正" }).click();
  await paidOut(page, "售电冲正收据", "20.00");
  expect(Math.abs(before - 2500 - (await held()))).toBeLessThan(use);

  // Done once, the sale has no correction left, and all three are in the records.
  await page.goto(order);
  await expect(page.locator("main li", { hasText: "售电冲正" })).toContainText(/20\.00.*已完成/);
  await expect(page.getByRole("link", { name: "冲正", exact: true })).toHaveCount(0);
  await page.goto("/sales?building=5号楼&q=108");
  for (const [nth, words] of [/售电冲正.*20\.00.*已完成/, /退电.*5\.00.*已完成/, /售电.*20\.00.*已到账/].entries())
    await expect(page.locator("tbody tr").nth(nth)).toContainText(words);
  expect(errors).toEqual([]);
});

test("forces a room off and back, done only when read back", async ({ page }) => {
  await logIn(page, "operator");
  await openRoom(page, "5-103");
  await page.getByRole("link", { name: "强断" }).click();
  await page.getByRole("button", { name: "确认" }).click();
  await expect.poll(async () => (await truth("5-103")).relay_closed).toBe(false);
  await expect(page.getByText("已读回").first()).toBeVisible();
  await page.getByRole("link", { name: "预付费" }).click();
  await page.getByRole("button", { name: "确认" }).click();
  await expect.poll(async () => (await truth("5-103")).relay_closed).toBe(true);
});

test("opens an account for two residents with a first purchase, and each logs in", async ({ page }) => {
  await logIn(page, "operator");
  await page.goto("/wall?view=table&state=not_open");
  const closed = page.locator("tbody tr", { hasText: "未开户" }).first().locator("a").first();
  await closed.click();
  const row = (index: number, field: string) => page.locator(`input[name="residents[${index}][${field}]"]`);
  const moveIn = async (index: number, name: string, login: string) => {
    await row(index, "name").fill(name);
    await row(index, "login").fill(login);
    await row(index, "password").fill("a-first-password");
  };
  await moveIn(0, "王芳", "wangfang");
  await page.locator("summary", { hasText: "更多住户" }).click();
  await moveIn(1, "李娜", "wangfang");
  await page.locator('input[name="amount"]').fill("30");
  // The amount has the focus: Enter sends the form, and the row that is wrong comes back first.
  await page.locator('input[name="amount"]').press("Enter");
  await expect(row(1, "name")).toBeFocused();
  await expect(row(1, "login")).toHaveAttribute("aria-invalid", "true");
  await expect(row(0, "name")).toHaveValue("王芳");
  await moveIn(0, "王芳", "wangfang");
  await moveIn(1, "李娜", "lina");
  await page.getByRole("button", { name: "开户" }).click();
  await expect(page.getByText("已读回").nth(1)).toBeVisible();

  const enter = async (login: string) => {
    await page.context().clearCookies();
    await page.goto("/login");
    await page.getByLabel("账号").fill(login);
    await page.locator("input[name=password]").fill("a-first-password");
    await page.getByRole("button", { name: "登录" }).click();
    // A password that the office knows is changed first.
    await expect(page).toHaveURL(/\/password/);
    await page.locator("input[name=old]").fill("a-first-password");
    await page.locator("input[name=new]").fill("their own words");
    await page.getByRole("button", { name: "修改密码" }).click();
    await expect(page).not.toHaveURL(/\/password/);
    await page.goto("/home");
    await expect(page).toHaveURL(/\/home/);
  };
  await enter("lina");
  await enter("wangfang");
  const shown = async () => {
    await page.goto("/home");
    return page.locator(".balance .figure .num").textContent();
  };
  await expect.poll(shown).toMatch(/^(30\.00|29\.\d\d)$/);
});

test("closes an account: the meter gives back what it holds, and only then is it paid out", async ({ page, browser }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await openRoom(page, "5-105");
  const before = await truth("5-105");
  expect(before.remaining).toBeGreaterThan(0);
  await page.locator("summary", { hasText: "账户变更" }).click();
  const form = page.locator('form:has(input[name="do"][value="close"])');
  await form.locator('input[name="reason"]').fill("退宿");
  await form.getByRole("button").click();
  // What it will do to whom is said before it is done.
  await page.getByRole("button", { name: "确认" }).click();
  await expect(page).toHaveURL(/\/closings\//);
  await expect.poll(async () => (await truth("5-105")).remaining).toBe(0);
  await expect(page.locator('main a[href^="/returns/"]').first()).toBeVisible();
  const closing = page.url();
  await page.locator('main a[href^="/returns/"]').first().click();
  // Nobody knows how the balance was once paid, so that it leaves as cash only with a second person.
  await expect(page.getByText("您自己的申请").first()).toBeVisible();
  const supervisor = await (await browser.newContext()).newPage();
  await logIn(supervisor, "supervisor");
  await supervisor.goto(new URL(page.url()).pathname);
  await supervisor.getByRole("button", { name: "同意", exact: true }).click();
  await page.reload();
  await page.getByRole("button", { name: "已付款，完成" }).click();
  await page.goto(closing);
  await expect(page.getByText("已付款").first()).toBeVisible();
  await page.goto("/accounts?state=closed");
  await expect(page.locator("tbody tr", { hasText: "105" }).first()).toBeVisible();
  expect(errors).toEqual([]);
});

test("a large subsidy waits for the supervisor, who sees what it would do", async ({ page, browser }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/subsidies");
  await page.locator('form input[name="amount"]').fill("500");
  await page.locator('form:has(input[name="amount"]) button').click();
  await expect(page).toHaveURL(/\/approvals/);
  await expect(page.locator(".case", { hasText: "补贴" })).toContainText("您自己的申请");
  const supervisor = await (await browser.newContext()).newPage();
  await logIn(supervisor, "supervisor");
  await supervisor.goto("/approvals");
  const request = supervisor.locator(".case", { hasText: "补贴" });
  await expect(request).toContainText("500.00");
  await request.locator('input[name="reason"]').fill("太高");
  await request.getByRole("button", { name: "驳回" }).click();
  await expect(supervisor.locator(".case", { hasText: "补贴" })).toHaveCount(0);
  expect(errors).toEqual([]);
});

test("works on a case: finds it, takes it over, comments, and closes it with the reason", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/cases");
  await page.locator('select[name="kind"]').selectOption("journal");
  await page.getByRole("button", { name: "筛选" }).click();
  await expect(page).toHaveURL(/kind=journal/);
  const row = page.locator("tbody tr").first();
  await expect(row).toContainText("电表记录不在账上");
  await row.getByRole("link", { name: "查看" }).click();
  const history = page.locator("section", { has: page.getByRole("heading", { name: "处理记录" }) }).getByRole("listitem");
  await page.getByRole("button", { name: /^从 .+ 处接手$/ }).click();
  await expect(history.last()).toContainText("处理人：值班员");
  await page.getByLabel("备注").fill("凭据已找到");
  await page.getByRole("button", { name: "添加" }).click();
  await expect(history.last()).toContainText(/值班员.*凭据已找到/);
  const address = page.url();
  await page.goto("/cases?owner=mine");
  await expect(row).toContainText(/电表记录不在账上.*值班员/);

  await page.goto(address);
  await page.getByLabel("处理结果").fill("旧窗口的售电已补录");
  await page.getByRole("button", { name: "结案" }).click();
  await expect(page.locator("main")).toContainText("处理结果：旧窗口的售电已补录");
  await expect(history).toHaveCount(6);
  await expect(page.locator("main form")).toHaveCount(0);
  await page.goto("/cases?state=closed&kind=journal");
  await expect(row).toContainText(/值班员.*旧窗口的售电已补录/);
  expect(errors).toEqual([]);
});
