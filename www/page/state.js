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

/** The plan shown is of earlier settings. @param {boolean} isOutdated */
export function markOutdated(isOutdated) {
  byId("merge", HTMLButtonElement).disabled = isOutdated;
  for (const id of ["plan-shares", "plan-counts", "plan-estimate", "plan-table"])
    byId(id, HTMLElement).inert = isOutdated;
}
