// One live stream for all tabs of a browser: over HTTP/1.1 a browser opens at most six connections to a server, and each stream holds
// one. Tabs say whether they are visible; without a visible one there is no stream. Each message to a tab is a word, a line end, and
// what the server sent. Pages load this file under an address with a digest of its content: a new release starts a worker of its own.
const AGAIN = 10_000;
// A tab that says nothing for so long has ended without a word.
const SILENT = 35_000;
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
  source = new EventSource("/live");
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

onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data === "gone") {
      tabs.delete(port);
      return settle(false);
    }
    const visible = data === "visible";
    // Without a stream, or away for a while, it has missed something.
    const fresh = visible && (!tabs.has(port) || (source === null && timer === 0));
    tabs.set(port, { visible, heard: Date.now() });
    settle(fresh);
  };
};

setInterval(() => settle(false), SILENT);
