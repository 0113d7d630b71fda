import { expect, test } from "@playwright/test";
import { logIn, noErrors } from "../support/people";

test("an instrument is added, its circuits are set, and it is taken out of service", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/instruments/new");
  await page.getByLabel("名称").fill("试验总表");
  await page.getByLabel("编号").fill("T/1");
  await page.getByLabel("站号").fill("239");
  await page.locator('select[name="form[profile]"]').selectOption("multi-12-u32");
  await page.getByRole("button", { name: "保存" }).click();
  // A number has no slash, and what was typed stays.
  await expect(page.getByRole("alert").first()).toBeVisible();
  await expect(page.getByLabel("名称")).toHaveValue("试验总表");
  await page.getByLabel("编号").fill("T-1");
  await page.getByRole("button", { name: "保存" }).click();
  await expect(page.getByRole("heading", { name: "试验总表" })).toBeVisible();

  // The form of one circuit is there at a time; a building that its main feeds already is refused in it.
  const form = page.locator("form#circuit");
  await expect(form).toHaveCount(0);
  await page.locator("tbody th a").nth(1).click();
  await form.getByLabel("名称").fill("二路");
  await form.getByLabel("供电位置").selectOption({ label: "示范园区 4号楼" });
  await form.getByRole("button", { name: "保存" }).click();
  await expect(page.getByText("已由另一个回路供电").first()).toBeVisible();
  await expect(form.getByLabel("名称")).toHaveValue("二路");
  await form.getByLabel("供电位置").selectOption("");
  await form.getByRole("button", { name: "保存" }).click();
  await expect(page.getByText("已保存")).toBeVisible();
  await expect(page.locator("tbody th").nth(1)).toContainText("二路");

  await page.getByLabel("原因").fill("试验结束");
  await page.getByRole("button", { name: "停用" }).click();
  await expect(page.getByText("计量仪表已停用")).toBeVisible();
  expect(errors).toEqual([]);
});
