// @ts-check
/**
 * A computing worker: opens the same files and makes the same plan as its coordinator, then runs
 * the tasks that it is given: one at a time, or two where a graphics card computes.
 */

import { makeEngine } from "./kernels.js";
import { inPieces, openFile } from "./outlet.js";
import { isFailed, messageOf } from "./failed.js";
import { reportRequests } from "../shared/requests.js";

/** @import { Engine, FromCompute, OfType, SetUp, Task, ToCompute } from "./messages.js" */

reportRequests();

/** @type {Engine} */
let engine;
/** Where output goes. @type {import("./outlet.js").Outlet} */
let outlet = inPieces(sendPiece);
/** @type {() => number} */
let refusedBytes = () => 0;

/** @param {FromCompute} message @param {Transferable[]} [transfer] */
function send(message, transfer = []) {
  postMessage(message, { transfer });
}

/** Who waits for messages of a type, in the order in which they will come. @type {Map<string, ((message: ToCompute) => void)[]>} */
const awaited = new Map();
/**
 * The next message of this type.
 * @template {ToCompute["type"]} Type
 * @param {Type} type
 * @returns {Promise<OfType<ToCompute, Type>>}
 */
function next(type) {
  return new Promise((resolve) => {
    const take = (/** @type {ToCompute} */ message) =>
      resolve(/** @type {OfType<ToCompute, Type>} */ (message));
    awaited.set(type, [...(awaited.get(type) ?? []), take]);
  });
}

/** @param {SetUp} setUp */
async function begin({ build, files, paths, request, shared, elsewhere }) {
  if (shared) outlet = await openFile(shared, elsewhere, refused, settled);
  ({ engine, refusedBytes } = await makeEngine(build));
  await engine.reopen(paths, files);
  engine.begin(request);
  if (build.name === "gpu") await engine.open_card();
  send({ type: "ready" });
}

/** Runs a job, with helpers where it has any. @param {{index: number, nHelpers: number}} task */
async function lead({ index, nHelpers }) {
  const helpers = {
    /** @param {boolean} isDouble @param {Uint8Array<ArrayBuffer>} bytes */
    publish: (isDouble, bytes) =>
      send({ type: "factor", index, factor: { isDouble, bytes } }, [bytes.buffer]),
    collect() {
      send({ type: "collect", index });
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
  if (!outcome) return send({ type: "handed_back", index });
  send({ type: "outcome", index, outcome, writtenBytes });
  outlet.settle({ index, outcome });
}

/** @param {Task & {nHelpers: number}} task */
async function help({ index, place, nHelpers }) {
  const factor = next("factor").then(({ factor }) => factor);
  const rows = await engine.help_job(index, nHelpers, place, factor);
  send({ type: "rows", index, place, rows }, [rows.buffer]);
}

/** The merge ends for that, in these words. @param {string} why */
function refused(why) {
  send({ type: "refused", why });
}

/** What these jobs wrote has reached the disk. @param {import("./messages.js").Entry[]} entries */
function settled(entries) {
  send({ type: "settled", entries });
}

/**
 * Sends a piece, and waits until it is written and its buffer comes back.
 * @param {number} offsetBytes
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
async function sendPiece(offsetBytes, bytes) {
  send({ type: "piece", offsetBytes, bytes }, [bytes.buffer]);
  const { buffer } = await next("written");
  return buffer;
}

/** @param {ToCompute} message what nobody waits for */
async function take(message) {
  switch (message.type) {
    case "begin":
      return begin(message);
    case "task":
      return message.place === 0 ? lead(message) : help(message);
    case "written":
    case "factor":
    case "rows":
      return; // whoever waited is gone
  }
}

onmessage = async (/** @type {MessageEvent<ToCompute>} */ { data }) => {
  const resolve = awaited.get(data.type)?.shift();
  if (resolve) return resolve(data);
  try {
    await take(data);
  } catch (error) {
    if (isFailed(error)) send({ type: "failed", failure: error });
    else die(error);
  }
};

// A trap inside a future surfaces here, not where the future is awaited.
addEventListener("error", (event) => {
  event.preventDefault();
  die(event.error ?? event.message);
});
addEventListener("unhandledrejection", (event) => die(event.reason));

/** The engine cannot go on. @param {unknown} error */
function die(error) {
  const why = messageOf(error);
  send({ type: "died", death: { why, refusedBytes: refusedBytes() } });
}
