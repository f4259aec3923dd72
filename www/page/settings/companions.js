// @ts-check
// Configuration and tokenizer files that go with the merged model as they are: whose.

/** @import { Inventory, Selection } from "../../protocol.js" */

import { byId, el, replace } from "../kit/dom.js";
import { count, letter } from "../kit/format.js";

/** What may go with the result, of each model. @type {number[][]} */
let beside = [];

const select = () => byId("parent", HTMLSelectElement);

/** Whose configuration goes with the result, where any has some. @param {Selection} selection @param {Inventory} inventory */
export function renderParents({ models }, { files }) {
  /** @param {number | undefined} file */
  const folder = (file = -1) => files[file]?.path.replace(/[^/]*$/, "");
  beside = models.map((model) =>
    files.flatMap(({ kind }, i) =>
      kind === "companion" && folder(i) === folder(model.files[0]) ? [i] : [],
    ),
  );
  const before = select().value || "0";
  const options = beside.map((own, i) =>
    el("option", { value: i }, `${letter(i)}: ${count(own.length, "file")}`),
  );
  replace(select(), ...options, el("option", { value: "none" }, "none"));
  select().value = before;
  if (select().selectedIndex < 0) select().selectedIndex = 0; // that model is gone
  byId("parent-field", HTMLElement).hidden = beside.every((own) => own.length === 0);
}

/** The files that go with the result. */
export function companions() {
  return beside[Number(select().value)] ?? [];
}
