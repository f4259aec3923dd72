// @ts-check
/**
 * The one place that makes addresses of scripts to run: under trusted types, a worker or service
 * worker starts from no other. Known to page and workers alike.
 */

/** The service worker, beside the page. */
export const SERVICE_WORKER = "sw.js";

const policy = globalThis.trustedTypes?.createPolicy("gramerge", { createScriptURL: onlyOurs });

/** Code that this page holds in memory, or the service worker. @param {string} url */
function onlyOurs(url) {
  if (url.startsWith("blob:") || url === SERVICE_WORKER) return url;
  throw new TypeError(`"${url}" is not a script of this page`);
}

/**
 * @param {string} url
 * @returns {string} as far as callers can tell: a `TrustedScriptURL` where browsers demand one
 */
export function trusted(url) {
  return policy ? /** @type {any} */ (policy.createScriptURL(url)) : url;
}

/**
 * A module worker from code in memory, which is under this document's content policy. Workers of
 * one page share its name, by which they find their common channel.
 * @param {string} url
 * @param {string} name
 */
export function startWorker(url, name) {
  return new Worker(trusted(url), { type: "module", name });
}
