import { execFileSync } from "node:child_process";
import { expect, test, type Page } from "@playwright/test";
import { logIn, noErrors, PASSWORD } from "../support/people";
import { code, secretOf } from "../support/totp";

/** Runs a command on the demo's database, as an administrator does on the server. */
function admin(command: string[], input = ""): void {
  const env = { ...process.env, DORMWATT_DATABASE__URL: `sqlite:${process.env.E2E_DATA ?? "../target/e2e-demo"}/dormwatt.db` };
  execFileSync("../target/debug/dormwatt", ["admin", ...command], { env, input });
}

async function enter(page: Page, login: string, password: string): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("账号").fill(login);
  await page.locator("input[name=password]").fill(password);
  await page.getByRole("button", { name: "登录" }).click();
}

test("a password that somebody else chose has to be changed first", async ({ page }) => {
  const errors = noErrors(page);
  admin(["create-user", "--login", "newcomer", "--role", "admin"], "chosen by the boss\n");
  await enter(page, "newcomer", "chosen by the boss");
  await expect(page.getByRole("heading", { name: "设置自己的密码" })).toBeVisible();
  await page.goto("/sales");
  await expect(page).toHaveURL(/\/password/);
  await page.locator("input[name=old]").fill("chosen by the boss");
  await page.locator("input[name=new]").fill("passwordpassword");
  await page.getByRole("button", { name: "修改密码" }).click();
  await expect(page.getByRole("alert")).toContainText("最先会被人猜到");
  await page.locator("input[name=old]").fill("chosen by the boss");
  await page.locator("input[name=new]").fill("moss grows on old stones");
  await page.getByRole("button", { name: "修改密码" }).click();
  await expect(page).toHaveURL(/\/wall/);
  expect(errors).toEqual([]);
});

test("a second factor is set up, asked for, and turned off", async ({ page, browser }) => {
  const errors = noErrors(page);
  admin(["create-user", "--login", "careful", "--role", "admin"], "chosen by the boss\n");
  await enter(page, "careful", "chosen by the boss");
  await page.locator("input[name=old]").fill("chosen by the boss");
  await page.locator("input[name=new]").fill("moss grows on old stones");
  await page.getByRole("button", { name: "修改密码" }).click();
  await page.goto("/password");
  const setUp = page.locator('form[action="/api/auth/prepare-second-factor"]');
  await setUp.locator("input[name=password]").fill("moss grows on old stones");
  await setUp.getByRole("button", { name: "开始设置" }).click();
  await expect(page.getByRole("img", { name: "验证器应用的二维码" })).toBeVisible();
  const secret = secretOf((await page.locator(".secret-text").textContent())!);
  await page.locator("input[name=code]").fill(code(secret));
  await page.getByRole("button", { name: "开启" }).click();
  await expect(page.locator(".recovery-codes li")).toHaveCount(10);
  const recovery = (await page.locator(".recovery-codes li").first().textContent())!;
  await page.getByRole("link", { name: "已保管好" }).click();

  const other = await (await browser.newContext()).newPage();
  await enter(other, "careful", "moss grows on old stones");
  await expect(other).toHaveURL(/\/login\/code/);
  await other.locator("input[name=code]").fill("000000");
  await other.getByRole("button", { name: "登录" }).click();
  await expect(other.getByRole("alert")).toContainText("验证码不对");
  // The next step's code: the one that turned it on does not serve again.
  await other.locator("input[name=code]").fill(code(secret, 1));
  await other.getByRole("button", { name: "登录" }).click();
  await expect(other).toHaveURL(/\/wall/);
  await other.close();

  const third = await (await browser.newContext()).newPage();
  await enter(third, "careful", "moss grows on old stones");
  await third.locator("input[name=code]").fill(recovery.toLowerCase());
  await third.getByRole("button", { name: "登录" }).click();
  await expect(third).toHaveURL(/\/wall/);

  await page.goto("/password");
  await expect(page.getByText("还有 9 个恢复码可用")).toBeVisible();
  await expect(page.locator(".own-sessions li")).toHaveCount(3);
  await page.getByRole("button", { name: "退出所有其他设备" }).click();
  await expect(page.locator(".own-sessions li")).toHaveCount(1);
  await third.goto("/wall");
  await expect(third).toHaveURL(/\/login/);
  await third.close();
  admin(["remove-second-factor", "--login", "careful"]);
  await enter(page, "careful", "moss grows on old stones");
  await expect(page.getByRole("heading", { name: "设置自己的密码" })).toBeVisible();
  expect(errors).toEqual([]);
});

test("a form that was posted after the session had ended is filled in again", async ({ page, context }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/subsidies");
  const form = page.locator('form[action="/api/operator/subsidy"]');
  await form.locator("input[name=amount]").fill("23.45");
  await context.clearCookies({ name: "dormwatt" });
  await form.getByRole("button").click();
  await expect(page).toHaveURL(/\/login\?.*form=kept/);
  await expect(page.getByText("登录后会自动填回")).toBeVisible();
  await page.getByLabel("账号").fill("operator");
  await page.locator("input[name=password]").fill(PASSWORD);
  await page.getByRole("button", { name: "登录" }).click();
  await expect(page).toHaveURL(/\/subsidies/);
  await expect(form.locator("input[name=amount]")).toHaveValue("23.45");
  await expect(page.getByText("已按原样填回")).toBeVisible();
  // It counts as entered: it is not left by mistake.
  const asked: string[] = [];
  page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    void (asked.length === 1 ? dialog.dismiss() : dialog.accept());
  });
  await page.locator(".console-rail").getByRole("link", { name: "电表墙" }).click();
  await expect.poll(() => asked).toEqual(["beforeunload"]);
  await expect(form.locator("input[name=amount]")).toHaveValue("23.45");
  // It is filled in once, and only on its page.
  await page.reload();
  await expect(form.locator("input[name=amount]")).not.toHaveValue("23.45");
  expect(errors).toEqual([]);
});

test("a changed form is not left by mistake", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/subsidies");
  const amount = page.locator('form[action="/api/operator/subsidy"] input[name=amount]');
  const link = page.locator(".console-rail").getByRole("link", { name: "电表墙" });
  const asked: string[] = [];
  let leave = false;
  page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    void (leave ? dialog.accept() : dialog.dismiss());
  });
  await amount.pressSequentially("23.45");
  await link.click();
  await expect.poll(() => asked).toEqual(["beforeunload"]);
  await expect(page).toHaveURL(/\/subsidies/);
  await expect(amount).toHaveValue("23.45");
  leave = true;
  await link.click();
  await expect(page).toHaveURL(/\/wall/);
  expect(asked).toHaveLength(2);
  // What was only looked at, searched or filtered is left without a question.
  await page.goto("/audit");
  await page.locator("select[name=kind]").selectOption("session.open");
  await link.click();
  await expect(page).toHaveURL(/\/wall/);
  expect(asked).toHaveLength(2);
  expect(errors).toEqual([]);
});

test("the operation log is read, filtered and verified", async ({ page }) => {
  const errors = noErrors(page);
  await logIn(page, "operator");
  await page.goto("/audit");
  await expect(page.getByRole("rowheader", { name: "登录" }).first()).toBeVisible();
  await page.locator("select[name=kind]").selectOption("session.open");
  await page.getByRole("button", { name: "筛选" }).click();
  await expect(page).toHaveURL(/kind=session\.open/);
  const names = await page.locator("tbody th").allTextContents();
  expect(new Set(names)).toEqual(new Set(["登录"]));
  await page.goto("/audit");
  await page.getByRole("button", { name: "立即核验" }).click();
  // A debug build does not come to the end of forty thousand seals in the time of an answer, and says so.
  await expect(page.getByRole("status")).toContainText("首尾衔接");
  await expect(page.getByRole("rowheader").first()).toHaveText("核验审计记录");
  expect(errors).toEqual([]);
});
