// @ts-check
// The verdict above the report: what of the merged model cannot be trusted, or that all of it can.

/** @import { Report, TensorReport } from "../../protocol.js" */
/** @import { Child } from "../kit/dom.js" */

import { breakable, el, prose } from "../kit/dom.js";
import { count, printable, scientific, stopped, whole } from "../kit/format.js";

export const BOUND = 1e-6;
const MAX_LISTED = 10;

/** @param {Report} report @returns {Child[]} */
export function verdict({ tensors, worst_error_estimate }) {
  const broken = tensors.filter(({ note }) => /NaN|infinit/.test(note ?? ""));
  const missed = tensors.filter(({ solve }) => solve && (solve.missed || !isWithin(solve)));
  const isSolved = tensors.some(({ solve }) => solve);
  const worst = missed.find(({ solve }) => Number.isNaN(solve?.error_estimate))
    ? NaN
    : worst_error_estimate;
  const figures = isSolved
    ? ` Worst estimated error of a solved tensor: ${scientific(worst)} relative; the bound is ${scientific(BOUND)}.`
    : " No tensor was solved, so there is no solver error to report.";
  return [
    broken.length > 0 &&
      el(
        "p",
        {},
        badge("bad", "Not finite"),
        ` ${count(broken.length, "tensor holds", "tensors hold")} NaN or infinity: the merged model will hardly work.`,
      ),
    ...listed(broken, ({ note }) => note ?? ""),
    ...adviceOn(broken),
    el(
      "p",
      {},
      missed.length > 0 && badge("bad", "Bound missed"),
      missed.length === 0 && broken.length === 0 && isSolved && badge("good", "Within bound"),
      figures,
    ),
    ...listed(
      missed,
      ({ solve }) => solve?.missed || "its error is not known to be within the bound",
    ),
  ];
}

/** @param {import("../../protocol.js").SolveReport} solve */
function isWithin({ error_estimate }) {
  return error_estimate <= BOUND; // NaN is not
}

/** @param {"good" | "bad"} kind @param {string} text */
function badge(kind, text) {
  return el("span", { class: `verdict ${kind}` }, text);
}

/** @param {TensorReport[]} tensors @param {(tensor: TensorReport) => string} why @returns {Child[]} */
function listed(tensors, why) {
  if (tensors.length === 0) return [];
  const items = tensors
    .slice(0, MAX_LISTED)
    .map((tensor) =>
      el(
        "li",
        {},
        el("code", {}, breakable(printable(tensor.name))),
        ": ",
        prose(stopped(why(tensor))),
      ),
    );
  const rest = tensors.length - MAX_LISTED;
  return [
    el("ul", { class: "warnings" }, ...items),
    rest > 0 && el("p", {}, `And ${whole(rest)} more, in the table below.`),
  ];
}

/** What to do. @param {TensorReport[]} broken @returns {Child[]} */
function adviceOn(broken) {
  const grown = broken.find(({ note }) => note?.includes("too large"));
  const carried = broken.find((tensor) => tensor !== grown && !tensor.note?.includes("too large"));
  return [
    carried &&
      el(
        "p",
        {},
        "What to do: repair the model, or keep the tensor from a model in which it is whole. Under “Exceptions by name”, “Keep from one model”, write ",
        el("code", {}, `${printable(carried.name)} = B`),
        " if that is B, and merge again.",
      ),
    grown && el("p", {}, "What to do: choose a wider output type, such as f32, and merge again."),
  ];
}
