import type { Page } from "@playwright/test";

/** The smallest phone that is still in use, a common one, and a large one. */
export const phones = {
  small: { width: 320, height: 568 },
  common: { width: 390, height: 844 },
  large: { width: 430, height: 932 },
} as const;

/** Makes a page as slow as the figures are measured: 150 ms, 1.6 Mbit/s down, 0.75 up, and a quarter of the processor. */
export async function slowDown(page: Page): Promise<void> {
  const browser = await page.context().newCDPSession(page);
  await browser.send("Network.enable");
  await browser.send("Network.emulateNetworkConditions", { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750 });
  await browser.send("Emulation.setCPUThrottlingRate", { rate: 4 });
}
