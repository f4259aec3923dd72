// @ts-check
// What a plan refuses, and buttons for what can be done about it.

/** @import { Plan, PlannedTensor } from "../../protocol.js" */
/** @import { Child } from "../kit/dom.js" */

import { alertPlace, clearAlert, showAlert } from "../kit/alert.js";
import { byId, el } from "../kit/dom.js";
import { addExclude, addKeep, patternFor } from "../settings/exceptions.js";
import { count, letter, printable, sentence, stopped, whole } from "../kit/format.js";
import { obstruct } from "../kit/state.js";

const MAX_REASONS = 6;

/** Tensors that are refused for one reason. @typedef {{ why: string, names: string[] }} Refused */

/** @param {Plan} plan */
export function renderRefusals(plan) {
  const refused = plan.tensors.filter(({ action }) => action === "refuse");
  if (refused.length === 0) {
    obstruct("refusals");
    return clearAlert("plan");
  }
  const all = byReason(refused);
  const reasons = all
    .slice(0, MAX_REASONS)
    .map(({ why, names }) => stopped(`${listed(names)}: ${why}`));
  if (all.length > MAX_REASONS)
    reasons.push(`And ${whole(all.length - MAX_REASONS)} more reasons, in the table below.`);
  const what = `${count(refused.length, "tensor is", "tensors are")} refused.`;
  const title = `These models cannot be merged as they are: ${what}`;
  obstruct("refusals", sentence(what), alertPlace);
  showAlert("plan", title, reasons, "", remedies(all, plan));
}

/** @param {PlannedTensor[]} tensors @returns {Refused[]} */
function byReason(tensors) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const { why = "", name } of tensors) found.set(why, [...(found.get(why) ?? []), name]);
  return [...found].map(([why, names]) => ({ why, names }));
}

/** @param {string[]} names */
function listed(names) {
  const shown = `\`${printable(names[0] ?? "")}\``;
  return names.length === 1 ? shown : `${shown} and ${count(names.length - 1, "other")}`;
}

/** Which models have these tensors: all but the one that is said not to. @param {string} why @param {string[]} models */
function owners(why, models) {
  return models.flatMap((name, i) =>
    why.startsWith(`model \`${printable(name)}\` does not have it`) ? [] : [i],
  );
}

/**
 * Buttons for refusals that keeping or averaging would lift, as their reasons advise: one row for
 * those with the same owners.
 * @param {Refused[]} all
 * @param {Plan} plan
 * @returns {Child[]}
 */
function remedies(all, { models, tensors }) {
  /** @type {Map<string, { from: number[], isExcludable: boolean, names: string[] }>} */
  const rows = new Map();
  for (const { why, names } of all) {
    if (!why.includes("keep it from one model")) continue;
    const isExcludable = why.includes("exclude it");
    const from = owners(why, models);
    const id = `${isExcludable} ${from}`;
    const row = rows.get(id) ?? { from, isExcludable, names: [] };
    row.names.push(...names);
    rows.set(id, row);
  }
  return [...rows.values()].map(({ from, isExcludable, names }, i) => {
    const others = tensors.flatMap(({ name }) => (names.includes(name) ? [] : [name]));
    const pattern = patternFor(names, others);
    const id = `remedy-${i}`;
    /** @param {string} text @param {() => void} action */
    const button = (text, action) => {
      const onclick = () => {
        action();
        byId("plan-title", HTMLElement).focus({ preventScroll: true }); // this button goes
      };
      const props = { class: "secondary", type: "button", "aria-describedby": id, onclick };
      return el("button", props, text);
    };
    return el(
      "div",
      { class: "remedy" },
      el("span", { id }, `For ${count(names.length, "tensor")}, `, el("code", {}, printable(pattern))),
      ...from.map((model) =>
        button(`Keep from ${letter(model)}`, () => addKeep(pattern, model)),
      ),
      isExcludable && button("Average", () => addExclude(pattern)),
    );
  });
}
