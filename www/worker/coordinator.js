// @ts-check
/**
 * The worker that the page talks to: reads headers, plans, hands out jobs, holds the output.
 *
 * The first message brings all code that it and its computing workers run; it can load none, since
 * the network is locked by the time it starts.
 *
 * One request is answered after the other. A merge can be cancelled between any two messages; what
 * it has written is removed before the answer. If the tab ends instead, it can be gone on with.
 */

import { makeEngine } from "./kernels.js";
import { createOutput } from "./output.js";
import { runJobs } from "./pool.js";
import { reportRequests } from "./requests.js";

/** @import { Build } from "./kernels.js" */

/**
 * What the first message holds.
 * @typedef {object} Parts
 * @property {[Build, ...Build[]]} builds of the engine: the processor's, perhaps the card's
 * @property {string} compute `blob:` address of `compute.js`
 * @property {string} identity of the whole page's build
 */

reportRequests();

/** @type {Parts} */
let parts;
/** @type {Promise<any>} */
let loading;

/** The files of the last `inspect`. @type {{files: File[], paths: string[]}} */
let inputs = { files: [], paths: [] };
/** The last merge. @type {File | undefined} */
let merged;
/** Cancels the merge that runs. @type {AbortController | undefined} */
let running;
/** Requests wait for those before them. */
let queue = Promise.resolve();

onmessage = ({ data }) => {
  parts = data;
  loading = makeEngine(parts.builds[0]);
  onmessage = ({ data }) => {
    if (data.cancel) return running?.abort();
    queue = queue.then(() => answer(data));
  };
};

/** @param {{id: number, request: any, files?: File[]}} message */
async function answer({ id, request, files }) {
  /** @param {any} response @param {File} [file] */
  const reply = (response, file) => postMessage({ id, response, file });
  try {
    const { engine } = await loading;
    switch (request.type) {
      case "inspect":
        inputs = { files: files ?? [], paths: request.paths };
        return reply(await engine.handle(request, inputs.files));
      case "merge":
        return reply(await merge(engine, request, reply), merged);
      case "digest":
      case "evaluate":
        return reply(await engine.handle(request, merged ? [merged] : []));
      default:
        return reply(await engine.handle(request, []));
    }
  } catch (error) {
    if (isCancelled(error)) return postMessage({ id, cancelled: true });
    reply(asFailed(error));
  }
}

/** @param {any} error */
const isCancelled = (error) => error instanceof DOMException && error.name === "AbortError";

/**
 * @param {any} engine
 * @param {any} request
 * @param {(response: any) => void} reply
 */
async function merge(engine, request, reply) {
  const start = performance.now();
  merged = undefined;
  running = new AbortController();
  const { signal } = running;
  const opening = engine.begin(request);
  const output = await createOutput(opening.total_bytes, fingerprint(request));
  let writtenBytes = 0;
  /** @param {number} offsetBytes @param {Uint8Array} bytes */
  const write = (offsetBytes, bytes) => {
    output.write(offsetBytes, bytes);
    writtenBytes += bytes.length;
  };
  try {
    signal.throwIfAborted();
    write(0, engine.header_bytes());
    const skipped = resume(engine, output.finished);
    const card = opening.solves.length > 0 && cardFor(request.options.device);
    await runJobs({
      // A layer on the card is nobody else's.
      nHelpers: card ? opening.n_helpers.map(() => 0) : opening.n_helpers,
      card: card
        ? { jobs: opening.solves, setUp: { build: card, ...inputs, request } }
        : undefined,
      nWorkers: opening.n_workers,
      script: parts.compute,
      setUp: { build: parts.builds[0], ...inputs, request },
      explain: (index, { why, refusedBytes }) => engine.worker_died(index, why, refusedBytes),
      skipped,
      signal,
      write,
      finished(index, outcome) {
        reply(engine.finish_job(index, outcome, writtenBytes));
        output.record({ index, outcome });
      },
    });
    await engine.check_inputs();
    merged = await output.finish();
  } catch (error) {
    await output.discard();
    throw error;
  }
  return engine.finish(performance.now() - start, opening.n_workers);
}

/**
 * The build that is to solve layers on a graphics card, if any.
 * @param {"auto" | "cpu" | "gpu"} device
 */
function cardFor(device) {
  const build = parts.builds[1];
  if (device === "gpu" && !build)
    throw new Error("this page was loaded without its graphics-card engine; reload it");
  return device === "cpu" ? undefined : build;
}

/**
 * What must be the same for an interrupted merge to go on: inputs, settings, build.
 * @param {any} request
 */
function fingerprint({ selection, options }) {
  const files = inputs.files.map(({ size, lastModified }, index) => [
    inputs.paths[index],
    size,
    lastModified,
  ]);
  return JSON.stringify([parts.identity, parts.builds.map(({ name }) => name), files, selection, options]);
}

/**
 * Takes jobs that were finished before an interruption; those that it cannot take run again.
 * @param {any} engine
 * @param {import("./journal.js").Entry[]} entries
 */
function resume(engine, entries) {
  const skipped = new Set();
  for (const { index, outcome } of entries) {
    try {
      engine.resume_job(index, outcome);
      skipped.add(index);
    } catch {
      continue;
    }
  }
  return skipped;
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
