// The flow of the page: files → inventory → plan → merge → report. Holds the state; the views draw.

/** @import { Inventory, PickedFile, Plan, Selection } from "../protocol.js" */
/** @import { Result } from "./client.js" */
/** @import { Prepared } from "./prepare.js" */

import { renderAccuracy } from "./accuracy.js";
import { alertBadFiles, clearAlert, showAlert, showError } from "./alert.js";
import { renderByPlace } from "./by_place.js";
import { Cancelled, Client } from "./client.js";
import { announce, byId } from "./dom.js";
import { count, duration, sizeOf } from "./format.js";
import { forgetInterrupted } from "./interrupted.js";
import { compare, remember, setUp } from "./made_with.js";
import { renderModels } from "./models.js";
import { addFiles } from "./pick.js";
import { pickPlace } from "./place.js";
import { renderPlan } from "./plan.js";
import { ProgressView } from "./progress.js";
import { renderReport } from "./report.js";
import { isSaved, noteSaved, renderDigests } from "./result.js";
import { extended } from "./selection.js";
import {
  companions,
  isDirect,
  isFolder,
  maxWorkers,
  readOptions,
  renderCoefficients,
  renderParents,
} from "./settings.js";
import { markOutdated, show } from "./state.js";
import { mayLose } from "./unsaved.js";

const SETTLE_MILLIS = 200;

function hideReport() {
  remember(null);
  byId("report", HTMLElement).hidden = true;
  byId("accuracy", HTMLElement).hidden = true;
}

export class App {
  #client = new Client();
  #progress = new ProgressView();
  /** @type {PickedFile[]} */ #files = [];
  /** @type {Inventory | null} */ #inventory = null;
  /** @type {Selection} */ #selection = { models: [] };
  #isArranged = false;
  /** @type {Plan | null} */ #plan = null;
  /** @type {Result | null} */ #result = null;
  #isSample = false;
  #latest = 0;
  /** Until the settings have settled. @type {number | undefined} */ #timer;
  #prepared;
  isRunning = false;

  /** @param {Promise<Prepared>} prepared no file is taken before */
  constructor(prepared) {
    this.#prepared = prepared.then(
      ({ parts, sample }) => {
        this.#client.begin(parts);
        return sample;
      },
      (error) => {
        showError("files", "A part of the page is missing, so it takes no files.", error);
        return null;
      },
    );
  }

  /** Whether there is a merged model that would be lost. The sample's is made again in a second. */
  get hasUnsaved() {
    return this.#result !== null && !this.#isSample && !isSaved();
  }

  /** Asks before a merged model is lost. @param {string} cause what would remove it */
  async #mayLose(cause) {
    return !this.hasUnsaved || mayLose(cause);
  }

  /** Own files take the place of the sample. @param {PickedFile[]} added */
  async add(added) {
    if ((await this.#prepared) === null || this.isRunning) return;
    const old = this.#isSample ? [] : this.#files;
    const files = await addFiles(old, added);
    if (files.some((one, i) => one !== old[i])) await this.#inspect(files);
    else showAlert("files", "These files are on the page already.");
  }

  async loadSample() {
    const sample = await this.#prepared;
    if (sample === null) return;
    if (sample instanceof Error) return showError("files", "The sample did not load.", sample);
    if (!(await this.#mayLose("loading the sample"))) return;
    const from = document.activeElement;
    await this.#inspect(sample, true);
    const isUnmoved = document.activeElement === from || document.activeElement === document.body;
    if (this.#isSample && isUnmoved) byId("merge", HTMLButtonElement).focus();
  }

  /** Back to the empty page. */
  async clear() {
    if (!(await this.#mayLose("starting over"))) return;
    this.#forget();
    this.#client.cancel();
    clearAlert("files", "plan", "merge", "save");
    show("empty");
    byId("pick-files", HTMLInputElement).focus();
    announce("All files removed from the page");
  }

  #forget() {
    this.#latest += 1;
    this.#files = [];
    this.#inventory = null;
    this.#plan = null;
    this.#result = null;
    this.#isArranged = false;
    this.#isSample = false;
    hideReport();
  }

  /** @param {PickedFile[]} files @param {boolean} [isSample] */
  async #inspect(files, isSample = false) {
    const turn = ++this.#latest;
    announce("Reading the headers");
    document.body.classList.add("reading");
    try {
      const inventory = await this.#client.inspect(files);
      if (turn !== this.#latest) return;
      if (isSample || this.#isSample) this.#forget();
      this.#isSample = isSample;
      await this.#accept(files, inventory);
    } catch (error) {
      if (turn === this.#latest && !(error instanceof Cancelled))
        showError("files", "The files could not be read.", error);
    } finally {
      document.body.classList.remove("reading");
    }
  }

  /** @param {PickedFile[]} files @param {Inventory} inventory */
  #accept(files, inventory) {
    const nOld = this.#files.length;
    this.#selection = this.#isArranged
      ? extended(this.#selection, inventory.suggestion, nOld)
      : inventory.suggestion;
    this.#files = files;
    this.#inventory = inventory;
    alertBadFiles(inventory);
    show("inspected");
    announce(
      `${count(files.length, "file")} read, ${count(this.#selection.models.length, "model")} found`,
    );
    return this.#arrange(this.#selection);
  }

  /** @param {Selection} selection */
  #arrange(selection) {
    if (!this.#inventory) return;
    this.#selection = selection;
    renderModels(this.#inventory, selection, (changed) => {
      this.#isArranged = true;
      this.#arrange(changed);
    });
    renderByPlace(this.#inventory, selection);
    renderCoefficients(selection);
    renderParents(selection, this.#inventory);
    compare(setUp(this.#files, selection));
    return this.#requestPlan();
  }

  /** Plans anew, at once. */
  async #requestPlan() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const turn = ++this.#latest;
    if (this.#selection.models.length < 2) return this.#withoutPlan();
    try {
      const options = readOptions(this.#selection.models.length);
      const plan = await this.#client.plan(this.#selection, options);
      if (turn !== this.#latest) return;
      clearAlert("plan", "merge");
      this.#plan = plan;
      show("planned");
      markOutdated(false);
      renderPlan(plan);
    } catch (error) {
      if (turn !== this.#latest || error instanceof Cancelled) return;
      this.#plan = null;
      show("planned");
      markOutdated(true);
      showError("plan", "There is no plan for these settings.", error);
    }
  }

  #withoutPlan() {
    this.#plan = null;
    clearAlert("plan", "merge");
    show("inspected");
  }

  /** Plans anew, once the settings have settled. */
  settingsChanged() {
    if (this.isRunning || !this.#inventory) return;
    compare(setUp(this.#files, this.#selection));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#requestPlan(), SETTLE_MILLIS);
  }

  async merge() {
    if (this.#timer !== undefined) await this.#requestPlan();
    if (!this.#plan || this.isRunning) return;
    if (!(await this.#mayLose("another merge"))) return;
    const extras = companions().flatMap((i) => this.#files[i]?.file ?? []);
    const target = isDirect() ? await pickPlace("merge", isFolder()) : undefined;
    if (target === null || this.isRunning) return;
    const options = readOptions(this.#selection.models.length);
    this.#begin(this.#plan);
    if (!target) forgetInterrupted();
    const madeWith = setUp(this.#files, this.#selection);
    try {
      const { report, ...result } = await this.#client.merge(
        this.#selection,
        options,
        maxWorkers(options),
        { extras, target },
        (progress) => this.#progress.update(progress),
      );
      this.#result = result;
      remember(madeWith);
      renderReport(report, result, Boolean(target));
      this.#digest(result);
      this.#finish();
      byId("report", HTMLElement).hidden = false;
      byId("report-title", HTMLElement).focus({ preventScroll: true });
      byId("report", HTMLElement).scrollIntoView({ block: "start" });
      announce(`Merged in ${duration(report.elapsed_millis / 1000)}. The report is below.`);
      if (this.#inventory?.files.some((entry) => entry.kind === "heldout"))
        await this.#evaluate(report, result.files);
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
    this.#run("save", files.length, sizeOf(files));
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

  /** @param {Plan} plan */
  #begin(plan) {
    this.#latest += 1; // a plan still on its way is of no use any more
    this.#result = null;
    hideReport();
    this.#run("merge", plan.tensors.length, plan.estimate.write_bytes);
  }

  /**
   * @param {"merge" | "save"} place
   * @param {number} nThings
   * @param {number} writeBytes
   */
  #run(place, nThings, writeBytes) {
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

  cancel() {
    if (this.isRunning) this.#client.cancel();
  }

  /** @param {Result} result */
  async #digest(result) {
    const digests = await this.#client.digest(result.files).catch(() => undefined);
    if (this.#result === result) renderDigests(digests);
  }

  /** @param {import("../protocol.js").Report} report @param {File[]} files */
  async #evaluate(report, files) {
    try {
      renderAccuracy(await this.#client.evaluate(files), report);
    } catch (error) {
      if (!(error instanceof Cancelled))
        showError("merge", "The merge is done, but its answers could not be counted.", error);
    }
  }
}
