// @ts-check
/** What measurements by the page itself share: of other software, and of several workers together. */

const WARM_UP_MILLIS = 400;
const [MIN_RUNS, MAX_RUNS] = [3, 200];

/**
 * Runs `once` until the time is over, by the rules of `worker.js`; answers with every run's seconds.
 * @param {() => Promise<void>} once
 * @param {number} millis
 */
export async function timedRuns(once, millis) {
  const warm = performance.now() + WARM_UP_MILLIS;
  do await once();
  while (performance.now() < warm);
  const seconds = [];
  const end = performance.now() + millis;
  while (seconds.length < MAX_RUNS && (seconds.length < MIN_RUNS || performance.now() < end)) {
    const start = performance.now();
    await once();
    seconds.push((performance.now() - start) / 1e3);
  }
  return seconds;
}

/** Uniform in [−1, 1). @param {number} count */
export const uniform = (count) =>
  Float32Array.from({ length: count }, () => 2 * Math.random() - 1);
