// BUILD and FILES stand above: the server writes what its pages link to, so each build has a worker of its own. Pages always come
// from the network; without one there is a page that says so. Files whose names hold a hash of their content are kept.
const CACHE = `dormwatt-${BUILD}`;
const OFFLINE = "/offline";
const PAGES = /^\/($|(home|usage|topup|orders|switch|records|me|help)($|\/))/;
const lang = new URL(location).searchParams.get("lang") ?? "zh-CN";

const install = async () => {
  const cache = await caches.open(CACHE);
  // Nobody's: without the cookies of whoever is logged in.
  const page = await fetch(OFFLINE, { credentials: "omit", cache: "no-store", headers: { "accept-language": lang, accept: "text/html" } });
  if (!page.ok) throw new Error(`${OFFLINE}: ${page.status}`);
  await cache.put(OFFLINE, page);
  await cache.addAll(FILES);
  await skipWaiting();
};

const activate = async () => {
  const old = (await caches.keys()).filter((name) => name.startsWith("dormwatt-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await clients.claim();
};

const offline = async () => (await caches.match(OFFLINE)) ?? Response.error();

const file = async (request) => {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const found = await fetch(request);
  if (found.status === 200) await cache.put(request, found.clone());
  return found;
};

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && PAGES.test(pathname)) event.respondWith(fetch(request).catch(offline));
  else if (pathname.startsWith("/pkg/")) event.respondWith(file(request));
});

// A message: what it says, and where a tap leads. The same one again replaces itself.
addEventListener("push", (event) => {
  let message;
  try {
    message = event.data.json();
  } catch {
    return;
  }
  const { title, body, tag, page, language } = message;
  event.waitUntil(
    registration.showNotification(title, { body, tag, lang: language, icon: "/icon-192.png", badge: "/icon-192.png", data: { page } }),
  );
});
addEventListener("notificationclick", (event) => {
  const { notification } = event;
  const { page } = notification.data ?? {};
  notification.close();
  event.waitUntil(clients.openWindow(/^\/[a-z]/.test(page) ? page : "/"));
});
