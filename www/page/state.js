// @ts-check
// What of the page is shown, and can be used, in each of its states.

import { byId } from "./dom.js";

/** @param {"empty" | "inspected" | "planned" | "running"} state */
export function show(state) {
  document.body.dataset.state = state;
  const isRunning = state === "running";
  byId("models", HTMLElement).hidden = state === "empty";
  byId("plan", HTMLElement).hidden = state === "empty" || state === "inspected";
  byId("run", HTMLElement).hidden = !isRunning;
  byId("start", HTMLElement).hidden = isRunning;
  byId("save-to", HTMLButtonElement).disabled = isRunning;
  for (const id of ["files", "models", "settings"]) byId(id, HTMLElement).inert = isRunning;
}

/** Why a merge may not begin, by who says so. @type {Map<string, string>} */
const obstacles = new Map();

/**
 * Forbids a merge, or allows it again.
 * @param {"plan" | "refusals" | "by-place"} who
 * @param {string} [why] a sentence beside the button; empty where an alert says it; absent if nothing is
 *   in the way
 */
export function obstruct(who, why) {
  if (why === undefined) obstacles.delete(who);
  else obstacles.set(who, why);
  const shown = obstacles.get("by-place");
  byId("merge", HTMLButtonElement).disabled = obstacles.size > 0;
  byId("merge-why", HTMLElement).hidden = !shown;
  byId("merge-why-text", HTMLElement).textContent = shown ?? "";
}

/** The plan shown is of earlier settings. @param {boolean} isOutdated */
export function markOutdated(isOutdated) {
  obstruct("plan", isOutdated ? "" : undefined);
  for (const id of ["plan-shares", "plan-counts", "plan-estimate", "plan-table"])
    byId(id, HTMLElement).inert = isOutdated;
}
