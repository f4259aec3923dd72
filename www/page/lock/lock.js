// @ts-check
// The network lock: a second content policy that leaves the page and its workers no connection, and
// a count of what gets out in spite of it.
//
// Policies only add up, so nothing that runs later can take it back. Workers that start from `blob:`
// addresses afterwards are under it as well.

/** @import { Seen } from "../../shared/requests.js" */

import { watchRequests } from "../../shared/requests.js";
import { takeUnneeded } from "./unneeded.js";

/** Code and pictures from memory only; everything else, the page's own server included, is off. */
const POLICY =
  "default-src 'none'; script-src blob: 'wasm-unsafe-eval'; worker-src blob:; img-src blob: data:; " +
  "base-uri 'none'; form-action 'none'";

/** By this name the workers of this page find the page. */
export const PAGE_NAME = `gramerge ${crypto.randomUUID?.() ?? Math.random()}`;

/** The outer page's sandbox is around this one. */
export const isFramed = parent !== window;

/**
 * Closes the network, and reports how many requests were made since.
 * @param {(nRequests: number) => void} onChange
 */
export function lockNetwork(onChange) {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = POLICY;
  document.head.append(policy);
  window.navigation?.addEventListener("navigate", stopLeaving);
  takeUnneeded(window);

  const requests = new Requests();
  /** @param {Seen} seen */
  const note = (seen) => {
    requests.note(seen);
    onChange(requests.count);
  };
  watchRequests(note, performance.now());
  new BroadcastChannel(PAGE_NAME).onmessage = ({ data }) => note(data);
  onChange(0);
}

/** Nothing on this page leads to another; the browser's own buttons do. @param {NavigateEvent} event */
function stopLeaving(event) {
  const { url, sameDocument } = event.destination;
  const isSaving = event.downloadRequest !== null && url.startsWith("blob:");
  if (event.cancelable && !sameDocument && !isSaving) event.preventDefault();
}

/**
 * The browser lists some of the requests that it stopped, before or after it says so; those did not
 * get out. Of a stopped frame it tells the origin only.
 */
class Requests {
  /** @type {string[]} */ #listed = [];
  /** @type {Set<string>} */ #stopped = new Set();

  /** @param {Seen} seen */
  note({ url, isStopped }) {
    if (isStopped) this.#stopped.add(url);
    else this.#listed.push(url);
  }

  get count() {
    const got = (/** @type {string} */ url) =>
      !this.#stopped.has(url) && !this.#stopped.has(new URL(url).origin);
    return this.#listed.filter(got).length;
  }
}
