// @ts-check
// The files that no model uses: what they are, and what they could be used for.

/** @import { FileEntry, Inventory, Selection } from "../../protocol.js" */
/** @typedef {(selection: Selection) => void} OnChange */

import { breakable, byId, el, prose, replace } from "../kit/dom.js";
import { bytes, count, letter, printable } from "../kit/format.js";
import * as change from "../settings/selection.js";

const MAX_LISTED = 200;
const KIND_NAMES = {
  checkpoint: "weights",
  gram: "Gram file",
  index: "shard index",
  heldout: "held-out images, counted after the merge",
  companion: "can go with the merged model",
  other: "not needed for a merge",
  bad: "cannot be read",
};

/** @param {Inventory} inventory @param {Selection} selection @param {OnChange} onChange */
export function renderUnused(inventory, selection, onChange) {
  const indices = change.unassigned(selection, inventory);
  const items = indices
    .slice(0, MAX_LISTED)
    .map((file) => unusedFile(inventory, selection, file, onChange));
  const section = byId("unused", HTMLDetailsElement);
  section.hidden = indices.length === 0;
  byId("unused-summary", HTMLElement).textContent = `${count(indices.length, "other file")}`;
  replace(byId("unused-files", HTMLElement), ...items);
  const needsChoice = indices.some((i) =>
    ["checkpoint", "gram", "bad"].includes(inventory.files[i]?.kind ?? ""),
  );
  if (needsChoice) section.open = true;
}

/** @param {Inventory} inventory @param {Selection} selection @param {number} file @param {OnChange} onChange */
function unusedFile(inventory, selection, file, onChange) {
  const entry = /** @type {FileEntry} */ (inventory.files[file]);
  const path = printable(entry.path);
  const why = entry.error
    ? `${entry.error.what}${entry.error.advice ? `; ${entry.error.advice}` : ""}`
    : KIND_NAMES[entry.kind];
  return el(
    "li",
    { class: entry.kind === "bad" ? "bad" : "" },
    el(
      "span",
      {},
      el("span", { class: "path" }, breakable(path)),
      el("span", { class: "facts" }, ` ${bytes(entry.size_bytes)}, `, prose(why)),
    ),
    useSelect(entry, path, selection, file, onChange),
  );
}

/** @param {FileEntry} entry @param {string} path @param {Selection} selection @param {number} file @param {OnChange} onChange */
function useSelect(entry, path, selection, file, onChange) {
  if (entry.kind !== "checkpoint" && entry.kind !== "gram") return null;
  const isGram = entry.kind === "gram";
  if (isGram && selection.models.length === 0) return null; // nothing to choose from
  const uses = selection.models.map((model, i) =>
    el(
      "option",
      { value: i },
      `${isGram ? "Gram file of" : "part of"} ${letter(i)}: ${printable(model.name)}`,
    ),
  );
  const select = el(
    "select",
    {
      "data-key": `use-${file}`,
      "aria-label": `Use ${path}`,
      onchange: () => onChange(use(select.value)),
    },
    el("option", { value: "" }, "not used"),
    !isGram && el("option", { value: "new" }, "a model of its own"),
    ...uses,
  );
  return select;

  /** @param {string} value */
  function use(value) {
    if (value === "new") return change.withModel(selection, file, entry.path);
    return isGram
      ? change.withGram(selection, Number(value), file)
      : change.withFile(selection, Number(value), file);
  }
}
