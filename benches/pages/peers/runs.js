// @ts-check
/** The timing loop of the other software's workers, by the rules of `worker.js`. */

/**
 * Runs `once` until the time is over; answers with every run's seconds.
 * @param {() => Promise<void>} once
 * @param {number} millis
 */
globalThis.timedRuns = async (once, millis) => {
  const warm = performance.now() + 400;
  do await once();
  while (performance.now() < warm);
  const seconds = [];
  const end = performance.now() + millis;
  while (seconds.length < 200 && (seconds.length < 3 || performance.now() < end)) {
    const start = performance.now();
    await once();
    seconds.push((performance.now() - start) / 1e3);
  }
  return { seconds };
};

/** @param {number} count */
globalThis.uniform = (count) => Float32Array.from({ length: count }, () => 2 * Math.random() - 1);

/** @param {(request: any) => Promise<object>} measure */
globalThis.serve = (measure) => {
  self.addEventListener("message", async ({ data }) => {
    try {
      postMessage(await measure(data));
    } catch (error) {
      postMessage({ failure: String(error instanceof Error ? error.stack : error) });
    }
  });
};
