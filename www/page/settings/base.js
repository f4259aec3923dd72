// @ts-check
// The base model among the files: which it seems to be, by its name.

/** @import { Selection } from "../../protocol.js" */

import { withBase } from "./selection.js";

const SAYS_SO = /(^|[^a-z0-9])(base|pretrained|foundation|original)($|[^a-z0-9])/i;

/** @param {string} name @param {string} other */
function isStem(name, other) {
  return other.startsWith(name) && /^[^a-z0-9]/i.test(other.slice(name.length));
}

/**
 * Which model the others seem to be fine-tuned from: the only one that is called so, else one whose
 * name all others begin with.
 * @param {string[]} names
 */
export function likelyBase(names) {
  const called = names.flatMap((name, i) => (SAYS_SO.test(name) ? [i] : []));
  if (called.length === 1) return called[0];
  const stem = names.findIndex((name, i) =>
    names.every((other, j) => i === j || isStem(name, other)),
  );
  return stem >= 0 ? stem : undefined;
}

/** Sets a likely base aside, where two models are left. @param {Selection} selection @returns {Selection} */
export function withLikelyBase(selection) {
  if (selection.base || selection.models.length < 3) return selection;
  const index = likelyBase(selection.models.map(({ name }) => name));
  return index === undefined ? selection : withBase(selection, index);
}
