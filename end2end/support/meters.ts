import { control } from "../playwright.config";

/** A room of the demo: gateway 0 is building 3; units run 25 to a floor. */
export function meterOf(login: string): { gateway: number; unit: number } {
  const [building, room] = login.split("-").map(Number);
  const [floor, number] = [Math.floor(room! / 100), room! % 100];
  return { gateway: building! - 3, unit: (floor - 1) * 25 + number };
}

/** What a meter truly holds, from the simulator itself. */
export async function truth(login: string): Promise<{ remaining: number; count: number; relay_closed: boolean; cumulative: number }> {
  const { gateway, unit } = meterOf(login);
  return (await fetch(`${control}/gateways/${gateway}/meters/${unit}`)).json();
}

/** Breaks the line to a meter, always. */
export async function breakLine(login: string, fault: string): Promise<void> {
  const { gateway, unit } = meterOf(login);
  const body = JSON.stringify({ fault, probability: 1 });
  await fetch(`${control}/gateways/${gateway}/meters/${unit}/faults`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body,
  });
}

/** Heals it. */
export async function healLine(login: string): Promise<void> {
  const { gateway, unit } = meterOf(login);
  await fetch(`${control}/gateways/${gateway}/meters/${unit}/faults`, { method: "DELETE" });
}
