// @ts-check
// The models as cards: which files belong to which, and which Gram file goes with them.

/** @import { FileEntry, Inventory, SelectedModel, Selection } from "../../protocol.js" */
/** @typedef {(selection: Selection) => void} OnChange */

import { breakable, byId, el, prose, replace } from "../kit/dom.js";
import { approximate, bytes, count, printable, sentence } from "../kit/format.js";
import { badge } from "../kit/badge.js";
import * as change from "../settings/selection.js";
import { renderUnused } from "./unused.js";

const MAX_LISTED = 200;
const MAX_SOURCE_CHARS = 400;

/** @param {Inventory} inventory @param {Selection} selection @param {OnChange} onChange */
export function renderModels(inventory, selection, onChange) {
  const cards = selection.models.map((_, index) => card(inventory, selection, index, onChange));
  const base = selection.base && baseCard(inventory, selection, selection.base, onChange);
  replace(byId("model-cards", HTMLElement), ...cards, base);
  const warnings = warningsOf(inventory, selection).map((text) =>
    el("li", {}, prose(sentence(text))),
  );
  replace(byId("file-warnings", HTMLElement), ...warnings);
  renderUnused(inventory, selection, onChange);
  byId("models-hint", HTMLElement).textContent = hint(inventory, selection);
}

/**
 * All but those that are said elsewhere: about unreadable files by the alert, about Gram files without
 * any model by the hint, about those paired by place by the question.
 * @param {Inventory} inventory
 * @param {Selection} selection
 */
function warningsOf({ files, warnings }, { models }) {
  const isSaid = (/** @type {FileEntry} */ { kind }, /** @type {number} */ i) =>
    kind === "bad" ||
    (kind === "gram" &&
      (models.length === 0 ||
        models.some(({ gram, gram_evidence }) => gram === i && gram_evidence === "order")));
  const said = files.filter(isSaid).map((entry) => `\`${printable(entry.path)}\``);
  return warnings.filter((text) => !said.some((path) => text.includes(path)));
}

/** @param {Inventory} inventory @param {Selection} selection */
function hint({ files }, { models, base }) {
  const nModels = models.length;
  const hasBase = Boolean(base);
  if (nModels === 0 && files.some(({ kind }) => kind === "gram"))
    return "A Gram file, and no model yet. Add the .safetensors file of the model that it was made of, and of another to merge it with.";
  if (nModels === 0) return "No model yet. Add the .safetensors files of at least two models.";
  return nModels === 1 && !hasBase ? "One model so far. Add the files of another to merge it with." : "";
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
        "aria-label": `Move earlier ${name}`,
        onclick: () => onChange(change.movedUp(selection, index)),
      },
      "Move earlier",
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
  const base =
    selection.models.length > 1 &&
    el(
      "button",
      {
        class: "quiet",
        "data-key": `is-base-${index}`,
        "aria-label": `This is the base: ${name}`,
        onclick: () => onChange(change.withBase(selection, index)),
      },
      "This is the base",
    );
  return el(
    "li",
    { class: `card model hue-${index % 6}` },
    el("div", { class: "card-head" }, badge(index), el("h3", {}, breakable(name))),
    el("div", { class: "card-tools" }, up, base, remove),
    facts(inventory, model),
    fileList(inventory, selection, index, onChange),
    gramSelect(inventory, selection, index, onChange),
  );
}

/** @param {Inventory} inventory @param {Selection} selection @param {SelectedModel} base @param {OnChange} onChange */
function baseCard(inventory, selection, base, onChange) {
  const name = printable(base.name);
  const back = el(
    "button",
    {
      class: "quiet",
      "data-key": "not-base",
      "aria-label": `Merge it like the others: ${name}`,
      onclick: () => onChange(change.withoutBase(selection)),
    },
    "Merge it like the others",
  );
  return el(
    "li",
    { class: "card model hue-average" },
    el("div", { class: "card-head" }, el("span", { class: "tag act-average" }, "Base"), el("h3", {}, breakable(name))),
    el("div", { class: "card-tools" }, back),
    facts(inventory, base),
    el(
      "p",
      {},
      "The others count as fine-tuned from it. Methods that need no base leave it out of the merge.",
    ),
  );
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
    el("option", { value: "" }, "none"),
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
          gram.source && printable(gram.source, MAX_SOURCE_CHARS),
        ]
          .filter(Boolean)
          .join(" · "),
      ),
  );
}
