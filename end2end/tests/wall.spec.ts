import { expect, test, type Page } from "@playwright/test";
import { logIn, noErrors } from "../support/people";

/** How many rooms the card says are selected. */
async function selected(page: Page): Promise<number> {
  const facts = page.locator(".wall-selection .facts dd").first();
  return (await facts.count()) === 0 ? 0 : Number(await facts.textContent());
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByText("实时").first()).toBeVisible();
}

test("rooms are selected by rectangle, name and filter, and taken to a command", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await open(page, "/wall");
  const wall = (await page.locator(".wall-view").boundingBox())!;
  // The name of the first building stands in the corner.
  await page.mouse.click(wall.x + 40, wall.y + 28);
  await expect.poll(() => selected(page)).toBeGreaterThan(100);
  await page.mouse.click(wall.x + 40, wall.y + 28);
  await expect.poll(() => selected(page)).toBe(0);

  await page.mouse.move(wall.x + 62, wall.y + 52);
  await page.mouse.down();
  await page.mouse.move(wall.x + 260, wall.y + 80, { steps: 4 });
  await page.mouse.up();
  await expect.poll(() => selected(page)).toBeGreaterThan(1);
  const some = await selected(page);
  expect(some).toBeLessThan(20);

  await page.locator("#wall-acts").getByRole("button", { name: "下发指令" }).click();
  await expect(page).toHaveURL(/commands\/new\?rooms=/);
  await page.getByRole("link", { name: "保电" }).first().click();
  await page.getByRole("button", { name: "预览" }).click();
  await expect(page).toHaveURL(/commands\/preview/);
  // Those that receive it and those that are left out, by why, are the selected ones.
  const meters = (text: string) => Number(text.match(/(\d+) 块电表/)?.[1] ?? 0);
  const receive = meters(await page.locator("form.confirm strong").first().innerText());
  const leftOut = (await page.locator("main dt").allInnerTexts()).map(meters).reduce((sum, one) => sum + one, 0);
  expect(receive).toBeGreaterThan(0);
  expect(receive + leftOut).toBe(some);
  expect(errors).toEqual([]);
});

test("the keyboard selects everything that the filter shows", async ({ page }) => {
  await logIn(page, "operator");
  await open(page, "/wall?q=6号楼");
  await page.locator(".wall-view").focus();
  await page.keyboard.press("Control+a");
  await expect.poll(() => selected(page)).toBe(99);
  await page.keyboard.press("Escape");
  await expect.poll(() => selected(page)).toBe(0);
});

test("the search means whole names, in the browser as on the server", async ({ page }) => {
  await logIn(page, "operator");
  for (const [text, rooms] of [["6号楼", 99], ["6号楼101", 1], ["6号楼 9", 0], ["号楼无", 0]] as const) {
    await open(page, `/wall?q=${text}`);
    await page.locator(".wall-view").focus();
    await page.keyboard.press("Control+a");
    await expect.poll(() => selected(page), text).toBe(rooms);
    await page.goto(`/wall?view=table&q=${text}`);
    await expect(page.locator("tbody tr")).toHaveCount(Math.min(rooms, 50));
  }
});

test("sections and order are chosen, kept in the address, and come back", async ({ page }) => {
  await logIn(page, "operator");
  await open(page, "/wall");
  await page.getByLabel("分组", { exact: true }).selectOption("gateway");
  await page.getByLabel("排序", { exact: true }).selectOption("amount");
  await expect(page).toHaveURL(/by=gateway&sort=amount/);
  await page.reload();
  await expect(page.getByLabel("分组", { exact: true })).toHaveValue("gateway");
  await expect(page.getByLabel("排序", { exact: true })).toHaveValue("amount");
  // The lowest balance is the first tile.
  await page.locator(".wall-view").focus();
  await page.keyboard.press("Home");
  const state = page.locator(".wall-card .wall-state");
  await expect(state).toHaveText("欠费");
});

test("the control room's screen shows wall, power and alarms and nothing else", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/wall");
  await page.getByRole("link", { name: "大屏" }).click();
  await expect(page).toHaveURL(/view=screen/);
  await expect(page.getByText("实时").first()).toBeVisible();
  await expect(page.locator(".rail, .console-top")).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "未结束的告警" })).toBeVisible();
  await expect(page.locator(".wall-alarms li").first()).toBeVisible();
  await expect(page.locator(".wall-board .facts")).toContainText(/房间数\s*711/);
  const size = page.viewportSize()!;
  const wall = (await page.locator(".wall-view").boundingBox())!;
  expect(wall.height).toBeGreaterThan(size.height * 0.6);
  await page.getByRole("link", { name: "退出大屏" }).click();
  await expect(page).toHaveURL(/\/wall$/);
  expect(errors).toEqual([]);
});

test("whatever the filter shows is taken to a command, and the way back keeps the selection", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await open(page, "/wall?q=6号楼");
  await page.getByRole("button", { name: "选中所示全部" }).click();
  await expect.poll(() => selected(page)).toBe(99);
  await expect(page.locator("#wall-selected")).toHaveText("99");
  await page.locator("#wall-acts").getByRole("button", { name: "下发指令" }).click();
  // A whole building is named, not each of its rooms.
  await expect(page).toHaveURL(/commands\/new\?place=[0-9a-f-]+$/);
  await expect(page.locator("main")).toContainText("99 块电表");
  await page.goBack();
  await expect.poll(() => selected(page)).toBe(99);
  expect(errors).toEqual([]);
});

test("the wall of one profile shows, counts and takes along its meters alone", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await open(page, "/wall?by=gateway");
  await page.getByLabel("表型", { exact: true }).selectOption("dlt645");
  await page.locator("#wall-profile button").click();
  await expect(page).toHaveURL(/by=gateway&profile=dlt645/);
  await expect(page.getByText("仅限表型 dlt645 的电表。")).toBeVisible();
  await expect(page.getByText("实时").first()).toBeVisible();
  const states = page.locator(".wall-chips li:nth-child(-n + 7) .num");
  const sum = async () => (await states.allInnerTexts()).reduce((sum, one) => sum + Number(one), 0);
  await expect.poll(sum).toBe(4);
  // Another tab shows all: each has its own meters.
  const other = await page.context().newPage();
  await open(other, "/wall");
  await expect(other.locator(".wall-card .facts dd").first()).toHaveText("711");
  await expect(page.locator(".wall-card .facts dd").first()).toHaveText("4");
  await other.close();
  await page.getByRole("button", { name: "选中所示全部" }).click();
  await expect.poll(() => selected(page)).toBe(4);
  await page.locator("#wall-acts").getByRole("button", { name: "下发指令" }).click();
  // The building that is selected as a whole has meters of other profiles.
  await expect(page).toHaveURL(/commands\/new\?place=profile%3Adlt645&place=[0-9a-f-]+$/);
  await expect(page.locator("main")).toContainText("4 块电表");
  await page.goBack();
  await page.getByRole("link", { name: "显示全部表型" }).click();
  await expect.poll(sum).toBe(711);
  expect(errors).toEqual([]);
});

test("without scripts the wall says its figures and of when they are", async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, locale: "zh-CN" });
  const page = await context.newPage();
  await logIn(page, "operator");
  await page.goto("/wall");
  await expect(page.locator(".wall-card")).toContainText("711");
  await expect(page.locator("main noscript .hint").first()).toBeVisible();
  await expect(page.getByText("正在连接")).toBeHidden();
  // What works only with scripts is not offered, and the search is a form.
  for (const dead of [".wall-zooms", ".wall-orders", ".wall-keys"]) await expect(page.locator(dead)).toBeHidden();
  await page.getByLabel("表型", { exact: true }).selectOption("dlt645");
  await page.locator("#wall-profile button").click();
  await expect(page.locator(".wall-card .facts dd").first()).toHaveText("4");
  await page.getByRole("link", { name: "显示全部表型" }).click();
  await expect(page.locator(".wall-card")).toContainText("711");
  await page.locator(".wall-search").fill("6号楼");
  await page.locator(".wall-search").press("Enter");
  await expect(page).toHaveURL(/\/wall\?q=6/);
  await expect(page.locator(".wall-card")).toContainText("99");
  await context.close();
});
