// @ts-check
// The settings of a merge: a form on the page, `Options` in the protocol, most of it in the page's
// address.

/** @import { Device, Method, Options, Precision, Selection } from "../../protocol.js" */

import { onAddress, readAddress, writeAddress } from "./address.js";
import { bindChoice, chosen, isByItself, setChoice } from "./choice.js";
import { companions } from "./companions.js";
import { breakable, byId, el, replace } from "../kit/dom.js";
import { readExclude, readKeep } from "./exceptions.js";
import { changedFields, isOn, readScopes, renderFields, setFields } from "./fields.js";
import { printable } from "../kit/format.js";
import { needsGrams } from "./methods.js";
import { badge } from "../kit/badge.js";
import { hasPickers } from "../lock/outer.js";

/** Fields that the address holds, with what they are by themselves. */
const FIELDS = { precision: "auto", dtype: "", shard: "" };
const MAX_WORKERS = 16;
/** Reading takes more of the time than computing: while one worker waits for files, another computes. */
const READING_PER_CORE = 2;

/** The models that the coefficients are of. @type {Selection} */
let current = { models: [] };
/** Coefficients of an address, until there are models for them. @type {string[]} */
let awaited = [];

/** @param {string} id */
function field(id) {
  const node = document.getElementById(id);
  if (node instanceof HTMLInputElement || node instanceof HTMLSelectElement) return node;
  throw new Error(`#${id} is missing`);
}

/** @param {() => void} onChange */
export function bindSettings(onChange) {
  readFields();
  const form = byId("settings", HTMLFormElement);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    sayCoefficients();
    write();
    onChange();
  });
  bindChoice(() => {
    renderMethod();
    write();
    onChange();
  });
  onAddress(() => {
    readFields();
    readTable();
    renderSettings(current);
    onChange();
  });
  byId("place-field", HTMLElement).hidden = !hasPickers;
  const forced = device();
  if (forced !== "auto")
    byId("device-note", HTMLElement).textContent = `Device: ${forced}, as the page's address says.`;
}

/** What needs no table of methods. */
function readFields() {
  const address = readAddress();
  for (const [key, usual] of Object.entries(FIELDS)) {
    const input = field(key);
    input.value = address.get(key) ?? usual;
    if (input.value === "" && usual !== "") input.value = usual; // an unknown choice
  }
  awaited = address.get("coefficients")?.split(",") ?? [];
}

/** What does: to be called when it is there. */
export function readTable() {
  const address = readAddress();
  setChoice(address.get("method"));
  setFields(address);
}

function write() {
  const changed = Object.entries(FIELDS).map(([key, usual]) => {
    const { value } = field(key);
    return [key, value === usual ? undefined : value];
  });
  const method = chosen(current);
  const weights = method ? coefficients(method) : [];
  writeAddress({
    method: method && !isByItself(current) ? method.name : undefined,
    ...(method && changedFields(method)),
    coefficients: weights.length > 0 && weights.every(Number.isFinite) ? weights.join() : undefined,
    ...Object.fromEntries(changed),
  });
}

/** @param {Selection} selection */
export function renderSettings(selection) {
  current = selection;
  renderMethod();
}

function renderMethod() {
  const method = chosen(current);
  if (!method) return;
  renderFields(method);
  renderCoefficients(method);
}

/** One coefficient per model. @param {Method} method */
function renderCoefficients(method) {
  const place = byId("coefficients", HTMLElement);
  const old = [...place.querySelectorAll("input")];
  const rows = current.models.map((model, index) => {
    const before = old.find((input) => input.name === model.name)?.value;
    const input = el("input", {
      type: "number",
      min: method.coefficients === "shares" ? 0 : null,
      step: "any",
      value: before ?? awaited[index] ?? "1",
      name: model.name,
      "data-key": index,
    });
    return el(
      "label",
      { class: "coefficient" },
      badge(index),
      el("span", { class: "path" }, breakable(printable(model.name))),
      input,
    );
  });
  replace(place, ...rows);
  byId("precision-field", HTMLElement).hidden = !needsGrams(method);
  byId("coefficients-field", HTMLElement).hidden = method.coefficients === "unused";
  sayCoefficients();
}

function sayCoefficients() {
  const method = chosen(current);
  byId("coefficients-help", HTMLElement).textContent =
    method && !areShares(method)
      ? "Factors, used as they are; negative ones take away."
      : "Only their ratios count.";
}

/** @param {Method} method */
function areShares(method) {
  return method.coefficients === "shares_unless_off"
    ? isOn(method, "normalize")
    : method.coefficients === "shares";
}

/** What the page's address asks for. @returns {Device} */
export function device() {
  const asked = new URLSearchParams(location.search).get("device");
  return asked === "cpu" || asked === "gpu" ? asked : "auto";
}

/** Upper limit on computing workers. @param {boolean} isSolved whether layers are solved */
export function maxWorkers(isSolved) {
  const asked = Number(new URLSearchParams(location.search).get("workers"));
  const cores = navigator.hardwareConcurrency || 2;
  const useful = isSolved ? cores : READING_PER_CORE * cores;
  return Math.min(MAX_WORKERS, asked >= 1 ? Math.floor(asked) : useful);
}

/**
 * Throws a sentence where a setting cannot be understood.
 * @param {Method} method
 * @param {number} nModels
 * @returns {Options}
 */
export function readOptions(method, nModels) {
  return {
    method: method.name,
    scopes: readScopes(method),
    coefficients: coefficients(method),
    exclude: readExclude(),
    keep: readKeep(nModels),
    dtype: field("dtype").value || null,
    device: device(),
    precision: /** @type {Precision} */ (field("precision").value),
    shard_size: shardSize(),
  };
}

/** "5" would be 5 bytes to some and 5 GB to others. */
function shardSize() {
  const size = field("shard").value.trim();
  if (/^[\d.]+$/.test(size))
    throw new Error(`the largest file is "${size}" of what? Write ${size} MB or ${size} GB`);
  return size || null;
}

/** Whether the result is a folder of files, as on the command line. */
export function isFolder() {
  return field("shard").value.trim() !== "" || companions().length > 0;
}

/** Whether the output goes at once to a place that the user picks. */
export function isDirect() {
  return field("place").value !== "";
}

/** @param {Method} method */
function coefficients(method) {
  if (method.coefficients === "unused") return [];
  const inputs = [...byId("coefficients", HTMLElement).querySelectorAll("input")];
  const values = inputs.map((input) => input.valueAsNumber);
  return values.every((value) => value === 1) ? [] : values;
}
