// Parts of a page that move. While a part says after how many milliseconds, the page's own address is asked again and what the server
// drew is put in place, node by node where it differs: nothing moves under a finger, and screen readers hear only what is new.
(() => {
  const moving = () => [...document.querySelectorAll("[data-live]")];
  const sync = (old, next) => {
    if (old.isEqualNode(next)) return;
    if (old.nodeName !== next.nodeName) return old.replaceWith(next);
    if (old.nodeType !== Node.ELEMENT_NODE) return void (old.data = next.data);
    // What a person has opened stays open.
    for (const { name } of [...old.attributes]) if (name !== "open" && !next.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of [...next.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const [before, after] = [[...old.childNodes], [...next.childNodes]];
    after.forEach((child, at) => (before[at] ? sync(before[at], child) : old.append(child)));
    before.slice(after.length).forEach((child) => child.remove());
  };
  const ask = async () => {
    const headers = { accept: "text/html" };
    const answer = await fetch(location.href, { headers, cache: "no-store", signal: AbortSignal.timeout(10_000) }).catch(() => null);
    // Logged out meanwhile: the page itself says so.
    if (answer?.redirected) return location.reload();
    if (answer?.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of moving()) {
        const next = page.getElementById(part.id);
        if (next) sync(part, next);
      }
    }
    wait();
  };
  const wait = () => {
    const pauses = moving().map((part) => Number(part.dataset.live));
    if (pauses.length > 0) setTimeout(() => (document.hidden ? document.addEventListener("visibilitychange", ask, { once: true }) : ask()), Math.min(...pauses));
  };
  document.documentElement.setAttribute("data-alive", "");
  wait();
})();
