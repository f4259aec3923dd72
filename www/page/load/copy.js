// @ts-check
// The service worker, as the outer page knows it: keeps a copy of the page in the browser, so that
// it opens without a network, and gives the page headers, which a plain host does not. A version in
// use is never replaced: a newer one waits until the user asks for it.
//
// Holds the only references to the service worker; the app gets none.

import { SERVICE_WORKER, trusted } from "../../shared/trusted.js";

/** A service worker starts in milliseconds, unless something is wrong with it. */
const PATIENCE_MILLIS = 5000;

/** Absent where there is no secure connection. @type {ServiceWorkerContainer | undefined} */
const container = navigator.serviceWorker;

/** None in private windows, and where there is no server any more. */
const registered = register().catch(() => undefined);

async function register() {
  const options = /** @type {const} */ ({ type: "module", updateViaCache: "none" });
  return container?.register(trusted(SERVICE_WORKER), options);
}

/**
 * Whether this document came from the service worker, or cannot: to be loaded again otherwise,
 * which only the very first visit needs.
 */
export async function underHeaders() {
  if (!container || container.controller) return true;
  const [visit] = performance.getEntriesByType("navigation");
  if (/** @type {PerformanceNavigationTiming} */ (visit)?.type === "reload") return true;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MILLIS));
  const started = registered.then((registration) => registration && container.ready);
  return !(await Promise.race([started, late]));
}

/** Resolves when the copy is complete, or cannot be had here. To be called while there is a network. */
export async function keepCopy() {
  const active = (await registered)?.active;
  if (!active) return;
  const { port1, port2 } = new MessageChannel();
  const answered = new Promise((resolve) => {
    port1.onmessage = resolve;
  });
  active.postMessage("keep", [port2]);
  await answered;
}

/** @param {() => void} tell called when a newer version waits */
export async function whenNewer(tell) {
  const registration = await registered;
  if (!registration) return;
  // The very first version waits too, for a moment; it is newer than none.
  const look = () => {
    if (registration.waiting && registration.active) tell();
  };
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", look);
  });
  look();
}

/** @param {() => void} reload called when the newer version answers */
export async function putNewerInPlace(reload) {
  const waiting = (await registered)?.waiting;
  if (!waiting) return reload(); // another tab has put it in place
  container?.addEventListener("controllerchange", reload);
  waiting.postMessage("take over");
}
