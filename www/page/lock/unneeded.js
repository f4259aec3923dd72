// @ts-check
// Takes from a window what this page needs no more and no policy governs.
//
// Whoever makes a fresh window, by an empty frame, finds all of it there again: this stops mistakes
// and code that does not know this page, and SECURITY.md says so.

/** Owners of what goes, as paths from the window, and its names. @type {[string, string[]][]} */
const UNNEEDED = [
  ["", ["RTCPeerConnection", "webkitRTCPeerConnection", "cookieStore"]],
  ["Document", ["cookie"]],
  ["HTMLDocument", ["cookie"]],
  ["Navigator", ["serviceWorker", "credentials", "registerProtocolHandler", "share"]],
  ["ServiceWorkerRegistration", ["update", "unregister"]],
  ["ServiceWorkerContainer", ["register", "getRegistration", "getRegistrations", "ready"]],
];

/** @param {Window} view */
export function takeUnneeded(view) {
  for (const [owner, names] of UNNEEDED) {
    const whole = /** @type {any} */ (view);
    const target = owner === "" ? whole : whole[owner]?.prototype;
    for (const name of names)
      if (target && name in target)
        Object.defineProperty(target, name, { value: undefined, configurable: false });
  }
}
