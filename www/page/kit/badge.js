// @ts-check
// The sign of a model, the same everywhere.

import { el } from "./dom.js";
import { letter } from "./format.js";

/** The letter of a model on its colour. @param {number} index */
export function badge(index) {
  return el("span", { class: `badge hue-${index % 6}`, "aria-hidden": "true" }, letter(index));
}
