import { expect, type Cookie, type Page } from "@playwright/test";

export const PASSWORD = "dormwatt-demo";

/** The button of a top-up; scripts put the amount on it. */
export const GO_PAY = /^(去支付|充值 \d+\.\d\d 元)$/;

/** The cookie of each person's last session: most tests are about what is behind the log-in. */
const sessions = new Map<string, Cookie>();

/** Opens the person's first page, through the form where no session of theirs is open. */
export async function logIn(page: Page, login: string): Promise<void> {
  const kept = sessions.get(login);
  if (kept) {
    await page.context().addCookies([kept]);
    await page.goto("/");
    if (!page.url().includes("/login")) return;
  }
  await page.goto("/login");
  await page.getByLabel("账号").fill(login);
  await page.locator("input[name=password]").fill(PASSWORD);
  await page.getByRole("button", { name: "登录" }).click();
  await expect(page).not.toHaveURL(/login/);
  sessions.set(login, (await page.context().cookies()).find((cookie) => cookie.name === "dormwatt")!);
}

/** Yuan as the resident's home shows them, in fen. */
export async function balance(page: Page): Promise<number> {
  const text = await page.locator(".balance .figure .num").textContent();
  return Math.round(Number(text) * 100);
}

/** Waits for what the order's page says after the payment. Some cashiers return by themselves, others by a link. */
export async function returnTo(page: Page, words: string): Promise<void> {
  const [back, said] = [page.getByRole("link", { name: "返回商户" }), page.getByText(words).first()];
  await expect(back.or(said).first()).toBeVisible();
  if (await back.isVisible()) await back.click();
  await expect(said).toBeVisible();
}

/** Fails the test on any script error: a panic in WebAssembly, or something the content policy stopped. */
export function noErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  return errors;
}
