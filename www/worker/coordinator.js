// @ts-check
/**
 * The worker that the page talks to: reads headers, plans, hands out jobs, holds the output.
 *
 * The first message brings all code that it and its computing workers run; it can load none, since
 * the network is locked by the time it starts.
 *
 * One request is answered after the other. A merge can be cancelled between any two messages: what it
 * has written is removed, before the answer unless the disk is slow. If the tab ends instead, it can be
 * gone on with.
 */

import { asFailed } from "./failed.js";
import { makeEngine } from "./kernels.js";
import { createOutput } from "./output.js";
import { copyTo, leave, openPicked } from "./picked.js";
import { runJobs } from "./pool.js";
import { reportRequests } from "../shared/requests.js";

/** @import { Asked, FromWorker, Response, ToWorker } from "../protocol.js" */
/** @import { Build } from "./kernels.js" */
/** @import { Engine, Failed, MergeRequest } from "./messages.js" */
/** @import { Target } from "./picked.js" */

/**
 * What the first message holds.
 * @typedef {object} Parts
 * @property {[Build, ...Build[]]} builds of the engine: the processor's, perhaps the card's
 * @property {string} compute `blob:` address of `compute.js`
 * @property {string} identity of the whole page's build
 * @property {boolean} hasPickers whether users can pick places to write to
 */

const ELSEWHERE = ", or write to a place that you choose, which needs it once only";

/** So long a cancelled merge waits for its files to go: less than the page waits for this worker. */
const PATIENCE_MILLIS = 500;

reportRequests();

/** @type {Parts} */
let parts;
/** @type {ReturnType<typeof makeEngine>} */
let loading;

/** The files of the last `inspect`. @type {{files: File[], paths: string[]}} */
let inputs = { files: [], paths: [] };
/** Cancels the last merge or copy that was asked for. */
let last = new AbortController();
/** Ends any reading of merged files: the next merge needs the time more. */
let reading = new AbortController();
/** Requests wait for those before them. */
let queue = Promise.resolve();

/** @typedef {(response: Response, files?: File[], extras?: File[]) => void} Reply */

/** @param {FromWorker} message */
function post(message) {
  postMessage(message);
}

onmessage = (/** @type {MessageEvent<Parts>} */ { data }) => {
  parts = data;
  loading = makeEngine(parts.builds[0]);
  onmessage = (/** @type {MessageEvent<ToWorker>} */ { data }) => {
    if ("cancel" in data) return last.abort();
    const { type } = data.request;
    if (type === "merge" || type === "save") last = new AbortController();
    if (type === "merge") {
      reading.abort();
      reading = new AbortController();
    }
    const { signal } = last;
    if (type === "save") return save(data, signal);
    if (type === "digest") return digest(data, reading.signal);
    queue = queue.then(() => answer(data, signal));
  };
};

/** Needs no engine, and does not wait for one. @param {Asked} message @param {AbortSignal} signal */
async function save({ id, files = [], extras = [], target }, signal) {
  /** @type {Reply} */
  const reply = (response, files) => post({ id, response, files });
  try {
    reply({ type: "saved" }, await copyTo(target, files, extras, signal, reply));
  } catch (error) {
    failed(id, error, "io"); // the worker is none the worse for it
  }
}

/** Needs no engine either. @param {Asked} message @param {AbortSignal} signal */
async function digest({ id, files = [] }, signal) {
  const { digest: read } = await loading;
  post({ id, response: await read(files, signal) });
}

/** @param {Asked} message @param {AbortSignal} signal */
async function answer({ id, request, files = [], extras = [], target }, signal) {
  /** @type {Reply} */
  const reply = (response, files, extras) => post({ id, response, files, extras });
  try {
    const { engine } = await loading;
    switch (request.type) {
      case "inspect":
        inputs = { files, paths: request.paths };
        return reply(await engine.handle(request, files));
      case "merge":
        return await merge(engine, request, { extras, target }, signal, reply);
      default:
        return reply(await engine.handle(request, files));
    }
  } catch (error) {
    leave(target);
    failed(id, error);
  }
}

/** @param {number} id @param {unknown} error @param {Failed["error"]["kind"]} [kind] */
function failed(id, error, kind) {
  const cancelled = error instanceof DOMException && error.name === "AbortError";
  post(cancelled ? { id, cancelled } : { id, response: asFailed(error, kind) });
}

/**
 * @param {Engine} engine
 * @param {MergeRequest} request
 * @param {{extras: File[], target?: Target}} beside what goes with it; where it goes at once, if anywhere
 * @param {AbortSignal} signal
 * @param {Reply} reply
 */
async function merge(engine, request, beside, signal, reply) {
  const start = performance.now();
  signal.throwIfAborted();
  const opening = engine.begin(request);
  const { target } = beside;
  const extras = await extrasOf(opening, beside.extras);
  // As on the command line: what does not belong to a folder has a name of its own.
  if (!request.options.shard_size && beside.extras.length === 0)
    opening.files[0].name = "merged.safetensors";
  const elsewhere = parts.hasPickers ? ELSEWHERE : "";
  const output = target
    ? await openPicked(target, opening.files, extras, signal)
    : await createOutput(opening.files, fingerprint(request), elsewhere);
  const setUp = { ...inputs, request, shared: output.shared, elsewhere };
  let totalWrittenBytes = 0;
  let files;
  try {
    signal.throwIfAborted();
    for (const [index, { start_bytes }] of opening.files.entries()) {
      const header = engine.header_bytes(index);
      totalWrittenBytes += header.length;
      await output.write(start_bytes, header);
    }
    const skipped = resume(engine, output.finished);
    const card = opening.solves.length > 0 && cardFor(request.options.device);
    await runJobs({
      // A layer on the card is nobody else's.
      nHelpers: card ? opening.n_helpers.map(() => 0) : opening.n_helpers,
      card: card
        ? { jobs: opening.solves, setUp: { build: card, ...setUp } }
        : undefined,
      nWorkers: opening.n_workers,
      script: parts.compute,
      setUp: { build: parts.builds[0], ...setUp },
      explain: (index, { why, refusedBytes }) => engine.worker_died(index, why, refusedBytes),
      skipped,
      signal,
      write: async (offsetBytes, bytes) => output.write(offsetBytes, bytes),
      finished(index, outcome, writtenBytes) {
        totalWrittenBytes += writtenBytes;
        reply(engine.finish_job(index, outcome, totalWrittenBytes));
        output.settle({ index, outcome });
      },
      settled: output.record,
    });
    await engine.check_inputs();
    files = await output.finish();
  } catch (error) {
    const discarded = output.discard();
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MILLIS));
    await (signal.aborted ? Promise.race([discarded, late]) : discarded);
    throw error;
  }
  reply(engine.finish(performance.now() - start, opening.n_workers), files, extras);
}

/**
 * What goes with the merged files, read now: so it is what was chosen.
 * @param {import("../protocol.js").Opening} opening
 * @param {File[]} companions
 */
async function extrasOf({ index }, companions) {
  const extras = index ? [new File([index], "model.safetensors.index.json")] : [];
  for (const file of companions) {
    const bytes = await file.arrayBuffer().catch(() => {
      throw new Error(`\`${file.name}\` has changed since it was chosen: choose it again`);
    });
    extras.push(new File([bytes], file.name));
  }
  return extras;
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
 * @param {MergeRequest} request
 */
function fingerprint({ selection, options }) {
  const files = inputs.files.map(({ size, lastModified }, index) => [
    inputs.paths[index],
    size,
    lastModified,
  ]);
  const builds = parts.builds.map(({ name }) => name);
  return JSON.stringify([parts.identity, builds, files, selection, options]);
}

/**
 * Takes jobs that were finished before an interruption; those that it cannot take run again.
 * @param {Engine} engine
 * @param {import("./messages.js").Entry[]} entries
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
