// The plan: how many tensors get which treatment, what it costs, and a table of all of them.

/** @import { Action, Plan, PlannedTensor } from "../protocol.js" */

import { clearAlert, showAlert } from "./alert.js";
import { breakable, byId, el, prose, replace } from "./dom.js";
import {
  approximate,
  bytes,
  count,
  letter,
  printable,
  sentence,
  shape,
  stopped,
  whole,
} from "./format.js";
import { obstruct } from "./state.js";
import { DataTable } from "./table.js";

/** @typedef {Action["action"]} ActionName */

/** @type {Record<ActionName, string>} */
export const ACTION_NAMES = {
  regress: "RegMean",
  average: "average",
  copy: "copy",
  keep: "keep",
  refuse: "refused",
};
/** @type {Record<ActionName, string>} */
const COUNTED = {
  regress: "solved by RegMean",
  average: "averaged",
  copy: "copied",
  keep: "kept from one model",
  refuse: "refused",
};
const MAX_REASONS = 6;
const MAX_UNMATCHED = 200;

/** @type {DataTable<PlannedTensor> | null} */
let table = null;
/** @type {Plan | null} */
let current = null;
/** @type {ActionName | null} */
let onlyAction = null;

export function bindPlan() {
  byId("plan-filter", HTMLInputElement).addEventListener("input", renderRows);
}

/** @param {Plan} plan */
export function renderPlan(plan) {
  current = plan;
  const counts = countActions(plan);
  if (onlyAction && !counts.has(onlyAction)) onlyAction = null;
  renderShares(plan, counts);
  renderEstimate(plan);
  replace(
    byId("plan-warnings", HTMLElement),
    ...plan.warnings.map((text) => el("li", {}, prose(sentence(text)))),
  );
  renderUnmatched(plan);
  renderRefusals(plan);
  renderRows();
}

/** @param {Plan} plan @returns {Map<ActionName, { tensors: number, parameters: number }>} */
function countActions(plan) {
  const counts = new Map();
  for (const tensor of plan.tensors) {
    const sum = counts.get(tensor.action) ?? { tensors: 0, parameters: 0 };
    sum.tensors += 1;
    sum.parameters += tensor.shape.reduce((product, n) => product * n, 1);
    counts.set(tensor.action, sum);
  }
  return counts;
}

/** @param {Plan} plan @param {ReturnType<typeof countActions>} counts */
function renderShares(plan, counts) {
  const names = /** @type {ActionName[]} */ (Object.keys(COUNTED)).filter((name) =>
    counts.has(name),
  );
  const total = [...counts.values()].reduce((sum, { parameters }) => sum + parameters, 0);
  const parts = names.map((name) => {
    const part = el("span", { class: `share act-${name}` });
    part.style.flexGrow = String((counts.get(name)?.parameters ?? 0) / Math.max(total, 1));
    return part;
  });
  replace(byId("plan-shares", HTMLElement), ...parts);
  replace(
    byId("plan-counts", HTMLElement),
    ...names.map((name) => actionToggle(plan, name, counts.get(name))),
  );
}

/** @param {Plan} plan @param {ActionName} name @param {{ tensors: number, parameters: number } | undefined} sums */
function actionToggle(plan, name, sums) {
  const toggle = () => {
    onlyAction = onlyAction === name ? null : name;
    renderShares(plan, countActions(plan));
    renderRows();
  };
  return el(
    "button",
    {
      class: "toggle",
      "aria-pressed": String(onlyAction === name),
      "data-key": name,
      onclick: toggle,
    },
    el("span", { class: `swatch act-${name}`, "aria-hidden": "true" }),
    el("strong", {}, whole(sums?.tensors ?? 0)),
    ` ${COUNTED[name]}`,
    el("span", { class: "facts" }, `${approximate(sums?.parameters ?? 0)} parameters`),
  );
}

/** @param {Plan} plan */
function renderEstimate(plan) {
  const { read_bytes, write_bytes, memory_bytes, flops } = plan.estimate;
  const work = flops > 0 ? `, ${approximate(flops)} multiplications and additions` : "";
  byId("plan-estimate", HTMLElement).textContent =
    `Estimate: reads ${bytes(read_bytes)}, writes ${bytes(write_bytes)}, up to ${bytes(memory_bytes)} of memory per worker${work}.`;
}

/** @param {Plan} plan */
function renderUnmatched(plan) {
  const unmatched = plan.unmatched_grams;
  byId("unmatched", HTMLElement).hidden = unmatched.length === 0;
  byId("unmatched-summary", HTMLElement).textContent =
    `${count(unmatched.length, "Gram matrix", "Gram matrices")} that no weight asks for`;
  const items = unmatched
    .slice(0, MAX_UNMATCHED)
    .map(({ model, name }) => el("li", {}, `${letter(model)}: `, el("code", {}, printable(name))));
  if (unmatched.length > MAX_UNMATCHED)
    items.push(el("li", {}, `and ${whole(unmatched.length - MAX_UNMATCHED)} more`));
  replace(byId("unmatched-names", HTMLElement), ...items);
}

/** @param {Plan} plan */
function renderRefusals(plan) {
  /** @type {Map<string, string[]>} */
  const byReason = new Map();
  for (const tensor of plan.tensors) {
    if (tensor.action === "refuse")
      byReason.set(tensor.why, [...(byReason.get(tensor.why) ?? []), tensor.name]);
  }
  obstruct("refusals", byReason.size > 0 ? "" : undefined);
  if (byReason.size === 0) return clearAlert("plan");
  const reasons = [...byReason]
    .slice(0, MAX_REASONS)
    .map(([why, names]) => stopped(`${listed(names)}: ${why}`));
  if (byReason.size > MAX_REASONS)
    reasons.push(`And ${whole(byReason.size - MAX_REASONS)} more reasons, in the table below.`);
  const n = plan.tensors.filter((tensor) => tensor.action === "refuse").length;
  showAlert(
    "plan",
    `These models cannot be merged as they are: ${count(n, "tensor is", "tensors are")} refused.`,
    reasons,
  );
}

/** @param {string[]} names */
function listed(names) {
  const shown = `\`${printable(names[0] ?? "")}\``;
  return names.length === 1 ? shown : `${shown} and ${count(names.length - 1, "other")}`;
}

function renderRows() {
  if (!current) return;
  table ??= new DataTable(byId("plan-table", HTMLElement), "Plan", COLUMNS);
  const wanted = byId("plan-filter", HTMLInputElement).value.trim().toLowerCase();
  const { tensors, lines } = current;
  const ordered = lines.flatMap((line) => line.tensors.flatMap((index) => tensors[index] ?? []));
  const rows = ordered.filter((tensor) => matches(tensor, wanted));
  table.set(refusedFirst(rows));
  const all = rows.length === current.tensors.length;
  byId("plan-shown", HTMLElement).textContent = all
    ? count(rows.length, "tensor")
    : `${whole(rows.length)} of ${count(current.tensors.length, "tensor")}`;
}

/** @param {PlannedTensor} tensor @param {string} wanted */
function matches(tensor, wanted) {
  if (onlyAction && tensor.action !== onlyAction) return false;
  if (wanted === "") return true;
  return `${tensor.name} ${ACTION_NAMES[tensor.action]} ${reason(tensor)}`
    .toLowerCase()
    .includes(wanted);
}

/** @param {PlannedTensor[]} rows */
function refusedFirst(rows) {
  const refused = rows.filter((tensor) => tensor.action === "refuse");
  return refused.length === 0
    ? rows
    : [...refused, ...rows.filter((tensor) => tensor.action !== "refuse")];
}

/** @type {import("./table.js").Column<PlannedTensor>[]} */
const COLUMNS = [
  {
    title: "Tensor",
    kind: "name",
    cell: (tensor) => breakable(printable(tensor.name)),
    order: (tensor) => tensor.name,
  },
  {
    title: "Shape",
    kind: "number",
    cell: (tensor) => shape(tensor.shape),
    order: (tensor) => tensor.shape.reduce((a, b) => a * b, 1),
  },
  { title: "Type", cell: dtype, order: (tensor) => tensor.dtype_out },
  {
    title: "What happens",
    kind: "wide",
    order: (tensor) => ACTION_NAMES[tensor.action],
    cell: (tensor) => [
      el("span", { class: `tag act-${tensor.action}` }, ACTION_NAMES[tensor.action]),
      " ",
      prose(reason(tensor)),
    ],
  },
];

/** @param {PlannedTensor} tensor */
function dtype(tensor) {
  const inputs = [...new Set(tensor.dtypes)].join(", ");
  return inputs === tensor.dtype_out ? inputs : `${inputs} → ${tensor.dtype_out}`;
}

/** @param {PlannedTensor} tensor */
function reason(tensor) {
  if (tensor.action === "keep")
    return `from ${letter(tensor.model)}: ${printable(current?.models[tensor.model] ?? "")}`;
  if (tensor.action !== "regress") return tensor.why;
  const group = current?.groups[tensor.group];
  if (!group) return "";
  const shared = group.tensors.length > 1 ? `, shared by ${group.tensors.length} weights` : "";
  return `Gram ${group.n_in} × ${group.n_in}${shared}${tensor.orientation === "in_out" ? ", stored transposed" : ""}`;
}
