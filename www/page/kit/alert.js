// @ts-check
// The page's one alert: what is wrong and what to do. It moves to where it is needed.

/** @import { FileEntry, Inventory } from "../../protocol.js" */
/** @import { Child } from "./dom.js" */

import { Failed } from "./failed.js";
import { byId, el, prose, replace } from "./dom.js";
import { count, printable, sentence, stopped } from "./format.js";

const MAX_BAD = 6;

/** @typedef {"files" | "plan" | "merge" | "save"} Place */

/** @type {Place | null} */
let shownAt = null;

/**
 * @param {Place} place
 * @param {string} title
 * @param {string[]} [details]
 * @param {string} [advice]
 * @param {Child[]} [buttons] what can be done at once
 */
export function showAlert(place, title, details = [], advice = "", buttons = []) {
  const alert = byId("alert", HTMLElement);
  shownAt = place;
  byId(`${place}-alert`, HTMLElement).append(alert);
  const list =
    details.length === 1
      ? el("p", {}, prose(details[0] ?? ""))
      : el("ul", {}, ...details.map((text) => el("li", {}, prose(text))));
  replace(
    alert,
    el("p", { class: "alert-title" }, title),
    details.length > 0 && list,
    advice && el("p", {}, prose(advice)),
    ...buttons,
  );
  alert.hidden = false;
  // What somebody has just done failed, perhaps far from here. A plan's alert comes while settings
  // are typed, which must not move away.
  if (place !== "plan") alert.scrollIntoView({ block: "nearest" });
}

/** Where it is to be read, or what can be done about it. */
export function alertPlace() {
  const alert = byId("alert", HTMLElement);
  return alert.querySelector("button") ?? alert;
}

/** Takes the alert away, if it was shown at this place. @param {...Place} places */
export function clearAlert(...places) {
  if (shownAt === null || !places.includes(shownAt)) return;
  shownAt = null;
  const alert = byId("alert", HTMLElement);
  alert.hidden = true;
  alert.replaceChildren();
}

/**
 * @param {Place} place
 * @param {string} title
 * @param {unknown} error
 */
export function showError(place, title, error) {
  if (!(error instanceof Failed)) {
    const what = error instanceof Error ? error.message : String(error);
    return showAlert(place, title, [sentence(what)]);
  }
  const { what, file, tensor, advice } = error.data;
  const where = [file && `\`${printable(file)}\`: `, tensor && `tensor \`${printable(tensor)}\`: `]
    .filter(Boolean)
    .join("");
  showAlert(
    place,
    title,
    [where === "" ? sentence(what) : stopped(where + what)],
    advice ? sentence(advice) : "",
  );
}

/** Says which files cannot be used, if any. @param {Inventory} inventory */
export function alertBadFiles({ files, suggestion }) {
  const bad = files.filter((entry) => entry.kind === "bad");
  const isUseful = files.some(({ kind }) => kind === "gram" || kind === "checkpoint");
  if (bad.length > 0) {
    const reasons = bad.slice(0, MAX_BAD).map(whyBad);
    if (bad.length > MAX_BAD) reasons.push(`And ${bad.length - MAX_BAD} more, listed below.`);
    showAlert("files", `${count(bad.length, "file")} cannot be used.`, reasons);
  } else if (suggestion.models.length === 0 && !isUseful) {
    const advice = "Choose .safetensors files, or a folder that holds them.";
    showAlert("files", "No model was found in these files.", [], advice);
  } else {
    clearAlert("files");
  }
}

/** @param {FileEntry} entry */
function whyBad({ path, error }) {
  const why = error ? [error.what, error.advice].filter(Boolean).join("; ") : "cannot be read";
  return stopped(`\`${printable(path)}\`: ${why}`);
}
