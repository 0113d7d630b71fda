// What was last known of the balance, and how old it is. When the network is back, the page that was asked for comes.
(() => {
  const again = () => location.reload();
  document.getElementById("again").addEventListener("click", again);
  addEventListener("online", again);
  // A browser may say so before its service worker gets through, and the server may be what was away: ask until it answers.
  const ask = async () => {
    if (!navigator.onLine || document.hidden) return;
    const answer = await fetch("/health", { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (answer?.ok) again();
  };
  setInterval(ask, 5_000);
  const LAST = "dormwatt-last";
  const read = (name) => {
    try {
      return JSON.parse(window[name].getItem(LAST));
    } catch {
      return null;
    }
  };
  // Without its time a balance is not shown.
  const known = ["localStorage", "sessionStorage"].map(read).filter((one) => one?.amount && one.at > 0);
  const last = known.sort((a, b) => b.at - a.at)[0];
  if (!last) return;
  const put = (id, text) => (document.getElementById(id).textContent = text);
  const { lang } = document.documentElement;
  const at = new Intl.DateTimeFormat(lang, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" });
  const ago = new Intl.RelativeTimeFormat(lang);
  const { text } = document.getElementById("last-at").dataset;
  const tell = () => {
    const minutes = Math.max(0, Math.round((Date.now() - last.at) / 60_000));
    const [count, unit] = minutes < 60 ? [minutes, "minute"] : minutes < 2_880 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1_440), "day"];
    put("last-at", text.replace("{at}", at.format(last.at)).replace("{age}", ago.format(-count, unit)));
  };
  tell();
  put("last-amount", last.amount);
  put("last-words", last.words);
  document.getElementById("last").hidden = false;
  document.getElementById("nothing").hidden = true;
  // The page may stay open for hours, and a phone stops its clocks meanwhile.
  setInterval(tell, 20_000);
  document.addEventListener("visibilitychange", tell);
})();
