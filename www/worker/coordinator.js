// @ts-check
/**
 * The worker that the page talks to: reads headers, plans, hands out jobs, holds the output.
 *
 * One request is answered after the other. To cancel, the page terminates this worker; its
 * computing workers end with it, and what it has written is removed by the next one.
 */

import { wantsCard } from "./card.js";
import { bestKernels, loadEngine } from "./kernels.js";
import { createOutput } from "./output.js";
import { runJobs } from "./pool.js";

const kernels = bestKernels();
const loading = loadEngine(kernels);

/** The files of the last `inspect`. @type {{files: File[], paths: string[]}} */
let inputs = { files: [], paths: [] };
/** The last merge. @type {File | undefined} */
let merged;
/** Requests wait for those before them. */
let queue = Promise.resolve();

onmessage = ({ data }) => {
  queue = queue.then(() => answer(data));
};

/** @param {{id: number, request: any, files?: File[]}} message */
async function answer({ id, request, files }) {
  /** @param {any} response @param {File} [file] */
  const reply = (response, file) => postMessage({ id, response, file });
  try {
    const { engine, module } = await loading;
    switch (request.type) {
      case "inspect":
        inputs = { files: files ?? [], paths: request.paths };
        return reply(await engine.handle(request, inputs.files));
      case "merge":
        return reply(await merge(engine, module, request, reply), merged);
      case "evaluate":
        return reply(await engine.handle(request, merged ? [merged] : []));
      default:
        return reply(await engine.handle(request, []));
    }
  } catch (error) {
    reply(asFailed(error));
  }
}

/**
 * @param {any} engine
 * @param {WebAssembly.Module} module
 * @param {any} request
 * @param {(response: any) => void} reply
 */
async function merge(engine, module, request, reply) {
  const start = performance.now();
  merged = undefined;
  const opening = engine.begin(request);
  const output = await createOutput(opening.total_bytes);
  let writtenBytes = 0;
  /** @param {number} offsetBytes @param {Uint8Array} bytes */
  const write = (offsetBytes, bytes) => {
    output.write(offsetBytes, bytes);
    writtenBytes += bytes.length;
  };
  try {
    write(0, engine.header_bytes());
    const card = opening.solves.length > 0 && (await wantsCard(request.options.device));
    await runJobs({
      // A layer on the card is nobody else's.
      nHelpers: card ? opening.n_helpers.map(() => 0) : opening.n_helpers,
      card: card
        ? { jobs: opening.solves, setUp: { kernels: "gpu", ...inputs, request } }
        : undefined,
      nWorkers: opening.n_workers,
      setUp: { kernels, module, ...inputs, request },
      explain: (index, { why, refusedBytes }) => engine.worker_died(index, why, refusedBytes),
      write,
      finished: (index, outcome) => reply(engine.finish_job(index, outcome, writtenBytes)),
    });
    merged = await output.finish();
  } catch (error) {
    await output.discard();
    throw error;
  }
  return engine.finish(performance.now() - start, opening.n_workers);
}

/** @param {any} error */
function asFailed(error) {
  if (error?.type === "failed") return error;
  const what = String(error?.message ?? error);
  return {
    type: "failed",
    error: { kind: "device", what, file: null, tensor: null, advice: null },
    message: what,
  };
}
