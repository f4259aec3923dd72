// The models as cards: which files belong to which, and which Gram file goes with them.

/** @import { FileEntry, Inventory, SelectedModel, Selection } from "../protocol.js" */
/** @typedef {(selection: Selection) => void} OnChange */

import { breakable, byId, el, prose, replace } from "./dom.js";
import { approximate, bytes, count, letter, printable, sentence } from "./format.js";
import * as change from "./selection.js";

const MAX_LISTED = 200;
const KIND_NAMES = {
  checkpoint: "weights",
  gram: "Gram file",
  index: "shard index",
  heldout: "held-out images, counted after the merge",
  other: "not needed for a merge",
  bad: "cannot be read",
};

/** @param {Inventory} inventory @param {Selection} selection @param {OnChange} onChange */
export function renderModels(inventory, selection, onChange) {
  const cards = selection.models.map((_, index) => card(inventory, selection, index, onChange));
  replace(byId("model-cards", HTMLElement), ...cards);
  replace(
    byId("file-warnings", HTMLElement),
    ...inventory.warnings.map((text) => el("li", {}, prose(sentence(text)))),
  );
  renderUnused(inventory, selection, onChange);
  byId("models-hint", HTMLElement).textContent = hint(selection.models.length);
}

/** @param {number} nModels */
function hint(nModels) {
  if (nModels === 0) return "No model yet. Add the .safetensors files of at least two models.";
  return nModels === 1 ? "One model so far. Add the files of another to merge it with." : "";
}

/** @param {Inventory} inventory @param {Selection} selection @param {number} index @param {OnChange} onChange */
function card(inventory, selection, index, onChange) {
  const model = /** @type {SelectedModel} */ (selection.models[index]);
  const name = printable(model.name);
  const up =
    index > 0 &&
    el(
      "button",
      {
        class: "quiet",
        "data-key": `up-${index}`,
        "aria-label": `Move up ${name}`,
        onclick: () => onChange(change.movedUp(selection, index)),
      },
      "Move up",
    );
  const remove = el(
    "button",
    {
      class: "quiet",
      "data-key": `remove-${index}`,
      "aria-label": `Remove ${name}`,
      onclick: () => onChange(change.withoutModel(selection, index)),
    },
    "Remove",
  );
  return el(
    "li",
    { class: `card model hue-${index % 6}` },
    el(
      "div",
      { class: "card-head" },
      badge(index),
      el("h3", {}, breakable(name)),
      el("span", { class: "card-tools" }, up, remove),
    ),
    facts(inventory, model),
    fileList(inventory, selection, index, onChange),
    gramSelect(inventory, selection, index, onChange),
  );
}

/** The letter of a model on its colour. @param {number} index */
export function badge(index) {
  return el("span", { class: `badge hue-${index % 6}`, "aria-hidden": "true" }, letter(index));
}

/** @param {Inventory} inventory @param {SelectedModel} model */
function facts(inventory, model) {
  const entries = model.files.flatMap((i) => inventory.files[i] ?? []);
  const total = (/** @type {(entry: FileEntry) => number} */ field) =>
    entries.reduce((sum, entry) => sum + field(entry), 0);
  const dtypes = [...new Set(entries.flatMap((entry) => entry.dtypes))].join(", ");
  return el(
    "p",
    { class: "facts" },
    [
      count(
        total((entry) => entry.n_tensors),
        "tensor",
      ),
      `${approximate(total((entry) => entry.n_parameters))} parameters`,
      dtypes,
      bytes(total((entry) => entry.size_bytes)),
    ]
      .filter(Boolean)
      .join(" · "),
  );
}

/** @param {Inventory} inventory @param {Selection} selection @param {number} index @param {OnChange} onChange */
function fileList(inventory, selection, index, onChange) {
  const model = /** @type {SelectedModel} */ (selection.models[index]);
  const indices = typeof model.index === "number" ? [model.index, ...model.files] : model.files;
  const items = indices.slice(0, MAX_LISTED).map((file) => {
    const path = printable(inventory.files[file]?.path ?? "");
    return el(
      "li",
      {},
      el("span", { class: "path" }, breakable(path)),
      model.files.length > 1 &&
        file !== model.index &&
        el(
          "button",
          {
            class: "quiet",
            "data-key": `out-${index}-${file}`,
            "aria-label": `Take out ${path}`,
            onclick: () => onChange(change.withoutFile(selection, index, file)),
          },
          "Take out",
        ),
    );
  });
  if (indices.length === 1) return el("ul", { class: "paths" }, ...items);
  return el(
    "details",
    {},
    el("summary", {}, count(indices.length, "file")),
    el("ul", { class: "paths" }, ...items),
  );
}

/** @param {Inventory} inventory @param {Selection} selection @param {number} index @param {OnChange} onChange */
function gramSelect(inventory, selection, index, onChange) {
  const model = /** @type {SelectedModel} */ (selection.models[index]);
  const options = inventory.files.flatMap((entry, i) =>
    entry.kind === "gram"
      ? [el("option", { value: i, selected: i === model.gram }, printable(entry.path))]
      : [],
  );
  const select = el(
    "select",
    {
      "data-key": `gram-${index}`,
      "aria-label": `Gram file of ${printable(model.name)}`,
      onchange: () =>
        onChange(
          change.withGram(selection, index, select.value === "" ? undefined : Number(select.value)),
        ),
    },
    el("option", { value: "" }, "none: its weights are averaged"),
    ...options,
  );
  const gram = typeof model.gram === "number" ? inventory.files[model.gram] : undefined;
  return el(
    "div",
    { class: "gram-of" },
    el("label", {}, el("span", {}, "Gram file"), select),
    gram &&
      el(
        "p",
        { class: "facts" },
        [
          count(gram.n_tensors, "matrix", "matrices"),
          bytes(gram.size_bytes),
          gram.source && printable(gram.source),
        ]
          .filter(Boolean)
          .join(" · "),
      ),
  );
}

/** @param {Inventory} inventory @param {Selection} selection @param {OnChange} onChange */
function renderUnused(inventory, selection, onChange) {
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
