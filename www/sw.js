// @ts-check
// The service worker: keeps one whole build of the page and answers with it, network or not.
//
// A build is kept as one unit, every file checked against its digest, or not at all; and checked
// again whenever it answers, since scripts of the page can write to what is kept. A newer build is
// fetched beside the one in use and waits; only the user's click puts it in place. The messages that
// it understands carry no data, and it sends nothing but requests for the files of its own list.
//
// Documents get headers from it that a plain host does not send: they close what no `<meta>` element
// can.

import { BUILD, FILES } from "./build.js";
import { usableBuilds } from "./page/load/builds.js";
import { HEADER } from "./page/lock/permissions.js";

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const PREFIX = `gramerge ${worker.registration.scope} `;
const NAME = PREFIX + BUILD;
const LIST = "build.js";
const SCOPE = new URL(worker.registration.scope);

/** @type {Record<string, string>} */
const TYPES = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  wasm: "application/wasm",
  json: "application/json",
  webmanifest: "application/manifest+json",
  svg: "image/svg+xml",
  png: "image/png",
};

/** The scope as a URL pattern inside a structured header: what a pattern could read is escaped. */
const INSIDE = SCOPE.origin + SCOPE.pathname.replace(/[^\w\-.~%/]/g, "\\\\$&");

/** For documents. No name is looked up, no connection made and no place visited but this page's. */
const DOCUMENT = {
  "connection-allowlist": `("${INSIDE}*")`,
  "permissions-policy": HEADER,
};
/** The outer page saves files; nothing of it opens windows. */
const OUTER = "sandbox allow-scripts allow-same-origin allow-modals allow-downloads";

worker.addEventListener("install", (event) => {
  // The first version of all only sees to headers, so that a first visit need not wait for it.
  if (worker.registration.active) event.waitUntil(keepAll());
});
worker.addEventListener("activate", (event) => event.waitUntil(takeOver()));
worker.addEventListener("message", (event) => {
  if (event.data === "take over") worker.skipWaiting();
  if (event.data === "keep") event.waitUntil(keep(event.ports[0]));
});
worker.addEventListener("fetch", (event) => {
  const path = pathOf(event.request);
  if (path !== null) event.respondWith(answer(path, event.request));
});

/** Answers when everything is kept, or cannot be. @param {MessagePort | undefined} port */
async function keep(port) {
  const cache = await caches.open(NAME);
  if (!(await cache.match(LIST))) await keepAll().catch(() => {});
  port?.postMessage("done");
}

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
        .map(async (path) => cache.put(path, new Response(await fetched(path)))),
    );
    await cache.put(LIST, new Response(list()));
  } catch (error) {
    await caches.delete(NAME);
    throw error;
  }
}

/** The list itself is in no list; it is written from what this worker was started with. */
function list() {
  return `export const BUILD = ${JSON.stringify(BUILD)};
export const FILES = ${JSON.stringify(FILES)};
`;
}

/** A file of this build, from the network. @param {string} path */
async function fetched(path) {
  const integrity = FILES[path] ?? "";
  // What the page has just loaded need not be loaded again, unless it is of another build.
  const response = await fetch(path, { integrity }).catch(() =>
    fetch(path, { integrity, cache: "reload" }),
  );
  if (!response.ok) throw new Error(`${response.status} for ${path}`);
  return response.arrayBuffer();
}

/** A file of this build, if it is kept and is what it was. @param {string} path */
async function kept(path) {
  const response = await caches.match(path, { cacheName: NAME });
  if (!response) return undefined;
  const bytes = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const stated = `sha256-${btoa(String.fromCharCode(...digest))}`;
  return stated === FILES[path] ? bytes : undefined;
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

/**
 * What is kept and whole; else what the server has, of whatever build, as on a first visit.
 * @param {string} path
 * @param {Request} request
 */
async function answer(path, request) {
  const headers = headersOf(path);
  if (path === LIST && (await caches.match(LIST, { cacheName: NAME })))
    return new Response(list(), { headers });
  const bytes = path === LIST ? undefined : await kept(path);
  if (bytes) return new Response(bytes, { headers });
  const response = await fetch(path, { integrity: request.integrity, cache: request.cache });
  const { status } = response;
  return response.ok ? new Response(await response.arrayBuffer(), { headers, status }) : response;
}

/** @param {string} path */
function headersOf(path) {
  const type = TYPES[path.split(".").pop() ?? ""] ?? "application/octet-stream";
  const plain = { "content-type": type, "x-content-type-options": "nosniff" };
  if (!path.endsWith(".html")) return plain;
  const isOuter = path === "index.html";
  return { ...plain, ...DOCUMENT, ...(isOuter && { "content-security-policy": OUTER }) };
}
