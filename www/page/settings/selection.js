// @ts-check
// Pure changes to a selection of models. Every function returns a new selection.

/** @import { Inventory, SelectedModel, Selection } from "../../protocol.js" */

/** @param {Selection} selection @param {number} index @param {Partial<SelectedModel>} change @returns {Selection} */
function update(selection, index, change) {
  const models = selection.models.map((model, i) => (i === index ? { ...model, ...change } : model));
  return { ...selection, models };
}

/** @param {Selection} selection @param {number} index @param {number | undefined} gram @returns {Selection} */
export function withGram(selection, index, gram) {
  return update(selection, index, { gram, gram_evidence: "chosen" });
}

/** @param {Selection} selection @param {number} index @returns {Selection} */
export function withoutModel(selection, index) {
  return { ...selection, models: selection.models.filter((_, i) => i !== index) };
}

/** @param {Selection} selection @param {number} index @returns {Selection} */
export function movedUp(selection, index) {
  const models = [...selection.models];
  models.splice(index - 1, 0, ...models.splice(index, 1));
  return { ...selection, models };
}

/** Makes a model the base; an earlier one is merged like the others. @param {Selection} selection @param {number} index @returns {Selection} */
export function withBase(selection, index) {
  const base = selection.models[index];
  const { models } = withoutBase(withoutModel(selection, index));
  return { models, base };
}

/** @param {Selection} selection @returns {Selection} */
export function withoutBase({ models, base }) {
  return { models: base ? [...models, base] : models };
}

/** Takes a file out of a model; a model without files goes. @param {Selection} selection @param {number} index @param {number} file @returns {Selection} */
export function withoutFile(selection, index, file) {
  const model = selection.models[index];
  if (!model) return selection;
  const files = model.files.filter((other) => other !== file);
  if (files.length === 0) return withoutModel(selection, index);
  return update(selection, index, { files, index: model.index === file ? undefined : model.index });
}

/** @param {Selection} selection @param {number} index @param {number} file @returns {Selection} */
export function withFile(selection, index, file) {
  const files = [...(selection.models[index]?.files ?? []), file];
  return update(selection, index, { files: files.sort((a, b) => a - b) });
}

/** @param {Selection} selection @param {number} file @param {string} path @returns {Selection} */
export function withModel(selection, file, path) {
  const name = path.replace(/\.safetensors$/, "");
  return { ...selection, models: [...selection.models, { name, files: [file] }] };
}

/** The models, and the base where there is one. @param {Selection} selection */
export function everyModel({ models, base }) {
  return base ? [...models, base] : models;
}

/** Indices of the files that no model uses. @param {Selection} selection @param {Inventory} inventory */
export function unassigned(selection, inventory) {
  const used = new Set(
    everyModel(selection).flatMap((model) => [...model.files, model.index, model.gram]),
  );
  return inventory.files.map((_, i) => i).filter((i) => !used.has(i));
}

/**
 * After more files came: keeps what the user arranged and adds what the suggestion makes of the
 * new files.
 * @param {Selection} arranged
 * @param {Selection} suggestion
 * @param {number} nOldFiles
 * @returns {Selection}
 */
export function extended(arranged, suggestion, nOldFiles) {
  const isNew = (/** @type {number} */ file) => file >= nOldFiles;
  const kept = arranged.models.map((model) => ({ ...model, ...newGram(model) }));
  const added = suggestion.models.filter((model) => model.files.every(isNew));
  return { ...arranged, models: [...kept, ...added] };

  /** @param {SelectedModel} model @returns {Partial<SelectedModel>} */
  function newGram(model) {
    const twin = suggestion.models.find((other) => other.files.join() === model.files.join());
    if (typeof model.gram === "number" || typeof twin?.gram !== "number") return {};
    return isNew(twin.gram) ? { gram: twin.gram, gram_evidence: twin.gram_evidence } : {};
  }
}
