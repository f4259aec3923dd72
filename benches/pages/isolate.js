// @ts-check
/**
 * A service worker that adds the two headers which isolate a page, so that other software may use
 * threads: the server sends none, and gramerge needs none.
 */

self.addEventListener("fetch", (/** @type {any} */ event) => event.respondWith(isolated(event.request)));

/** @param {Request} request */
async function isolated(request) {
  const { body, status, statusText, headers: sent } = await fetch(request);
  const headers = new Headers(sent);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(body, { status, statusText, headers });
}
