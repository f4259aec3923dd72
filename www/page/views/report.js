// @ts-check
// The report: what happened to every tensor, and how far the result can be trusted.

/** @import { Report, SolveReport, TensorReport } from "../../protocol.js" */
/** @import { Result } from "../flow/client.js" */

import { breakable, byId, el, prose, replace } from "../kit/dom.js";
import {
  count,
  duration,
  letter,
  percent,
  printable,
  scientific,
  sentence,
  whole,
} from "../kit/format.js";
import { drawErrors } from "../figures/errors.js";
import { actionName, counted, described } from "../settings/methods.js";
import { badge } from "../kit/badge.js";
import { BOUND, verdict } from "./verdict.js";
import { bindResult, renderResult } from "./result.js";
import { byName, DataTable } from "../kit/table.js";

/** @type {Record<SolveReport["path"], string>} */
const PATHS = { f32: "f32", f64: "f64", f64_iterated: "f64, iterated" };

/** @type {TensorReport[]} */
let rows = [];
/** The kernels of the merge as a whole. */
let kernels = "";
/** @type {DataTable<TensorReport> | null} */
let table = null;

export function bindReport() {
  bindResult();
  byId("report-filter", HTMLInputElement).addEventListener("input", renderRows);
}

/**
 * @param {Report} report
 * @param {Result} result
 * @param {boolean} isDirect the files are where the user wants them
 */
export function renderReport(report, result, isDirect) {
  renderResult(report, result, isDirect);
  byId("report-settings", HTMLElement).textContent = settings(report);
  byId("report-summary", HTMLElement).textContent = summary(report);
  replace(byId("report-bound", HTMLElement), ...verdict(report));
  replace(
    byId("report-warnings", HTMLElement),
    ...report.warnings.map((text) => el("li", {}, prose(sentence(text)))),
  );
  drawErrors(byId("report-errors", HTMLElement), report.tensors, BOUND);
  renderTable(report);
}

/** @param {Report} report */
function settings({ options, models }) {
  const parts = [described(options)];
  if (options.precision !== "auto") parts.push(`precision ${options.precision}`);
  if (options.dtype) parts.push(`written as ${options.dtype}`);
  return `${models.map((name, i) => `${letter(i)} ${printable(name)}`).join(" + ")}. ${parts.join(", ")}.`;
}

/** @param {Report} report */
function summary(report) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { action } of report.tensors) counts.set(action, (counts.get(action) ?? 0) + 1);
  const parts = [...counts].map(([action, n]) => `${whole(n)} ${counted(action)}`);
  const workers = count(report.n_workers, "worker");
  return `Merged ${count(report.tensors.length, "tensor")} in ${duration(report.elapsed_millis / 1000)} with ${workers} (${report.kernels}): ${parts.join(", ")}.`;
}

/** @param {Report} report */
function renderTable(report) {
  const most = Math.max(
    ...report.tensors.flatMap((tensor) => tensor.distances.filter(Number.isFinite)),
    1e-12,
  );
  const place = byId("report-table", HTMLElement);
  table = new DataTable(place, "What happened to each tensor", columns(report, most));
  rows = byName(report.tensors);
  kernels = report.kernels;
  renderRows();
}

function renderRows() {
  const wanted = byId("report-filter", HTMLInputElement).value.trim().toLowerCase();
  table?.set(
    rows.filter((tensor) => `${tensor.name} ${treatment(tensor)}`.toLowerCase().includes(wanted)),
  );
}

/** @param {Report} report @param {number} most @returns {import("../kit/table.js").Column<TensorReport>[]} */
function columns(report, most) {
  /** @type {(pick: (solve: SolveReport) => number) => (tensor: TensorReport) => number} */
  const figure = (pick) => (tensor) => (tensor.solve ? pick(tensor.solve) : -1);
  /** @type {(pick: (solve: SolveReport) => number) => (tensor: TensorReport) => string | null} */
  const shown = (pick) => (tensor) => (tensor.solve ? scientific(pick(tensor.solve)) : null);
  return [
    {
      title: "Tensor",
      kind: "name",
      cell: (tensor) => [breakable(printable(tensor.name)), remark(tensor)],
      order: (tensor) => tensor.name,
    },
    { title: "Path", cell: treatment, order: treatment },
    {
      title: "Condition",
      kind: "number",
      cell: shown((solve) => solve.condition),
      order: figure((solve) => solve.condition),
    },
    {
      title: "Residual",
      kind: "number",
      cell: shown((solve) => solve.residual),
      order: figure((solve) => solve.residual),
    },
    {
      title: "Error estimate",
      kind: "number",
      cell: shown((solve) => solve.error_estimate),
      order: figure((solve) => solve.error_estimate),
    },
    {
      title: `Distance from\u00a0${report.models.map((_, i) => letter(i)).join(",\u00a0")}`,
      kind: "wide",
      cell: (tensor) => distances(tensor, most),
      order: (tensor) => Math.max(...tensor.distances, -1),
    },
  ];
}

/** Says who solved a tensor where it was someone else, as a graphics card. @param {TensorReport} tensor */
function treatment({ action, solve }) {
  if (!solve) return actionName(action);
  const by = solve.kernels === kernels ? "" : ` on ${printable(solve.kernels)}`;
  return `RegMean, ${PATHS[solve.path]}${by}`;
}

/** @param {TensorReport} tensor */
function remark({ note, solve }) {
  const remarks = [note, solve?.missed && `bound missed: ${solve.missed}`, solve?.fault];
  if (solve && solve.n_dead_features > 0)
    remarks.push(`${count(solve.n_dead_features, "input")} never used in the Grams, averaged`);
  if (solve && solve.floor > 0)
    remarks.push(`floor ${scientific(solve.floor)}, ${count(solve.n_iterations, "step")}`);
  const text = remarks.filter(Boolean).join("; ");
  return text !== "" && el("span", { class: "remark" }, prose(sentence(text)));
}

/** @param {TensorReport} tensor @param {number} most */
function distances(tensor, most) {
  if (tensor.distances.length === 0) return null;
  return el(
    "ul",
    { class: "distances" },
    ...tensor.distances.map((distance, index) => {
      const bar = el("span", { class: `bar hue-${index % 6}` });
      bar.style.width = `${Math.min(distance / most, 1) * 100}%`;
      return el(
        "li",
        {},
        badge(index),
        el("span", { class: "track", "aria-hidden": "true" }, bar),
        el("span", {}, percent(distance)),
      );
    }),
  );
}
