// The residents' site as an installed app. What the page for a lost connection says of the balance is kept here: while the tab is
// open, and on an installed app until the log-out. Without service workers, as in WeChat, nothing of this happens.
(() => {
  const [LAST, OWNER] = ["dormwatt-last", "dormwatt-push"];
  const { documentElement: root } = document;
  // Where a browser forbids its memory, nothing is kept.
  const attempt = (act) => {
    try {
      return act();
    } catch {
      return null;
    }
  };
  const forget = () => attempt(() => [localStorage, sessionStorage].forEach((store) => store.removeItem(LAST)));
  const unsubscribe = async () => {
    const worker = await navigator.serviceWorker?.getRegistration();
    await (await worker?.pushManager?.getSubscription())?.unsubscribe();
    attempt(() => localStorage.removeItem(OWNER));
  };
  if (document.getElementById("offline-page")) return;
  const person = document.querySelector('meta[name="person"]')?.content;
  if (!person) return forget();
  // Somebody else has logged in: this device does not tell them what the other one asked for.
  const owner = attempt(() => localStorage.getItem(OWNER));
  if (owner && owner !== person) unsubscribe().catch(() => {});
  const loaded = Date.now();
  const shown = () => document.getElementById("last-known")?.dataset ?? {};
  let is_leaving = false;
  const keep = () => {
    const { amount, words, at } = shown();
    if (!amount || is_leaving) return;
    const is_installed = matchMedia("(display-mode: standalone)").matches || navigator.standalone;
    (is_installed ? localStorage : sessionStorage).setItem(LAST, JSON.stringify({ amount, words, at: Number(at) }));
  };
  document.addEventListener("submit", ({ target: form }) => {
    if (!["/api/auth/log-out", "/api/auth/log-out-everywhere"].includes(form.getAttribute("action"))) return;
    is_leaving = true;
    forget();
    unsubscribe().catch(() => {});
  });
  attempt(keep);
  addEventListener("pagehide", () => attempt(keep));
  // Another window of the app has logged out.
  addEventListener("storage", ({ key, newValue }) => (is_leaving ||= key === LAST && !newValue));
  const note = document.getElementById("connection");
  const tell = () => {
    const at = new Date(Number(shown().now) || loaded);
    const clock = at.toLocaleTimeString(root.lang, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" });
    note.textContent = navigator.onLine ? "" : note.dataset.text.replace("{at}", clock);
  };
  if (note) {
    addEventListener("online", tell);
    addEventListener("offline", tell);
    tell();
  }
  // A query machine keeps nothing, and gets no worker.
  if (document.getElementById("kiosk-end")) return;
  // Behind what the page itself needs.
  const register = () => navigator.serviceWorker?.register(`/service-worker.js?lang=${root.lang}`).catch(() => {});
  if (document.readyState === "complete") register();
  else addEventListener("load", register);
})();
