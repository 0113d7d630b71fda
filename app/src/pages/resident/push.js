// Adds this device to those that are told, and removes it. Where a browser knows no Web Push, the section says what to do.
(async () => {
  const [part, add, remove] = ["push", "push-add", "push-remove"].map((id) => document.getElementById(id));
  const show = (id, is_shown = true) => (document.getElementById(id).hidden = !is_shown);
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return;
  show("push-impossible", false);
  await navigator.serviceWorker.register(`/service-worker.js?lang=${document.documentElement.lang}`);
  const { pushManager } = await navigator.serviceWorker.ready;
  const current = await pushManager.getSubscription();
  const is_told = current && JSON.parse(part.dataset.endpoints).includes(current.endpoint);
  const fill = (form, subscription) => {
    const { endpoint, keys } = subscription.toJSON();
    const { endpoint: address, public_key, secret } = form.elements;
    [address.value, public_key.value, secret.value] = [endpoint, keys.p256dh, keys.auth];
    return form;
  };
  const send = (form, subscription) => fill(form, subscription).submit();
  // The session in which it was added may have ended by its age: a log-out from this one ends it too.
  if (is_told) {
    const body = new URLSearchParams(new FormData(fill(add, current)));
    fetch(add.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
  }
  show("push-refused", Notification.permission === "denied");
  show(is_told ? "push-remove" : "push-add");
  add.addEventListener("submit", async (event) => {
    event.preventDefault();
    if ((await Notification.requestPermission()) !== "granted") return show("push-refused");
    try {
      // Of a key that is not used any more, or of somebody else who was logged in here.
      await current?.unsubscribe();
      const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: part.dataset.key });
      localStorage.setItem("dormwatt-push", document.querySelector('meta[name="person"]').content);
      send(add, made);
    } catch {
      show("push-failed");
    }
  });
  remove.addEventListener("submit", async (event) => {
    event.preventDefault();
    await current.unsubscribe().catch(() => {});
    send(remove, current);
  });
})().catch(() => (document.getElementById("push-failed").hidden = false));
