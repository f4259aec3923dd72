// @ts-check
// One mark per solved tensor on a logarithmic scale of its estimated error, with the bound.

/** @import { TensorReport } from "../../protocol.js" */

import { el, replace } from "../kit/dom.js";
import { count, scientific } from "../kit/format.js";

const LOWEST = -17;
const HIGHEST = 1;
const LABELLED = [-15, -12, -9, -6, -3, 0];

/** Where a value stands, in percent of the width. @param {number} value */
function position(value) {
  const power = value > 0 ? Math.log10(value) : LOWEST;
  const kept = Math.min(Math.max(Number.isNaN(power) ? HIGHEST : power, LOWEST), HIGHEST);
  return `${((kept - LOWEST) / (HIGHEST - LOWEST)) * 100}%`;
}

/** @param {string} kind @param {number} value @param {string} [text] */
function placed(kind, value, text) {
  const node = el("span", { class: kind }, text);
  node.style.insetInlineStart = position(value);
  return node;
}

/** @param {HTMLElement} place @param {TensorReport[]} tensors @param {number} bound */
export function drawErrors(place, tensors, bound) {
  const errors = tensors.flatMap((tensor) => (tensor.solve ? [tensor.solve.error_estimate] : []));
  place.hidden = errors.length < 2;
  if (place.hidden) return;
  const allowed = el("span", { class: "allowed" });
  allowed.style.inlineSize = position(bound);
  const strip = el(
    "div",
    { class: "strip", role: "img", "aria-label": described(errors, bound) },
    allowed,
    ...errors.map((error) => placed(error <= bound ? "mark" : "mark over", error)),
    placed("bound", bound),
    ...LABELLED.map((power) =>
      placed("tick", 10 ** power, power === 0 ? "1" : scientific(10 ** power)),
    ),
  );
  replace(
    place,
    el(
      "figcaption",
      {},
      "Estimated relative error of each solved tensor, on a logarithmic scale. ",
      `The dashed line is the bound, ${scientific(bound)}.`,
    ),
    strip,
  );
}

/** @param {number[]} errors @param {number} bound */
function described(errors, bound) {
  const over = errors.filter((error) => !(error <= bound)).length;
  const sorted = [...errors].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return (
    `${count(errors.length, "solved tensor")}: errors from ${scientific(sorted[0] ?? 0)} to ${scientific(sorted.at(-1) ?? 0)}, ` +
    `median ${scientific(median)}; ${over === 0 ? "all" : errors.length - over} within the bound of ${scientific(bound)}.`
  );
}
