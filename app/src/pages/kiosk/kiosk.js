// A query machine keeps nothing of the person before, goes on when a phone confirmed, and logs out when nobody touches it.
(() => {
  const left = document.getElementById("kiosk-left");
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
    if (location.search) setTimeout(() => location.replace("/kiosk"), 180_000);
    return;
  }
  const all = Number(left.dataset.seconds);
  let touched = Date.now();
  for (const kind of ["pointerdown", "keydown", "input", "scroll"]) {
    addEventListener(kind, () => (touched = Date.now()), { passive: true, capture: true });
  }
  const end = setInterval(() => {
    const seconds = Math.max(0, Math.ceil(all - (Date.now() - touched) / 1000));
    left.textContent = seconds;
    if (seconds > 0) return;
    clearInterval(end);
    document.getElementById("kiosk-end").submit();
  }, 500);
})();
