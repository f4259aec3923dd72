// @ts-check
// The page's side of the protocol: one promise per request, one worker at a time.
//
// A cancelled or crashed worker is thrown away. The next request starts another and first gives it
// the files again, so that nothing the user chose is lost.

/** @import { Beside, Evaluation, FromWorker, Options, PickedFile, Plan, Progress, Report, Request, Response, Selection, WrittenFile, ErrorData } from "../../protocol.js" */

/** @import { Parts } from "../load/parts.js" */

import { BUILD } from "../../build.js";
import { startWorker } from "../../shared/trusted.js";
import { Cancelled, Failed } from "../kit/failed.js";
import { PAGE_NAME } from "../lock/lock.js";
import { hasPickers } from "../lock/outer.js";

/** How long a worker may take to give up a merge. */
const PATIENCE_MILLIS = 800;

/**
 * Errors after which a worker is not to be trusted with another merge.
 * @type {ReadonlySet<ErrorData["kind"]>}
 */
const SPENT = new Set(["device", "memory", "internal"]);

/** @typedef {Beside & { response: Response }} Answer */
/** Merged files, and what belongs to them. @typedef {{ files: File[], extras: File[] }} Result */
/** @typedef {(progress: Progress) => void} OnProgress */

/**
 * @typedef {object} Pending
 * @property {(answer: Answer) => void} resolve
 * @property {(reason: Error) => void} reject
 * @property {OnProgress | undefined} onProgress
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

  /** @param {PickedFile[]} files */
  async inspect(files) {
    this.#files = files;
    this.#hasFiles = true;
    const { response } = await this.#postInspect();
    if (response.type !== "inventory") throw unexpected(response);
    return response;
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
   * @param {Beside} beside
   * @param {OnProgress} onProgress
   * @returns {Promise<Result & { report: Report }>}
   */
  async merge(selection, options, max_workers, beside, onProgress) {
    const request = /** @type {const} */ ({ type: "merge", selection, options, max_workers });
    const { response, files, extras } = await this.#ask(request, beside, onProgress);
    if (response.type !== "done") throw unexpected(response);
    return { report: response.report, files: files ?? [], extras: extras ?? [] };
  }

  /**
   * @param {Result} result
   * @param {Beside["target"]} target
   * @param {OnProgress} onProgress
   */
  async save({ files, extras }, target, onProgress) {
    const answer = await this.#ask({ type: "save" }, { files, extras, target }, onProgress);
    if (answer.response.type !== "saved") throw unexpected(answer.response);
    return answer.files ?? [];
  }

  /** @param {File[]} files @returns {Promise<WrittenFile[]>} */
  async digest(files) {
    const { response } = await this.#ask({ type: "digest" }, { files });
    if (response.type !== "digest") throw unexpected(response);
    return response.files;
  }

  /** @param {File[]} files @returns {Promise<Evaluation>} */
  async evaluate(files) {
    const { response } = await this.#ask({ type: "evaluate" }, { files });
    if (response.type !== "accuracy") throw unexpected(response);
    return response.evaluation;
  }

  /** Stops the merge that runs; with the worker, if that does not answer. */
  cancel() {
    if (!this.#worker || this.#pending.size === 0) return;
    this.#worker.postMessage({ cancel: true });
    const ids = [...this.#pending.keys()];
    setTimeout(() => {
      const isStuck = ids.some((id) => this.#pending.has(id));
      if (isStuck) this.#discard(new Cancelled("cancelled"));
    }, PATIENCE_MILLIS);
  }

  /** @param {Request} request @param {Beside} [beside] @param {OnProgress} [onProgress] */
  #ask(request, beside, onProgress) {
    if (!this.#hasFiles && this.#files.length > 0) {
      this.#hasFiles = true;
      this.#postInspect().catch(() => undefined); // the request behind it fails with its own message
    }
    return this.#post(request, beside, onProgress);
  }

  #postInspect() {
    const paths = this.#files.map((picked) => picked.path);
    return this.#post({ type: "inspect", paths }, { files: this.#files.map(({ file }) => file) });
  }

  /**
   * @param {Request} request
   * @param {Beside} [beside]
   * @param {OnProgress} [onProgress]
   * @returns {Promise<Answer>}
   */
  #post(request, beside, onProgress) {
    if (!this.#parts) throw new Error("nothing can be asked before the engine is there");
    const id = this.#nextId++;
    const worker = (this.#worker ??= this.#start(this.#parts));
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, onProgress });
      worker.postMessage({ id, request, ...beside });
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
    worker.postMessage({ compute, builds, identity: BUILD, hasPickers });
    return worker;
  }

  /** @param {FromWorker} message */
  #receive({ id, response, cancelled, ...beside }) {
    const pending = this.#pending.get(id);
    if (!pending) return;
    if (cancelled || !response) {
      this.#pending.delete(id);
      return pending.reject(new Cancelled("cancelled"));
    }
    if (response.type === "progress") return pending.onProgress?.(response);
    this.#pending.delete(id);
    if (response.type !== "failed") return pending.resolve({ response, ...beside });
    const reason = new Failed(response.error, response.message);
    pending.reject(reason);
    if (SPENT.has(response.error.kind)) this.#discard(reason); // the next attempt starts afresh
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
  return new Failed({ kind: "internal", what, advice }, `${what}; ${advice}`);
}

/** @param {Response} response */
function unexpected(response) {
  const what = `the worker answered "${response.type}", which was not asked`;
  const advice = "reload the page: its parts may be of different versions";
  return new Failed({ kind: "internal", what, advice }, `${what}; ${advice}`);
}
