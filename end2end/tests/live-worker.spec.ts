// What the live worker tells the tabs, without a browser: its script runs with a stream and ports of the test's own.
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { expect, test } from "@playwright/test";

type Port = { postMessage: (text: string) => void; onmessage?: (event: { data: string }) => void };

class Stream {
  static CLOSED = 2;
  static all: Stream[] = [];
  readyState = 1;
  onerror = () => {};
  listeners = new Map<string, (event: { data: string }) => void>();
  constructor(readonly address: string) {
    Stream.all.push(this);
  }
  addEventListener(word: string, take: (event: { data: string }) => void) {
    this.listeners.set(word, take);
  }
  close() {
    this.readyState = Stream.CLOSED;
  }
}

/** A running worker: connects tabs, and keeps what each is told. */
const start = () => {
  Stream.all = [];
  const world: Record<string, unknown> = { EventSource: Stream, setInterval: () => 0, setTimeout: () => 1, clearTimeout: () => {}, Date, Map, URLSearchParams };
  runInNewContext(readFileSync(new URL("../../public/live-worker.js", import.meta.url), "utf8"), world);
  const connect = () => {
    const told: string[] = [];
    const port: Port = { postMessage: (text) => told.push(text.split("\n")[0]) };
    (world.onconnect as (event: { ports: Port[] }) => void)({ ports: [port] });
    return { told, say: (data: string) => port.onmessage?.({ data }) };
  };
  return { connect, stream: () => Stream.all[Stream.all.length - 1] };
};

test("a tab that comes back is not live before its new picture", () => {
  const { connect, stream } = start();
  const tab = connect();
  tab.say("visible");
  stream().listeners.get("snapshot")?.({ data: "{}" });
  expect(tab.told).toEqual(["snapshot"]);
  tab.say("hidden");
  expect(stream().readyState).toBe(Stream.CLOSED);
  expect(tab.told).toEqual(["snapshot", "cut"]);
  tab.say("visible");
  expect(Stream.all.length).toBe(2);
  stream().listeners.get("snapshot")?.({ data: "{}" });
  expect(tab.told).toEqual(["snapshot", "cut", "snapshot"]);
});

test("a new tab takes the place of the others' stream until its picture is there", () => {
  const { connect, stream } = start();
  const [first, second] = [connect(), connect()];
  first.say("visible");
  stream().listeners.get("snapshot")?.({ data: "{}" });
  second.say("visible");
  expect(first.told).toEqual(["snapshot", "cut"]);
  stream().listeners.get("snapshot")?.({ data: "{}" });
  expect([first.told.at(-1), second.told.at(-1)]).toEqual(["snapshot", "snapshot"]);
});

test("tabs of one profile have a stream of their own", () => {
  const { connect } = start();
  const [all, some] = [connect(), connect()];
  all.say("visible?q=a?b");
  some.say("visible?show=lost&profile=dlt645");
  expect(Stream.all.map((stream) => stream.address)).toEqual(["/live", "/live?profile=dlt645"]);
  Stream.all[1].listeners.get("delta")?.({ data: "{}" });
  expect([all.told, some.told]).toEqual([[], ["delta"]]);
  some.say("gone");
  expect(Stream.all.map((stream) => stream.readyState)).toEqual([1, Stream.CLOSED]);
});

test("a refused stream is told as refused, a cut one as cut", () => {
  const { connect, stream } = start();
  const tab = connect();
  tab.say("visible");
  stream().onerror();
  expect(tab.told.at(-1)).toBe("cut");
  stream().readyState = Stream.CLOSED;
  stream().onerror();
  expect(tab.told.at(-1)).toBe("refused");
});
