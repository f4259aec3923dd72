// @ts-check
/**
 * The worker that the page talks to: reads headers, plans, hands out jobs, holds the output.
 *
 * The first message brings all code that it and its computing workers run; it can load none, since
 * the network is locked by the time it starts.
 *
 * One request is answered after the other. To cancel, the page terminates this worker; its
 * computing workers end with it, and what it has written is removed by the next one.
 */

import { makeEngine } from "./kernels.js";
import { createOutput } from "./output.js";
import { runJobs } from "./pool.js";
import { reportRequests } from "./requests.js";

/** @import { Build } from "./kernels.js" */

/**
 * What the first message holds.
 * @typedef {object} Parts
 * @property {Build[]} builds of the engine: the processor's, and the graphics card's if there is one
 * @property {string} compute `blob:` address of `compute.js`
 */

reportRequests();

/** @type {string} */
let compute;
/** The processor's build. @type {Build} */
let build;
/** The graphics card's. @type {Build | undefined} */
let cardBuild;
/** @type {Promise<any>} */
let loading;

/** The files of the last `inspect`. @type {{files: File[], paths: string[]}} */
let inputs = { files: [], paths: [] };
/** The last merge. @type {File | undefined} */
let merged;
/** Requests wait for those before them. */
let queue = Promise.resolve();

onmessage = ({ data }) => {
  ({
    compute,
    builds: [build, cardBuild],
  } = /** @type {{ compute: string, builds: [Build, Build?] }} */ (data));
  loading = makeEngine(build);
  onmessage = ({ data }) => {
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
 * @param {any} request
 * @param {(response: any) => void} reply
 */
async function merge(engine, request, reply) {
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
    const card = opening.solves.length > 0 && cardFor(request.options.device);
    await runJobs({
      // A layer on the card is nobody else's.
      nHelpers: card ? opening.n_helpers.map(() => 0) : opening.n_helpers,
      card: card
        ? { jobs: opening.solves, setUp: { build: card, ...inputs, request } }
        : undefined,
      nWorkers: opening.n_workers,
      script: compute,
      setUp: { build, ...inputs, request },
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

/**
 * The build that is to solve layers on a graphics card, if any.
 * @param {"auto" | "cpu" | "gpu"} device
 */
function cardFor(device) {
  if (device === "gpu" && !cardBuild)
    throw new Error("this page was loaded without its graphics-card engine; reload it");
  return device === "cpu" ? undefined : cardBuild;
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
