// @ts-check
// The plan: how many tensors get which treatment, what it costs, and a table of all of them.

/** @import { Action, Plan, PlannedTensor } from "../../protocol.js" */

import { byId, el, prose, replace } from "../kit/dom.js";
import { approximate, bytes, count, letter, printable, sentence, whole } from "../kit/format.js";
import { actionClass, actionName, counted } from "../settings/methods.js";
import { renderTensors } from "./plan_table.js";
import { renderRefusals } from "./refusals.js";

/** The first and the last of the parts; methods that combine come between them. */
const FIRST = ["regress"];
const LAST = ["copy", "keep", "refuse"];
const MAX_UNMATCHED = 200;

/** @typedef {{ tensors: number, parameters: number }} Sums */

/** @type {Plan | null} */
let current = null;
/** @type {Action | null} */
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

/** @param {Plan} plan @returns {Map<Action, Sums>} */
function countActions(plan) {
  /** @type {Map<Action, Sums>} */
  const counts = new Map();
  for (const { action, shape } of plan.tensors) {
    const { tensors, parameters } = counts.get(action) ?? { tensors: 0, parameters: 0 };
    const own = shape.reduce((product, n) => product * n, 1);
    counts.set(action, { tensors: tensors + 1, parameters: parameters + own });
  }
  return counts;
}

/** @param {Iterable<Action>} actions */
function inOrder(actions) {
  const place = (/** @type {Action} */ action) =>
    FIRST.includes(action) ? -1 : LAST.indexOf(action) + 1;
  return [...actions].sort((a, b) => place(a) - place(b));
}

/** @param {Plan} plan @param {Map<Action, Sums>} counts */
function renderShares(plan, counts) {
  const names = inOrder(counts.keys());
  const total = [...counts.values()].reduce((sum, { parameters }) => sum + parameters, 0);
  const parts = names.map((name) => {
    const part = el("span", { class: `share ${actionClass(name)}` });
    part.style.flexGrow = String((counts.get(name)?.parameters ?? 0) / Math.max(total, 1));
    return part;
  });
  replace(byId("plan-shares", HTMLElement), ...parts);
  replace(
    byId("plan-counts", HTMLElement),
    ...names.map((name) => actionToggle(plan, name, counts.get(name))),
  );
}

/** @param {Plan} plan @param {Action} name @param {Sums | undefined} sums */
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
    el("span", { class: `swatch ${actionClass(name)}`, "aria-hidden": "true" }),
    el("strong", {}, whole(sums?.tensors ?? 0)),
    ` ${counted(name)}`,
    el("span", { class: "facts" }, `${approximate(sums?.parameters ?? 0)} parameters`),
  );
}

/** @param {Plan} plan */
function renderEstimate({ estimate: { read_bytes, write_bytes, memory_bytes } }) {
  byId("plan-estimate", HTMLElement).textContent =
    `Estimate: reads ${bytes(read_bytes)}, writes ${bytes(write_bytes)}, up to ${bytes(memory_bytes)} of memory per worker.`;
}

/** @param {Plan} plan */
function renderUnmatched({ unmatched_grams: unmatched }) {
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

function renderRows() {
  if (!current) return;
  const wanted = byId("plan-filter", HTMLInputElement).value.trim().toLowerCase();
  renderTensors(current, (tensor, why) => matches(tensor, why, wanted));
}

/** @param {PlannedTensor} tensor @param {string} why @param {string} wanted */
function matches({ action, name }, why, wanted) {
  if (onlyAction && action !== onlyAction) return false;
  return wanted === "" || `${name} ${actionName(action)} ${why}`.toLowerCase().includes(wanted);
}
