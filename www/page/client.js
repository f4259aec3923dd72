// The page's side of the protocol: one promise per request, one worker at a time.
//
// A cancelled or crashed worker is thrown away. The next request starts another and first gives it
// the files again, so that nothing the user chose is lost.

/** @import { Evaluation, FromWorker, Inventory, Options, PickedFile, Plan, Progress, Report, Request, Response, Selection, ErrorData, WrittenFile } from "../protocol.js" */

/** @import { Parts } from "./parts.js" */

import { BUILD } from "../build.js";
import { startWorker } from "../worker/trusted.js";
import { PAGE_NAME } from "./lock.js";

/** How long a worker may take to give up a merge. */
const PATIENCE_MILLIS = 800;

/** A request that was answered by an error. */
export class Failed extends Error {
  /** @param {ErrorData} data @param {string} message */
  constructor(data, message) {
    super(message);
    this.data = data;
  }
}

/** A request that the user cancelled, or whose worker was replaced. */
export class Cancelled extends Error {}

/**
 * @typedef {object} Pending
 * @property {(answer: { response: Response, file?: File }) => void} resolve
 * @property {(reason: Error) => void} reject
 * @property {((progress: Progress) => void) | undefined} onProgress
 */

export class Client {
  /** @type {Parts | null} */ #parts = null;
  /** @type {Worker | null} */ #worker = null;
  /** @type {Map<number, Pending>} */ #pending = new Map();
  /** @type {PickedFile[]} */ #files = [];
  #hasFiles = false;
  #nextId = 1;

  /**
   * Starts the worker before it is needed, so that the first answer comes sooner. To be called
   * before anything else, with the network locked: the worker inherits that.
   * @param {Parts} parts
   */
  begin(parts) {
    this.#parts = parts;
    this.#worker = this.#start(parts);
  }

  /** @param {PickedFile[]} files @returns {Promise<Inventory>} */
  async inspect(files) {
    this.#files = files;
    this.#hasFiles = true;
    const { response } = await this.#postInspect();
    if (response.type !== "inventory") throw unexpected(response);
    return response.inventory;
  }

  /** @param {Selection} selection @param {Options} options @returns {Promise<Plan>} */
  async plan(selection, options) {
    const { response } = await this.#ask({ type: "plan", selection, options });
    if (response.type !== "plan") throw unexpected(response);
    return response.plan;
  }

  /**
   * @param {Selection} selection
   * @param {Options} options
   * @param {number} max_workers
   * @param {(progress: Progress) => void} onProgress
   * @returns {Promise<{ report: Report, file: File | undefined }>}
   */
  async merge(selection, options, max_workers, onProgress) {
    const request = /** @type {const} */ ({ type: "merge", selection, options, max_workers });
    const { response, file } = await this.#ask(request, onProgress);
    if (response.type !== "done") throw unexpected(response);
    return { report: response.report, file };
  }

  /** @returns {Promise<WrittenFile>} */
  async digest() {
    const { response } = await this.#ask({ type: "digest" });
    if (response.type !== "digest") throw unexpected(response);
    return response.file;
  }

  /** @returns {Promise<Evaluation>} */
  async evaluate() {
    const { response } = await this.#ask({ type: "evaluate" });
    if (response.type !== "accuracy") throw unexpected(response);
    return response.evaluation;
  }

  /** Stops the merge that runs; with the worker, if that does not answer. */
  cancel() {
    if (!this.#worker || this.#pending.size === 0) return;
    this.#worker.postMessage({ cancel: true });
    const worker = this.#worker;
    setTimeout(() => {
      const isStuck = this.#worker === worker && this.#pending.size > 0;
      if (isStuck) this.#discard(new Cancelled("cancelled"));
    }, PATIENCE_MILLIS);
  }

  /** @param {Request} request @param {(progress: Progress) => void} [onProgress] */
  #ask(request, onProgress) {
    if (!this.#hasFiles && this.#files.length > 0) {
      this.#hasFiles = true;
      this.#postInspect().catch(() => undefined); // the request behind it fails with its own message
    }
    return this.#post(request, onProgress);
  }

  #postInspect() {
    const paths = this.#files.map((picked) => picked.path);
    return this.#post(
      { type: "inspect", paths },
      undefined,
      this.#files.map((picked) => picked.file),
    );
  }

  /**
   * @param {Request} request
   * @param {((progress: Progress) => void) | undefined} onProgress
   * @param {File[]} [files]
   * @returns {Promise<{ response: Response, file?: File }>}
   */
  #post(request, onProgress, files) {
    if (!this.#parts) throw new Error("nothing can be asked before the engine is there");
    const id = this.#nextId++;
    const worker = (this.#worker ??= this.#start(this.#parts));
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, onProgress });
      worker.postMessage(files ? { id, request, files } : { id, request });
    });
  }

  /** @param {Parts} parts */
  #start({ coordinator, compute, builds }) {
    const worker = startWorker(coordinator, PAGE_NAME);
    worker.onmessage = (event) => this.#receive(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#discard(crashed(event.message));
    };
    worker.onmessageerror = () => this.#discard(crashed("an answer could not be read"));
    worker.postMessage({ compute, builds, identity: BUILD });
    return worker;
  }

  /** @param {FromWorker} message */
  #receive({ id, response, file, cancelled }) {
    const pending = this.#pending.get(id);
    if (!pending) return;
    if (cancelled || !response) {
      this.#pending.delete(id);
      return pending.reject(new Cancelled("cancelled"));
    }
    if (response.type === "progress") return pending.onProgress?.(response);
    this.#pending.delete(id);
    if (response.type !== "failed") return pending.resolve({ response, file });
    const reason = new Failed(response.error, response.message);
    pending.reject(reason);
    if (response.error.kind === "device") this.#discard(reason); // the next attempt starts afresh
  }

  /** @param {Error} reason */
  #discard(reason) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#hasFiles = false;
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of waiting) reject(reason);
  }
}

/** @param {string | undefined} message */
function crashed(message) {
  const what = message ? `the worker stopped (${message})` : "the worker could not be started";
  const advice = "try again; if it happens again, reload the page";
  return new Failed({ kind: "device", what, advice }, `${what}; ${advice}`);
}

/** @param {Response} response */
function unexpected(response) {
  const what = `the worker answered "${response.type}", which was not asked`;
  const advice = "reload the page: its parts may be of different versions";
  return new Failed({ kind: "device", what, advice }, `${what}; ${advice}`);
}
