// A query machine keeps nothing of the person before, goes on when a phone confirmed, and logs out when nobody touches it.
(() => {
  const left = document.getElementById("kiosk-left");
  const whenTouched = (act) => {
    for (const kind of ["pointerdown", "keydown", "input", "scroll"]) addEventListener(kind, act, { passive: true, capture: true });
  };
  if (!left) {
    try {
      sessionStorage.clear();
      localStorage.clear();
    } catch {
      // Forbidden: then nothing is kept either.
    }
    const enter = setInterval(() => {
      const form = document.getElementById("kiosk-enter");
      if (!form) return;
      clearInterval(enter);
      form.submit();
    }, 300);
    // The code on the screen has expired.
    if (new URLSearchParams(location.search).has("code")) return void setTimeout(() => location.replace("/kiosk"), 180_000);
    // Whoever typed something here, or chose a language, has gone.
    const again = () => {
      for (const name of ["lang", "theme"]) document.cookie = `${name}=; path=/; max-age=0`;
      location.replace("/kiosk");
    };
    let idle = setTimeout(again, 60_000);
    whenTouched(() => {
      clearTimeout(idle);
      idle = setTimeout(again, 60_000);
    });
    return;
  }
  // Without a network nobody is logged out; whoever comes next must not find the room open when it is back.
  const OWED = "kiosk-log-out-owed";
  const kept = (act) => {
    try {
      return act(sessionStorage);
    } catch {
      return null; // Forbidden: then the server's own limit ends it.
    }
  };
  const isOwed = kept((storage) => storage.getItem(OWED)) !== null;
  const form = document.getElementById("kiosk-end");
  // The room goes from the screen at once, also where the server does not answer: browsers try a page again by themselves, but not
  // a form.
  const leave = async () => {
    kept((storage) => storage.setItem(OWED, "1"));
    document.documentElement.hidden = true;
    document.body.replaceChildren();
    const signal = AbortSignal.timeout(5_000);
    const request = { method: "POST", headers: { accept: "text/html" }, body: new URLSearchParams(), signal };
    const answer = await fetch(form.action, request).catch(() => null);
    if (answer?.ok) kept((storage) => storage.removeItem(OWED));
    // The next page tries again.
    else if (isOwed) await new Promise((done) => setTimeout(done, 2_000));
    location.replace("/kiosk");
  };
  if (isOwed) return void leave();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    leave();
  });
  const all = Number(left.dataset.seconds);
  let touched = Date.now();
  whenTouched(() => (touched = Date.now()));
  const end = setInterval(() => {
    const seconds = Math.max(0, Math.ceil(all - (Date.now() - touched) / 1000));
    left.textContent = seconds;
    if (seconds > 0) return;
    clearInterval(end);
    leave();
  }, 500);
})();
