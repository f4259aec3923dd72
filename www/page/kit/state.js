// @ts-check
// Parts of the page that are shown, and can be used, in each of its states.

import { byId } from "./dom.js";

/** @param {"empty" | "inspected" | "planned" | "running"} state */
export function show(state) {
  document.body.dataset.state = state;
  const isRunning = state === "running";
  byId("models", HTMLElement).hidden = state === "empty";
  byId("run", HTMLElement).hidden = !isRunning;
  byId("start", HTMLElement).hidden = isRunning;
  for (const id of ["plan", "bar", "tensors"])
    byId(id, HTMLElement).hidden = state === "empty" || state === "inspected";
  byId("save-to", HTMLButtonElement).disabled = isRunning;
  for (const id of ["files", "models", "choice", "settings"])
    byId(id, HTMLElement).inert = isRunning;
}

/** @typedef {"files" | "plan" | "pending" | "refusals" | "by-place" | "base"} Who says that a merge may not begin */

/** Why a merge may not begin, and what would let it. @type {Map<Who, { why: string, place?: () => HTMLElement | undefined }>} */
const obstacles = new Map();

/** What is said beside the button. */
function said() {
  return [...obstacles.values()].find(({ why }) => why !== "");
}

/**
 * Forbids a merge, or allows it again.
 * @param {Who} who
 * @param {string} [why] a sentence beside the button; empty where an alert says it, or it passes; absent
 *   if nothing is in the way
 * @param {() => HTMLElement | undefined} [place] where it can be put right
 */
export function obstruct(who, why, place) {
  if (why === undefined) obstacles.delete(who);
  else obstacles.set(who, { why, place });
  byId("merge", HTMLButtonElement).disabled = obstacles.size > 0;
  byId("merge-why", HTMLElement).hidden = !said();
  byId("merge-why-text", HTMLElement).textContent = said()?.why ?? "";
}

/** Goes where the obstacle can be taken away. */
export function showObstacle() {
  const place = said()?.place?.();
  place?.focus({ preventScroll: true });
  (place?.closest(".question, .alert") ?? place)?.scrollIntoView({ block: "center" });
}

/** The plan shown is of earlier settings. @param {boolean} isOutdated */
export function markOutdated(isOutdated) {
  obstruct("plan", isOutdated ? "" : undefined);
  for (const id of ["plan-shares", "plan-counts", "plan-estimate", "plan-table"])
    byId(id, HTMLElement).inert = isOutdated;
}
