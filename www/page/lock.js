// @ts-check
// The network lock: a second content policy that leaves the page and its workers no connection, and
// a count of what gets out in spite of it.
//
// Policies only add up, so nothing that runs later can take it back. Workers that start from `blob:`
// addresses afterwards are under it as well.

/** @import { Seen } from "../worker/requests.js" */

import { watchRequests } from "../worker/requests.js";

/** Code and pictures from memory only; everything else, the page's own server included, is off. */
const POLICY =
  "default-src 'none'; script-src blob: 'wasm-unsafe-eval'; worker-src blob:; img-src blob: data:; " +
  "base-uri 'none'; form-action 'none'";

/** By this name the workers of this page find the page. */
export const PAGE_NAME = `gramerge ${crypto.randomUUID?.() ?? Math.random()}`;

/** The outer page's sandbox is around this one. */
export const isFramed = parent !== window;

/**
 * Closes the network and reports from then on.
 * @param {(counts: { requests: number, stopped: number }) => void} onChange
 */
export function lockNetwork(onChange) {
  const counts = new Counts();
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = POLICY;
  document.head.append(policy);
  const since = performance.now();
  window.navigation?.addEventListener("navigate", stopLeaving);

  /** @param {Seen} seen */
  const count = (seen) => {
    counts.add(seen);
    onChange(counts);
  };
  watchRequests((seen) => count(seen), since);
  new BroadcastChannel(PAGE_NAME).onmessage = ({ data }) => count(data);
  onChange(counts);
}

/** Nothing on this page leads to another. @param {NavigateEvent} event */
function stopLeaving(event) {
  const isSaving = event.downloadRequest !== null && event.destination.url.startsWith("blob:");
  const isReload = event.navigationType === "reload";
  if (event.cancelable && !isSaving && !isReload && !event.destination.sameDocument)
    event.preventDefault();
}

/**
 * The browser lists some of the requests that it stopped, before or after it says so; one that is
 * on both lists did not get out.
 */
class Counts {
  /** @type {Map<string, { listed: number, stopped: number }>} */ #byUrl = new Map();

  /** @param {Seen} seen */
  add({ url, stopped }) {
    const known = this.#byUrl.get(url) ?? { listed: 0, stopped: 0 };
    known[stopped ? "stopped" : "listed"] += 1;
    this.#byUrl.set(url, known);
  }

  get requests() {
    return this.#sum(({ listed, stopped }) => Math.max(0, listed - stopped));
  }

  get stopped() {
    return this.#sum(({ stopped }) => stopped);
  }

  /** @param {(counts: { listed: number, stopped: number }) => number} count */
  #sum(count) {
    return [...this.#byUrl.values()].reduce((sum, counts) => sum + count(counts), 0);
  }
}
