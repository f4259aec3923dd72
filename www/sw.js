// @ts-check
// The service worker: keeps one whole build of the page and answers with it, network or not.
//
// A build is kept as one unit, every file checked against its digest, or not at all. A newer build
// is fetched beside the one in use and waits; only the user's click puts it in place. The one
// message that it understands carries no data, and it sends nothing but requests for the files of
// its own list.

import { BUILD, FILES } from "./build.js";
import { usableBuilds } from "./page/builds.js";

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const PREFIX = `gramerge ${worker.registration.scope} `;
const NAME = PREFIX + BUILD;
const LIST = "build.js";
const SCOPE = new URL(worker.registration.scope);

worker.addEventListener("install", (event) => event.waitUntil(keepAll()));
worker.addEventListener("activate", (event) => event.waitUntil(takeOver()));
worker.addEventListener("message", ({ data }) => {
  if (data === "take over") worker.skipWaiting();
});
worker.addEventListener("fetch", (event) => {
  const path = pathOf(event.request);
  if (path !== null) event.respondWith(answer(path, event.request));
});

/** All files that this browser can use. */
async function keepAll() {
  const usable = await usableBuilds();
  const isUsable = (/** @type {string} */ path) =>
    !path.startsWith("pkg/") || usable.includes(path.split("/")[1] ?? "");
  const cache = await caches.open(NAME);
  try {
    await Promise.all(
      Object.keys(FILES)
        .filter(isUsable)
        .map((path) => keep(cache, path)),
    );
    await cache.put(LIST, list());
  } catch (error) {
    await caches.delete(NAME);
    throw error;
  }
}

/** The list itself is in no list; it is written from what this worker was started with. */
function list() {
  const text = `export const BUILD = ${JSON.stringify(BUILD)};
export const FILES = ${JSON.stringify(FILES)};
`;
  return new Response(text, { headers: { "content-type": "text/javascript" } });
}

/** @param {Cache} cache @param {string} path */
async function keep(cache, path) {
  const integrity = FILES[path] ?? "";
  // What the page has just loaded need not be loaded again, unless it is of another build.
  const response = await fetch(path, { integrity }).catch(() =>
    fetch(path, { integrity, cache: "reload" }),
  );
  if (!response.ok) throw new Error(`${response.status} for ${path}`);
  // A plain copy: a redirected answer could not stand in for a page.
  const type = response.headers.get("content-type") ?? "";
  const copy = new Response(await response.blob(), { headers: { "content-type": type } });
  await cache.put(path, copy);
}

async function takeOver() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== NAME);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** The file of this build that a request means, if any. @param {Request} request */
function pathOf(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" || !url.href.startsWith(SCOPE.href)) return null;
  const path = url.pathname.slice(SCOPE.pathname.length) || "index.html";
  return path === LIST || Object.hasOwn(FILES, path) ? path : null;
}

/** @param {string} path @param {Request} request */
async function answer(path, request) {
  const cache = await caches.open(NAME);
  return (await cache.match(path)) ?? fetch(request);
}
