// @ts-check
// Tensors that do not go the method's way: two fields of regular expressions, one a line.

/** @import { Keep } from "../../protocol.js" */

import { byId } from "../kit/dom.js";
import { letter } from "../kit/format.js";

const area = (/** @type {"exclude" | "keep"} */ id) => byId(id, HTMLTextAreaElement);

/** @param {"exclude" | "keep"} id */
function lines(id) {
  return area(id)
    .value.split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** Patterns of what is averaged. */
export function readExclude() {
  return lines("exclude");
}

/** Throws a sentence where a line cannot be understood. @param {number} nModels */
export function readKeep(nModels) {
  return lines("keep").map((line) => parseKeep(line, nModels));
}

/** Adds a pattern for tensors that are averaged. @param {string} pattern */
export function addExclude(pattern) {
  put("exclude", [...lines("exclude").filter((line) => line !== pattern), pattern]);
}

/** Adds a pattern for tensors that stay one model's; the first that matches counts. @param {string} pattern @param {number} model */
export function addKeep(pattern, model) {
  const others = lines("keep").filter((line) => split(line).pattern !== pattern);
  put("keep", [`${pattern} = ${letter(model)}`, ...others]);
}

/** As if somebody had typed it. @param {"exclude" | "keep"} id @param {string[]} text */
function put(id, text) {
  const field = area(id);
  field.value = text.join("\n");
  const section = field.closest("details");
  if (section) section.open = true;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** @param {string} line */
function split(line) {
  const at = line.lastIndexOf("=");
  return { pattern: line.slice(0, Math.max(at, 0)).trim(), which: line.slice(at + 1).trim() };
}

/**
 * `PATTERN = A`, with the letter or the number of a model.
 * @param {string} line
 * @param {number} nModels
 * @returns {Keep}
 */
function parseKeep(line, nModels) {
  const { pattern, which } = split(line);
  const wanted = which.toUpperCase();
  const byLetter = [...Array(26).keys()].findIndex((i) => letter(i) === wanted);
  const model = byLetter >= 0 ? byLetter : Number(wanted) - 1;
  if (pattern !== "" && Number.isInteger(model) && model >= 0) {
    if (model < nModels) return { pattern, model };
    const last = letter(nModels - 1);
    const those = nModels === 1 ? "this is A alone" : nModels === 2 ? "these are A and B" : `these are A to ${last}`;
    throw new Error(`there is no model ${wanted}; ${those}`);
  }
  throw new Error(`"${line}" does not say which model's tensors to keep; write it as PATTERN = A`);
}

/**
 * A short pattern for these names and for none of the others: what they begin with, else all of them.
 * @param {string[]} names
 * @param {string[]} others
 */
export function patternFor(names, others) {
  const [first = ""] = names;
  const parts = first.split(".");
  for (let n = 1; n < parts.length; n += 1) {
    const start = `${parts.slice(0, n).join(".")}.`;
    const isTheirs = names.every((name) => name.startsWith(start));
    if (isTheirs && !others.some((name) => name.startsWith(start))) return `^${escaped(start)}`;
  }
  const all = names.map(escaped).join("|");
  return names.length === 1 ? `^${all}$` : `^(${all})$`;
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
