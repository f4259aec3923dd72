// @ts-check
/**
 * Counts network requests where it is imported: in the page and in every worker.
 *
 * The browser lists a request when it has ended, blocked ones too in part; for those that the
 * content policy stopped there is an event as well, by which they are told apart. WebRTC, and what
 * the browser does by itself, is in neither list.
 */

/**
 * What happened to one request.
 * @typedef {{ url: string, isStopped: boolean }} Seen
 */

const ON_THE_NET = /^(https?|wss?):/;

/**
 * Calls back for every request and every stopped attempt in this page or worker.
 * @param {(seen: Seen) => void} onSeen
 * @param {number} sinceMillis requests that began earlier do not count
 */
export function watchRequests(onSeen, sinceMillis) {
  addEventListener("securitypolicyviolation", (event) => {
    const { blockedURI } = /** @type {SecurityPolicyViolationEvent} */ (event);
    onSeen({ url: blockedURI, isStopped: true });
  });
  new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries())
      if (ON_THE_NET.test(name) && startTime >= sinceMillis)
        onSeen({ url: name, isStopped: false });
  }).observe({ type: "resource", buffered: true });
}

/** A worker tells its page: the channel has the worker's name, and the page knows it. */
export function reportRequests() {
  const channel = new BroadcastChannel(self.name);
  watchRequests((seen) => channel.postMessage(seen), 0);
}
