import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";

const binary = "../target/debug/dormwatt";
const keys = { ENC: "11".repeat(16), MAC: "22".repeat(16), AES: "33".repeat(32) };

/** A server on an empty database beside the demo, and a simulator as its hardware, on the ports from `port` on. */
export class OwnSite {
  readonly address: string;
  /** The port of the first gateway. */
  readonly gateway: number;
  private readonly control: number;
  private readonly directory = mkdtempSync(join(tmpdir(), "dormwatt-site-"));
  private running: ChildProcess[] = [];

  constructor(port: number) {
    this.address = `127.0.0.1:${port}`;
    this.gateway = port + 2;
    this.control = port + 1;
  }

  /** One gateway with so many meters, whose serial numbers are 260100000001 and following. */
  async simulate(meters: number): Promise<void> {
    const args = ["simulate", "--gateways", "1", "--meters", String(meters), "--port", String(this.gateway)];
    this.running.push(spawn(binary, [...args, "--control", `127.0.0.1:${this.control}`], { stdio: "ignore" }));
    const first = `http://127.0.0.1:${this.control}/gateways/0/meters/1`;
    await expect.poll(async () => (await fetch(first).catch(() => null))?.status).toBe(200);
  }

  /** Gives the address that sets the site up. */
  async serve(): Promise<string> {
    const env = {
      DORMWATT_DATABASE__URL: `sqlite:${join(this.directory, "site.db")}`,
      DORMWATT_SERVER__ADDRESS: this.address,
      DORMWATT_SERVER__PUBLIC_URL: `http://${this.address}`,
      DORMWATT_SERVER__INSECURE_COOKIES: "true",
      DORMWATT_KEYS__ENC: keys.ENC,
      DORMWATT_KEYS__MAC: keys.MAC,
      DORMWATT_KEYS__AES: keys.AES,
    };
    const child = spawn(binary, ["serve"], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    this.running.push(child);
    let printed = "";
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk) => (printed += chunk));
    const wanted = /(http:\S+\/setup\?token=\S+)/;
    await expect.poll(() => wanted.test(printed)).toBe(true);
    return wanted.exec(printed)![1]!;
  }

  async end(): Promise<void> {
    for (const child of this.running) child.kill("SIGTERM");
    await Promise.all(this.running.map((child) => child.exitCode ?? new Promise((ended) => child.once("exit", ended))));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A file of CSV for an upload. */
export const csv = (name: string, text: string) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
