// @ts-check
// A merge or a copy while it runs, and the merged model afterwards.

/** @import { Beside, Report } from "../../protocol.js" */
/** @import { Result } from "./client.js" */
/** @import { Planned } from "./planner.js" */

import { renderAccuracy } from "../views/accuracy.js";
import { clearAlert, showError } from "../kit/alert.js";
import { Client } from "./client.js";
import { Cancelled } from "../kit/failed.js";
import { announce, byId } from "../kit/dom.js";
import { duration, sizeOf } from "../kit/format.js";
import { remember } from "../views/made_with.js";
import { pickPlace } from "./place.js";
import { ProgressView } from "../views/progress.js";
import { renderReport } from "../views/report.js";
import { isSaved, noteSaved, renderDigests } from "../views/result.js";
import { maxWorkers } from "../settings/settings.js";
import { show } from "../kit/state.js";

export class Runner {
  #client;
  #progress = new ProgressView();
  /** @type {Result | null} */ #result = null;
  isRunning = false;

  /** @param {Client} client */
  constructor(client) {
    this.#client = client;
  }

  /** Whether there is a merged model that nobody has saved. */
  get hasUnsaved() {
    return this.#result !== null && !isSaved();
  }

  /** Takes the merged model away, and what is said of it. */
  forget() {
    this.#result = null;
    remember(null);
    byId("report", HTMLElement).hidden = true;
    byId("accuracy", HTMLElement).hidden = true;
  }

  /**
   * Does what was planned.
   * @param {Planned} planned
   * @param {Beside} beside
   * @param {string} madeWith
   * @param {boolean} isSample whether its answers can be counted
   */
  async merge({ plan, selection, options }, beside, madeWith, isSample) {
    this.forget();
    this.#start("merge", plan.tensors.length, plan.estimate.write_bytes);
    try {
      const { report, ...result } = await this.#client.merge(
        selection,
        options,
        maxWorkers(plan.groups.length > 0),
        beside,
        (progress) => this.#progress.update(progress),
      );
      this.#result = result;
      remember(madeWith);
      renderReport(report, result, Boolean(beside.target));
      this.#digest(result);
      this.#finish();
      byId("report", HTMLElement).hidden = false;
      byId("report-title", HTMLElement).focus({ preventScroll: true });
      byId("report", HTMLElement).scrollIntoView({ block: "start" });
      announce(`Merged in ${duration(report.elapsed_millis / 1000)}. The report is below.`);
      if (isSample) await this.#evaluate(report, result.files);
    } catch (error) {
      this.#failed("merge", error);
    }
  }

  /** Copies the result to a place of the user's choice. */
  async saveTo() {
    const result = this.#result;
    if (!result || this.isRunning) return;
    const { files, extras } = result;
    const target = await pickPlace("save", files.length + extras.length > 1);
    if (!target || this.isRunning) return;
    this.#start("save", files.length, sizeOf(files));
    try {
      const saved = await this.#client.save(result, target, (progress) =>
        this.#progress.update(progress),
      );
      this.#finish();
      byId("save-to", HTMLButtonElement).focus();
      noteSaved(target.name);
      const digests = await this.#client.digest(saved).catch(() => []);
      if (this.#result === result) noteSaved(target.name, digests);
    } catch (error) {
      this.#failed("save", error);
    }
  }

  cancel() {
    if (this.isRunning) this.#client.cancel();
  }

  /** @param {"merge" | "save"} place @param {number} nThings @param {number} writeBytes */
  #start(place, nThings, writeBytes) {
    this.isRunning = true;
    clearAlert("files", "plan", "merge", "save");
    show("running");
    this.#progress.start(place, nThings, writeBytes);
    byId("cancel", HTMLButtonElement).focus();
    announce(place === "save" ? "Saving" : "Merging");
  }

  #finish() {
    this.isRunning = false;
    this.#progress.stop();
    show("planned");
  }

  /** @param {"merge" | "save"} place @param {unknown} error */
  #failed(place, error) {
    this.#finish();
    byId(place === "save" ? "save-to" : "merge", HTMLButtonElement).focus();
    if (error instanceof Cancelled) announce("Cancelled. The files are still here.");
    else showError(place, place === "save" ? "Nothing was saved." : "The merge stopped.", error);
  }

  /** @param {Result} result */
  async #digest(result) {
    const digests = await this.#client.digest(result.files).catch(() => undefined);
    if (this.#result === result) renderDigests(digests);
  }

  /** @param {Report} report @param {File[]} files */
  async #evaluate(report, files) {
    try {
      renderAccuracy(await this.#client.evaluate(files), report);
    } catch (error) {
      if (!(error instanceof Cancelled))
        showError("merge", "The merge is done, but its answers could not be counted.", error);
    }
  }
}
