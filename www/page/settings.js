// The settings of a merge: a form on the page, `Options` in the protocol, some of it in the URL's
// hash. The hash never holds names of files or models.

/** @import { Device, Inventory, Keep, Method, Options, Precision, Selection } from "../protocol.js" */

import { breakable, byId, el, replace } from "./dom.js";
import { count, letter, printable } from "./format.js";
import { badge } from "./models.js";
import { hasPickers } from "./outer.js";

/** Form fields that the hash holds, with their defaults. */
const IN_HASH = { method: "regmean", alpha: "0.9", precision: "auto", dtype: "", shard: "" };
const MAX_WORKERS = 16;

/** What may go with the result, of each model. @type {number[][]} */
let beside = [];

/** @param {string} id */
function field(id) {
  const node = document.getElementById(id);
  if (
    node instanceof HTMLInputElement ||
    node instanceof HTMLSelectElement ||
    node instanceof HTMLTextAreaElement
  )
    return node;
  throw new Error(`#${id} is missing`);
}

/** @param {() => void} onChange */
export function bindSettings(onChange) {
  readHash();
  showAlpha();
  const form = byId("settings", HTMLFormElement);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    showAlpha();
    writeHash();
    onChange();
  });
  addEventListener("hashchange", () => {
    if (readHash()) {
      showAlpha();
      onChange();
    }
  });
  byId("place-field", HTMLElement).hidden = !hasPickers;
  const forced = device();
  if (forced !== "auto")
    byId("device-note", HTMLElement).textContent = `Device: ${forced}, as the page's address says.`;
}

function showAlpha() {
  byId("alpha-value", HTMLOutputElement).textContent = Number(field("alpha").value).toFixed(2);
  byId("alpha-field", HTMLElement).hidden = field("method").value === "average";
}

function readHash() {
  const params = new URLSearchParams(location.hash.slice(1));
  let changed = false;
  for (const [key, fallback] of Object.entries(IN_HASH)) {
    const input = field(key);
    const before = input.value;
    if (params.has(key)) input.value = params.get(key) ?? fallback;
    if (input.value === "" && fallback !== "") input.value = fallback; // an unknown choice
    changed ||= input.value !== before;
  }
  return changed;
}

function writeHash() {
  const params = new URLSearchParams();
  for (const [key, fallback] of Object.entries(IN_HASH)) {
    if (field(key).value !== fallback) params.set(key, field(key).value);
  }
  history.replaceState(
    null,
    "",
    params.size > 0 ? `#${params}` : location.pathname + location.search,
  );
}

/** One coefficient per model. @param {Selection} selection */
export function renderCoefficients(selection) {
  const place = byId("coefficients", HTMLElement);
  const old = [...place.querySelectorAll("input")];
  const rows = selection.models.map((model, index) => {
    const before = old.find((input) => input.name === model.name)?.value ?? "1";
    const input = el("input", {
      type: "number",
      min: 0,
      step: "any",
      value: before,
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
}

/** Whose configuration goes with the result, where any has some. @param {Selection} selection @param {Inventory} inventory */
export function renderParents({ models }, { files }) {
  /** @param {number | undefined} file */
  const folder = (file = -1) => files[file]?.path.replace(/[^/]*$/, "");
  beside = models.map((model) =>
    files.flatMap(({ kind }, i) =>
      kind === "companion" && folder(i) === folder(model.files[0]) ? [i] : [],
    ),
  );
  const select = byId("parent", HTMLSelectElement);
  const before = select.value || "0";
  const options = beside.map((own, i) =>
    el("option", { value: i }, `${letter(i)}: ${count(own.length, "file")}`),
  );
  replace(select, ...options, el("option", { value: "none" }, "none"));
  select.value = before;
  if (select.selectedIndex < 0) select.selectedIndex = 0; // that model is gone
  byId("parent-field", HTMLElement).hidden = beside.every((own) => own.length === 0);
}

/** What the page's address asks for. @returns {Device} */
export function device() {
  const asked = new URLSearchParams(location.search).get("device");
  return asked === "cpu" || asked === "gpu" ? asked : "auto";
}

/** Averaging waits for files half of the time. */
const AVERAGING_PER_CORE = 2;

/** Upper limit on computing workers. @param {Options} options */
export function maxWorkers({ method }) {
  const asked = Number(new URLSearchParams(location.search).get("workers"));
  const cores = navigator.hardwareConcurrency || 2;
  const useful = method === "average" ? AVERAGING_PER_CORE * cores : cores;
  return Math.min(MAX_WORKERS, asked >= 1 ? Math.floor(asked) : useful);
}

/**
 * Throws a sentence where a setting cannot be understood.
 * @param {number} nModels
 * @returns {Options}
 */
export function readOptions(nModels) {
  return {
    method: /** @type {Method} */ (field("method").value),
    alpha: Number(field("alpha").value),
    coefficients: coefficients(),
    exclude: lines("exclude"),
    keep: lines("keep").map((line) => parseKeep(line, nModels)),
    dtype: field("dtype").value || null,
    device: device(),
    precision: /** @type {Precision} */ (field("precision").value),
    shard_size: shardSize(),
  };
}

/** The files that go with the result. */
export function companions() {
  return beside[Number(field("parent").value)] ?? [];
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

function coefficients() {
  const inputs = [...byId("coefficients", HTMLElement).querySelectorAll("input")];
  const values = inputs.map((input) => input.valueAsNumber);
  return values.every((value) => value === 1) ? [] : values;
}

/** @param {string} id */
function lines(id) {
  return field(id)
    .value.split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/**
 * `PATTERN = A`, with the letter or the number of a model.
 * @param {string} line
 * @param {number} nModels
 * @returns {Keep}
 */
function parseKeep(line, nModels) {
  const at = line.lastIndexOf("=");
  const pattern = line.slice(0, at).trim();
  const which = line
    .slice(at + 1)
    .trim()
    .toUpperCase();
  const byLetter = [...Array(26).keys()].findIndex((i) => letter(i) === which);
  const model = byLetter >= 0 ? byLetter : Number(which) - 1;
  if (at > 0 && pattern !== "" && Number.isInteger(model) && model >= 0) {
    if (model < nModels) return { pattern, model };
    const last = letter(nModels - 1);
    const those = nModels === 2 ? "A and B" : `A to ${last}`;
    throw new Error(`there is no model ${which}; these are ${those}`);
  }
  throw new Error(`"${line}" does not say which model's tensors to keep; write it as PATTERN = A`);
}
