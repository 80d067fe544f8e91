// The page without a network: its own files from the cache, the page itself from the network first. What people write is
// never kept here: nothing under /v1 is touched. A new version waits until the pages of the old one are closed, so that
// a running conversation keeps the files it was begun with.
const CACHE = "si-shell-__VERSION__";
const SHELL = __SHELL__;
/** How long a navigation may wait before the kept page is shown, milliseconds. */
const PATIENCE_MS = 4_000;
const NOT_OURS = /^\/(v1|admin|ofrep|api|twin|safety|voice)(\/|$)/;

self.addEventListener("install", (event) => event.waitUntil(
  caches.open(CACHE).then((cache) => cache.addAll(SHELL.map((path) => new Request(path, { cache: path.startsWith("/assets/") ? "default" : "reload" })))),
));

self.addEventListener("activate", (event) => event.waitUntil(
  caches.keys().then((names) => Promise.all(names.filter((name) => name.startsWith("si-shell-") && name !== CACHE).map((name) => caches.delete(name)))),
));

// The files of the language in use, which the page tells.
self.addEventListener("message", (event) => {
  const paths = Array.isArray(event.data?.keep) ? event.data.keep.filter((path) => typeof path === "string" && path.startsWith("/assets/")) : [];
  event.waitUntil(caches.open(CACHE).then((cache) => Promise.all(paths.map(async (path) => { if (!await cache.match(path)) await cache.add(path); }))).catch(() => {}));
});

async function cacheFirst(request) {
  const found = await caches.match(request);
  if (found) return found;
  const response = await fetch(request);
  // A missing file is answered with the page: that is no file to keep.
  if (response.ok && !response.headers.get("content-type")?.startsWith("text/html")) (await caches.open(CACHE)).put(request, response.clone());
  return response;
}

async function networkFirst(request) {
  const kept = await caches.match("/");
  const fresh = fetch(request);
  if (!kept) return fresh;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, kept));
  return Promise.race([fresh, late]).catch(() => kept);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || NOT_OURS.test(url.pathname)) return;
  if (request.mode === "navigate") event.respondWith(networkFirst(request));
  else if (url.pathname.startsWith("/assets/") || SHELL.includes(url.pathname)) event.respondWith(cacheFirst(request));
});
