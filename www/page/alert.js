// The page's one alert: what is wrong and what to do. It moves to where it is needed.

import { Failed } from "./client.js";
import { byId, el, prose, replace } from "./dom.js";
import { printable, sentence } from "./format.js";

/** @typedef {"files" | "plan" | "merge"} Place */

/** @type {Place | null} */
let shownAt = null;

/**
 * @param {Place} place
 * @param {string} title
 * @param {string[]} [details]
 * @param {string} [advice]
 */
export function showAlert(place, title, details = [], advice = "") {
  const alert = byId("alert", HTMLElement);
  shownAt = place;
  byId(`${place}-alert`, HTMLElement).append(alert);
  const list = details.length > 0 && el("ul", {}, ...details.map((text) => el("li", {}, prose(text))));
  replace(alert, el("p", { class: "alert-title" }, title), list, advice && el("p", {}, prose(advice)));
  alert.hidden = false;
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
  const where = [file && `File: ${printable(file)}`, tensor && `Tensor: ${printable(tensor)}`];
  const details = [sentence(what), ...where.filter((text) => typeof text === "string")];
  showAlert(place, title, details, advice ? sentence(advice) : "");
}
