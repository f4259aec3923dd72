// @ts-check
// The flow of the page: files → inventory → plan → merge → report. Holds what was chosen; the views draw.

/** @import { Inventory, PickedFile, Response, Selection } from "../../protocol.js" */
/** @import { Prepared } from "./prepare.js" */

import { alertBadFiles, clearAlert, showAlert, showError } from "../kit/alert.js";
import { withLikelyBase } from "../settings/base.js";
import { renderByPlace } from "../views/by_place.js";
import { renderChoice } from "../settings/choice.js";
import { Client } from "./client.js";
import { Cancelled } from "../kit/failed.js";
import { companions, renderParents } from "../settings/companions.js";
import { announce, byId } from "../kit/dom.js";
import { count } from "../kit/format.js";
import { forgetInterrupted } from "./interrupted.js";
import { compare, setUp } from "../views/made_with.js";
import { setTable } from "../settings/methods.js";
import { renderModels } from "../views/models.js";
import { addFiles } from "./pick.js";
import { pickPlace } from "./place.js";
import { Planner } from "./planner.js";
import { Runner } from "./runner.js";
import { everyModel, extended, withBase } from "../settings/selection.js";
import { isDirect, isFolder, readTable, renderSettings } from "../settings/settings.js";
import { obstruct, show } from "../kit/state.js";
import { mayLose } from "../views/unsaved.js";

export class App {
  #client = new Client();
  #planner = new Planner(this.#client, () => this.#compare());
  #runner = new Runner(this.#client);
  /** @type {PickedFile[]} */ #files = [];
  /** @type {Inventory | null} */ #inventory = null;
  /** @type {Selection} */ #selection = { models: [] };
  #isArranged = false;
  #isSample = false;
  #hasTable = false;
  #latest = 0;
  #prepared;

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

  get isRunning() {
    return this.#runner.isRunning;
  }

  /** Whether there is a merged model that would be lost. The sample's is made again in a second. */
  get hasUnsaved() {
    return this.#runner.hasUnsaved && !this.#isSample;
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
    this.#planner.forget();
    this.#runner.forget();
    this.#files = [];
    this.#inventory = null;
    this.#selection = { models: [] };
    this.#isArranged = false;
    this.#isSample = false;
  }

  /** @param {PickedFile[]} files @param {boolean} [isSample] */
  async #inspect(files, isSample = false) {
    const turn = ++this.#latest;
    obstruct("files", "");
    announce("Reading the headers");
    document.body.classList.add("reading");
    try {
      const answer = await this.#client.inspect(files);
      if (turn !== this.#latest) return;
      if (isSample || this.#isSample) this.#forget();
      this.#latest = turn;
      this.#isSample = isSample;
      await this.#accept(files, answer);
    } catch (error) {
      if (turn === this.#latest && !(error instanceof Cancelled))
        showError("files", "The files could not be read.", error);
    } finally {
      if (turn === this.#latest) obstruct("files");
      document.body.classList.remove("reading");
    }
  }

  /** @param {PickedFile[]} files @param {Extract<Response, { type: "inventory" }>} answer */
  #accept(files, { inventory, methods }) {
    setTable(methods);
    if (!this.#hasTable) readTable();
    this.#hasTable = true;
    const { suggestion } = inventory;
    const selection = this.#isArranged
      ? extended(this.#selection, suggestion, this.#files.length)
      : withLikelyBase(suggestion);
    this.#files = files;
    this.#inventory = inventory;
    alertBadFiles(inventory);
    show("inspected");
    const nModels = everyModel(selection).length;
    announce(`${count(files.length, "file")} read, ${count(nModels, "model")} found`);
    return this.#arrange(selection);
  }

  /** @param {Selection} selection */
  #arrange(selection) {
    if (!this.#inventory) return;
    this.#selection = selection;
    renderModels(this.#inventory, selection, (changed) => this.#rearrange(changed));
    renderByPlace(this.#inventory, selection);
    renderParents(selection, this.#inventory);
    renderSettings(selection);
    this.#renderChoice();
    return this.#planner.plan(selection);
  }

  /** What the user says goes. @param {Selection} selection */
  #rearrange(selection) {
    this.#isArranged = true;
    this.#arrange(selection);
  }

  #renderChoice() {
    renderChoice(this.#selection, (index) => this.#rearrange(withBase(this.#selection, index)));
  }

  /** Whether the report shown is of what is planned now. */
  #compare() {
    const { planned } = this.#planner;
    compare(planned ? setUp(this.#files, planned.selection, planned.options) : "");
  }

  /** Plans anew, once the settings have settled. */
  settingsChanged() {
    if (this.isRunning || !this.#inventory) return;
    this.#renderChoice();
    this.#planner.soon(this.#selection);
  }

  async merge() {
    const { planned } = this.#planner;
    if (!planned || this.isRunning) return;
    if (!(await this.#mayLose("another merge"))) return;
    const extras = companions().flatMap((i) => this.#files[i]?.file ?? []);
    const target = isDirect() ? await pickPlace("merge", isFolder()) : undefined;
    if (target === null || this.isRunning || planned !== this.#planner.planned) return;
    if (!target) forgetInterrupted();
    const madeWith = setUp(this.#files, planned.selection, planned.options);
    const isSample = this.#inventory?.files.some(({ kind }) => kind === "heldout") ?? false;
    await this.#runner.merge(planned, { extras, target }, madeWith, isSample);
  }

  saveTo() {
    return this.#runner.saveTo();
  }

  cancel() {
    this.#runner.cancel();
  }
}
