// @ts-check
/**
 * A computing worker: opens the same files and makes the same plan as its coordinator, then runs
 * the tasks that it is given: one at a time, or two where a graphics card computes.
 */

import { makeEngine } from "./kernels.js";
import { inPieces, openFile } from "./outlet.js";
import { reportRequests } from "./requests.js";

reportRequests();

/** @type {any} */
let engine;
/** Where output goes. @type {import("./outlet.js").Outlet} */
let outlet = inPieces(send);
/** @type {() => number} */
let refusedBytes = () => 0;

/** Who waits for messages of a type, in the order in which they will come. @type {Map<string, ((data: any) => void)[]>} */
const awaited = new Map();
/** @param {string} type @returns {Promise<any>} */
const next = (type) =>
  new Promise((resolve) => awaited.set(type, [...(awaited.get(type) ?? []), resolve]));

/** @type {Record<string, (message: any) => Promise<void>>} */
const handlers = {
  async begin({ build, files, paths, request, shared, elsewhere }) {
    if (shared) outlet = await openFile(shared, elsewhere, refused, settled);
    ({ engine, refusedBytes } = await makeEngine(build));
    await engine.reopen(paths, files);
    engine.begin(request);
    if (build.name === "gpu") await engine.open_card();
    postMessage({ type: "ready" });
  },
  task: (task) => (task.place === 0 ? lead(task) : help(task)),
};

/** Runs a job, with helpers where it has any. @param {{index: number, nHelpers: number}} task */
async function lead({ index, nHelpers }) {
  const helpers = {
    /** @param {boolean} isDouble @param {Uint8Array} bytes */
    publish: (isDouble, bytes) =>
      postMessage({ type: "factor", index, factor: { isDouble, bytes } }, [bytes.buffer]),
    collect() {
      postMessage({ type: "collect", index });
      return next("rows").then(({ rows }) => rows);
    },
  };
  let writtenBytes = 0;
  /** @param {number} offsetBytes @param {Uint8Array} bytes */
  const write = (offsetBytes, bytes) => {
    writtenBytes += bytes.length;
    return outlet.write(offsetBytes, bytes);
  };
  const outcome = await engine.run_job(index, nHelpers, helpers, { write });
  if (!outcome) return postMessage({ type: "handed_back", index });
  postMessage({ type: "outcome", index, outcome, writtenBytes });
  outlet.settle({ index, outcome });
}

/** @param {{index: number, place: number, nHelpers: number}} task */
async function help({ index, place, nHelpers }) {
  const factor = next("factor").then(({ factor }) => factor);
  const rows = await engine.help_job(index, nHelpers, place, factor);
  postMessage({ type: "rows", index, place, rows }, [rows.buffer]);
}

/** The merge ends for that, in these words. @param {string} why */
function refused(why) {
  postMessage({ type: "refused", why });
}

/** What these jobs wrote has reached the disk. @param {import("./journal.js").Entry[]} entries */
function settled(entries) {
  postMessage({ type: "settled", entries });
}

/**
 * Sends a piece, and waits until it is written and its buffer comes back.
 * @param {number} offsetBytes
 * @param {Uint8Array} bytes
 */
async function send(offsetBytes, bytes) {
  postMessage({ type: "piece", offsetBytes, bytes }, [bytes.buffer]);
  const { buffer } = await next("written");
  return buffer;
}

onmessage = async ({ data }) => {
  const resolve = awaited.get(data.type)?.shift();
  if (resolve) return resolve(data);
  try {
    await handlers[data.type](data);
  } catch (error) {
    if (/** @type {any} */ (error)?.type !== "failed") return die(error);
    postMessage({ type: "failed", failure: error });
  }
};

// A trap inside a future surfaces here, not where the future is awaited.
addEventListener("error", (event) => {
  event.preventDefault();
  die(event.error ?? event.message);
});
addEventListener("unhandledrejection", (event) => die(event.reason));

/** The engine cannot go on. @param {any} error */
function die(error) {
  const why = String(error?.message ?? error);
  postMessage({ type: "died", death: { why, refusedBytes: refusedBytes() } });
}
