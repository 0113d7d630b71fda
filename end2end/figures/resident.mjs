// A resident's home on a phone: what its first load transfers, and what Lighthouse says of it.
import { run, visitor } from "./browser.mjs";

const PHONE = { width: 390, height: 844 };

/** The bytes of a first load as they are transferred, heads included. */
const bytes = async (browser, task) => {
  const context = await visitor(browser, task, PHONE);
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  const [addresses, files] = [new Map(), []];
  network.on("Network.responseReceived", ({ requestId, response }) => addresses.set(requestId, response.url));
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const address = addresses.get(requestId);
    if (address?.startsWith("http")) files.push([new URL(address).pathname, encodedDataLength]);
  });
  await page.goto("/home");
  await page.waitForSelector("html[data-hydrated]");
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(500);
  await context.close();
  return files;
};

const audits = async ({ url, cookie, runs, port }) => {
  let lighthouse;
  try {
    ({ default: lighthouse } = await import("lighthouse"));
  } catch (error) {
    return { missing: String(error.message) };
  }
  const all = [];
  for (let n = 0; n < runs; n++) {
    const flags = { port, output: "json", logLevel: "error", extraHeaders: { Cookie: cookie }, onlyCategories: ["performance", "accessibility"] };
    const { lhr } = await lighthouse(`${url}/home`, flags);
    if (lhr.runtimeError || new URL(lhr.finalDisplayedUrl).pathname !== "/home") {
      throw new Error(`Lighthouse: ${lhr.runtimeError?.message ?? lhr.finalDisplayedUrl}`);
    }
    const value = (name) => lhr.audits[name].numericValue;
    const failed = Object.values(lhr.categories.accessibility.auditRefs).filter(({ id, weight }) => weight > 0 && lhr.audits[id].score === 0);
    all.push({
      lcp: value("largest-contentful-paint") / 1_000,
      tbt: value("total-blocking-time"),
      performance: Math.round(lhr.categories.performance.score * 100),
      accessibility: Math.round(lhr.categories.accessibility.score * 100),
      failed: failed.map(({ id }) => id),
      version: lhr.lighthouseVersion,
    });
  }
  return { all };
};

await run(async (task, browser) => ({ files: await bytes(browser, task), lighthouse: await audits(task) }));
