import { expect, test, type Page } from "@playwright/test";
import { logIn, noErrors } from "../support/people";

/** Chooses from a select by the end of its option's text. */
async function choose(page: Page, form: string, ending: string): Promise<void> {
  const select = page.locator(`${form} select`);
  const value = await select.locator("option", { hasText: new RegExp(`${ending}$`) }).first().getAttribute("value");
  await select.selectOption(value!);
}

/** The form with that heading. */
const formOf = (page: Page, heading: string) => page.locator("form.card", { has: page.getByRole("heading", { name: heading, exact: true }) });

test("a building is added, filled, renamed, moved from and deleted", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/places");
  await expect(page.locator("tr.place").first()).toBeVisible();
  await page.getByLabel("名称，每行一个").fill("试验楼甲\n试验楼乙");
  await page.getByRole("button", { name: "新增" }).click();
  await expect(page.getByText("已新增 2 个位置")).toBeVisible();

  await page.getByRole("link", { name: "试验楼甲" }).click();
  await page.getByLabel("名称，每行一个").fill("1层");
  await page.getByRole("button", { name: "新增" }).click();
  await page.getByRole("link", { name: "1层" }).click();
  await page.getByLabel("名称，每行一个").fill("101\n102");
  await page.getByRole("button", { name: "新增" }).click();
  await expect(page.getByRole("link", { name: "102" })).toBeVisible();

  // A name that is taken is refused, and nothing changes.
  await page.getByRole("link", { name: "102" }).click();
  await page.getByLabel("新名称").fill("101");
  await formOf(page, "改名").getByRole("button").click();
  await expect(page.getByRole("alert")).toContainText("已有同名");
  await expect(page.getByRole("button", { name: "确认" })).toHaveCount(0);

  // The floor goes to the other building, and the confirmation says what that does.
  await page.goto("/places");
  await page.locator("tr.inner", { hasText: "1层" }).last().getByRole("link").click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("1层");
  await choose(page, "form:has(h2:text-is('移动'))", "试验楼乙");
  await formOf(page, "移动").getByRole("button").click();
  await expect(page.getByText("没有操作员的管理范围因此改变。")).toBeVisible();
  await page.getByRole("button", { name: "确认" }).click();
  await expect(page.getByText("已移动")).toBeVisible();
  await expect(page.getByText("试验楼乙").first()).toBeVisible();

  // What is empty is deleted.
  await page.goto("/places");
  await page.getByRole("link", { name: "试验楼甲" }).click();
  await formOf(page, "删除").getByRole("button").click();
  await page.getByRole("button", { name: "确认" }).click();
  await page.goto("/places");
  await expect(page.getByRole("link", { name: "试验楼甲" })).toHaveCount(0);
  expect(errors).toEqual([]);
});

test("a group of rooms is made, and commands can be issued to it", async ({ page }) => {
  await logIn(page, "operator");
  await page.goto("/places/groups");
  await page.getByLabel("分组名称").fill("端到端");
  await page.getByRole("button", { name: "新建分组" }).click();
  await page.getByLabel("房间，每行一个").fill("没有这间房");
  await page.getByRole("button", { name: "加入" }).click();
  await expect(page.getByText("没有这间房").first()).toBeVisible();
  await page.getByLabel("房间，每行一个").fill("5号楼 105\n6号楼 105");
  await page.getByRole("button", { name: "加入" }).click();
  await expect(page.locator("tbody tr")).toHaveCount(2);
  await page.goto("/commands/new?kind=read");
  await page.getByLabel("端到端").check();
  await page.getByRole("button", { name: "预览" }).click();
  await expect(page.locator("form.confirm")).toContainText("2");
});

test("accounts of many rooms are opened, with why others are not", async ({ page }) => {
  await logIn(page, "operator");
  await page.goto("/wall?view=table&show=not-open&q=5号楼");
  const cells = page.locator("tbody tr", { hasText: "未开户" }).last().locator("th, td");
  const [building, floor, number] = (await cells.allTextContents()).map((text) => text.trim());
  const room = `${building} ${floor} ${number}`;
  await page.goto("/accounts/open-many");
  await page.getByRole("button", { name: "下一步：核对" }).click();
  await expect(page.getByText("请先选择楼栋、楼层、分组或房间。")).toBeVisible();
  await page.getByLabel("房间，每行一个").fill(`${room}，批量，piliang，1.5\n5号楼 106`);
  await page.getByRole("button", { name: "下一步：核对" }).click();
  await expect(page.getByText("已有账户")).toBeVisible();
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.getByRole("button", { name: /确认开户/ }).click();
  await expect(page).toHaveURL(/\/accounts\/batches\//);
  await expect(page.locator("tbody tr").first()).toContainText("已开户", { timeout: 40_000 });
  await expect(page.locator("tbody tr").first()).toContainText("1.50");
});

test("accounts of many rooms are closed, with a settlement list", async ({ page }) => {
  await logIn(page, "operator");
  await page.goto("/accounts/close-many");
  await page.getByLabel("房间，每行一个").fill("6号楼 110\n6号楼 111");
  await page.getByLabel("原因", { exact: true }).fill("学期结束");
  await page.getByRole("button", { name: "下一步：核对" }).click();
  await expect(page.locator("tbody tr")).toHaveCount(2);
  await page.getByRole("button", { name: /确认销户/ }).click();
  const rows = page.locator("tbody tr");
  for (const n of [0, 1]) await expect(rows.nth(n)).toContainText(/待退还|等待复核|已销户/, { timeout: 50_000 });
  const file = page.waitForEvent("download");
  await page.getByRole("link", { name: "下载清单 CSV" }).click();
  expect((await file).suggestedFilename()).toContain(".csv");
});

test("the history of a meter has a chart, a table and files", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/search?q=5-107");
  await page.getByRole("link", { name: "查看全部历史" }).click();
  await expect(page.locator(".series svg")).toBeVisible();
  await expect(page.locator("tbody tr").first()).toBeVisible();
  await page.getByLabel("从", { exact: true }).fill("2020-01-01");
  await page.getByRole("button", { name: "显示", exact: true }).click();
  await expect(page.getByText(/最多显示 400 天/)).toBeVisible();
  await page.locator("select[name=kind]").selectOption("readings");
  await page.getByLabel("从", { exact: true }).fill("");
  await page.getByLabel("到", { exact: true }).fill("");
  await page.getByRole("button", { name: "显示", exact: true }).click();
  await expect(page.locator(".series svg")).toBeVisible();
  const file = page.waitForEvent("download");
  await page.getByRole("link", { name: "下载 XLSX" }).click();
  expect((await file).suggestedFilename()).toContain(".xlsx");
  expect(errors).toEqual([]);
});
