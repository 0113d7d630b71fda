import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { port as demo } from "../playwright.config";
import { noErrors } from "../support/people";

/** A server on an empty database, and foreign hardware: two meters behind a gateway. */
const port = demo + 20;
const gateway = port + 1;
const control = port + 2;
const binary = "../target/debug/dormwatt";
const keys = { ENC: "11".repeat(16), MAC: "22".repeat(16), AES: "33".repeat(32) };

let directory: string;
let running: ChildProcess[] = [];

/** Starts a command and gives the first match in what it prints. */
async function start(args: string[], env: Record<string, string>, wanted: RegExp): Promise<string> {
  const child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  let printed = "";
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk) => (printed += chunk));
  await expect.poll(() => wanted.exec(printed)?.[0] ?? "", { timeout: 30_000 }).not.toBe("");
  return wanted.exec(printed)![1]!;
}

test.beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "dormwatt-setup-"));
});

test.afterEach(async () => {
  for (const child of running) child.kill("SIGTERM");
  await Promise.all(running.map((child) => new Promise((ended) => child.once("exit", ended))));
  running = [];
  rmSync(directory, { recursive: true, force: true });
});

test("an empty installation becomes a site in the browser alone", async ({ page }) => {
  const simulator = ["simulate", "--gateways", "1", "--meters", "2", "--port", String(gateway), "--control", `127.0.0.1:${control}`];
  spawnSimulator(simulator);
  await expect.poll(async () => (await fetch(`http://127.0.0.1:${control}/gateways/0/meters/1`).catch(() => null))?.status).toBe(200);
  // As the simulator makes them from its seed.
  const serials = ["260100000001", "260100000002"];
  const address = `127.0.0.1:${port}`;
  const env = {
    DORMWATT_DATABASE__URL: `sqlite:${join(directory, "site.db")}`,
    DORMWATT_SERVER__ADDRESS: address,
    DORMWATT_SERVER__PUBLIC_URL: `http://${address}`,
    DORMWATT_SERVER__INSECURE_COOKIES: "true",
    DORMWATT_KEYS__ENC: keys.ENC,
    DORMWATT_KEYS__MAC: keys.MAC,
    DORMWATT_KEYS__AES: keys.AES,
  };
  const printed = await start(["serve"], env, /(http:\S+\/setup\?token=\S+)/);
  const errors = noErrors(page);

  await page.goto(`http://${address}/`);
  await expect(page).toHaveURL(/\/setup$/);
  await page.goto(printed);
  await page.locator("input[name=login]").fill("head");
  await page.locator("input[name=name]").fill("张主任");
  await page.locator("input[name=password]").fill("correct horse battery");
  await page.locator("input[name=site]").fill("北校区");
  await page.locator("form[action='/api/setup/site'] button.primary").click();
  await expect(page).toHaveURL(/\/start$/);
  await expect(page.locator(".checklist > li")).toHaveCount(8);

  await page.locator(".checklist a[href='/import']").first().click();
  const file = (name: string, text: string) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
  await page.locator("input[type=file]").setInputFiles([
    file("rooms.csv", "楼栋,楼层,房间\n1号楼,1层,101\n1号楼,1层,102\n"),
    file("gateways.csv", `Gateway,Host,Port\nG1,127.0.0.1,${gateway}\n`),
    file("meters.csv", "Serial number,Building,Floor,Room,Gateway,Unit id,Profile\n" +
      serials.map((serial, at) => `${serial},1号楼,1层,10${at + 1},G1,${at + 1},rpp\n`).join("")),
    file("prices.csv", "Price plan,Building,Price\n居民,,0.65\n"),
  ]);
  await page.locator("#upload button.primary").click();
  await page.locator("form[action='/api/operator/site/import'] button").click();
  await page.locator("#import a.primary[href='/wall']").click();
  await expect(page).toHaveURL(/\/wall$/);
  await page.goto(`http://${address}/start`);
  await expect.poll(async () => {
    await page.reload();
    return page.locator(".checklist > li.done").count();
  }, { timeout: 30_000 }).toBe(5);
  expect(errors).toEqual([]);
});

function spawnSimulator(args: string[]): void {
  running.push(spawn(binary, args, { stdio: "ignore" }));
}
