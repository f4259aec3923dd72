// @ts-check
// Keeps a copy of the page in the browser, so that it opens without a network, and offers a newer
// one when the browser has found it. A version in use is never replaced: the new one waits until
// the user asks for it.

import { SERVICE_WORKER, trusted } from "../worker/trusted.js";
import { byId } from "./dom.js";
import { reload } from "./outer.js";

/**
 * Resolves when the copy is complete, or cannot be had here. To be called while there is a network.
 */
export async function keepOffline() {
  if (!navigator.serviceWorker) return;
  try {
    const options = /** @type {const} */ ({ type: "module", updateViaCache: "none" });
    const registration = await navigator.serviceWorker.register(trusted(SERVICE_WORKER), options);
    offerUpdates(registration);
    if (!registration.active && registration.installing) await installed(registration.installing);
  } catch {
    // Private windows and plain http allow no copy; the page works without.
  }
}

/** @param {ServiceWorker} worker @returns {Promise<void>} */
function installed(worker) {
  return new Promise((resolve) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated" || worker.state === "redundant") resolve();
    });
  });
}

/** @param {ServiceWorkerRegistration} registration */
function offerUpdates(registration) {
  // The very first version waits too, for a moment; it is newer than none.
  const offer = () => {
    if (registration.waiting && registration.active) byId("update", HTMLElement).hidden = false;
  };
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", offer);
  });
  byId("update-now", HTMLButtonElement).addEventListener("click", () => {
    if (!registration.waiting) return reload(); // another tab has put it in place
    navigator.serviceWorker.addEventListener("controllerchange", reload);
    registration.waiting.postMessage("take over");
  });
  offer();
}
