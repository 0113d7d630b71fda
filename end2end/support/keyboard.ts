import { expect, type Locator, type Page } from "@playwright/test";

/** What is wrong with how the focus is shown: no ring, or something lies over what has it. */
const hidden = (page: Page) =>
  page.evaluate(() => {
    const one = document.activeElement!;
    const name = one.outerHTML.slice(0, 120);
    const unseen = getComputedStyle(one).opacity === "0";
    // The ring of a choice is around its face.
    const { outlineStyle, outlineWidth } = getComputedStyle(unseen ? one.nextElementSibling! : one);
    if (outlineStyle === "none" || outlineWidth === "0px") return `no ring: ${name}`;
    const { left, top, width, height } = one.getBoundingClientRect();
    const over = document.elementFromPoint(left + width / 2, top + height / 2);
    return over && one.closest("label, a, button, body > *")!.contains(over) ? "" : `hidden: ${name}`;
  });

/** Presses Tab until an element has the focus, which is seen at each stop on the way. */
export async function reach(page: Page, wanted: Locator): Promise<void> {
  await expect(wanted).toBeVisible();
  for (let stops = 0; stops < 60; stops++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement === document.body)) continue;
    expect(await hidden(page)).toBe("");
    if (await wanted.evaluate((one) => one === document.activeElement)) return;
  }
  throw new Error(`${wanted} is not reached by Tab`);
}
