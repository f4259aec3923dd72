// @ts-check
/**
 * A computing worker: opens the same files and makes the same plan as its coordinator, then runs
 * the jobs that it is given, one at a time. Output goes back in pieces, each acknowledged before
 * the next is made.
 */

import { loadEngine } from "./kernels.js";

/** @type {any} */
let engine;
/** Resolves when the coordinator has written a piece. @type {((failure?: string) => void) | undefined} */
let acknowledge;

/** @type {Record<string, (message: any) => Promise<void> | void>} */
const handlers = {
  async begin({ kernels, module, files, paths, request }) {
    ({ engine } = await loadEngine(kernels, module));
    const inspected = await engine.handle({ type: "inspect", paths }, files);
    if (inspected.type === "failed") throw inspected;
    engine.begin(request);
    postMessage({ type: "ready" });
  },
  async job({ index }) {
    const outcome = await engine.run_job(index, send);
    postMessage({ type: "outcome", index, outcome });
  },
  written({ failure }) {
    acknowledge?.(failure);
  },
};

/**
 * Sends a piece, and waits until it is written.
 * @param {number} offsetBytes
 * @param {Uint8Array} bytes
 */
function send(offsetBytes, bytes) {
  return new Promise((resolve, reject) => {
    acknowledge = (failure) => (failure === undefined ? resolve(undefined) : reject(failure));
    postMessage({ type: "piece", offsetBytes, bytes }, [bytes.buffer]);
  });
}

onmessage = async ({ data }) => {
  try {
    await handlers[data.type](data);
  } catch (error) {
    postMessage({ type: "failed", failure: asFailure(error) });
  }
};

/** An engine's refusal as it is; anything else is a trap. @param {any} error */
function asFailure(error) {
  return error?.type === "failed" ? error : { trap: String(error?.message ?? error) };
}
