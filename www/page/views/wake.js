// @ts-check
// Keeps the screen, and with it the tab, awake while a merge runs.

/** @type {WakeLockSentinel | undefined} */
let held;
let isWanted = false;

async function ask() {
  if (!isWanted || held || document.hidden) return;
  try {
    held = await navigator.wakeLock.request("screen");
    held.addEventListener("release", () => (held = undefined));
    if (!isWanted) held.release();
  } catch {
    // A low battery or an old browser: the merge runs all the same.
  }
}

// A browser takes the lock away from a tab that is not seen.
document.addEventListener("visibilitychange", ask);

export function keepAwake() {
  isWanted = true;
  ask();
}

export function letSleep() {
  isWanted = false;
  held?.release();
}
