// @ts-check
// The plan that is shown, and what it was made of: a merge does just that. While another is on its way
// nothing can be merged.

/** @import { Options, Plan, Selection } from "../../protocol.js" */

import { alertPlace, clearAlert, showError } from "../kit/alert.js";
import { chosen, renderGramRoad } from "../settings/choice.js";
import { Client } from "./client.js";
import { Cancelled } from "../kit/failed.js";
import { arranged, lacksBase } from "../settings/methods.js";
import { renderPlan } from "../views/plan.js";
import { everyModel } from "../settings/selection.js";
import { readOptions } from "../settings/settings.js";
import { markOutdated, obstruct, show } from "../kit/state.js";

/** @typedef {{ plan: Plan, selection: Selection, options: Options }} Planned */

const SETTLE_MILLIS = 200;
const NONE = "There is no plan for these settings.";

export class Planner {
  #client;
  #onPlanned;
  #latest = 0;
  /** Until the settings have settled. @type {number | undefined} */ #timer;
  /** What is shown, if it still holds. @type {Planned | null} */ planned = null;

  /** @param {Client} client @param {() => void} onPlanned told when there is a plan, and when there is none */
  constructor(client, onPlanned) {
    this.#client = client;
    this.#onPlanned = onPlanned;
  }

  /** A plan on its way is of no use any more. */
  forget() {
    clearTimeout(this.#timer);
    this.#latest += 1;
    this.planned = null;
    obstruct("pending");
  }

  /** Plans anew once the settings have settled; nothing is merged until then. @param {Selection} selection */
  soon(selection) {
    this.forget();
    obstruct("pending", "");
    this.#timer = setTimeout(() => this.plan(selection), SETTLE_MILLIS);
  }

  /** Plans anew, at once. @param {Selection} selection */
  async plan(selection) {
    this.forget();
    const turn = this.#latest;
    const method = chosen(selection);
    if (!method || everyModel(selection).length < 2) return this.#without("inspected");
    renderGramRoad(null, selection);
    if (lacksBase(method, selection)) return this.#without("planned");
    obstruct("pending", "");
    try {
      const own = arranged(method, selection);
      const options = readOptions(method, own.models.length);
      const plan = await this.#client.plan(own, options);
      if (turn !== this.#latest) return;
      clearAlert("plan", "merge");
      this.planned = { plan, selection: own, options };
      show("planned");
      markOutdated(false);
      renderPlan(plan);
      renderGramRoad(plan, selection);
      this.#onPlanned();
    } catch (error) {
      if (turn !== this.#latest || error instanceof Cancelled) return;
      this.#without("planned");
      showError("plan", NONE, error);
      obstruct("plan", NONE, alertPlace);
    } finally {
      if (turn === this.#latest) obstruct("pending");
    }
  }

  /** @param {"inspected" | "planned"} state */
  #without(state) {
    clearAlert("plan", "merge");
    show(state);
    markOutdated(state === "planned");
    this.#onPlanned();
  }
}
