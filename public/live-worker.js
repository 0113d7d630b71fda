// One live stream for all tabs of a browser that show the same meters, which are all or those of one profile: over HTTP/1.1 a browser
// opens at most six connections to a server, and each stream holds one. Tabs say whether they are visible, with the query of their
// page; without a visible one there is no stream. Each message to a tab is a word, a line end, and what the server sent. Pages load
// this file under an address with a digest of its content: a new release starts a worker of its own.
const AGAIN = 10_000;
// A tab that says nothing for so long has ended without a word.
const SILENT = 35_000;

/** The tabs that show the meters of a profile, or all where it is empty, and their stream. */
const startWall = (profile) => {
  const tabs = new Map();
  let source = null;
  let timer = 0;

  const tell = (word, data = "") => tabs.forEach((_, port) => port.postMessage(`${word}\n${data}`));

  const close = () => {
    clearTimeout(timer);
    timer = 0;
    if (source === null) return;
    source.close();
    source = null;
    // What a tab shows grows old until the next stream begins with a new picture.
    tell("cut");
  };

  const open = () => {
    close();
    source = new EventSource(profile === "" ? "/live" : `/live?profile=${encodeURIComponent(profile)}`);
    for (const word of ["snapshot", "delta"]) source.addEventListener(word, (event) => tell(word, event.data));
    source.onerror = () => {
      // The browser tries again after a cut; after an answer that is no stream it gives up, and we do not.
      if (source.readyState !== EventSource.CLOSED) return tell("cut");
      close();
      tell("refused");
      timer = setTimeout(() => settle(true), AGAIN);
    };
  };

  /** Opens or closes the stream. A tab that has no picture yet gets one by a new stream, which begins with it. */
  const settle = (fresh) => {
    const now = Date.now();
    for (const [port, tab] of tabs) if (now - tab.heard > SILENT) tabs.delete(port);
    if (![...tabs.values()].some((tab) => tab.visible)) return close();
    if (fresh) open();
  };

  const hear = (port, visible) => {
    // Without a stream, or away for a while, it has missed something.
    const fresh = visible && (!tabs.has(port) || (source === null && timer === 0));
    tabs.set(port, { visible, heard: Date.now() });
    settle(fresh);
  };

  const leave = (port) => {
    tabs.delete(port);
    settle(false);
  };

  return { hear, leave, settle };
};

const walls = new Map();

const wallOf = (profile) => {
  if (!walls.has(profile)) walls.set(profile, startWall(profile));
  return walls.get(profile);
};

onconnect = ({ ports: [port] }) => {
  let wall = null;
  port.onmessage = ({ data }) => {
    const [word] = data.split("?");
    if (word === "gone") return wall?.leave(port);
    // The last one counts, as on the page.
    wall = wallOf(new URLSearchParams(data.slice(word.length)).getAll("profile").at(-1) ?? "");
    wall.hear(port, word === "visible");
  };
};

setInterval(() => walls.forEach((wall) => wall.settle(false)), SILENT);
