// Keeps the verifier's page usable without a network: page, scripts, letters, keys, status list. Nothing else is stored.
// VERSION is the hash of the files below; tests/browser/test_static_pages.py says its right value.
const VERSION = "82a477219d804818";
const CACHE = `avarez-verify-${VERSION}`;
const PAGE = "/v";
const KEPT = ["/.well-known/jwks.json", "/.well-known/avarez/status", "/.well-known/avarez/log/key"];
const FILES = [
  "/verify/app.js", "/verify/cbor.js", "/verify/cose.js", "/verify/keys.js", "/verify/link.js", "/verify/log.js",
  "/verify/payload.js",
  "/verify/status.js", "/verify/verification.js", "/verify/words.js", "/verify/verify.css", "/verify/app.webmanifest",
  "/verify/shown/camera.js", "/verify/shown/document.js", "/verify/shown/inputs.js",
  "/vendor/qr/decode.js", "/vendor/qr/index.js",
  "/common/base.css", "/common/dom.js", "/common/plate.js", "/common/text.js", "/common/icon.svg", "/common/icon-192.png",
  "/fonts/Vazirmatn-Regular.woff2", "/fonts/Vazirmatn-Bold.woff2",
];

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll([PAGE, ...FILES].map((path) => new Request(path, { cache: "no-cache" })));
    await Promise.all(KEPT.map((path) => cache.add(new Request(path, { cache: "no-cache" })).catch(() => undefined)));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("avarez-verify-") && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate") {
    if (/^\/v(\/[^/]*)?$/.test(url.pathname)) event.respondWith(stored(PAGE, event.request));
  } else if (FILES.includes(url.pathname)) event.respondWith(stored(url.pathname, event.request));
  else if (KEPT.includes(url.pathname)) event.respondWith(fresh(url.pathname, event.request));
});

async function stored(path, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) ?? fetch(request);
}

// An installed app may be woken now and then, so that what it keeps is fresh when the network goes.
self.addEventListener("periodicsync", (event) => {
  event.waitUntil(Promise.all(KEPT.map((path) => fresh(path, new Request(path, { cache: "no-cache" })).catch(() => undefined))));
});

/** What the network says, else what it said last. */
async function fresh(path, request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(path, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(path);
    if (kept) return kept;
    throw error;
  }
}
