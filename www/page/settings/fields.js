// @ts-check
// The fields for a method's own settings, drawn from the table of methods.

/** @import { Method, Param, Scope } from "../../protocol.js" */

import { byId, el, replace } from "../kit/dom.js";
import { methods, symbol } from "./methods.js";

/** Values by the setting's name; what is absent has the table's. @type {Map<string, string>} */
const values = new Map();

/** @param {Param} param */
function usual(param) {
  return typeof param.default === "number" ? String(param.default) : "";
}

/** @param {Param} param */
function valueOf(param) {
  return values.get(param.name) ?? usual(param);
}

/** @param {Method} method */
export function renderFields({ params }) {
  replace(byId("method-fields", HTMLElement), ...params.map(field));
}

/** @param {Param} param */
function field(param) {
  const id = `set-${param.name}`;
  const help = el("p", { id: `${id}-help`, class: "facts" }, helpOf(param));
  if (param.kind === "switch")
    return el("div", { class: "field" }, el("label", { class: "check" }, toggle(param, id), symbol(param.name)), help);
  const number = numberInput(param, id);
  const isPart = param.kind === "number" && param.min === 0 && param.max === 1;
  return el(
    "div",
    { class: "field number-field" },
    el("label", { for: id }, symbol(param.name)),
    number,
    isPart && slider(param, number),
    help,
  );
}

/** @param {Param} param */
function helpOf({ help, per_model }) {
  return per_model ? `${help} The same for every model here.` : help;
}

/** @param {Param} param @param {string} id */
function toggle(param, id) {
  const box = el("input", {
    type: "checkbox",
    id,
    checked: Number(valueOf(param)) === 1,
    "aria-describedby": `${id}-help`,
    "data-key": id,
    oninput: () => set(param, box.checked ? "1" : "0"),
  });
  return box;
}

/** @param {Param} param @param {string} id */
function numberInput(param, id) {
  const input = el("input", {
    type: "number",
    id,
    step: param.kind === "whole" ? 1 : "any",
    value: valueOf(param),
    "aria-describedby": `${id}-help`,
    "data-key": id,
    oninput: () => set(param, input.value),
  });
  return input;
}

/** The same value by hand. @param {Param} param @param {HTMLInputElement} number */
function slider(param, number) {
  const range = el("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.01,
    value: valueOf(param),
    "aria-label": `${symbol(param.name)}, slider`,
    "data-key": `${number.id}-slider`,
    oninput: () => {
      number.value = range.value;
      set(param, range.value);
    },
  });
  number.addEventListener("input", () => (range.value = number.value));
  return range;
}

/** @param {Param} param @param {string} value */
function set(param, value) {
  if (value === usual(param)) values.delete(param.name);
  else values.set(param.name, value);
}

/**
 * Takes what an address says; what is no setting of any method is not for us.
 * @param {URLSearchParams} address
 */
export function setFields(address) {
  values.clear();
  for (const { name } of methods().flatMap(({ params }) => params)) {
    const value = address.get(name);
    if (value !== null && value.trim() !== "" && Number.isFinite(Number(value)))
      values.set(name, value);
  }
}

/** What of a method's settings is not as the table has it. @param {Method} method @returns {Record<string, string>} */
export function changedFields({ params }) {
  return Object.fromEntries(
    params.flatMap((param) => {
      const value = valueOf(param);
      return value === usual(param) ? [] : [[param.name, value]];
    }),
  );
}

/** Whether a switch is on. @param {Method} method @param {string} name */
export function isOn({ params }, name) {
  const param = params.find((one) => one.name === name);
  return param !== undefined && Number(valueOf(param)) === 1;
}

/**
 * Throws a sentence where a value is no number.
 * @param {Method} method
 * @returns {Scope[]}
 */
export function readScopes(method) {
  const settings = Object.entries(changedFields(method)).map(([name, value]) => {
    if (value.trim() === "" || !Number.isFinite(Number(value)))
      throw new Error(`${symbol(name)} is not a number; write one`);
    return [name, Number(value)];
  });
  return settings.length > 0 ? [{ settings: Object.fromEntries(settings) }] : [];
}
