// @ts-check
/**
 * One layer on several workers together. As the product's coordinating worker does, and by its own
 * module, the page carries the factor to the helpers and their rows to the leader.
 */

import { createShares } from "../page/worker/shares.js";
import { timedRuns } from "../peers/runs.js";

/** The only job. */
const INDEX = 0;

/**
 * Runs for so long, on workers of its own; the clock runs until every one is done.
 * @param {{kernels: string, module: WebAssembly.Module, name: string, workers: number, millis: number}} request
 */
export async function measure({ workers: count, millis, ...layer }) {
  const start = () => new Worker("shared/worker.js", { type: "module" });
  const workers = Array.from({ length: count }, start);
  try {
    const nHelpers = count - 1;
    const begun = workers.map((worker, place) => begin(worker, { ...layer, place, nHelpers }));
    const [ready] = await Promise.all(begun);
    let work = "";
    const seconds = await timedRuns(async () => void (work = await solve(workers)), millis);
    return { seconds, work: JSON.parse(work), kernels: ready.kernels };
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

/** Resolves when it holds its inputs. @param {Worker} worker @param {object} layer @returns {Promise<any>} */
function begin(worker, layer) {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.type === "ready" ? resolve(data) : reject(data.why));
    worker.onerror = (event) => reject(event.message || "a worker did not start");
    worker.postMessage({ ...layer, type: "begin" });
  });
}

/** One run. @param {Worker[]} workers the leader first @returns {Promise<string>} what it did */
function solve(workers) {
  return new Promise((resolve, reject) => {
    const nHelpers = workers.length - 1;
    const shares = createShares([nHelpers]);
    let remaining = workers.length;
    let done = "";
    const ended = () => (--remaining === 0 ? resolve(done) : undefined);

    /** @type {Record<string, (data: any, worker: Worker) => void>} */
    const handlers = {
      factor: ({ factor }) => shares.publish(INDEX, factor),
      collect: (_, worker) => shares.collect(INDEX, worker),
      rows({ place, rows }) {
        if (rows.length === 0) return reject("a helper had nothing to do");
        shares.add(INDEX, place, rows);
        ended();
      },
      outcome({ work }) {
        shares.finish(INDEX);
        done = work;
        ended();
      },
      failed: ({ why }) => reject(why),
    };
    workers.forEach((worker, place) => {
      worker.onmessage = ({ data }) => handlers[data.type](data, worker);
      worker.onerror = (event) => reject(event.message);
      worker.postMessage({ type: "task" });
      if (place > 0) shares.await(INDEX, worker);
    });
  });
}
