// @ts-check
// The table of methods, as the core has it: what each is called, needs and can be set to.

/** @import { Action, Method, Options, Param, Selection } from "../../protocol.js" */

/** @type {Method[]} */
let table = [];

/** @param {Method[]} methods */
export function setTable(methods) {
  table = methods;
}

export function methods() {
  return table;
}

/** @param {string} name a method's, or its other name @returns {Method | undefined} */
export function find(name) {
  return table.find((method) => method.name === name || method.aliases.includes(name));
}

/** A method's name for people. @param {string} name */
export function title(name) {
  return find(name)?.title ?? name;
}

/** @param {Method} method */
export function needsGrams({ statistics }) {
  return statistics.includes("gram");
}

/** @param {Method} method @param {Selection} selection */
export function lacksBase(method, { base }) {
  return method.base === "needed" && !base;
}

/** @param {Selection} selection */
export function haveGrams({ models }) {
  return models.every(({ gram }) => typeof gram === "number");
}

/**
 * Why a method cannot merge these models, whatever is said of a base; empty if it can.
 * @param {Method} method
 * @param {Selection} selection
 */
export function whyNot(method, selection) {
  const n = selection.models.length;
  if (needsGrams(method) && !haveGrams(selection)) return "needs a Gram file for every model";
  if (n < method.min_models) return `needs ${method.min_models} models`;
  if (typeof method.max_models === "number" && n > method.max_models)
    return `merges ${method.max_models} models, not ${n}`;
  return "";
}

/** The method of whoever chose none: with statistics where all have them. @param {Selection} selection */
export function usual(selection) {
  const usable = table.filter(
    (method) => !whyNot(method, selection) && !lacksBase(method, selection),
  );
  return usable.find(needsGrams) ?? usable[0];
}

/** A base is given to methods that start from it; for the others it stays aside. @param {Method} method @param {Selection} selection @returns {Selection} */
export function arranged(method, { models, base }) {
  return method.base === "needed" && base ? { models, base } : { models };
}

/** @type {Record<string, string>} */
const SYMBOLS = { alpha: "α", lambda: "λ", gamma: "γ" };

/** @param {string} name a setting's */
export function symbol(name) {
  return SYMBOLS[name] ?? name.replaceAll("_", " ");
}

/** A method and its settings in words: those that were set, and numbers that say what it does. @param {Options} options */
export function described({ method: name, scopes, coefficients }) {
  const method = find(name);
  const parts = (method?.params ?? []).flatMap((param) => {
    const given = scopes.filter(({ settings }) => param.name in settings);
    if (given.length === 0) return isTelling(param) ? [`${symbol(param.name)} = ${param.default}`] : [];
    const [only] = given;
    const value = only?.settings[param.name];
    const isOne = given.length === 1 && typeof value !== "object" && !only?.layers;
    if (!isOne || typeof only?.model === "number") return [`${symbol(param.name)} varies`];
    if (param.kind !== "switch") return [`${symbol(param.name)} = ${value}`];
    return [`${Number(value) === 1 ? "" : "no "}${symbol(param.name)}`];
  });
  if (coefficients.length > 0) parts.push(`coefficients ${coefficients.join(", ")}`);
  return [title(name), ...parts].join(", ");
}

/** @param {Param} param */
function isTelling({ kind, ...param }) {
  return kind === "number" && typeof param.default === "number";
}

/** What happens to a tensor, in a word. @param {Action} action */
export function actionName(action) {
  switch (action) {
    case "regress":
      return "RegMean";
    case "average":
      return "average";
    case "refuse":
      return "refused";
    case "copy":
    case "keep":
      return action;
    default:
      return title(action);
  }
}

/** What happened to tensors, after their number. @param {Action} action */
export function counted(action) {
  switch (action) {
    case "regress":
      return "solved by RegMean";
    case "average":
      return "averaged";
    case "copy":
      return "copied";
    case "keep":
      return "kept from one model";
    case "refuse":
      return "refused";
    default:
      return `by ${title(action)}`;
  }
}

/** The class of what happens to a tensor, which has a colour. @param {Action} action */
export function actionClass(action) {
  const isKnown = ["regress", "average", "copy", "keep", "refuse"].includes(action);
  return `act-${isKnown ? action : "combine"}`;
}
