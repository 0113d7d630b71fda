// What the scripts of this folder share. `make bench` starts each with its task as JSON, and reads the JSON that it prints.
import { chromium } from "@playwright/test";

const QUIET = ["--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Runs `measure` with the task and a browser, which listens to others on the task's `port` if there is one; prints what it gives. */
export const run = async (measure) => {
  const task = JSON.parse(process.argv[2]);
  const more = task.port ? [`--remote-debugging-port=${task.port}`] : [];
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", ...QUIET, ...more] });
  try {
    process.stdout.write(JSON.stringify(await measure(task, browser)));
  } finally {
    await browser.close();
  }
};

/** A window of somebody who is logged in. */
export const visitor = async (browser, { url, cookie }, viewport) => {
  const context = await browser.newContext({ viewport, baseURL: url, locale: "zh-CN", timezoneId: "Asia/Shanghai" });
  const [name, ...value] = cookie.split("=");
  await context.addCookies([{ name, value: value.join("="), url }]);
  return context;
};
