// @ts-check
/**
 * One attempt to send a byte, in the page or in a worker, and the evidence that it was stopped.
 *
 * Only what the browser itself says counts: an event that names the address, or a refusal. An
 * attempt without either was not stopped.
 */

/** A request that is answered by nobody. */
const PATIENCE_MILLIS = 2000;
/** The browser may say what it stopped after the attempt has failed. */
const GRACE_MILLIS = 400;

/**
 * @typedef {object} Route
 * @property {string} name
 * @property {(url: string) => unknown} send may wait; answers what stopped it, if it can tell
 */

/**
 * @typedef {object} Result
 * @property {string} name
 * @property {string} from
 * @property {string | undefined} stoppedBy
 */

/**
 * Tries the routes one after the other, each with an address of its own.
 * @param {Route[]} routes
 * @param {string} from where this runs, in words
 * @param {string} base
 * @param {(result: Result) => void} onResult
 */
export async function tryRoutes(routes, from, base, onResult) {
  for (const [index, { name, send }] of routes.entries()) {
    const url = new URL(`leak?byte=1&from=${encodeURIComponent(from)}&route=${index}`, base);
    onResult({ name, from, stoppedBy: await attempt(url.href, send) });
  }
}

/** @param {string} url @param {(url: string) => unknown} send @returns {Promise<string | undefined>} */
async function attempt(url, send) {
  const listening = new AbortController();
  /** @type {Promise<string>} */
  const stopped = new Promise((resolve) => {
    const hear = (/** @type {Event} */ event) => {
      const { blockedURI, effectiveDirective } = /** @type {SecurityPolicyViolationEvent} */ (
        event
      );
      if (sameAddress(blockedURI, url)) resolve(effectiveDirective);
    };
    addEventListener("securitypolicyviolation", hear, { signal: listening.signal });
  });
  const answer = (async () => send(url))().catch(refusal);
  const first = await Promise.race([stopped, answer, after(PATIENCE_MILLIS)]);
  const how =
    typeof first === "string" ? first : await Promise.race([stopped, after(GRACE_MILLIS)]);
  listening.abort();
  return how;
}

/** WebSocket addresses differ in their scheme. @param {string} a @param {string} b */
function sameAddress(a, b) {
  return a.replace(/^ws/, "http") === b;
}

/** Errors of the outer page are of its own kinds, so their names tell. @param {any} error */
function refusal(error) {
  if (error?.name === "SecurityError") return "sandbox";
  return /Trusted/.test(error?.message ?? "") ? "trusted types" : undefined;
}

/** @param {number} millis @returns {Promise<undefined>} */
function after(millis) {
  return new Promise((resolve) => setTimeout(resolve, millis, undefined));
}

/** Resolves when a request has an answer or has failed. @param {EventTarget} target */
export function settled(target) {
  return new Promise((resolve) => {
    for (const type of ["load", "error", "open", "close"])
      target.addEventListener(type, () => resolve(undefined), { once: true });
  });
}

/** What pages and workers have in common. @type {Route[]} */
export const COMMON_ROUTES = [
  { name: "fetch", send: (url) => fetch(url, { mode: "no-cors" }).then(() => undefined) },
  {
    name: "XMLHttpRequest",
    send(url) {
      const request = new XMLHttpRequest();
      request.open("POST", url);
      request.send("1");
      return settled(request);
    },
  },
  { name: "WebSocket", send: (url) => settled(new WebSocket(url.replace(/^http/, "ws"))) },
  { name: "EventSource", send: (url) => settled(new EventSource(url)) },
  { name: "Script import", send: (url) => import(url).then(() => undefined) },
  {
    name: "Cache storage",
    send: async (url) => (await caches.open("leak")).add(url).then(() => undefined),
  },
  { name: "Worker by address", send: (url) => settled(new Worker(url, { type: "module" })) },
];
