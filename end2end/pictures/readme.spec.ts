import { expect, test } from "@playwright/test";
import { GO_PAY, logIn, returnTo } from "../support/people";

const folder = "screenshots";

test("the meter wall", async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await logIn(page, "operator");
  await expect(page.getByText("实时").first()).toBeVisible();
  // Meters that do not answer take a few tries to be known as lost.
  await page.waitForTimeout(15_000);
  await page.screenshot({ path: `${folder}/wall.png` });
});

test.describe("a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });

  test("home, and the way of a top-up", async ({ page }) => {
    await logIn(page, "3-101");
    await page.screenshot({ path: `${folder}/home.png` });
    await page.goto("/topup");
    await page.getByRole("button", { name: GO_PAY }).click();
    await page.getByRole("button", { name: /确认付款/ }).click();
    await returnTo(page, "次购电");
    await page.screenshot({ path: `${folder}/order.png` });
  });
});
