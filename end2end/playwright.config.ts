import { defineConfig, devices } from "@playwright/test";
import { phones } from "./support/phones";

/** Debian's Chromium; Playwright's own download is not needed. */
export const chromium = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};

/** One demo serves all tests: a fresh site on ports of its own. */
export const port = Number(process.env.E2E_PORT ?? 18480);
export const sandbox = `http://127.0.0.1:${port + 1}`;
export const control = `http://127.0.0.1:${port + 2}`;

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  // Two cores: the demo polls 696 meters beside the browser.
  workers: 1,
  // For a slow machine: only what fails waits so long. A test has time for several of its waits.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  forbidOnly: !!process.env.CI,
  // A machine that builds and browses on two cores may stall once; what fails twice is wrong.
  retries: process.env.CI ? 1 : 0,
  reporter: [["list"]],
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    launchOptions: chromium,
    locale: "zh-CN",
    timezoneId: "Asia/Shanghai",
    // Recording slows each test down, so CI records only what failed once already.
    trace: process.env.CI ? "on-first-retry" : "retain-on-failure",
  },
  webServer: {
    command: `../target/debug/dormwatt demo --address 127.0.0.1:${port} --fresh --data ../target/e2e-demo`,
    url: `http://127.0.0.1:${port}/health`,
    timeout: 240_000,
    stdout: "ignore",
    stderr: "pipe",
    gracefulShutdown: { signal: "SIGTERM", timeout: 10_000 },
  },
  projects: [
    { name: "phone", testMatch: /(installed|resident|refusals|pages)\.spec/, use: { ...devices["Pixel 7"], viewport: phones.common, launchOptions: chromium } },
    { name: "desktop", testMatch: /(invoices|instruments|kiosk|operators?|pages|estate|setup|sign-in|prices|gateways|wall|forms)\.spec/, use: { viewport: { width: 1440, height: 900 } } },
    { name: "script", testMatch: /live-worker\.spec/ },
    { name: "no-javascript", testMatch: /resident\.spec/, use: { ...devices["Pixel 7"], viewport: phones.common, launchOptions: chromium, javaScriptEnabled: false } },
  ],
});
