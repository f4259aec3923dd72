// @ts-check
/**
 * Runs the jobs of one merge on a pool of computing workers, one engine each.
 *
 * Jobs come the most expensive first. A worker that dies (a trap, out of memory) is replaced once
 * and its job is run again; its pieces are simply written again at the same place.
 */

/**
 * @typedef {object} Work
 * @property {number} nJobs
 * @property {number} nWorkers
 * @property {object} setUp the `begin` message of every worker
 * @property {(index: number) => string} describe names a job's tensor
 * @property {(offsetBytes: number, bytes: Uint8Array) => void} write
 * @property {(index: number, outcome: unknown) => void} finished
 */

/**
 * Resolves when every job has finished; rejects with a `failed` message.
 * @param {Work} work
 * @returns {Promise<void>}
 */
export function runJobs(work) {
  return new Promise((resolve, reject) => {
    /** @type {Set<Worker>} */
    const workers = new Set();
    const queue = Array.from({ length: work.nJobs }, (_, index) => index);
    const retried = new Set();
    let remaining = work.nJobs;

    /** @param {() => void} settle */
    const stop = (settle) => {
      workers.forEach((worker) => worker.terminate());
      workers.clear();
      settle();
    };

    const start = () => {
      const worker = new Worker(new URL("compute.js", import.meta.url), { type: "module" });
      workers.add(worker);
      /** @type {number | undefined} */
      let current;

      const next = () => {
        current = queue.shift();
        if (current !== undefined) worker.postMessage({ type: "job", index: current });
      };
      /** @param {string} why */
      const died = (why) => {
        if (!workers.delete(worker)) return;
        worker.terminate();
        const job = current ?? queue[0] ?? 0;
        if (retried.has(job)) return stop(() => reject(deathOf(work.describe(job), why)));
        retried.add(job);
        if (current !== undefined) queue.unshift(current);
        start();
      };

      worker.onmessage = ({ data }) => {
        switch (data.type) {
          case "ready":
            return next();
          case "piece":
            return worker.postMessage({ type: "written", failure: attempt(work, data) });
          case "outcome":
            work.finished(data.index, data.outcome);
            remaining -= 1;
            return remaining === 0 ? stop(resolve) : next();
          case "failed":
            if (data.failure.trap === undefined) return stop(() => reject(data.failure));
            return died(data.failure.trap);
        }
      };
      worker.onerror = (event) => {
        event.preventDefault();
        died(event.message || "it could not start");
      };
      worker.postMessage({ type: "begin", ...work.setUp });
    };

    if (remaining === 0) return resolve();
    for (let count = 0; count < Math.min(work.nWorkers, work.nJobs); count++) start();
  });
}

/**
 * Writes a piece; answers with what went wrong, if anything.
 * @param {Work} work
 * @param {{offsetBytes: number, bytes: Uint8Array}} piece
 */
function attempt(work, { offsetBytes, bytes }) {
  try {
    work.write(offsetBytes, bytes);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * @param {string} tensor
 * @param {string} why
 */
function deathOf(tensor, why) {
  const what = `a worker stopped twice while it computed this tensor (${why})`;
  const advice = "close other tabs to free memory, use fewer workers, or use the command line";
  const error = { kind: "device", what, file: null, tensor, advice };
  return { type: "failed", error, message: `tensor \`${tensor}\`: ${what}; ${advice}` };
}
