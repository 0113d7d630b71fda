import { control, sandbox } from "../playwright.config";

async function send(method: string, address: string, value: object): Promise<void> {
  const answer = await fetch(address, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(value) });
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
}

/** A room of the demo: gateway 0 is building 3; units run 25 to a floor. */
export function meterOf(login: string): { gateway: number; unit: number } {
  const [building, room] = login.split("-").map(Number);
  const [floor, number] = [Math.floor(room! / 100), room! % 100];
  return { gateway: building! - 3, unit: (floor - 1) * 25 + number };
}

interface Meter {
  gateway: number;
  unit: number;
  account: string | null;
  status: number;
  mode: string;
  faults: unknown[];
}

/** All meters, as the simulator has them. */
const meters = async (): Promise<Meter[]> => (await fetch(`${control}/meters`)).json();

/** How many meters do not answer: the demo's and tests' own. */
export const silentMeters = async () => (await meters()).filter((meter) => meter.faults.length > 0).length;

/** The login of the first room with an account whose meter fits. */
export async function roomWhere(is: (meter: Meter) => boolean): Promise<string> {
  const { gateway, unit } = (await meters()).find((meter) => meter.gateway < 4 && meter.account && is(meter))!;
  const [floor, number] = [Math.floor((unit - 1) / 25) + 1, ((unit - 1) % 25) + 1];
  return `${gateway + 3}-${floor}${String(number).padStart(2, "0")}`;
}

/** What a meter truly holds, from the simulator itself. */
export async function truth(login: string): Promise<{ remaining: number; count: number; relay_closed: boolean; cumulative: number }> {
  const { gateway, unit } = meterOf(login);
  return (await fetch(`${control}/gateways/${gateway}/meters/${unit}`)).json();
}

/** Breaks the line to a meter, always. */
export async function breakLine(login: string, fault: string): Promise<void> {
  const { gateway, unit } = meterOf(login);
  await send("PUT", `${control}/gateways/${gateway}/meters/${unit}/faults`, { fault, probability: 1 });
}

/** Heals it. */
export async function healLine(login: string): Promise<void> {
  const { gateway, unit } = meterOf(login);
  await fetch(`${control}/gateways/${gateway}/meters/${unit}/faults`, { method: "DELETE" });
}

/** Gives a meter a fault that happens once. */
export async function once(login: string, fault: object): Promise<void> {
  const { gateway, unit } = meterOf(login);
  await send("POST", `${control}/gateways/${gateway}/meters/${unit}/one-time-faults`, fault);
}

/** The faults of the payment sandbox; `{}` heals it. */
export const bank = (faults: object) => send("PUT", `${sandbox}/control/faults`, faults);
