// The meter wall: how soon it shows something, how evenly it moves, and how late a change of a register is on the screen.
import { run, visitor } from "./browser.mjs";

const WINDOW = { width: 1440, height: 900 };
/** Meters that change at the same time. */
const TOGETHER = 20;
/** How long a change may take before it counts as lost, ms. A sweep is part of it. */
const LONGEST = 30_000;

/** Runs in the page before its own scripts: notes when the first picture stands, and when awaited numbers are painted and written. */
const probe = () => {
  const seen = { picture: 0, awaited: new Set(), painted: {}, written: {} };
  window.figures = seen;
  const draw = CanvasRenderingContext2D.prototype.fillText;
  // A message that is posted while a frame is made arrives after it.
  const afterFrame = (act) => {
    const { port1, port2 } = new MessageChannel();
    port2.onmessage = act;
    port1.postMessage(0);
  };
  const pixels = (canvas, x, y) => {
    const at = canvas.getTransform();
    return canvas.getImageData(x * at.a + at.e, y * at.d + at.f - 12, 60, 16).data.join();
  };
  seen.watchPixels = () => {
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
      const number = /^(\d+) W$/.exec(text)?.[1];
      if (!seen.awaited.has(number) || seen.painted[number]) return draw.call(this, text, x, y);
      const before = pixels(this, x, y);
      draw.call(this, text, x, y);
      if (pixels(this, x, y) !== before) afterFrame(() => (seen.painted[number] ??= Date.now()));
    };
  };
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    draw.call(this, text, x, y);
    // From now on nothing is between the wall and its canvas.
    CanvasRenderingContext2D.prototype.fillText = draw;
    afterFrame(() => (seen.picture = performance.now()));
  };
  seen.watchText = () => {
    const note = (changes) => {
      for (const { target } of changes) {
        const cell = (target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement)?.closest("[data-cell=power]");
        const number = cell?.textContent.trim();
        if (seen.awaited.has(number)) seen.written[number] ??= Date.now();
      }
    };
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
  };
};

const open = async (context, path) => {
  const page = await context.newPage();
  await page.addInitScript(probe);
  await page.goto(path);
  return page;
};

const picture = async (page) => {
  await page.waitForFunction(() => window.figures.picture > 0, null, { timeout: 60_000 });
  return page.evaluate(() => window.figures.picture);
};

const slow = async (page, rate) => {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate });
};

/** From the click to the first picture, ms: the first visit of this browser, then later ones, whose files it has kept. */
const create = async (context, times) => {
  const all = [];
  for (let n = 0; n <= times; n++) {
    const page = await open(context, "/wall");
    const shown = await picture(page);
    const steps = await page.evaluate(() => {
      const ends = performance.getEntries().filter((one) => "responseEnd" in one).map((one) => [one.name, Math.round(one.responseEnd)]);
      return ends.filter(([name]) => !name.startsWith("data:"));
    });
    all.push({ shown, steps });
    await page.close();
  }
  return all;
};

/** The times between one frame and the next, ms. */
const frames = async (context, zoom, rate, seconds) => {
  const page = await open(context, `/wall?zoom=${zoom}`);
  await picture(page);
  await slow(page, rate);
  await page.waitForTimeout(2_000);
  const from = Date.now();
  const times = await page.evaluate((ms) => new Promise((resolve) => {
    const stamps = [];
    const step = (at) => {
      stamps.push(at);
      if (at - stamps[0] < ms) requestAnimationFrame(step);
      else resolve(stamps.slice(1).map((stamp, n) => stamp - stamps[n]));
    };
    requestAnimationFrame(step);
  }), seconds * 1_000);
  const until = Date.now();
  await page.close();
  return { zoom, rate, times, from, until };
};

/** When registers change, and when both the picture and the table show it, epoch ms. */
const changes = async (context, { control, gateway, rounds }) => {
  const rooms = `q=F${gateway}`;
  const wall = await open(context, `/wall?${rooms}`);
  await picture(wall);
  const table = await open(context, `/wall?view=table&${rooms}`);
  await table.getByText("实时").first().waitFor();
  await wall.evaluate(() => window.figures.watchPixels());
  await table.evaluate(() => window.figures.watchText());
  const names = await table.locator("tbody tr th").allTextContents();
  const meters = names.slice(0, TOGETHER).map((name) => name.trim().split("-").map(Number));
  const noted = [];
  // More than any room draws by itself, so that the number is nowhere else.
  let watts = 7_000;
  for (let round = 0; round < rounds; round++) {
    const batch = meters.map(([gateway, unit]) => ({ gateway, unit, watts: watts++ }));
    const numbers = batch.map((one) => `${one.watts}`);
    for (const page of [wall, table]) await page.evaluate((all) => (window.figures.awaited = new Set(all)), numbers);
    for (const one of batch) {
      one.changed_at = Date.now();
      const body = JSON.stringify({ watts: one.watts });
      const headers = { "content-type": "application/json" };
      const answer = await fetch(`${control}/gateways/${one.gateway}/meters/${one.unit}/load`, { method: "PUT", headers, body });
      if (!answer.ok) throw new Error(`the simulator answers ${answer.status}`);
    }
    const have = ([field, numbers]) => numbers.every((number) => window.figures[field][number]);
    await wall.waitForFunction(have, ["painted", numbers], { timeout: LONGEST, polling: 100 });
    await table.waitForFunction(have, ["written", numbers], { timeout: LONGEST, polling: 100 });
    const painted = await wall.evaluate(() => window.figures.painted);
    const written = await table.evaluate(() => window.figures.written);
    for (const one of batch) noted.push({ ...one, painted_at: painted[one.watts], written_at: written[one.watts] });
  }
  return noted;
};

await run(async (task, browser) => {
  const context = await visitor(browser, task, WINDOW);
  const created = await create(context, task.visits);
  const moved = [];
  for (const zoom of ["tiles", "heat"]) {
    for (const rate of [1, 4]) moved.push(await frames(context, zoom, rate, task.seconds));
  }
  return { created, frames: moved, changes: await changes(context, task) };
});
