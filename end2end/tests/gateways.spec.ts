import { expect, test } from "@playwright/test";
import { port as demo } from "../playwright.config";
import { csv, OwnSite } from "../support/own-site";
import { logIn, noErrors } from "../support/people";

test("a gateway is added, tested, changed and retired", async ({ page }, info) => {
  // A name of its own for a second try.
  const called = `测试机${info.retry || ""}`;
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/gateways");
  await page.getByRole("link", { name: "添加通信管理机" }).click();
  const name = page.getByLabel("名称");
  await name.fill(called);
  await page.getByLabel("主机名或 IP 地址").fill("127.0.0.256");
  await page.getByLabel("端口").fill("1");
  await page.getByRole("button", { name: "添加通信管理机" }).click();
  await expect(page.getByRole("alert")).toContainText("主机名");
  // What was typed stays.
  await expect(name).toHaveValue(called);
  await page.getByLabel("主机名或 IP 地址").fill("127.0.0.1");
  await page.getByRole("button", { name: "添加通信管理机" }).click();
  await expect(page.getByRole("heading", { name: called })).toBeVisible();
  await page.getByRole("button", { name: "测试" }).click();
  await expect(page.getByRole("status").filter({ hasText: "连接被拒绝" })).toBeVisible();
  await page.getByRole("link", { name: "更换" }).click();
  await page.getByLabel("原因").fill("换成 4G");
  await page.getByText("主动连接", { exact: true }).first().click();
  await page.getByLabel("注册包").fill("GW-TEST");
  await page.getByRole("button", { name: "更换" }).click();
  await expect(page.getByText("换成 4G")).toBeVisible();
  await page.getByRole("link", { name: "停用" }).click();
  await page.getByRole("button", { name: "停用" }).click();
  await expect(page.getByText("已停用，不再抄读").first()).toBeVisible();
  expect(errors).toEqual([]);
});

test("a gateway is scanned, and a meter is accepted", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/gateways");
  await page.locator("tbody th a").first().click();
  await page.getByRole("link", { name: "查找电表" }).click();
  await page.getByRole("button", { name: "开始查找" }).click();
  await expect(page.getByRole("status").filter({ hasText: "正在查找" })).toBeVisible();
  await page.getByRole("button", { name: "停止查找" }).click();
  await expect(page.getByRole("status").filter({ hasText: "查找已停止" })).toBeVisible();

  await page.goto("/commissioning");
  await page.locator("tbody th a").first().click();
  await page.getByLabel("备注").fill("现场核对");
  await page.getByRole("button", { name: "验收" }).click();
  await expect(page.getByText("电表已验收")).toBeVisible();
  await expect(page.getByText("现场核对")).toBeVisible();
  expect(errors).toEqual([]);
  // The others of the page are good: they were asked often enough by now, and have the prices of their plan.
  await page.goto("/commissioning");
  await expect(async () => {
    await page.reload();
    await page.getByRole("button", { name: /验收本页检查全部正常的/ }).click({ timeout: 1_000 });
  }).toPass({ timeout: 90_000 });
  await expect(page.getByText(/已验收 [1-9]\d* 块电表/)).toBeVisible();
});

test("the meters of a new gateway are found, placed, accepted and retired with it", async ({ page }) => {
  test.setTimeout(300_000);
  const site = new OwnSite(demo + 30);
  try {
    await site.simulate(2);
    const errors = noErrors(page);
    await page.goto(await site.serve());
    await page.locator("input[name=login]").fill("head");
    await page.locator("input[name=name]").fill("张主任");
    await page.locator("input[name=password]").fill("correct horse battery");
    await page.locator("input[name=site]").fill("北校区");
    await page.locator("form[action='/api/setup/site'] button.primary").click();
    await page.goto(`http://${site.address}/import`);
    await page.locator("input[type=file]").setInputFiles([csv("rooms.csv", "楼栋,楼层,房间\n1号楼,1层,101\n1号楼,1层,102\n")]);
    await page.locator("#upload button.primary").click();
    await page.locator("form[action='/api/operator/site/import'] button").click();
    await expect(page.locator("#import a.primary[href='/wall']")).toBeVisible();

    await page.goto(`http://${site.address}/gateways/new`);
    await page.getByLabel("名称").fill("G1");
    await page.getByLabel("主机名或 IP 地址").fill("127.0.0.1");
    await page.getByLabel("端口").fill(String(site.gateway));
    await page.getByRole("button", { name: "添加通信管理机" }).click();
    await page.getByRole("button", { name: "测试" }).click();
    await expect(page.getByRole("status").filter({ hasText: "还没有电表" })).toBeVisible();

    await page.getByRole("link", { name: "查找电表" }).click();
    await page.getByRole("button", { name: "开始查找" }).click();
    // It takes a third of the bus at most; what was found so far is enough here. Instruments behind the gateway are found too.
    await expect(page.locator("tbody tr").filter({ hasText: /26010000000[12]/ })).toHaveCount(2, { timeout: 60_000 });
    await page.getByRole("button", { name: "停止查找" }).click();
    const place = (n: number) => page.locator(`input[name='meters[${n}][room]']`);
    await place(0).fill("1号楼 1层 101");
    await place(1).fill("1号楼 1层 102");
    await page.getByRole("button", { name: "登记电表" }).click();
    await expect(page.getByText("已登记 2 块电表")).toBeVisible();
    await expect(page.getByText("已登记", { exact: true })).toHaveCount(2);

    await page.goto(`http://${site.address}/commissioning`);
    await expect(page.locator("tbody tr")).toHaveCount(2);
    await page.locator("tbody th a").first().click();
    await page.getByLabel("备注").fill("现场核对");
    await page.getByRole("button", { name: "验收" }).click();
    await expect(page.getByText("张主任").first()).toBeVisible();

    await page.goto(`http://${site.address}/gateways`);
    await page.locator("tbody th a").first().click();
    await page.getByRole("link", { name: "停用" }).click();
    await expect(page.getByText("260100000001")).toBeVisible();
    await page.getByRole("button", { name: "停用" }).click();
    await expect(page.getByText("已停用，不再抄读").first()).toBeVisible();
    await page.goto(`http://${site.address}/meters`);
    await expect(page.getByText("260100000001")).toHaveCount(0);
    expect(errors).toEqual([]);
  } finally {
    await site.end();
  }
});
